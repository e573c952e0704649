//! The fault `net`: an interface is slow and loses packets, by netem where the kernel has it.

use super::fault::{Cannot, Fault};
use super::port;
use super::tools::{Said, Tools, well, words};
use crate::kind::Listed;
use model::{Failure, Problem, Repair};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An interface is slow, and loses packets: `net = { interface = "eth0", delay = "100ms", loss = "5%" }`. By netem where the kernel has it, for what
/// leaves; else what can be had in its place, which is told: loss each way by nftables, delay and rate of what leaves by a token bucket (tbf).
/// An interface that somebody has given a queue of its own to is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Net {
    /// The interface, such as `eth0`; `lo` is what the host says to itself.
    interface: String,
    /// How much later packets leave, such as `100ms` or `1s`; 2 s at most.
    delay: Option<String>,
    /// How many packets are lost, such as `5%`; 50 % at most, so that the host stays in reach.
    loss: Option<String>,
    /// How much leaves at most, such as `512kbit` or `10mbit` a second; 64 kbit at least.
    rate: Option<String>,
}

/// What was noted before.
#[derive(Debug, Serialize, Deserialize)]
pub struct Note {
    interface: String,
    /// True where there may be a table of nftables.
    rules: bool,
}

/// Our queue, by its number: `ke` in hexadecimal.
const HANDLE: &str = "6b65:";
/// The bytes of a packet's head on Ethernet, and of the loopback.
const HEAD: u64 = 14;
/// The longest packet of most interfaces.
const MTU: u64 = 1500;

impl Net {
    fn delay(&self) -> Option<u64> {
        let text = self.delay.as_deref()?;
        let (number, factor) = match text.strip_suffix("ms") {
            Some(number) => (number, 1),
            None => (text.strip_suffix('s')?, 1000),
        };
        number.parse::<u64>().ok()?.checked_mul(factor).filter(|millis| (1..=2000).contains(millis))
    }

    fn loss(&self) -> Option<u64> {
        let number = self.loss.as_deref()?.strip_suffix('%')?.parse::<u64>().ok()?;
        (1..=50).contains(&number).then_some(number)
    }

    /// In kbit a second.
    fn rate(&self) -> Option<u64> {
        let text = self.rate.as_deref()?;
        let (number, factor) = match text.strip_suffix("kbit") {
            Some(number) => (number, 1),
            None => (text.strip_suffix("mbit")?, 1000),
        };
        number.parse::<u64>().ok()?.checked_mul(factor).filter(|kbit| (64..=100_000_000).contains(kbit))
    }

    fn queue(&self, words: &[&str], tools: &dyn Tools) -> Result<Said, Failure> {
        let argv = ["tc", "qdisc", "add", "dev", &self.interface, "root", "handle", HANDLE];
        tools.run(&[&argv[..], words].concat(), "")
    }

    /// What is had in place of netem.
    fn instead(&self, why: &str, note: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        let mut done = Vec::new();
        if let Some(loss) = self.loss() {
            if !note.rules {
                return Err(Cannot::Here(format!(
                    "the kernel has no netem ({why}), and there is no nftables"
                )));
            }
            let rule =
                |way: &str| format!("{way} \"{}\" numgen random mod 100 < {loss} drop", self.interface);
            port::put(&[("input", rule("iifname")), ("output", rule("oifname"))], tools)?;
            done.push(format!("loss of {loss} % each way by nftables"));
        }
        let packet = tools.mtu(&self.interface)?.unwrap_or(MTU).saturating_add(HEAD);
        // As long as a whole packet takes at this rate.
        let slow = self.delay().map(|millis| packet.saturating_mul(8).div_ceil(millis).max(8));
        if let Some(kbit) = self.rate().into_iter().chain(slow).min() {
            // What is longer than the bucket would never leave.
            let (rate, burst) = (format!("{kbit}kbit"), packet.max(4096).to_string());
            let said = self.queue(&["tbf", "rate", &rate, "burst", &burst, "latency", "2s"], tools)?;
            if !said.fine {
                let why = format!("the kernel has neither netem ({why}) nor tbf ({})", words(&said));
                return Err(Cannot::Here(why));
            }
            done.push(match slow {
                Some(_) => format!("tbf of {kbit} kbit/s in place of a delay"),
                None => format!("rate of {kbit} kbit/s by tbf"),
            });
        }
        Ok(format!("{}: {} (the kernel has no netem)", self.interface, done.join(", ")))
    }
}

