//! Any bytes as the journal of a run: reading it must not panic, must take no memory for what is not there, and must say where it is
//! damaged. The first byte says whether the rest is a journal, or lines of JSON that are framed first, so that records get past the
//! checksum. Touches no file and no host.
#![no_main]

use agent::journal::{decode, encode};
use libfuzzer_sys::fuzz_target;
use model::{Record, Status};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    if first % 2 == 0 {
        return read(rest);
    }
    let lines = rest.split(|byte| *byte == b'\n');
    let values = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
    read(&values.filter_map(|value| encode(&value).ok()).flatten().collect::<Vec<u8>>());
});

fn read(bytes: &[u8]) {
    let length = bytes.len() as u64;
    let contents = decode::<Record>(bytes, length).expect("memory can be read");
    assert!(contents.good <= length);
    match &contents.damage {
        Some(damage) => assert_eq!(damage.offset, contents.good),
        None => assert_eq!(contents.good, length),
    }
    // What is good is good by itself.
    let good = usize::try_from(contents.good).expect("it was in memory");
    let again = decode::<Record>(&bytes[..good], contents.good).expect("memory can be read");
    assert_eq!((&again.records, again.damage), (&contents.records, None));
    // What is taken means the same when it is written again, save for what stood in place of a secret: that is never written.
    for record in &contents.records {
        let frame = encode(record).expect("what was read can be written");
        let back = decode::<Record>(&frame[..], frame.len() as u64).expect("memory can be read");
        let again = back.records.first().map(|back| encode(back).expect("what was read can be written"));
        assert_eq!((back.records.len(), again), (1, Some(frame)));
    }
    let mut status = Status::default();
    for record in contents.records {
        if status.next(record).is_err() {
            return;
        }
    }
    assert!(status.begin.is_some() || status.acts.is_empty());
}
