//! The words with which the script ends before it has become the agent, as sentences that an operator can act on. Nothing was run.

use crate::agents::Agent;
use crate::inert;
use crate::trouble::{Stage, Trouble};

/// What is known where the script ends.
pub struct Scene<'a> {
    /// The state directory on the host.
    pub state: &'a str,
    /// What could have been put there.
    pub agents: &'a [Agent],
}

impl Scene<'_> {
    /// The dead end that the script calls `word`, with what it adds.
    pub fn trouble(&self, word: &str, rest: &str) -> Trouble {
        let rest = &inert::tail(rest.as_bytes());
        let bin = format!("{}/bin", self.state);
        let text = match word {
            "notroot" => return Trouble::Elevation("what became root on the host is not root".to_owned()),
            "cut" => return lost("the agent's size did not come to the host"),
            "nodirectory" => format!("{rest} is there on the host, and is no directory"),
            "owner" => format!(
                "{rest} does not belong to root on the host, and its owner could replace what is run there: look at it, then give it to root or remove it"
            ),
            "loose" => format!(
                "others than root could replace what is run from {bin} on the host; it, {} and the agent have to be root's own, no links, and not writable by group or others. They are: {rest}",
                self.state
            ),
            "machine" => return self.other_machine(rest),
            "tool" => {
                format!("the host has no `{rest}`, which the agent is brought and checked with: install it")
            }
            "tampered" => tampered(&bin, rest),
            "mismatch" => {
                format!("the agent came damaged to the host: its SHA-256 is {rest} there; it was not run")
            }
            "upload" => {
                format!("the agent could not be written to {bin} on the host, and was not run: {rest}")
            }
            "cannot" => format!("the agent cannot be put on the host: {rest}"),
            "noexec" => {
                format!("programs in {bin} cannot be run on the host: its file system is mounted noexec")
            }
            _ => return self.unknown(word),
        };
        Trouble::Agent(text)
    }

    /// A word that the script would not have said there.
    pub fn unknown(&self, word: &str) -> Trouble {
        let because = format!("an unknown word, `{}`", inert::tail(word.as_bytes()));
        Trouble::Protocol { stage: Stage::Elevate, because }
    }

    fn other_machine(&self, machine: &str) -> Trouble {
        let known: Vec<&str> = self.agents.iter().map(|agent| agent.arch.as_str()).collect();
        Trouble::Agent(format!(
            "there is no agent for the host's machine, {machine}: a file keel-agent-{machine} has to be beside keel; there are agents for {}",
            known.join(", ")
        ))
    }
}

/// `rest` is the digest that was found and the one that was asked for.
fn tampered(bin: &str, rest: &str) -> String {
    let (found, wanted) = rest.split_once(' ').unwrap_or((rest, ""));
    format!(
        "the agent on the host was tampered with or damaged, and was not run: its SHA-256 is {found}, and not {wanted}. \
         Find out why; when {bin}/keel-agent-{wanted} is removed there, the next push brings it anew"
    )
}

fn lost(because: &str) -> Trouble {
    Trouble::Lost { stage: Stage::Upload, because: because.to_owned() }
}
