//! `keel drill`: the drills of the site's tests, on live hosts: one host at a time, one fault at a time, and nothing without `--yes`. A host on
//! which one of them fails is the last one.

use super::lock::user_here;
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::site::Site;
use crate::stop::Wishes;
use crate::vault::Opening;
use crate::view;
use crate::view::Stopped;
use crate::view::drill::{Told, View};
use crate::work::{Crew, Fleet, Live, Machines, Turn, seconds};
use anyhow::anyhow;
use dsl::Tests;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use trial::drill::{Drilling, End};

/// Arguments of `drill`. It is watched from elsewhere: this machine's own have no place in its help.
#[derive(Debug, clap::Args)]
#[command(mut_arg("local", |local| local.hide(true)), mut_arg("state_dir", |dir| dir.hide(true)))]
pub struct Args {
    /// The hosts: of the inventory by name, glob or @group. With -f or --role as ssh has it: [user@]host[:port].
    #[arg(value_name = "TARGET")]
    target: String,
    /// Only these drills; all of them unless said.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How long the drills of a host may take, such as 5m. No fault outlives it, whatever becomes of this program.
    #[arg(long = "for", value_name = "TIME", default_value = "5m", value_parser = seconds)]
    length: u64,
    /// Does it. Without it, it is told what would be done.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    site: Site,
    #[command(flatten)]
    machines: Machines,
}

/// Drills.
pub fn run(args: Args, format: Format) -> anyhow::Result<Exit> {
    let files = Files::for_looking(Opening::Unasked);
    let crew = args.machines.for_catalogs(std::slice::from_ref(&args.target), &args.site, &files);
    let hosts = match crew {
        Ok(Crew::There(hosts)) => hosts,
        Ok(Crew::Here { .. }) => {
            let why = "a drill is watched from elsewhere: name a host, and leave out --local";
            return Ok(view::misuse(&anyhow!(why)));
        }
        Err(refusal) => return Ok(view::refused(&refusal, format)),
    };
    let wishes = Wishes::heard(Stopped::Here)?;
    let fleet = Fleet::new(&hosts, (&args.site, &files), &wishes.stop)?;
    let _ours = match args.yes.then(|| Turn::take(&args.target)).transpose()? {
        Some(Turn::Theirs(who)) => {
            view::failure(&format!("one host at a time: {who}, goes on here; wait for its end"));
            return Ok(Exit::Locked);
        }
        turn => turn,
    };
    let mut call = Call {
        args: &args,
        view: View::new(format),
        wishes: &wishes,
        met: BTreeSet::new(),
        exits: Vec::new(),
    };
    for live in fleet.each() {
        if !call.host(&live) {
            break;
        }
    }
    call.finish()
}

struct Call<'a> {
    args: &'a Args,
    view: View,
    wishes: &'a Wishes,
    /// The names of all drills that hosts have.
    met: BTreeSet<String>,
    exits: Vec<Exit>,
}

impl Call<'_> {
    /// All drills of one host; false where no other host is to be drilled after it.
    fn host(&mut self, live: &Live<'_>) -> bool {
        let mut tests = match live.tests() {
            Ok(tests) => tests,
            Err((end, why)) => {
                self.exits.push(Exit::of(&end));
                self.view.trouble(live.name(), &why);
                return false;
            }
        };
        self.met.extend(tests.drills.iter().map(|drill| drill.name.clone()));
        let names = &self.args.names;
        tests.drills.retain(|drill| names.is_empty() || names.contains(&drill.name));
        if !self.args.yes {
            tests.drills.iter().for_each(|drill| self.view.would(live.name(), drill));
            self.exits.extend((!tests.drills.is_empty()).then_some(Exit::Pending));
            return true;
        }
        self.drills(live, &tests)
    }

    fn drills(&mut self, live: &Live<'_>, tests: &Tests) -> bool {
        let (since, length, by) = (Instant::now(), Duration::from_secs(self.args.length), user_here());
        let mut is_well = true;
        for drill in &tests.drills {
            let left = length.saturating_sub(since.elapsed());
            let needed = Duration::from_secs(drill.seen.saturating_add(drill.within));
            let why = match () {
                () if self.wishes.stop.load(Ordering::SeqCst) => Some("stopped before it began".to_owned()),
                () if !is_well => Some("not tried: another one of this host was not passed".to_owned()),
                () if left < needed => {
                    let (left, needed) = (left.as_secs(), needed.as_secs());
                    Some(format!("not tried: it may take {needed} s, and --for leaves {left} s"))
                }
                () => None,
            };
            let begun = Instant::now();
            let ran = match why {
                Some(why) => {
                    trial::drill::Ran { end: End::Untold(why), steps: Vec::new(), faults: Vec::new() }
                }
                None => {
                    self.view.begins(live.name(), drill);
                    let (checks, stop) = (&tests.checks[..], &*self.wishes.stop);
                    Drilling { drill, checks, by: &by, longest: left, stop }.on(live)
                }
            };
            self.exits.push(match &ran.end {
                End::Passed => Exit::Fine,
                End::Locked(_) => Exit::Locked,
                End::Failed | End::Untold(_) => Exit::Failed,
            });
            // What this host cannot have says nothing of the next one; a host that is not even again does.
            is_well &= matches!(ran.end, End::Passed | End::Untold(_));
            self.view.ran(&Told { host: live.name(), drill, ran: &ran, took: begun.elapsed() });
        }
        is_well && !self.wishes.stop.load(Ordering::SeqCst)
    }

    fn finish(self) -> anyhow::Result<Exit> {
        let exit = Exit::of_all(self.exits.iter().copied());
        let is_known = |name: &&String| !self.met.contains(*name);
        if matches!(exit, Exit::Fine | Exit::Pending)
            && let Some(name) = self.args.names.iter().find(is_known)
        {
            let advice = dsl::advice(name, self.met.iter().map(String::as_str)).unwrap_or_default();
            return Ok(view::misuse(&anyhow!("there is no drill `{name}`: {advice}")));
        }
        if self.exits.is_empty() {
            let why = "there is nothing to drill: declare [drill.NAME] in tests/*.toml";
            return Ok(view::misuse(&anyhow!(why)));
        }
        self.view.finish(if self.args.yes { Some(exit == Exit::Fine) } else { None });
        Ok(exit)
    }
}
