//! When something is tried again, and for how long.

use crate::scene::{look, spec};
use agent::checks::{Scene, run};
use model::{CheckEnd, CheckSpec};
use serde_json::json;
use std::net::TcpListener;
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
