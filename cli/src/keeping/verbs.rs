//! The verbs of `keel agent`, each from its arguments to `daemon`, or to a catalog that is applied.

use super::afar;
use super::bundles::Ask;
use super::compiled::compile;
use super::install::{Parts, Runs, SCOPE, There, installed, part, uninstalled};
use super::outside::outside;
use super::renewed::{Renewed, before};
use super::said::{On, settings_text};
use crate::clock;
use crate::commands::agent::{Args, Install, What, Whose};
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::site::Refusal;
use crate::view;
use crate::view::agent as show;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Crew, Errand, Hosts, Inventory, Machines, Make, Ready, Wanted, facts_for_compiling};
use agent::state::{DEFAULT_ROOT, StateDir};
use agent::work::keeping::{end_pause, put_pause};
use anyhow::{Context, anyhow};
use daemon::{ControlLoop, Host, NoLook, Settings, settings, status};
use model::{Catalog, Diagnostic};
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use wire::{Order, Pause, Work};

/// Does it.
pub fn run(args: Args) -> anyhow::Result<Exit> {
    let Args { what, settings, state_dir, format } = args;
    if let Some(why) = misused(&what, &settings, state_dir.as_deref()) {
        return Ok(view::misuse(&why));
    }
    let settings = absolute(&settings)?;
    let state_dir = state_dir.as_deref().map(absolute).transpose()?;
    let state = StateDir::new(state_dir.as_deref().unwrap_or(Path::new(DEFAULT_ROOT)));
    match what {
        What::Install(install) => match which(&install.whose) {
            Err(error) => Ok(view::misuse(&error)),
            Ok(Which::Here) => set_up(&install, (&settings, state_dir), format),
            Ok(Which::There) => {
                let (whose, yes) = (install.whose.clone(), install.yes);
                go(|hosts, files| afar::install(*install, settings, (hosts, files)), whose, yes, format)
            }
        },
        What::Uninstall { whose, yes } => match which(&whose) {
            Err(error) => Ok(view::misuse(&error)),
            Ok(Which::Here) => {
                let catalog = uninstalled(&settings, None, There::now())?;
                apply((catalog, Vec::new()), "agent uninstall --local", (yes, state_dir), format)
            }
            Ok(Which::There) => go(|_, _| Ok(afar::uninstall(settings)), whose, yes, format),
        },
        What::Run { once } => keep(settings, state, if once { Turns::One } else { Turns::All }, format),
        What::Status { whose } if whose.hosts.is_empty() => show_status(&state, format),
        What::Status { whose } => ask(Order::Keeping, whose, format),
        What::Pause { whose, reason, length, by } => {
            let by = by.unwrap_or_else(crate::commands::lock::user_here);
            let pause = Pause { by, reason, since: clock::now(), seconds: length };
            if !whose.hosts.is_empty() {
                return ask(Order::Pause(pause), whose, format);
            }
            put_pause(&state, &pause)?;
            show_status(&state, format)
        }
        What::Resume { whose } if whose.hosts.is_empty() => {
            end_pause(&state)?;
            show_status(&state, format)
        }
        What::Resume { whose } => ask(Order::Resume, whose, format),
        What::Compile { in_force } => {
            if std::io::stdout().is_terminal() {
                return Ok(view::misuse(&anyhow!(
                    "secrets are in what is compiled here: nobody is to see them"
                )));
            }
            match read(&settings) {
                Ok((settings, _)) => {
                    let ask = if in_force { Ask::Nobody } else { Ask::Place };
                    view::text(&compile(&settings, state.root(), ask).to_string());
                }
                Err(refusal) => return Ok(view::refused(&refusal, Format::Human)),
            }
            Ok(Exit::Fine)
        }
    }
}

/// Why other hosts cannot be meant, where some are named.
fn misused(what: &What, settings: &Path, state_dir: Option<&Path>) -> Option<anyhow::Error> {
    let whose = match what {
        What::Install(install) => &install.whose,
        What::Uninstall { whose, .. } | What::Status { whose } => whose,
        What::Pause { whose, .. } | What::Resume { whose } => whose,
        What::Run { .. } | What::Compile { .. } => return None,
    };
    if whose.hosts.is_empty() {
        return None;
    }
    if state_dir.is_some() {
        return Some(anyhow!(
            "--state-dir is of this machine's own agent: leave it out where hosts are named"
        ));
    }
    let why =
        || anyhow!("say the whole path on the hosts, from the root, `/`: --settings {}", settings.display());
    (!settings.is_absolute()).then(why)
}

