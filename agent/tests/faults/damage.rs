//! What is in the state directory is damaged: the next run goes on by what the host shows and tells of the damage, and nothing is
//! rolled back by records that cannot be trusted.
#![expect(clippy::disallowed_methods, reason = "damages scratch files")]

use crate::corpus::Case;
use crate::counts::tell;
use crate::lab::{Fault, Lab, Ran};
use crate::matrix::{Ends, assert_arrives, assert_is};
use crate::seed::seed;
use agent::state::Read;
use std::fs;
use std::path::{Path, PathBuf};

/// A run that is cut off here has done something, and owes something.
const CUT_OFF: Fault = Fault::Written(6);

fn case() -> Case {
    Case::all().into_iter().find(|case| case.name == "running-service").expect("it is in the corpus")
}

/// A case and its ends, and the bytes that a file of the state has after a run that `fault` may have ended.
struct Bench {
    case: Case,
    ends: Ends,
    fault: Option<Fault>,
    file: &'static str,
    bytes: Vec<u8>,
}

impl Bench {
    fn new(fault: Option<Fault>, file: &'static str) -> Self {
        let case = case();
        let mut bench = Self { ends: Ends::of(&case), case, fault, file, bytes: Vec::new() };
        let lab = bench.lab();
        bench.bytes = fs::read(bench.path(&lab)).expect("the file is there");
        bench
    }

    fn lab(&self) -> Lab {
        let lab = Lab::of(&self.case);
        lab.apply(&self.case.desired(), self.fault);
        lab
    }

    fn path(&self, lab: &Lab) -> PathBuf {
        lab.state.root().join(self.file)
    }

    /// A host whose file has been damaged.
    fn damaged(&self, damage: &dyn Fn(&Path)) -> Lab {
        let lab = self.lab();
        damage(&self.path(&lab));
        lab
    }

    /// The next run arrives.
    fn goes_on(&self, damage: &dyn Fn(&Path), place: &str) {
        assert_arrives(&self.damaged(damage), (&self.case.desired(), &self.ends.goal), place);
    }

    /// All bits, or as many as there are to be, spread by the seed.
    fn bits(&self, most: usize) -> Vec<usize> {
        let mut state = seed().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 16).expect("64 bits") % (self.bytes.len() * 8)
        };
        (0..most).map(|_| next()).collect()
    }

    fn flipped(&self, bit: usize) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    }
}

fn put(bytes: &[u8]) -> impl Fn(&Path) {
    move |path| fs::write(path, bytes).expect("written")
}

const JOURNAL: &str = "runs/000001/journal";

#[test]
fn a_journal_that_is_cut_anywhere_in_its_end_stops_nobody() {
    let bench = Bench::new(Some(CUT_OFF), JOURNAL);
    let all = bench.bytes.len();
    for cut in all.saturating_sub(600)..all {
        bench.goes_on(&put(&bench.bytes[..cut]), &format!("cut at {cut} of {all}"));
    }
    tell("F-04", "journal cut at each of its last bytes", all.min(600) as u64);
}

#[test]
fn a_journal_with_a_bit_turned_stops_nobody_and_is_told_of() {
    let bench = Bench::new(Some(CUT_OFF), JOURNAL);
    for bit in bench.bits(1000) {
        let place = format!("seed {}, bit {bit}", seed());
        let lab = bench.damaged(&put(&bench.flipped(bit)));
        let damaged = matches!(lab.state.status(1).expect("it can be read"), Read::Damaged(..));
        let Ran { notes, .. } = lab.apply(&bench.case.desired(), None);
        let told = notes.iter().any(|note| note.contains("journal of run 1 is damaged"));
        assert_eq!(told, damaged, "{place}: {notes:?}");
        assert_arrives(&lab, (&bench.case.desired(), &bench.ends.goal), &place);
    }
    tell("F-04", "a bit of the journal turned", 1000);
}

#[test]
fn a_journal_whose_tail_was_never_written_stops_nobody() {
    let bench = Bench::new(Some(CUT_OFF), JOURNAL);
    for at in 0..20 {
        let mut bytes = bench.bytes.clone();
        let from = bytes.len() * at / 20;
        bytes[from..].fill(0);
        bench.goes_on(&put(&bytes), &format!("zeros from {from}"));
    }
    tell("F-04", "zeros at the end of the journal", 20);
}

