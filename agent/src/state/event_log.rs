//! The events of a run, a line of JSON each, in the run's directory: the same bytes that a terminal gets with `--format json`.
//!
//! Each line is written at once, and before anybody is told: whoever comes back for the events finds all that were told, and none
//! twice. A line without its end is no event: whoever wrote it was cut off. `event_lines` reads them.

use super::StateDir;
use super::event_lines::EventLines;
use crate::engine::Sink;
use crate::failpoint;
use memchr::memchr_iter;
use model::{Event, EventBody, Failure};
use std::fs::{File, OpenOptions};
use std::io::{Error, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Name of the file in a run's directory.
pub(super) const EVENTS: &str = "events";

/// So many events are written by one call, at most.
const AT_ONCE: usize = 256;

/// Takes finished events.
pub type Watcher<'a> = &'a (dyn Fn(&Event) + Sync);

/// Numbers events, gives them their time, writes them to the directory of the run once it has begun, and hands them on.
pub struct EventLog<'a> {
    watcher: Watcher<'a>,
    now: &'a (dyn Fn() -> String + Sync),
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    seq: u64,
    file: Option<File>,
    /// What was said before the run had a directory.
    early: Vec<u8>,
    /// Bytes of the file that are whole lines.
    whole: u64,
    /// How many events could not be written, and why the first of them could not.
    lost: Option<(u64, String)>,
    /// Half a line stands at the end, and nothing can follow it.
    broken: bool,
    /// Another process may give the numbers after the end of the run: it waits to be confirmed.
    goes_on: bool,
    /// The report has been told.
    has_ended: bool,
}

impl<'a> EventLog<'a> {
    /// Hands events on to `watcher`; `now` is RFC 3339 in UTC.
    pub fn new(watcher: Watcher<'a>, now: &'a (dyn Fn() -> String + Sync)) -> Self {
        Self { watcher, now, inner: Mutex::default() }
    }

    /// From now on events go to the directory of `run` as well, those so far first.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin(&self, state: &StateDir, run: u64) -> Result<(), Failure> {
        let path = state.run_dir(run).join(EVENTS);
        // The directory is ours alone, and new: no other name can stand there.
        let opened = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
        let file = opened.map_err(|error| Failure::io("create", path.display(), error))?;
        let mut inner = self.inner();
        let early = std::mem::take(&mut inner.early);
        inner.file = Some(file);
        inner.write(&early);
        Ok(())
    }

    /// Goes on with the events of a run that began in another process: the next one gets the next number, and half a line at the end
    /// goes. To be called before there are events, and with the host's run lock held: nobody else writes there.
    ///
    /// # Errors
    /// What is there cannot be read or written.
    pub fn resume(&self, state: &StateDir, run: u64) -> Result<(), Failure> {
        let path = state.run_dir(run).join(EVENTS);
        let mut lines = EventLines::new(state, run);
        let mut next = 0;
        loop {
            match lines.following() {
                Ok(Some(event)) => next = event.seq + 1,
                Ok(None) => break,
                // A damaged line had a number too.
                Err(Failure::Unknown { .. }) => next += 1,
                Err(failure) => return Err(failure),
            }
        }
        let failed = |error| Failure::io("go on with", path.display(), error);
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let file = opened.map_err(failed)?;
        file.set_len(lines.whole()).map_err(failed)?;
        let mut inner = self.inner();
        inner.seq = next;
        inner.whole = lines.whole();
        inner.goes_on = true;
        inner.file = Some(file);
        Ok(())
    }

    /// Tells it, unless the report has been told: nothing comes after that.
    pub fn emit_unless_ended(&self, body: EventBody) {
        let mut inner = self.inner();
        if !inner.has_ended {
            self.tell(&mut inner, [body]);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The log is for people; the journal is what counts. A full disk does not end the run: what cannot be written is counted, half of it
    /// taken away, and the next line tried again.
    fn write(&mut self, lines: &[u8]) {
        let Some(file) = &mut self.file else { return self.early.extend_from_slice(lines) };
        let written = match self.broken {
            true => Err(Error::other("a line before it could not be written")),
            false => failpoint::hit("events.write").and_then(|()| file.write_all(lines)),
        };
        match written {
            Ok(()) => self.whole += lines.len() as u64,
            Err(error) => {
                self.broken |= file.set_len(self.whole).is_err();
                self.lost.get_or_insert((0, error.to_string())).0 += memchr_iter(b'\n', lines).count() as u64;
            }
        }
    }

    /// What a run has to say at its end of events that who comes back for them will not find; nothing is held back.
    fn confess(&self) -> Option<EventBody> {
        let (count, why) = self.lost.as_ref()?;
        let events = if *count == 1 { "1 event".to_owned() } else { format!("{count} events") };
        let text = format!(
            "{events} of this run could not be written down, and `keel attach` will miss them: {why}"
        );
        Some(EventBody::Note { text })
    }

    /// Makes durable what a later process goes on from.
    fn sync(&mut self) {
        if let Some(file) = &self.file {
            self.broken |= file.sync_all().is_err();
        }
    }
}

impl EventLog<'_> {
    /// Writes the lines of all of them, and only then tells any.
    fn tell(&self, inner: &mut Inner, bodies: impl IntoIterator<Item = EventBody>) {
        let mut lines = Vec::new();
        let mut event = |body| {
            let event = Event { at: (self.now)(), seq: inner.seq, body };
            inner.seq += 1;
            if let Ok(line) = serde_json::to_vec(&event) {
                lines.extend(line);
                lines.push(b'\n');
            }
            event
        };
        let events: Vec<Event> = bodies.into_iter().map(&mut event).collect();
        inner.write(&lines);
        for Event { body, .. } in &events {
            inner.goes_on |= is_turning_point(body);
            let is_end = matches!(body, EventBody::Report(_));
            inner.has_ended |= is_end;
            if is_turning_point(body) || (is_end && inner.goes_on) {
                inner.sync();
            }
        }
        events.iter().for_each(|event| (self.watcher)(event));
    }
}

