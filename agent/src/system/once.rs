//! What many resources ask for, such as the table of mounts, worked out once while all of them are looked at. It holds nothing beyond that look:
//! who acts reads anew, so that nothing has to be forgotten.

use super::{Attempt, Compared, System, Touched};
use model::{Content, Failure, HostPath, Op};
use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What it is, and which file it is of.
pub type Shared = (TypeId, HostPath);

/// What was worked out.
pub type Worked = Arc<dyn Any + Send + Sync>;

/// What `work` makes of the file or directory at `path` of `system`; where others ask for the same in one look at the host, one of them does the
/// work. What it makes must depend on nothing but the host.
///
/// # Errors
/// Those of `work`; the next who asks tries again.
pub fn once<T: Any + Send + Sync>(
    system: &dyn System,
    path: &HostPath,
    work: impl Fn() -> Result<T, Failure>,
) -> Result<Arc<T>, Failure> {
    let worked = system.once((TypeId::of::<T>(), path.clone()), &|| Ok(Arc::new(work()?)))?;
    Ok(worked.downcast().expect("what is kept under a type is of that type"))
}

/// One thing that is asked for. Who works it out holds it, so that others wait for that.
type Slot = Arc<Mutex<Option<Worked>>>;

/// A host that nobody changes for as long as this lives.
pub struct Still<'a> {
    host: &'a dyn System,
    slots: Mutex<BTreeMap<Shared, Slot>>,
}

impl<'a> Still<'a> {
    /// Nothing is read yet.
    pub fn new(host: &'a dyn System) -> Self {
        Self { host, slots: Mutex::default() }
    }
}

impl System for Still<'_> {
    fn below(&self) -> &dyn System {
        self.host
    }

    fn once(&self, of: Shared, work: &dyn Fn() -> Result<Worked, Failure>) -> Result<Worked, Failure> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = Slot::clone(slots.entry(of).or_default());
        drop(slots);
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worked) = kept.as_ref() {
            return Ok(Worked::clone(worked));
        }
        let worked = work()?;
        *kept = Some(Worked::clone(&worked));
        Ok(worked)
    }

    fn compare(&self, path: &HostPath, wanted: &Content) -> Result<Compared, Failure> {
        self.host.compare(path, wanted)
    }

    fn clean(&self, _op: &Op, _tag: &str) -> Result<(), Failure> {
        unreachable!("who looks changes nothing")
    }

    fn execute(&self, _op: &Op, _attempt: &Attempt) -> Result<Touched, Failure> {
        unreachable!("who looks changes nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::{Still, once};
    use crate::system::Layer;
    use model::{Failure, HostPath};
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn what_many_ask_for_is_worked_out_once_and_a_failure_is_not_kept() {
        let (host, path) = (Layer::memory(), HostPath::new("/etc/fstab").unwrap());
        let (still, count) = (Still::new(&host), AtomicU64::new(0));
        let work = || match count.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Failure::unknown("it", "it is busy")),
            at => Ok(at),
        };
        assert!(once(&still, &path, work).is_err());
        std::thread::scope(|scope| {
            let others: Vec<_> =
                (0..8).map(|_| scope.spawn(|| *once(&still, &path, work).unwrap())).collect();
            others.into_iter().for_each(|other| assert_eq!(other.join().unwrap(), 1));
        });
        assert_eq!(*once(&still, &path, || Ok("another type")).unwrap(), "another type");
        assert_eq!(*once(&host, &path, work).unwrap(), 2, "who acts reads anew");
    }
}