/// Everything else that can stand where a file was.
fn replaced(bench: &Bench, path: &Path, way: usize) {
    let remove = || fs::remove_file(path).expect("it was there");
    match way {
        0 => remove(),
        1 => fs::write(path, b"").expect("written"),
        2 => fs::write(path, vec![0xa5; 64 << 10]).expect("written"),
        3 => fs::write(path, b"{\"version\":99}\n").expect("written"),
        4 => fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|file| file.set_len(2 << 30))
            .expect("longer"),
        5 => fs::write(path, [&bench.bytes[..], &bench.bytes[..]].concat()).expect("written"),
        // Who is not root cannot give it away: then it stays ours.
        _ => drop(std::os::unix::fs::chown(path, Some(4242), Some(4242))),
    }
}

const WAYS: usize = 7;

#[test]
fn whatever_stands_where_a_file_of_the_state_was_the_next_run_arrives() {
    let mut count = 0;
    for (fault, file) in [
        (Some(CUT_OFF), JOURNAL),
        (None, JOURNAL),
        (None, "runs/000001/closing"),
        (Some(CUT_OFF), "runs/000001/kept"),
        (None, "ledger"),
    ] {
        let bench = Bench::new(fault, file);
        // A ledger beyond all measure cannot be set aside, and is refused by its name.
        for way in (0..WAYS).filter(|way| (file, *way) != ("ledger", 4)) {
            bench.goes_on(&|path| replaced(&bench, path, way), &format!("{file}, way {way}"));
            count += 1;
        }
    }
    tell("F-04", "missing, empty, garbage, newer, huge, doubled, foreign", count);
}

#[test]
fn a_ledger_that_is_cut_or_has_a_bit_turned_is_set_aside_and_told_of() {
    let bench = Bench::new(None, "ledger");
    let cuts = (0..bench.bytes.len()).map(|cut| bench.bytes[..cut].to_vec());
    let all: Vec<Vec<u8>> = cuts.chain(bench.bits(300).into_iter().map(|bit| bench.flipped(bit))).collect();
    for (at, bytes) in all.iter().enumerate() {
        let place = format!("seed {}, damage {at}", seed());
        let lab = bench.damaged(&put(bytes));
        let Ran { ended, notes, .. } = lab.apply(&bench.case.desired(), None);
        assert!(ended.is_ok(), "{place}: {ended:?}");
        let aside = lab.state.root().join("ledger.damaged-1");
        let told = notes.iter().any(|note| note.contains("ledger.damaged-1"));
        assert_eq!(told, aside.exists(), "{place}: {notes:?}");
        assert!(!told || fs::read(aside).expect("it can be read") == *bytes, "{place}");
        assert_arrives(&lab, (&bench.case.desired(), &bench.ends.goal), &place);
    }
    tell("F-04", "ledger cut or turned", all.len() as u64);
}

#[test]
fn what_is_owed_outlives_damage_to_the_note_of_it() {
    let case = case();
    // The restart fails: it stays owed when the run has ended.
    let fault = Some(Fault::Op(4, crate::shaky::When::Before));
    let bench = Bench { fault, ..Bench::new(None, "runs/000001/closing") };
    let written = fs::read(bench.path(&bench.lab())).expect("it is there");
    for cut in 0..written.len() {
        let lab = bench.damaged(&put(&written[..cut]));
        let ran = lab.apply(&case.desired(), None);
        let restarts = ran.executed.iter().filter(|op| op.to_string().starts_with("restart_unit")).count();
        assert_eq!(restarts, 1, "cut at {cut}: {:?}", ran.executed);
    }
    tell("F-04", "note of what is owed cut", written.len() as u64);
}

#[test]
fn nothing_is_rolled_back_by_damaged_records() {
    let bench = Bench::new(None, JOURNAL);
    let cuts =
        (1..=600.min(bench.bytes.len() - 1)).map(|cut| bench.bytes[..bench.bytes.len() - cut].to_vec());
    let all: Vec<Vec<u8>> = cuts.chain(bench.bits(400).into_iter().map(|bit| bench.flipped(bit))).collect();
    for (at, bytes) in all.iter().enumerate() {
        let lab = bench.damaged(&put(bytes));
        let back = lab.rollback(Some(1), None);
        let place = format!("seed {}, damage {at}: {:?}", seed(), back.ended);
        assert!(back.ended.is_err_and(|ended| ended.to_string().contains("damaged")), "{place}");
        assert!(back.executed.is_empty(), "{place}");
        assert_is(&lab, &bench.ends.goal, &place);
    }
    tell("F-04", "rollback by a damaged journal refused", all.len() as u64);
}
