//! What a person sees of several hosts, as data. A case is a directory of `tests/cases/fleet`: in `story` each line is a JSON
//! object with the `hosts` it is about and what they say or how they end; `expected.txt` is what is shown, with `!` before what
//! goes to standard error. `UPDATE_EXPECTED=1` writes what comes out.

use super::Many;
use crate::exit::Class;
use crate::view::out::Screen;
use crate::view::show::{Manner, Show, Sorted};
use fleet::{End, Trouble};
use model::{Event, EventBody};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl Paper {
    fn write(&self, sign: &str, text: &str) {
        let mut paper = self.0.lock().expect("nobody panicked");
        text.lines().for_each(|line| paper.push_str(format!("{sign} {line}").trim_end()));
        paper.push('\n');
    }
}

impl Screen for Paper {
    fn line(&self, text: &str) {
        text.split('\n').for_each(|line| self.write(" ", line));
    }

    fn note(&self, text: &str) {
        text.split('\n').for_each(|line| self.write("!", line));
    }

    fn status(&self, text: &str) {
        self.write(".", text);
    }
}

fn words(line: &Value) -> Vec<String> {
    line["hosts"].as_str().expect("hosts").split(' ').map(str::to_owned).collect()
}

fn end(line: &Value) -> Option<End> {
    let because = |text: &Value| text.as_str().expect("a text").to_owned();
    Some(match (&line["ended"], &line["unknown_name"], &line["refused"], &line["not_tried"]) {
        (Value::Null, Value::Null, Value::Null, Value::Null) => return None,
        (Value::Null, Value::Null, Value::Null, _) => End::Trouble(Trouble::NotTried),
        (Value::Null, Value::Null, why, _) => End::Refused(because(why)),
        (Value::Null, name, ..) => {
            End::Trouble(Trouble::NameUnknown { host: because(name), because: "not known".to_owned() })
        }
        (ending, ..) => End::Ended(serde_json::from_value(ending.clone()).expect("an ending")),
    })
}

fn play(line: &Value, many: &Many, sorted: &mut Sorted) {
    if line["question"].as_bool() == Some(true) {
        return many.before_question(&words(line), sorted);
    }
    for host in words(line) {
        if let Some(end) = end(line) {
            sorted.entry(Class::of(&end)).or_default().push(host.clone());
            many.ended(&host, &end, 0);
        } else if let Ok(reply) = serde_json::from_value(line["reply"].clone()) {
            many.reply(&host, &reply);
        } else if let Some(text) = line["note"].as_str() {
            many.note(&host, text);
        } else {
            let body: EventBody = serde_json::from_value(line["say"].clone()).expect("an event");
            many.event(&host, &Event { at: String::new(), seq: 0, body });
        }
    }
}

fn told(case: &Path) -> String {
    let story = std::fs::read_to_string(case.join("story")).expect("a story");
    let mut lines = story.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let first = lines.next().expect("a first line");
    let manner = match first["manner"].as_str() {
        Some("forecast") => Manner::Forecast,
        Some("asked") => Manner::Asked,
        Some("straight") => Manner::Straight,
        Some("answer") => Manner::Answer,
        other => panic!("no manner: {other:?}"),
    };
    let paper = Paper::default();
    let (many, mut sorted) = (Many::new(&words(&first), manner, Box::new(paper.clone())), Sorted::new());
    lines.for_each(|line| play(&line, &many, &mut sorted));
    many.finish(&sorted);
    let text = paper.0.lock().expect("nobody panicked");
    text.clone()
}

#[test]
fn every_case_is_told_as_expected() {
    let mut wrong = Vec::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/fleet");
    let entries = std::fs::read_dir(dir).expect("cases").map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<PathBuf> = entries.collect();
    cases.sort();
    for case in cases {
        let (found, file) = (told(&case), case.join("expected.txt"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(&file);
            std::io::Write::write_all(&mut file.expect("a file"), found.as_bytes()).expect("written");
        } else if std::fs::read_to_string(&file).unwrap_or_default() != found {
            wrong.push(format!("== {}\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_host_that_says_much_is_cut_off() {
    let paper = Paper::default();
    let names = ["a".to_owned(), "b".to_owned()];
    let many = Many::new(&names, Manner::Straight, Box::new(paper.clone()));
    let (id, changes) = (model::Id::new("file", "/a"), vec!["é".repeat(1000)]);
    let (status, because, origin) = (model::NodeStatus::Changed, String::new(), None);
    let body = EventBody::Node { id, origin, status, changes, because, millis: 0 };
    (0..1000).for_each(|seq| many.event("a", &Event { at: String::new(), seq, body: body.clone() }));
    many.ended("a", &End::Ended(wire::Ending::Changed), 1);
    many.finish(&Sorted::new());
    let text = paper.0.lock().expect("nobody panicked");
    assert!(text.len() < super::MOST + 10_000 && text.contains("… the rest is left out"), "{}", text.len());
}
