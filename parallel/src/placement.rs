//! On which processor a thread begins. Linux may leave a new thread on that of its creator for some milliseconds, although another is idle: a virtual machine's that is halted
//! looks as if its host had taken it away (`vcpu_is_preempted`, `available_idle_cpu` in kernel/sched). By then all would be done.

pub(crate) use place::{here, leave, processors};

#[cfg(target_os = "linux")]
mod place {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// Where this process may run; `None` where it may not ask.
    fn allowed() -> Option<CpuSet> {
        sched_getaffinity(None).ok()
    }

    /// Who may not ask how many processors he has can have one.
    pub(crate) fn processors() -> usize {
        allowed().map_or(1, |set| set.count() as usize)
    }

    /// The processor that this thread runs on.
    pub(crate) fn here() -> usize {
        sched_getcpu()
    }

    /// Leaves the processor `taken` for that of the others whose turn it is. Afterwards it may run wherever it might before; who may not choose stays.
    pub(crate) fn leave(taken: usize, turn: usize) {
        let Some(all) = allowed().filter(|_| here() == taken) else { return };
        let others: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|at| *at != taken && all.is_set(*at)).collect();
        let Some(other) = others.get(turn.wrapping_sub(1) % others.len().max(1)) else { return };
        let mut only = CpuSet::new();
        only.set(*other);
        // Where either is refused it works all the same, only not as soon.
        sched_setaffinity(None, &only).and_then(|()| sched_setaffinity(None, &all)).ok();
    }

    #[cfg(test)]
    mod tests {
        use super::{allowed, here, leave};

        #[test]
        fn who_leaves_may_run_wherever_it_might_before() {
            let before = allowed().unwrap();
            for turn in 0..5 {
                leave(here(), turn);
                assert!(allowed().unwrap() == before);
            }
        }

        #[test]
        fn who_is_elsewhere_stays() {
            leave(usize::MAX, 1);
            assert!(allowed().unwrap().is_set(here()));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod place {
    pub(crate) fn processors() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    pub(crate) fn here() -> usize {
        0
    }

    pub(crate) fn leave(_taken: usize, _turn: usize) {}
}
