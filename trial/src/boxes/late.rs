//! A way into a host that is reached over a network: connected when it is first used, and root there. It decides nothing of how a host is
//! reached.

use super::command::quoted;
use fleet::{Pipe, Remote, Trouble};
use std::sync::Arc;

/// Makes a connection that is logged in.
pub type Connect = Arc<dyn Fn() -> Result<Way, Trouble> + Send + Sync>;

/// A connection, and whom it is logged in as.
pub struct Way {
    /// The connection.
    pub remote: Box<dyn Remote>,
    /// The user.
    pub user: String,
}

/// One that is made when it is needed.
pub struct Late {
    connect: Connect,
    way: Option<Way>,
}

impl Late {
    /// Not made yet.
    pub fn new(connect: Connect) -> Self {
        Self { connect, way: None }
    }
}

impl Remote for Late {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        let way = match &mut self.way {
            Some(way) => way,
            none => none.insert((self.connect)()?),
        };
        if way.user == "root" {
            return way.remote.exec(command);
        }
        way.remote.exec(&format!("exec sudo -n /bin/sh -c {}", quoted(command)))
    }
}
