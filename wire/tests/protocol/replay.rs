//! Every file in `tests/cases/exchanges`, through both sides. An empty line ends an exchange.

use crate::exchange::{Line, Replay, Said, lines};
use std::path::Path;

/// All exchanges that are written down.
pub fn recorded() -> Vec<String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases/exchanges"));
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    let text = |file| std::fs::read_to_string(file).expect("it can be read");
    files
        .iter()
        .map(text)
        .flat_map(|text| text.split("\n\n").map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn recorded_exchanges_are_taken_as_they_were_meant() {
    let recorded = recorded();
    assert!(recorded.len() > 20, "{}", recorded.len());
    recorded.iter().for_each(|text| Replay::default().run(&lines(text)));
}

#[test]
fn no_host_ever_says_a_secret() {
    let mut count = 0;
    for text in recorded() {
        let lines = lines(&text);
        for pair in lines.windows(2) {
            let [Said::Controller(message), Said::Bytes(secret)] = [&pair[0].said, &pair[1].said] else {
                continue;
            };
            if message.contains("{\"secret\":") {
                let secret = std::str::from_utf8(secret).expect("text, in these exchanges");
                let is_said =
                    |line: &Line<'_>| matches!(line.said, Said::Host(text) if text.contains(secret));
                assert!(!lines.iter().any(is_said), "{text}");
                count += 1;
            }
        }
    }
    assert!(count > 10);
}
