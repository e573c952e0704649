//! Several workers and one journal, write by write.

use super::Commit;
use crate::engine::act::Ended;
use crate::engine::log::Log;
use model::{Failure, Id, Op, Record};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A journal that tells of each write and waits until it may go on: with what befalls it.
struct Slow<'a> {
    begun: Sender<()>,
    gone: Receiver<Result<(), Failure>>,
    /// What each write brought.
    written: &'a Mutex<Vec<Vec<u64>>>,
}

impl Log for Slow<'_> {
    fn append(&mut self, record: Record) -> Result<(), Failure> {
        self.append_all(vec![record])
    }

    fn append_all(&mut self, records: Vec<Record>) -> Result<(), Failure> {
        self.begun.send(()).expect("the test waits");
        self.gone.recv().expect("the test says how it goes")?;
        let number = |record: &Record| match record {
            Record::Intent { seq, .. } | Record::Done { seq, .. } => *seq,
            other => panic!("nobody writes {other:?}"),
        };
        self.written.lock().unwrap().push(records.iter().map(number).collect());
        Ok(())
    }
}

fn intent(seq: u64) -> Record {
    let op = Box::new(Op::ReloadManager);
    Record::Intent { seq, nodes: vec![Id::new("file", "x")], op, before: Vec::new(), packages: None }
}

fn done(seq: u64) -> Record {
    Record::Done { seq, after: Vec::new(), touched: Vec::new() }
}

fn broken() -> Failure {
    Failure::io("append to", "the journal", "injected")
}

/// One writes, and eight come meanwhile: `first` befalls the first write and `second` the next. The numbers that the eight were
/// given, and what was written.
fn nine(first: Result<(), Failure>, second: Result<(), Failure>) -> (Vec<Option<u64>>, Vec<Vec<u64>>) {
    let written = Mutex::default();
    let ((begun, has_begun), (go, gone)) = (channel(), channel());
    let mut log = Slow { begun, gone, written: &written };
    let commit = Commit::new(&mut log);
    let numbers = std::thread::scope(|scope| {
        let one = scope.spawn(|| commit.announce([intent]).ok());
        has_begun.recv().unwrap();
        let late: Vec<_> = (0..8).map(|_| scope.spawn(|| commit.announce([intent]).ok())).collect();
        while commit.queue().records.len() < 8 {
            std::thread::yield_now();
        }
        assert!(written.lock().unwrap().is_empty(), "nobody has gone on");
        go.send(first.clone()).unwrap();
        if first.is_ok() {
            has_begun.recv().unwrap();
            assert!(late.iter().all(|one| !one.is_finished()), "it is not durable");
            go.send(second).unwrap();
        }
        assert_eq!(one.join().unwrap().is_some(), first.is_ok());
        late.into_iter().map(|one| one.join().unwrap()).collect()
    });
    drop(commit);
    (numbers, written.into_inner().unwrap())
}

#[test]
fn who_comes_while_one_writes_is_written_at_once_and_in_order() {
    let (numbers, written) = nine(Ok(()), Ok(()));
    assert_eq!(written, [vec![1], (2..10).collect::<Vec<_>>()]);
    let numbers: BTreeSet<u64> = numbers.into_iter().flatten().collect();
    assert_eq!(numbers, (2..10).collect(), "each has a number of its own");
}

#[test]
fn a_write_that_fails_fails_for_all_that_waited() {
    assert_eq!(nine(Ok(()), Err(broken())), (vec![None; 8], vec![vec![1]]));
    assert_eq!(nine(Err(broken()), Ok(())), (vec![None; 8], vec![]));
}

#[test]
fn nothing_is_written_after_a_write_that_failed() {
    let written = Mutex::default();
    let ((begun, _has_begun), (go, gone)) = (channel(), channel());
    let mut log = Slow { begun, gone, written: &written };
    let commit = Commit::new(&mut log);
    go.send(Err(broken())).unwrap();
    for _ in 0..2 {
        assert!(matches!(commit.append([done(1)]), Err(Ended::Dead(_))), "a second write would wait");
    }
    assert_eq!(commit.death(), Some(broken()));
    assert!(commit.append([]).is_ok(), "who brings nothing waits for nothing");
}

#[test]
fn a_panic_in_the_journal_is_told_to_all() {
    let written = Mutex::default();
    let ((begun, has_begun), (go, gone)) = (channel(), channel());
    let mut log = Slow { begun, gone, written: &written };
    let commit = Commit::new(&mut log);
    std::thread::scope(|scope| {
        let one = scope.spawn(|| commit.append([Record::End(model::Report::default())]).is_ok());
        has_begun.recv().unwrap();
        let other = scope.spawn(|| commit.append([done(1)]).is_ok());
        while commit.queue().records.is_empty() {
            std::thread::yield_now();
        }
        go.send(Ok(())).unwrap();
        assert!(one.join().is_err(), "it panicked");
        assert!(!other.join().unwrap());
    });
}