impl Sink for EventLog<'_> {
    fn emit(&self, body: EventBody) {
        let mut inner = self.inner();
        if let Some(text) = inner.confess().filter(|_| matches!(body, EventBody::Report(_))) {
            self.tell(&mut inner, [text]);
        }
        self.tell(&mut inner, [body]);
    }

    fn emit_all(&self, bodies: Vec<EventBody>) {
        let mut inner = self.inner();
        let mut bodies = bodies.into_iter().peekable();
        while bodies.peek().is_some() {
            self.tell(&mut inner, bodies.by_ref().take(AT_ONCE));
        }
    }
}

/// True where another process, or another boot, may be the one to go on: a number that was told once is not given again.
fn is_turning_point(body: &EventBody) -> bool {
    match body {
        EventBody::Armed { .. }
        | EventBody::Confirmed { .. }
        | EventBody::Rebooting { .. }
        | EventBody::Resumed { .. }
        | EventBody::Reverted { .. } => true,
        // Nobody goes on after the end of a run that does not wait to be confirmed; what became of it stands in its journal.
        EventBody::Report(_)
        | EventBody::Plan(_)
        | EventBody::Started { .. }
        | EventBody::Working { .. }
        | EventBody::Node { .. }
        | EventBody::Waiting { .. }
        | EventBody::Note { .. }
        | EventBody::Rehearsal(_)
        | EventBody::Error { .. } => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "prepares scratch files")]
#[cfg(test)]
mod tests {
    use super::{AT_ONCE, EVENTS, EventLog};
    use crate::engine::Sink;
    use crate::failpoint::{Action, When, set_here};
    use crate::state::{EventLines, StateDir};
    use model::{Event, EventBody, Report};
    use std::sync::Mutex;

    fn clock() -> String {
        "2026-01-01T00:00:00.000Z".to_owned()
    }

    fn note(text: &str) -> EventBody {
        EventBody::Note { text: text.to_owned() }
    }

    fn numbers(state: &StateDir) -> Vec<u64> {
        let mut lines = EventLines::new(state, 1);
        std::iter::from_fn(|| lines.following().unwrap()).map(|event| event.seq).collect()
    }

