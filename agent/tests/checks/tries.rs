//! When something is tried again, and for how long.

use crate::scene::{look, said, spec};
use agent::checks::{Machine, Programs, Ran, Scene, run};
use agent::system::{Attempt, Entry, Layer, Look, System};
use model::{CheckEnd, CheckSpec, Failure, HostPath, Op, Principal, Subject};
use serde_json::json;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn what_comes_in_time_passes_and_says_how_long_it_took() {
    let port = free_port();
    let opens = thread::spawn(move || {
        thread::sleep(Duration::from_secs(2));
        TcpListener::bind(("127.0.0.1", port)).unwrap()
    });
    let result = look(&CheckSpec { within: 20, ..spec("port", json!({ "number": port })) }, None);
    drop(opens.join().unwrap());
    assert_eq!(result.end, CheckEnd::Passed);
    assert!(result.tries > 1 && result.millis >= 300 && result.millis < 15_000, "{result:?}");
}

#[test]
fn what_does_not_come_fails_at_the_end_of_its_time_and_the_others_do_not_wait() {
    let (port, stop) = (free_port(), AtomicBool::new(false));
    let scene = Scene { machine: None, address: "127.0.0.1", tls: None, names: None, stop: &stop };
    let checks: Vec<CheckSpec> = (0..10)
        .map(|at| CheckSpec { name: at.to_string(), within: 3, ..spec("port", json!({ "number": port })) })
        .collect();
    let begun = Instant::now();
    let results = run(&checks, &scene);
    let names: Vec<&str> = results.iter().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    for result in &results {
        assert!(result.end == CheckEnd::Failed && result.tries > 2 && result.millis >= 3000, "{result:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "one after the other");
}

#[test]
fn a_stop_ends_all_tries() {
    let (port, stop) = (free_port(), AtomicBool::new(false));
    let check = CheckSpec { within: 600, ..spec("port", json!({ "number": port })) };
    let begun = Instant::now();
    let results = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::Relaxed);
        });
        run(&[check], &Scene { machine: None, address: "127.0.0.1", tls: None, names: None, stop: &stop })
    });
    assert_eq!(results[0].end, CheckEnd::Failed);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

/// A host with a file system that does not answer.
struct Silent(Layer<'static>);

impl System for Silent {
    fn below(&self) -> &dyn System {
        &self.0
    }

    fn look(&self, path: &HostPath, how: Look) -> Result<Option<Entry>, Failure> {
        while path.to_string() == "/silent" {
            thread::park();
        }
        self.0.look(path, how)
    }

    fn execute(&self, op: &Op, attempt: &Attempt) -> Result<Vec<Subject>, Failure> {
        self.0.execute(op, attempt)
    }

    fn clean(&self, op: &Op, mark: &str) -> Result<(), Failure> {
        self.0.clean(op, mark)
    }
}

impl Programs for Silent {
    fn run(&self, argv: &[String], user: Option<&Principal>, timeout: Duration) -> Result<Ran, Failure> {
        self.0.run(argv, user, timeout)
    }
}

#[test]
fn a_file_system_that_does_not_answer_is_unknown_and_holds_up_nobody() {
    let stop = AtomicBool::new(false);
    let open = || -> Arc<dyn Machine> { Arc::new(Silent(Layer::memory())) };
    let scene = Scene { machine: Some(&open), address: "127.0.0.1", tls: None, names: None, stop: &stop };
    let checks = ["/silent", "/"].map(|path| spec("file", json!({ "path": path })));
    let said: Vec<String> = run(&checks, &scene).iter().map(said).collect();
    assert_eq!(said, ["unknown: cannot tell the state of /silent: it did not answer within 1 s", "passed"]);
}
