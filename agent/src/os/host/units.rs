//! What the service manager says of units: one question for all that will be asked about, over its socket, or by `systemctl show` where that
//! does not let us in.
//!
//! It must not claim anything where systemd does not run. Properties: org.freedesktop.systemd1(5).

use super::unit_files::{Ask, is_template, state};
use crate::os::bus::{Properties, Property, Systemd};
use crate::os::child::Child;
use crate::os::safe_path::{Follow, look};
use model::{Failure, Gather, UnitState};
use std::collections::BTreeMap;
use std::path::Path;

const PROPERTIES: &str = "--property=Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,CanReload";

/// Units by the name that was asked for.
pub(super) type Units = BTreeMap<String, Option<UnitState>>;

/// Asks the running manager about all `names` at once.
pub(super) fn show(names: &[String]) -> Result<Units, Failure> {
    require_systemd(names.first().map_or("units", String::as_str))?;
    let mut units = Units::new();
    let (valid, invalid): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| is_valid(name));
    units.extend(invalid.into_iter().map(|name| (name.clone(), None)));
    let (templates, plain): (Vec<&String>, Vec<&String>) =
        valid.into_iter().partition(|name| is_template(name));
    for name in templates {
        units.insert(name.clone(), state(name, Ask::Manager)?);
    }
    if plain.is_empty() {
        return Ok(units);
    }
    let asked: Vec<&str> = plain.iter().map(|name| name.as_str()).collect();
    let found = match Systemd::reach() {
        Some(manager) => match units_by_socket(manager, &asked) {
            // Cut off or held up, as while systemd takes in its units anew: nothing was changed by asking, and systemctl may be asked.
            Err(Failure::Timeout { .. } | Failure::Io { .. }) => units_by_program(&asked)?,
            told => told?,
        },
        None => units_by_program(&asked)?,
    };
    // By position: an alias and its unit are told of with one Id.
    units.extend(plain.into_iter().cloned().zip(found));
    Ok(units)
}

/// What the manager says of these units over its socket, in their order.
///
/// # Errors
/// It does not say, or what it says is no answer.
pub fn units_by_socket(mut manager: Systemd, names: &[&str]) -> Result<Vec<Option<UnitState>>, Failure> {
    let told = manager.properties(names)?;
    told.iter().zip(names).map(|(properties, name)| Said::of(name, properties).map(Said::judged)).collect()
}

/// The same by `systemctl show`.
///
/// # Errors
/// It fails, or does not tell of all of them.
pub fn units_by_program(names: &[&str]) -> Result<Vec<Option<UnitState>>, Failure> {
    let argv = ["systemctl", "--no-pager", "show", PROPERTIES, "--"].into_iter();
    let output = Child::new(argv.chain(names.iter().copied())).run()?.success()?;
    let found = parse(&output.text()?)?;
    if found.len() != names.len() {
        let because = format!("systemctl was asked about {} and told of {}", names.len(), found.len());
        return Err(Failure::unknown("units", because));
    }
    Ok(found)
}

/// What the running manager says of one unit; `None` where there is none of this name.
///
/// # Errors
/// It could not be asked, or what it says is no answer.
pub fn unit_of_manager(name: &str) -> Result<Option<UnitState>, Failure> {
    Ok(show(&[name.to_owned()])?.remove(name).flatten())
}

/// sd_booted(3) looks for this directory.
pub(super) fn has_systemd() -> Result<bool, Failure> {
    Ok(look(Path::new("/run/systemd/system"), Follow::No)?.is_some())
}

pub(super) fn require_systemd(what: &str) -> Result<(), Failure> {
    if has_systemd()? { Ok(()) } else { Err(Failure::unknown(what, "systemd is not running here")) }
}

/// What a unit's name may hold (systemd.unit(5)). No unit has any other, and systemctl would take it for a pattern or a path.
fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    name.bytes().all(allowed) && name.contains('.') && name.len() < 256 && !name.starts_with('.')
}

