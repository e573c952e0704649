//! What would become of units: what the host recorded, and what the links of systemd say (systemctl(1), "enable", "mask").

use model::{RehearsedFile, RehearsedUnit, Turn};
use std::collections::BTreeMap;

/// By unit. `recorded` holds lines such as `start nginx.service`.
pub(super) fn changes(recorded: &[String], files: &[RehearsedFile]) -> Vec<RehearsedUnit> {
    let mut units: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |name: &str, act: &str| {
        let acts = units.entry(name.to_owned()).or_default();
        let plain = act.split_once(" (").map_or(act, |(plain, _)| plain);
        if !acts.iter().any(|known| known == act || known == plain) {
            acts.push(act.to_owned());
        }
    };
    for (name, act) in files.iter().filter_map(linked) {
        add(&name, act);
    }
    for line in recorded {
        match line.rsplit_once(' ') {
            Some((act, name)) => add(name, act),
            None => add("systemd", line),
        }
    }
    units.into_iter().map(|(name, acts)| RehearsedUnit { name, acts }).collect()
}

/// A link in `X.wants` or `X.requires` enables the unit of its name; a unit that is a link to `/dev/null` is masked.
fn linked(file: &RehearsedFile) -> Option<(String, &'static str)> {
    let path = file.path.to_string();
    let rest = path.strip_prefix("/etc/systemd/system/")?;
    if file.what != "symlink" {
        return None;
    }
    let masks = file.details.iter().any(|detail| detail.ends_with("/dev/null"));
    match (rest.split_once('/'), file.turn) {
        (Some((at, name)), turn) if at.ends_with(".wants") || at.ends_with(".requires") => match turn {
            Turn::Added => Some((name.to_owned(), "enabled")),
            Turn::Removed => Some((name.to_owned(), "disabled")),
            Turn::Changed => None,
        },
        (None, Turn::Added | Turn::Changed) if masks => Some((rest.to_owned(), "masked")),
        (None, Turn::Removed) if masks => Some((rest.to_owned(), "unmasked")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::changes;
    use model::{HostPath, RehearsedFile, Turn};

    fn link(path: &str, turn: Turn, target: &str) -> RehearsedFile {
        let details = vec![format!("target {target}")];
        RehearsedFile {
            path: HostPath::new(path).unwrap(),
            turn,
            what: "symlink".into(),
            details,
            diff: None,
        }
    }

    #[test]
    fn links_and_records_are_told_by_unit() {
        let files = [
            link("/etc/systemd/system/multi-user.target.wants/a.service", Turn::Added, "/lib/a"),
            link("/etc/systemd/system/multi-user.target.wants/b.service", Turn::Removed, "/lib/b"),
            link("/etc/systemd/system/c.service", Turn::Added, "/dev/null"),
            link("/etc/systemd/other", Turn::Added, "/dev/null"),
        ];
        let recorded = [
            "start a.service",
            "reload a.service",
            "start (by its package) a.service",
            "stop (by its package) b.service",
        ];
        let recorded = recorded.map(str::to_owned);
        let told: Vec<String> = changes(&recorded, &files)
            .iter()
            .map(|it| format!("{}: {}", it.name, it.acts.join(", ")))
            .collect();
        assert_eq!(
            told,
            [
                "a.service: enabled, start, reload",
                "b.service: disabled, stop (by its package)",
                "c.service: masked"
            ]
        );
    }
}
