//! The dead ends between a controller and a host, told apart, each in the words that an operator can act on.
//! What came from a host is capped here and made inert where it is shown.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::time::Duration;

/// What sets a deadline.
type Setting = &'static str;

/// How far the work on a host had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Opening the connection.
    Connect,
    /// Agreeing on keys, and checking the host's.
    HostKey,
    /// Logging in.
    Login,
    /// Becoming root.
    Elevate,
    /// Bringing the agent.
    Upload,
    /// The agent's first words, and the host's facts.
    Facts,
    /// Handing over the order and what belongs to it.
    Order,
    /// From the order to the commit point: nothing has changed.
    Plan,
    /// After the commit point: the run is the host's own.
    Run,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::HostKey => "checking the host key",
            Self::Login => "logging in",
            Self::Elevate => "becoming root",
            Self::Upload => "uploading the agent",
            Self::Facts => "waiting for the agent's first words",
            Self::Order => "handing over the order",
            Self::Plan => "planning; nothing had been changed",
            Self::Run => "the run, which is the host's own",
        })
    }
}

/// Why the work on a host came to no report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Trouble {
    /// The name has no address.
    #[error("the name {host} is unknown: {because}")]
    NameUnknown {
        /// The name.
        host: String,
        /// The resolver's words.
        because: String,
    },
    /// Nobody listens there.
    #[error("{address} refused the connection: no sshd listens on that port, or a firewall rejects it")]
    ConnectionRefused {
        /// Address and port.
        address: String,
    },
    /// The network has no way there.
    #[error("there is no route to {address}: {because}")]
    NoRoute {
        /// Address and port.
        address: String,
        /// The system's words.
        because: String,
    },
    /// Something else than an sshd listens there.
    #[error("{address} is no SSH server: {}", words(said))]
    NotSsh {
        /// Address and port.
        address: String,
        /// The first it said.
        said: String,
    },
    /// A deadline passed.
    #[error("no answer within {} s while {stage}{setting}", limit.as_secs_f32())]
    Timeout {
        /// What was waited for.
        stage: Stage,
        /// The deadline.
        limit: Duration,
        /// ` (ConnectTimeout)`; empty where none sets it.
        #[serde(deserialize_with = "setting")]
        setting: Setting,
    },
    /// None of the ways to log in was taken.
    #[error("{user} was not let in; tried {}; the host takes {methods}", listed(tried))]
    LoginRefused {
        /// The user.
        user: String,
        /// Each way that was tried, such as `key ~/.ssh/id_ed25519`.
        tried: Vec<String>,
        /// What sshd says it would take, such as `publickey`.
        methods: String,
    },
    /// A host key that is unknown, changed, revoked or not the one that was given; in the words that OpenSSH users know.
    #[error("{0}")]
    HostKey(String),
    /// The login shell does not run what it is given.
    #[error("{0}")]
    Shell(String),
    /// There is no way to become root.
    #[error("{0}")]
    Elevation(String),
    /// The agent cannot be brought, or cannot be trusted; nothing was run.
    #[error("{0}")]
    Agent(String),
    /// The agent ended without its last words.
    #[error("the agent ended before it was done ({status}) {}{}", crashed(host, *stage), said(stderr))]
    Crashed {
        /// The name of its target.
        host: String,
        /// How far it was.
        stage: Stage,
        /// Such as `exit status 101`, `killed by a signal`.
        status: String,
        /// The tail of what it said.
        stderr: String,
    },
    /// The connection broke.
    #[error("the connection was lost while {stage}: {because}")]
    Lost {
        /// How far the work was.
        stage: Stage,
        /// What is known of it.
        because: String,
    },
    /// The connection broke after the commit point, and the host could not be reached again in time.
    #[error("the connection was lost {}", adrift(host, because, *run, *window))]
    Adrift {
        /// The name of its target.
        host: String,
        /// What is known of it.
        because: String,
        /// The run; `None` where it is not known whether it has begun.
        run: Option<u64>,
        /// The run is undone unless it is confirmed within so many seconds after its end.
        window: Option<u64>,
    },
    /// The user wanted to leave after the commit point.
    #[error("{}", detached(host, *run, *window))]
    Detached {
        /// The name of its target.
        host: String,
        /// The run; `None` where it is not known whether it has begun.
        run: Option<u64>,
        /// The run is undone unless it is confirmed within so many seconds after its end.
        window: Option<u64>,
    },
    /// The run has ended, and the host could not be shown in time that it is still in reach.
    #[error(
        "run {run} could not be confirmed ({because}), and the host undoes it by itself: `keel attach {run} {host}` tells whether it has"
    )]
    Unconfirmed {
        /// The name of its target.
        host: String,
        /// The run.
        run: u64,
        /// Why not.
        because: String,
    },
    /// The host does not keep to the protocol.
    #[error("the host does not keep to the protocol while {stage}: {because}")]
    Protocol {
        /// How far the work was.
        stage: Stage,
        /// What was wrong.
        because: String,
    },
    /// The way to the host leads over another, and there is something wrong with that one.
    #[error("through {hop}: {trouble}")]
    Through {
        /// The host on the way, as the configuration calls it.
        hop: String,
        /// What is wrong.
        trouble: Box<Trouble>,
    },
    /// Something on this side, such as a configuration that cannot be read.
    #[error("{0}")]
    Here(String),
    /// The user wanted to stop while the work was before the commit point; nothing had been changed.
    #[error("stopped while {stage}")]
    Stopped {
        /// How far the work was.
        stage: Stage,
    },
    /// The user wanted to stop before it was tried.
    #[error("not tried: stopped before its turn")]
    NotTried,
}

