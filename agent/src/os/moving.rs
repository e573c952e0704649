//! While this process is being moved among the processes of the host, it starts none: what is born then could be left behind.
//! It must not know where to, nor why: `detached::scope` does.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whether it is being moved.
static MOVING: Mutex<bool> = Mutex::new(false);
static ARRIVED: Condvar = Condvar::new();

/// This process is being moved until this is dropped.
#[derive(Debug)]
pub struct Moving(());

impl Moving {
    /// From now on nothing is started but by `Child::run_on_the_way`.
    pub fn begin() -> Self {
        *moving() = true;
        Self(())
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        *moving() = false;
        ARRIVED.notify_all();
    }
}

/// Returns when this process is where it stays.
pub(super) fn wait() {
    let arrived = ARRIVED.wait_while(moving(), |moving| *moving);
    drop(arrived.unwrap_or_else(PoisonError::into_inner));
}

fn moving() -> MutexGuard<'static, bool> {
    MOVING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Moving;
    use crate::os::child::Child;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn nothing_is_born_on_the_way() {
        let moving = Moving::begin();
        let (born, is_born) = channel();
        let other = std::thread::spawn(move || {
            Child::new(["true"]).run().unwrap();
            born.send(()).unwrap();
        });
        assert!(Child::new(["true"]).run_on_the_way().unwrap().status.success());
        assert!(is_born.recv_timeout(Duration::from_millis(100)).is_err(), "it did not wait");
        drop(moving);
        is_born.recv_timeout(Duration::from_secs(60)).unwrap();
        other.join().unwrap();
    }
}
