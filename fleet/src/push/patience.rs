//! How long a host may take for what. The defaults are for hosts; tests have less time.

use std::time::Duration;

/// Deadlines of a push, after the connection is there.
#[derive(Clone, Debug)]
pub struct Patience {
    /// For a login shell to run what it is given.
    pub login: Duration,
    /// For sudo; some ask a directory service that is slow.
    pub elevate: Duration,
    /// For a step of the script, and for what has been sent to it.
    pub step: Duration,
    /// For the agent's first words: it gathers facts, and starts no process for them.
    pub first_words: Duration,
    /// For any sign of life after that.
    pub silence: Duration,
    /// For a host to be reached again whose run goes on without a connection.
    pub back: Duration,
    /// For a host that reboots, or undoes a run, beyond what it has said itself.
    pub margin: Duration,
    /// Before such a host is tried for the first time; later tries are further apart.
    pub nap: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(30),
            elevate: Duration::from_secs(60),
            step: Duration::from_secs(120),
            first_words: Duration::from_secs(30),
            silence: wire::SILENCE,
            back: Duration::from_secs(300),
            margin: Duration::from_secs(120),
            nap: Duration::from_secs(1),
        }
    }
}