impl Listed for Net {
    const NAME: &'static str = "net";
    const SHORT: &'static str = "interface";
    const EXAMPLE: &'static str = "[drill.slow-network]\nnet    = { interface = \"eth0\", delay = \"100ms\", loss = \"5%\" }\nsees   = []             # nobody need see it: all is well again when it ends\nrepair = \"undo\"\nwithin = \"30s\"\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_name = |one: char| one.is_ascii_alphanumeric() || ":-_.@".contains(one);
        let name = &self.interface;
        if name.is_empty() || name.len() > 15 || name.starts_with('-') || !name.chars().all(is_name) {
            let problem = Problem::at("interface", format!("`{name}` is no name of an interface"));
            problems.push(problem.help("`ip link` lists them"));
        }
        if self.delay.is_none() && self.loss.is_none() && self.rate.is_none() {
            let problem = Problem::whole("nothing is to be wrong with the interface");
            problems.push(problem.help("give it delay = \"100ms\", loss = \"5%\" or rate = \"1mbit\""));
        }
        for (key, is_wrong, help) in [
            ("delay", self.delay.is_some() && self.delay().is_none(), "from \"1ms\" to \"2s\""),
            ("loss", self.loss.is_some() && self.loss().is_none(), "from \"1%\" to \"50%\""),
            ("rate", self.rate.is_some() && self.rate().is_none(), "from \"64kbit\", or such as \"10mbit\""),
        ] {
            if is_wrong {
                problems.push(Problem::at(key, format!("this is no {key}")).help(format!("write it {help}")));
            }
        }
        problems
    }
}

impl Fault for Net {
    const REPAIR: Repair = Repair::Undo;
    type Note = Note;

    fn prepare(&self, tools: &dyn Tools) -> Result<Note, Cannot> {
        let interface = self.interface.clone();
        if tools.mtu(&interface)?.is_none() {
            let why = format!("there is no interface {interface}");
            return Err(Failure::refused(why, "`ip link` lists them").into());
        }
        let found = match tools.run(&["tc", "qdisc", "show", "dev", &interface, "root"], "") {
            Ok(said) if said.fine => said.out,
            Ok(said) => return Err(Cannot::Here(format!("tc cannot be had here: {}", words(&said)))),
            Err(Failure::Command { .. }) => {
                return Err(Cannot::Here("tc is not on this host: the package iproute2 has it".to_owned()));
            }
            Err(failure) => return Err(failure.into()),
        };
        if let Some(kind) = own_queue(&found) {
            let why = format!("{interface} has a queue of its own ({kind}), which could not be brought back");
            return Err(Failure::refused(why, "take another interface").into());
        }
        match port::fit(tools) {
            Ok(()) => Ok(Note { interface, rules: true }),
            Err(Cannot::Here(_)) => Ok(Note { interface, rules: false }),
            Err(cannot) => Err(cannot),
        }
    }

    fn inject(&self, note: &Note, tools: &dyn Tools) -> Result<String, Cannot> {
        let mut argv = vec!["netem".to_owned()];
        let delay = self.delay().map(|millis| ["delay".to_owned(), format!("{millis}ms")]);
        let loss = self.loss().map(|percent| ["loss".to_owned(), format!("{percent}%")]);
        let rate = self.rate().map(|kbit| ["rate".to_owned(), format!("{kbit}kbit")]);
        argv.extend([delay, loss, rate].into_iter().flatten().flatten());
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let said = self.queue(&argv, tools)?;
        if said.fine {
            return Ok(format!("{}: {}", self.interface, argv.join(" ")));
        }
        self.instead(&words(&said), note, tools)
    }

    fn undo(note: &Note, tools: &dyn Tools) -> Result<String, Failure> {
        let mut done = Vec::new();
        if tools.mtu(&note.interface)?.is_some() {
            let argv = ["tc", "qdisc", "show", "dev", &note.interface, "root"];
            let found = well(tools, &argv, "")?.out;
            if found.split_whitespace().any(|word| word == HANDLE) {
                well(tools, &["tc", "qdisc", "del", "dev", &note.interface, "root"], "")?;
                done.push(format!("the queue of {} is gone", note.interface));
            }
        }
        if note.rules && port::clear(tools)? {
            done.push("the rules of nftables are gone".to_owned());
        }
        Ok(done.join(", "))
    }
}

/// The kind of a root queue that somebody has set up: those that the kernel gives have the number 0 (tc(8)).
fn own_queue(shown: &str) -> Option<&str> {
    shown.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["qdisc", kind, handle, "root", ..] if handle != "0:" => Some(kind),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::own_queue;

    #[test]
    fn a_queue_of_the_kernel_is_told_from_one_of_somebody() {
        assert_eq!(own_queue("qdisc noqueue 0: root refcnt 2 \n"), None);
        assert_eq!(own_queue("qdisc mq 0: root\nqdisc fq_codel 0: parent :1 limit 10240p\n"), None);
        assert_eq!(own_queue("qdisc tbf 8001: root refcnt 2 rate 1Mbit\n"), Some("tbf"));
        assert_eq!(own_queue(""), None);
    }
}
