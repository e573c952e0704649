//! All hosts of a push, each in a thread of its own, started as `turns` allows. Whatever becomes of one, the others go their way.

use crate::push::arrival::Arrival;
use crate::push::controller::End;
use crate::push::crossings::Crossings;
use crate::push::host;
use crate::push::target::{Push, Target};
use crate::push::turns::Turns;
use crate::trouble::Trouble;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, Builder, ScopedJoinHandle};

/// Does one piece of work on many hosts. How it ended for each, in the order of the targets.
pub fn push(push: &Push<'_>) -> Vec<(String, End)> {
    let turns = Turns::new(push.parallel);
    let crossings = &Crossings::default();
    let named = push.targets.iter().enumerate();
    thread::scope(|scope| {
        let begin = |(index, target)| {
            let arrival = Arrival::new(turns.begin(index), crossings);
            Builder::new()
                .name(format!("host {index}"))
                .spawn_scoped(scope, move || apart(push, target, &arrival))
        };
        let started: Vec<_> = named.map(begin).collect();
        let ends = started.into_iter().zip(push.targets);
        ends.map(|(thread, target)| (target.name.clone(), end(push, &target.name, thread))).collect()
    })
}

/// A bug that one host brings to light is that host's end, and no other's: nobody may wait for it for ever.
fn apart(push: &Push<'_>, target: &Target, arrival: &Arrival<'_>) -> End {
    panic::catch_unwind(AssertUnwindSafe(|| host::serve(push, target, arrival))).unwrap_or_else(|_| {
        broken(push, &target.name, "keel has a bug, which has shown itself here; what it said is above")
    })
}

fn end(push: &Push<'_>, host: &str, thread: io::Result<ScopedJoinHandle<'_, End>>) -> End {
    match thread {
        Ok(thread) => thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)),
        Err(error) => broken(push, host, &format!("cannot start a thread: {error}")),
    }
}

fn broken(push: &Push<'_>, host: &str, because: &str) -> End {
    let end = End::Trouble(Trouble::Here(because.to_owned()));
    push.controller.ended(host, &end);
    end
}