/// The paragraphs of `systemctl show`, in order; `None` for a unit that does not exist.
fn parse(text: &str) -> Result<Vec<Option<UnitState>>, Failure> {
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    paragraphs.map(paragraph).collect()
}

fn paragraph(text: &str) -> Result<Option<UnitState>, Failure> {
    let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).gather();
    let id = fields.get("Id").copied().unwrap_or("a unit");
    let field = |name: &str| {
        let found = fields.get(name).copied();
        found.ok_or_else(|| Failure::unknown(id, format!("systemctl said nothing of its {name}")))
    };
    Ok(Said {
        load: field("LoadState")?,
        active: field("ActiveState")?,
        file: field("UnitFileState")?,
        need_reload: field("NeedDaemonReload")? == "yes",
        // systemd before 229 has no such property.
        can_reload: fields.get("CanReload") == Some(&"yes"),
    }
    .judged())
}

/// What was said of a unit.
struct Said<'a> {
    load: &'a str,
    active: &'a str,
    file: &'a str,
    need_reload: bool,
    can_reload: bool,
}

impl<'a> Said<'a> {
    fn of(name: &str, properties: &'a Properties) -> Result<Self, Failure> {
        let unknown =
            |property: &str| Failure::unknown(name, format!("systemd said nothing of its {property}"));
        let text = |property: &str| match properties.get(property) {
            Some(Property::Text(text)) => Ok(text.as_str()),
            _ => Err(unknown(property)),
        };
        let truth = |property: &str| match properties.get(property) {
            Some(Property::Truth(truth)) => Ok(*truth),
            _ => Err(unknown(property)),
        };
        Ok(Self {
            load: text("LoadState")?,
            active: text("ActiveState")?,
            file: text("UnitFileState")?,
            need_reload: truth("NeedDaemonReload")?,
            // As above.
            can_reload: properties.contains_key("CanReload") && truth("CanReload")?,
        })
    }

    /// `None` for a unit that does not exist.
    fn judged(self) -> Option<UnitState> {
        // A unit whose file is gone while it still runs is there to be stopped.
        if self.load == "not-found" && matches!(self.active, "inactive" | "failed") {
            return None;
        }
        Some(UnitState {
            active: self.active.to_owned(),
            file: self.file.to_owned(),
            need_reload: self.need_reload,
            can_reload: self.can_reload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{is_valid, parse};

    const SHOW: &str = include_str!("../../../../tests/cases/recorded/systemctl-show/mixed.txt");

    #[test]
    fn reads_units_in_the_order_they_were_asked_for() {
        let units = parse(SHOW).unwrap();
        let told: Vec<Option<(&str, &str, bool)>> = units
            .iter()
            .map(|unit| unit.as_ref().map(|it| (it.active.as_str(), it.file.as_str(), it.can_reload)))
            .collect();
        let ssh = Some(("active", "enabled", true));
        let socket = Some(("active", "static", false));
        let getty = Some(("inactive", "enabled", false));
        let timer = Some(("inactive", "masked", false));
        assert_eq!(told, [ssh, ssh, Some(("active", "enabled", false)), None, socket, getty, timer]);
    }

    #[test]
    fn a_running_unit_without_a_file_is_still_there() {
        let text =
            "Id=a.service\nLoadState=not-found\nActiveState=active\nUnitFileState=\nNeedDaemonReload=yes\n";
        let unit = parse(text).unwrap().remove(0).unwrap();
        assert_eq!((unit.active.as_str(), unit.file.as_str(), unit.need_reload), ("active", "", true));
    }

    #[test]
    fn half_an_answer_is_no_answer() {
        assert!(parse("Id=a.service\nLoadState=loaded\n").is_err());
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn knows_what_a_name_may_hold() {
        assert!(is_valid("ssh.service") && is_valid("getty@tty1.service") && is_valid("dev-disk\\x2d.mount"));
        assert!(!is_valid("ssh*.service") && !is_valid("/etc/x.service") && !is_valid("ssh"));
    }
}
