//! `docs/protocol.md` says all that the code says: every name, every limit, and an exchange that can be had so.

use crate::exchange::{Replay, lines};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use wire::{
    ALIVE_EVERY, Down, Ending, LONGEST, LONGEST_HELLO, LONGEST_SECRET, LONGEST_UP, Message, Order, PIECE,
    Reply, SILENCE, TOTAL_SECRETS, TOTAL_UP, Up, VALUES_UP, VERSION,
};

fn page() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    std::fs::read_to_string(page).expect("the page is there")
}

/// The names of an enum's variants: serde lists them where it meets one that it does not know.
fn names<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(r#"{"?": null}"#) else { panic!("`?` is known") };
    let listed = error.to_string();
    let (_, listed) = listed.split_once("expected ").expect("serde lists what it knows");
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The first cells of the table whose head begins with `head`, in all tables of that kind.
fn cells(page: &str, head: &str) -> Vec<BTreeSet<String>> {
    let mut tables = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with(&format!("| {head} |")) {
            let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with("| "));
            tables.push(rows.filter_map(|row| Some(row.split('`').nth(1)?.to_owned())).collect());
        }
    }
    tables
}

#[test]
fn every_name_is_on_the_page_and_no_other() {
    let page = page();
    assert_eq!(cells(&page, "message"), [names::<Down>(), names::<Up>()]);
    assert_eq!(cells(&page, "order"), [names::<Order>()]);
    assert_eq!(cells(&page, "reply"), [names::<Reply>()]);
    assert_eq!(cells(&page, "ending"), [names::<Ending>()]);
}

#[test]
fn every_line_of_the_scripts_is_on_the_page() {
    let (page, mut said) = (page(), [BTreeSet::new(), BTreeSet::new()]);
    for script in ["login.sh", "root.sh"] {
        let path = format!("{}/../fleet/src/bootstrap/{script}", env!("CARGO_MANIFEST_DIR"));
        let script = std::fs::read_to_string(path).expect("the script is there");
        let code = script.lines().filter(|line| !line.starts_with('#'));
        let words: Vec<&str> = code.flat_map(str::split_whitespace).collect();
        for pair in words.windows(2) {
            let word = pair[1].trim_end_matches(';');
            let slot = ["say", "dead"].iter().position(|verb| *verb == pair[0]);
            if let Some(slot) = slot.filter(|_| word.bytes().all(|byte| byte.is_ascii_lowercase())) {
                said[slot].insert(word.to_owned());
            }
        }
    }
    assert_eq!([&cells(&page, "line")[..], &cells(&page, "end")].concat(), said);
}

#[test]
fn every_limit_is_on_the_page() {
    let (page, kib) = (page(), |bytes: u64| (bytes >> 10, "KiB"));
    let mib = |bytes: u64| (bytes >> 20, "MiB");
    for (name, (count, unit)) in [
        ("LONGEST", mib(LONGEST.into())),
        ("LONGEST_UP", mib(LONGEST_UP.into())),
        ("TOTAL", mib(Down::TOTAL)),
        ("TOTAL_UP", mib(TOTAL_UP)),
        ("LONGEST_HELLO", kib(LONGEST_HELLO as u64)),
        ("LONGEST_SECRET", mib(LONGEST_SECRET as u64)),
        ("TOTAL_SECRETS", mib(TOTAL_SECRETS as u64)),
        ("PIECE", kib(PIECE as u64)),
    ] {
        assert!(page.contains(&format!("| `{name}` | {count} {unit} |")), "{name}: {count} {unit}");
    }
    for (name, time) in [("ALIVE_EVERY", ALIVE_EVERY), ("SILENCE", SILENCE)] {
        assert!(page.contains(&format!("{} s (`{name}`)", time.as_secs())), "{name}");
    }
    assert!(page.contains(&format!("| `VALUES_UP` | {VALUES_UP} values |")));
    assert!(page.contains(&format!("This is version {VERSION}.")));
}

#[test]
fn the_exchange_on_the_page_can_be_had() {
    let page = page();
    let (_, rest) = page.split_once("```exchange\n").expect("it is there");
    let (exchange, _) = rest.split_once("```").expect("it ends");
    let lines = lines(exchange);
    assert!(lines.len() > 10);
    Replay::default().run(&lines);
}