impl Trouble {
    /// True where the host, as far as anybody knows, was never reached as root: nothing was run there.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::NameUnknown { .. }
            | Self::ConnectionRefused { .. }
            | Self::NoRoute { .. }
            | Self::NotSsh { .. }
            | Self::Through { .. }
            | Self::LoginRefused { .. }
            | Self::HostKey(_) => true,
            Self::Timeout { stage, .. } | Self::Lost { stage, .. } => *stage < Stage::Elevate,
            _ => false,
        }
    }
}

/// What sets a deadline, from another process of ours.
fn setting<'de, D: Deserializer<'de>>(from: D) -> Result<Setting, D::Error> {
    Ok(if String::deserialize(from)?.is_empty() { "" } else { " (ConnectTimeout)" })
}

/// Where the end of a run can be learnt.
pub(crate) fn whereabouts(host: &str, run: Option<u64>) -> String {
    match run {
        Some(run) => {
            format!("run {run} goes on there by itself, and `keel attach {run} {host}` tells how it ends")
        }
        None => format!("whether the run has begun says `keel history {host}`"),
    }
}

fn unless_confirmed(window: Option<u64>) -> String {
    let undone = |window| format!("; it is undone {window} s after its end, unless that is done by then");
    window.map(undone).unwrap_or_default()
}

fn adrift(host: &str, because: &str, run: Option<u64>, window: Option<u64>) -> String {
    let (when, whereabouts) = match run {
        Some(_) => ("after the run had begun", whereabouts(host, run)),
        None => ("as the run was to begin", whereabouts(host, run)),
    };
    format!("{when} ({because}); {whereabouts}{}", unless_confirmed(window))
}

fn detached(host: &str, run: Option<u64>, window: Option<u64>) -> String {
    format!("{}{}", whereabouts(host, run), unless_confirmed(window))
}

fn crashed(host: &str, stage: Stage) -> String {
    match stage {
        Stage::Run => format!(
            "in the middle of the run: what it has done is in `keel history {host}`, and the next `keel apply` takes it up"
        ),
        stage => format!("while {stage}"),
    }
}

fn listed(tried: &[String]) -> String {
    if tried.is_empty() { "nothing: there is no key and no agent".to_owned() } else { tried.join(", ") }
}

fn words(said: &str) -> String {
    if said.is_empty() {
        "it ended the connection without a word".to_owned()
    } else {
        format!("it said: {said}")
    }
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; it said: {stderr}") }
}