    #[test]
    fn an_event_is_in_the_file_before_it_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        std::fs::create_dir_all(state.run_dir(1)).unwrap();
        let told = Mutex::new(Vec::new());
        let watch = |event: &Event| told.lock().unwrap().push((event.seq, numbers(&state).len()));
        let log = EventLog::new(&watch, &clock);
        log.emit(note("early"));
        log.begin(&state, 1).unwrap();
        log.emit(note("later"));
        assert_eq!((told.lock().unwrap().as_slice(), numbers(&state)), (&[(0, 0), (1, 2)][..], vec![0, 1]));
    }

    #[test]
    fn many_at_once_are_all_in_the_file_in_their_order_before_any_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        std::fs::create_dir_all(state.run_dir(1)).unwrap();
        let told = Mutex::new(Vec::new());
        let watch = |event: &Event| told.lock().unwrap().push(event.seq);
        let is_there = |event: &Event| assert!(numbers(&state).len() as u64 > event.seq);
        let log = EventLog::new(&is_there, &clock);
        log.begin(&state, 1).unwrap();
        log.emit(note("first"));
        let many = || vec![note("again"); AT_ONCE + 1];
        log.emit_all(many());
        let all: Vec<u64> = (0..AT_ONCE as u64 + 2).collect();
        assert_eq!(numbers(&state), all);
        EventLog::new(&watch, &clock).emit_all(many());
        assert_eq!(told.into_inner().unwrap(), all[..=AT_ONCE]);
    }

    #[test]
    fn what_could_not_be_written_is_told_once_at_the_end_and_the_rest_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        std::fs::create_dir_all(state.run_dir(1)).unwrap();
        let told = Mutex::new(Vec::new());
        let watch = |event: &Event| told.lock().unwrap().push(event.body.clone());
        let log = EventLog::new(&watch, &clock);
        log.begin(&state, 1).unwrap();
        log.emit(note("a"));
        let full = set_here("events.write", When::From(1), Action::Error(28));
        log.emit(note("b"));
        log.emit(note("c"));
        drop(full);
        log.emit(note("d"));
        log.emit(EventBody::Report(Report::default()));
        assert_eq!(numbers(&state), [0, 3, 4, 5]);
        let told = told.into_inner().unwrap();
        let EventBody::Note { text } = &told[4] else { panic!("{told:?}") };
        assert!(text.starts_with("2 events of this run could not be written down"), "{text}");
        assert!(text.contains("No space left") && matches!(told[5], EventBody::Report(_)), "{told:?}");
    }

    #[test]
    fn half_a_line_is_followed_by_nothing() {
        let log = EventLog::new(&|_| (), &clock);
        log.inner().file = Some(std::fs::File::options().append(true).open("/dev/full").unwrap());
        ["a", "b"].into_iter().for_each(|text| log.emit(note(text)));
        let inner = log.inner();
        assert_eq!((inner.broken, inner.lost.as_ref().map(|it| it.0)), (true, Some(2)));
    }

    #[test]
    fn another_process_goes_on_with_the_next_number() {
        for left in ["", "{\"at\":\"x\",\"se", "\0\0\0"] {
            let dir = tempfile::tempdir().unwrap();
            let state = StateDir::new(dir.path());
            std::fs::create_dir_all(state.run_dir(1)).unwrap();
            let first = EventLog::new(&|_| (), &clock);
            first.begin(&state, 1).unwrap();
            first.emit(note("a"));
            first.emit(note("b"));
            let path = state.run_dir(1).join(EVENTS);
            std::fs::write(&path, [std::fs::read(&path).unwrap(), left.as_bytes().to_vec()].concat())
                .unwrap();
            let second = EventLog::new(&|_| (), &clock);
            second.resume(&state, 1).unwrap();
            second.emit(note("c"));
            assert_eq!(numbers(&state), [0, 1, 2], "{left}");
        }
    }

    #[test]
    fn a_run_without_a_file_of_events_gets_one() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        std::fs::create_dir_all(state.run_dir(1)).unwrap();
        let log = EventLog::new(&|_| (), &clock);
        log.resume(&state, 1).unwrap();
        log.emit(note("a"));
        assert_eq!(numbers(&state), [0]);
    }
}
