//! What a rehearsal found, for people: what would change, the widest things first, and that nothing did.

use super::out::inert;
use model::{Rehearsal, RehearsedFile, RehearsedPackage, Turn};

/// The result as text.
pub fn render(found: &Rehearsal) -> String {
    let mut text = String::from("\nIn a throwaway copy of the machine, which itself was not changed:\n");
    if found.is_empty() {
        push(&mut text, "  nothing changed");
    }
    packages(found, &mut text);
    section("users and groups", &found.accounts, &mut text, |account| {
        let details = &account.details;
        vec![(format!("  {} {}", sign(account.turn), account.subject), details.clone())]
    });
    section("units", &found.units, &mut text, |unit| {
        vec![(format!("  ~ {}: {}", unit.name, unit.acts.join(", ")), Vec::new())]
    });
    files(found, &mut text);
    for (place, count) in &found.folded {
        let under = if place.starts_with('/') { "under " } else { "" };
        push(&mut text, &format!("  and {} {under}{place}", counted(*count, "file")));
    }
    remarks(found, &mut text);
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(&inert(line));
    text.push('\n');
}

fn sign(turn: Turn) -> char {
    match turn {
        Turn::Added => '+',
        Turn::Changed => '~',
        Turn::Removed => '-',
    }
}

fn counted(count: u64, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

/// A head line with its details below, for each of `things`; nothing where there are none.
fn section<T>(
    title: &str,
    things: &[T],
    text: &mut String,
    lines: impl Fn(&T) -> Vec<(String, Vec<String>)>,
) {
    if things.is_empty() {
        return;
    }
    push(text, &format!("\n{title}"));
    for (head, details) in things.iter().flat_map(lines) {
        let short = details.join(", ");
        push(text, if short.is_empty() { head } else { format!("{head}  ({short})") }.as_str());
    }
}

fn packages(found: &Rehearsal, text: &mut String) {
    section("packages", &found.packages, text, |package| vec![(package_line(package), Vec::new())]);
}

fn package_line(package: &RehearsedPackage) -> String {
    let (sign, versions) = match (&package.before, &package.after) {
        (None, Some(new)) => ('+', new.clone()),
        (Some(old), None) => ('-', old.clone()),
        (Some(old), Some(new)) => ('~', format!("{old} -> {new}")),
        (None, None) => ('~', String::new()),
    };
    let files =
        if package.files == 0 { String::new() } else { format!(": {}", counted(package.files, "file")) };
    format!("  {sign} {} {versions}{files}", package.name)
}

fn files(found: &Rehearsal, text: &mut String) {
    if !found.files.is_empty() {
        push(text, "\nfiles");
    }
    for file in &found.files {
        file_text(file, text);
    }
}

fn file_text(file: &RehearsedFile, text: &mut String) {
    let slash = if file.what == "directory" { "/" } else { "" };
    let what = if ["file", "directory"].contains(&file.what.as_str()) { "" } else { &file.what };
    let details: Vec<&str> = std::iter::once(what)
        .chain(file.details.iter().map(String::as_str))
        .filter(|it| !it.is_empty())
        .collect();
    let details = if details.is_empty() { String::new() } else { format!("  ({})", details.join(", ")) };
    push(text, &format!("  {} {}{slash}{details}", sign(file.turn), file.path));
    let Some(diff) = &file.diff else { return };
    // The names of both sides stand in the line above.
    let lines = diff.lines().skip_while(|line| !line.starts_with("@@"));
    lines.for_each(|line| push(text, &format!("      {line}")));
}

fn remarks(found: &Rehearsal, text: &mut String) {
    if !found.unsettled.is_empty() {
        push(text, "\na second run would change these again");
        found.unsettled.iter().for_each(|id| push(text, &format!("  ! {id}")));
    }
    if !found.notes.is_empty() {
        push(text, "\nnot as in a real run");
        found.notes.iter().for_each(|note| push(text, &format!("  {note}")));
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use model::{HostPath, Rehearsal, RehearsedFile, RehearsedPackage, RehearsedUnit, Turn};

    #[test]
    fn each_part_is_shown_and_nothing_steers_the_terminal() {
        let file = RehearsedFile {
            path: HostPath::new("/srv/index.html").unwrap(),
            turn: Turn::Added,
            what: "file".into(),
            details: vec!["mode 0644".into()],
            diff: Some("--- before\n+++ after\n@@ -0,0 +1 @@\n+hello \u{1b}[31m\n".into()),
        };
        let package =
            RehearsedPackage { name: "nginx".into(), before: None, after: Some("1.22".into()), files: 3 };
        let unit =
            RehearsedUnit { name: "nginx.service".into(), acts: vec!["enabled".into(), "start".into()] };
        let mut found =
            Rehearsal { files: vec![file], packages: vec![package], units: vec![unit], ..Default::default() };
        found.folded.insert("/var/log".into(), 2);
        let text = render(&found);
        for part in [
            "  + nginx 1.22: 3 files\n",
            "  ~ nginx.service: enabled, start\n",
            "  + /srv/index.html  (mode 0644)\n",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.contains("      +hello \\u{1b}[31m\n") && !text.contains("--- before"), "{text}");
        assert!(text.contains("  and 2 files under /var/log\n"));
    }
}