/// Which machines are meant.
enum Which {
    Here,
    There,
}

fn which(whose: &Whose) -> anyhow::Result<Which> {
    match (whose.local, whose.hosts.is_empty()) {
        (true, _) => Ok(Which::Here),
        (false, false) => Ok(Which::There),
        (false, true) => Err(anyhow!("whose agent? name hosts, or say --local for this machine")),
    }
}

/// Has something done on other hosts that may change them.
fn go(
    make: impl FnOnce(&Hosts, &Files) -> anyhow::Result<Box<Make>>,
    whose: Whose,
    yes: bool,
    format: Format,
) -> anyhow::Result<Exit> {
    let consent = match if yes { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let (crew, files) = crew(whose);
    let wanted = match &crew {
        Ok(Crew::There(hosts)) => Wanted::Made(make(hosts, &files)?),
        Ok(Crew::Here { .. }) => {
            return Ok(view::misuse(&anyhow!("name hosts, or say --local for this machine")));
        }
        Err(refusal) => return Ok(view::refused(refusal, format)),
    };
    Errand { wanted, consent, manner: consent.manner(), format, files }.go(crew)
}

/// Asks other hosts, or tells them what is no run.
fn ask(order: Order, whose: Whose, format: Format) -> anyhow::Result<Exit> {
    let (crew, files) = crew(whose);
    let (wanted, consent, manner) = (Wanted::Same(order), Consent::Given, Manner::Answer);
    Errand { wanted, consent, manner, format, files }.go(crew)
}

fn crew(whose: Whose) -> (Result<Crew, Refusal>, Files) {
    let files = Files::default();
    (Machines::over(whose.connection).for_asking(&whose.hosts, &Inventory::here(), &files), files)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}

/// The settings, and their text.
fn read(path: &Path) -> Result<(Settings, String), Refusal> {
    let text = std::fs::read_to_string(path).map_err(|error| Refusal::Other(unread(path, &error)))?;
    let settings = settings::read(&path.display().to_string(), &text).map_err(Refusal::Diagnostics)?;
    Ok((settings, text))
}

fn unread(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let help = match error.kind() {
        ErrorKind::NotFound => ": `keel agent install --local` makes them",
        ErrorKind::PermissionDenied => ": do it as root, with sudo",
        _ => "",
    };
    anyhow!("cannot read the settings of the agent, {}: {error}{help}", path.display())
}

/// How often the agent looks.
enum Turns {
    One,
    All,
}

fn keep(path: PathBuf, state: StateDir, turns: Turns, format: Format) -> anyhow::Result<Exit> {
    let (settings, text) = match read(&path) {
        Ok(found) => found,
        Err(refusal) => {
            let exit = view::refused(&refusal, format);
            let is_mistaken = matches!(refusal, Refusal::Diagnostics(_));
            // A mistake in the settings changes nothing, also where the agent starts anew meanwhile.
            match before(&state) {
                Some(found) if is_mistaken && matches!(turns, Turns::All) => found,
                _ => {
                    tell_status(&state, &refusal);
                    return Ok(exit);
                }
            }
        }
    };
    let facts = facts_for_compiling()?;
    // A host without one is spread as well as any, by its name.
    let machine_id = std::fs::read_to_string("/etc/machine-id").unwrap_or_else(|_| facts.hostname.clone());
    let source = Renewed::new(&settings, &text, &state)?;
    let (name, outside) = (facts.hostname, outside(&settings));
    let host = Host { state, settings: Some(path), name, machine_id, clock: &clock::now, outside };
    let mut agent = ControlLoop::new(settings, &source, host)?;
    match turns {
        Turns::All => agent.run().map(|()| Exit::Fine).map_err(Into::into),
        Turns::One => Ok(match agent.once()? {
            Err(NoLook::Kept(why)) => {
                view::failure(&why);
                Exit::Locked
            }
            Err(NoLook::Failed(why)) => {
                view::failure(&why);
                Exit::Failed
            }
            Ok(report) => {
                show::looked(&report, agent.status(), format);
                let left = agent.status().drift.len() + agent.status().held.len();
                match report.failed + report.unknown {
                    0 if left > 0 => Exit::Pending,
                    0 => Exit::Fine,
                    _ => Exit::Failed,
                }
            }
        }),
    }
}

/// Has `keel agent status` say why nobody began, as where a timer starts it and nobody reads what it says.
fn tell_status(state: &StateDir, refusal: &Refusal) {
    let why = match refusal {
        Refusal::Diagnostics(found) => settings::words(found),
        Refusal::Other(error) => error.to_string(),
    };
    if let Err(failure) = status::write_bad_settings(state, &why, &clock::now()) {
        view::failure(&format!("`keel agent status` does not know of this: {failure}"));
    }
}

fn show_status(state: &StateDir, format: Format) -> anyhow::Result<Exit> {
    let now = jiff_seconds(&clock::now());
    show::status(&status::told(state, now)?, now, format);
    Ok(Exit::Fine)
}

fn jiff_seconds(clock: &str) -> u64 {
    let time: Option<jiff::Timestamp> = clock.parse().ok();
    time.and_then(|time| u64::try_from(time.as_second()).ok()).unwrap_or(0)
}

fn set_up(
    install: &Install,
    (path, state): (&Path, Option<PathBuf>),
    format: Format,
) -> anyhow::Result<Exit> {
    let (text, notes) = match written(install, path) {
        Ok(found) => found,
        Err(refusal) => return Ok(view::refused(&refusal, format)),
    };
    let settings = match settings::read(&path.display().to_string(), &text) {
        Ok(settings) => settings,
        Err(found) => return Ok(view::refused(&Refusal::Diagnostics(found), format)),
    };
    let runs = match install.timer {
        true => Runs::ByTimer { every: settings.every },
        false => Runs::Always,
    };
    let program = std::env::current_exe().and_then(std::fs::canonicalize);
    let program = program.context("cannot find the program that the agent is to run")?;
    let signers = install.said.upkeep.allowed_signers.as_deref().map(signers).transpose();
    let signers = match signers {
        Ok(signers) => signers,
        Err(refusal) => return Ok(view::refused(&refusal, format)),
    };
    let (brought, settings, signers) = (None, Some(text.as_str()), signers.as_deref());
    let parts = Parts { program: &program, brought, settings, path, signers };
    let catalog = installed(&parts, runs, There::now())?;
    apply((catalog, notes), "agent install --local", (install.yes, state), format)
}

/// Who may sign: a text that means something, before it comes to a host.
pub(super) fn signers(path: &Path) -> Result<String, Refusal> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let parsed = bundle::Allowed::parse(&path.display().to_string(), &text);
    parsed.map(|_| text).map_err(|refusal| Refusal::Other(refusal.into()))
}

