//! What the service manager says of units: one `systemctl show` for all that will be asked about.
//!
//! It must not claim anything where systemd does not run. Properties: org.freedesktop.systemd1(5).

use super::unit_files::{Ask, is_template, state};
use crate::os::child::Child;
use crate::os::safe_path::{Follow, look};
use model::{Failure, UnitState};
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
    let argv = ["systemctl", "--no-pager", "show", PROPERTIES, "--"].into_iter();
    let output = Child::new(argv.chain(plain.iter().map(|name| name.as_str()))).run()?.success()?;
    let found = parse(&output.text()?)?;
    if found.len() != plain.len() {
        let because = format!("systemctl was asked about {} and told of {}", plain.len(), found.len());
        return Err(Failure::unknown("units", because));
    }
    // By position: an alias and its unit give two paragraphs with one Id.
    units.extend(plain.into_iter().cloned().zip(found));
    Ok(units)
}

/// sd_booted(3) looks for this directory.
pub(super) fn require_systemd(what: &str) -> Result<(), Failure> {
    match look(Path::new("/run/systemd/system"), Follow::No)? {
        Some(_) => Ok(()),
        None => Err(Failure::unknown(what, "systemd is not running here")),
    }
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
    let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let id = fields.get("Id").copied().unwrap_or("a unit");
    let field = |name: &str| {
        let found = fields.get(name).copied();
        found.ok_or_else(|| Failure::unknown(id, format!("systemctl said nothing of its {name}")))
    };
    let active = field("ActiveState")?;
    // A unit whose file is gone while it still runs is there to be stopped.
    if field("LoadState")? == "not-found" && matches!(active, "inactive" | "failed") {
        return Ok(None);
    }
    Ok(Some(UnitState {
        active: active.to_owned(),
        file: field("UnitFileState")?.to_owned(),
        need_reload: field("NeedDaemonReload")? == "yes",
        // systemd before 229 has no such property.
        can_reload: fields.get("CanReload") == Some(&"yes"),
    }))
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
