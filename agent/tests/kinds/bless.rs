//! Rewrites what a case expects, in place, leaving the rest of the data file as it is. Whoever asks for it reads the diff.

use std::path::Path;

/// Puts `key = found` into the case `name`, in place of what was expected there.
#[expect(clippy::disallowed_methods, reason = "a file of the repository, not of a host")]
pub fn bless(file: &Path, name: &str, key: &str, found: &[String]) {
    let text = std::fs::read_to_string(file).expect("it was read before");
    let title = format!("name = {name:?}");
    let at = text.lines().position(|line| line == title).expect("a case has its name on a line of its own");
    let lines: Vec<&str> = text.lines().collect();
    let end = (at..lines.len()).find(|at| lines[*at].trim().is_empty()).unwrap_or(lines.len());
    let is_expected =
        |line: &str| ["steps =", "refused =", "invalid ="].iter().any(|key| line.starts_with(key));
    let from = (at..end).find(|at| is_expected(lines[*at])).unwrap_or(end);
    let fresh = match (key, found) {
        ("refused", [one]) => vec![format!("refused = {}", quoted(one))],
        (_, []) => vec![format!("{key} = []")],
        (_, [one]) => vec![format!("{key} = [{}]", quoted(one))],
        (_, many) => {
            let items = many.iter().map(|it| format!("    {},", quoted(it)));
            [format!("{key} = [")].into_iter().chain(items).chain(["]".to_owned()]).collect()
        }
    };
    let kept = |range: &[&str]| range.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let all = [kept(&lines[..from]), fresh, kept(&lines[end..])].concat();
    std::fs::write(file, all.join("\n") + "\n").expect("the data file can be written");
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
