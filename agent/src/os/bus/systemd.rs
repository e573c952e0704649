//! What the service manager is asked over its socket (org.freedesktop.systemd1(5)): properties of units, and a scope for processes.
//! It must not judge an answer: who asks does.

use super::connection::{Answer, Connection};
use super::message::{Call, Message};
use super::reading::Reading;
use super::writing::Writing;
use model::Failure;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long systemd may take to tell of units, before systemctl is asked, which waits longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take over a change that somebody waits for.
const SHORT: Duration = Duration::from_secs(10);

/// A property of a unit, as far as its type is one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// A text or a path.
    Text(String),
    /// Yes or no.
    Truth(bool),
}

/// Properties by name.
pub type Properties = BTreeMap<String, Property>;

/// The service manager of this host.
pub struct Systemd(Connection);

impl Systemd {
    /// Over its socket; `None` where it does not listen to us there, as to all that are not root: nothing was asked then, and the programs that
    /// come with it may be.
    pub fn reach() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        Connection::open().ok().map(Self)
    }

    /// The properties that each of these units has as a unit, in their order. One that is not loaded is loaded for that, as systemctl(1) has it: of a unit
    /// that does not exist it says so in `LoadState`.
    ///
    /// # Errors
    /// It refuses to tell of one of them, what it says is no answer, or it takes too long.
    pub fn properties(&mut self, units: &[&str]) -> Result<Vec<Properties>, Failure> {
        let paths: Vec<String> = units.iter().map(|unit| path_of(unit)).collect();
        let calls: Vec<Call<'_>> = paths.iter().map(|path| all_properties(path)).collect();
        let answers = self.0.ask(&calls, PATIENCE)?;
        units.iter().zip(answers).map(|(unit, answer)| read(unit, answer)).collect()
    }

    /// Has these processes moved to a new scope. They are there soon after it has answered.
    ///
    /// # Errors
    /// It refuses, what it says is no answer, or it takes too long.
    pub fn start_scope(&mut self, unit: &str, description: &str, pids: &[u32]) -> Result<(), Failure> {
        let mut body = Writing::default();
        body.text(unit).text("fail").array(8, |properties| {
            properties.align(8).text("Description").signature("s").text(description);
            properties.align(8).text("CollectMode").signature("s").text("inactive-or-failed");
            properties.align(8).text("PIDs").signature("au").array(4, |all| {
                pids.iter().for_each(|pid| {
                    all.number(*pid);
                });
            });
        });
        body.array(8, |_| {});
        let call = Call {
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager",
            member: "StartTransientUnit",
            signature: "ssa(sv)a(sa(sv))",
            body: body.into_bytes(),
        };
        let answers = self.0.ask(&[call], SHORT)?;
        let said = |because| {
            Failure::refused(format!("systemd does not start {unit}: {because}"), "look at its log")
        };
        match answers.into_iter().next() {
            Some(Ok(job)) if job.signature == "o" => Ok(()),
            Some(Ok(_)) | None => Err(Failure::unknown(unit, NO_ANSWER)),
            Some(Err(because)) => Err(said(because)),
        }
    }
}

const NO_ANSWER: &str = "what systemd says is no answer";

fn all_properties(path: &str) -> Call<'_> {
    let mut body = Writing::default();
    // Not those of its type: to tell these it looks into control groups.
    body.text("org.freedesktop.systemd1.Unit");
    let (interface, member) = ("org.freedesktop.DBus.Properties", "GetAll");
    Call { path, interface, member, signature: "s", body: body.into_bytes() }
}

fn read(unit: &str, answer: Answer) -> Result<Properties, Failure> {
    let message = answer.map_err(|because| Failure::unknown(unit, because))?;
    all_of(&message).ok_or_else(|| Failure::unknown(unit, NO_ANSWER))
}

fn all_of(message: &Message) -> Option<Properties> {
    let mut found = Properties::new();
    if message.signature != "a{sv}" {
        return None;
    }
    let mut body = message.body();
    body.array(8, |entry| {
        entry.align(8)?;
        let name = entry.text()?.to_owned();
        if let Some(property) = value(entry)? {
            found.insert(name, property);
        }
        Some(())
    })?;
    body.is_done().then_some(found)
}

/// A variant; `None` inside where it is of another type.
fn value(reading: &mut Reading<'_>) -> Option<Option<Property>> {
    Some(match reading.signature()? {
        "s" | "o" => Some(Property::Text(reading.text()?.to_owned())),
        "b" => Some(Property::Truth(reading.truth()?)),
        types => {
            reading.skip(types.as_bytes())?.is_empty().then_some(())?;
            None
        }
    })
}

/// The path of a unit's object: what is neither letter nor digit stands as `_` and two hexadecimal digits, a digit at the beginning too
/// (sd_bus_path_encode(3)).
pub fn path_of(unit: &str) -> String {
    let mut path = "/org/freedesktop/systemd1/unit/".to_owned();
    for (at, byte) in unit.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => path.push(byte.into()),
            b'0'..=b'9' if at > 0 => path.push(byte.into()),
            _ => path.push_str(&format!("_{byte:02x}")),
        }
    }
    path
}

#[cfg(test)]
mod tests;