/// The settings: those that are there, with what is said now in place of what they say.
fn written(install: &Install, path: &Path) -> Result<(String, Vec<Diagnostic>), Refusal> {
    let old = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Refusal::Other(unread(path, &error))),
    };
    if old.is_none() && !install.said.says_where() {
        return Err(Refusal::Other(anyhow!(
            "say where the catalog comes from: --site DIR, or --source PLACE and --name SITE, with --role ROLE or --host NAME; or -f FILE"
        )));
    }
    settings_text(&install.said, On::Here, old.as_deref()).map_err(Refusal::Other)
}

fn apply(
    (catalog, warnings): (Catalog, Vec<Diagnostic>),
    command: &str,
    (yes, state): (bool, Option<PathBuf>),
    format: Format,
) -> anyhow::Result<Exit> {
    let consent = match if yes { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let (scope, command, terms) = (SCOPE.to_owned(), command.to_owned(), part());
    let work = Work { catalog, scope, command, terms, ..Work::default() };
    let wanted = Wanted::Made(Box::new(move |_, _, _| {
        Ok(Ready { warnings: warnings.clone(), ..Ready::plain(Order::Apply(work.clone())) })
    }));
    let files = Files::default();
    Errand { wanted, consent, manner: consent.manner(), format, files }
        .go(Ok(Crew::Here { host: None, state }))
}

#[cfg(test)]
mod tests {
    use super::unread;
    use std::io::ErrorKind;
    use std::path::Path;

    #[test]
    fn settings_that_cannot_be_read_say_what_to_do() {
        for (kind, help) in [
            (ErrorKind::NotFound, ": `keel agent install --local` makes them"),
            (ErrorKind::PermissionDenied, ": do it as root, with sudo"),
        ] {
            let told = unread(Path::new("/a"), &kind.into()).to_string();
            assert!(told.ends_with(help), "{told}");
        }
    }
}
