//! All hosts of a push, each in a thread of its own, started as `turns` allows. Whatever becomes of one, the others go their way.

use crate::push::arrival::Arrival;
use crate::push::controller::End;
use crate::push::crossings::Crossings;
use crate::push::host;
use crate::push::target::Push;
use crate::push::turns::Turns;
use crate::trouble::Trouble;
use std::io;
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
                .spawn_scoped(scope, move || host::serve(push, target, arrival))
        };
        let started: Vec<_> = named.map(begin).collect();
        let ends = started.into_iter().zip(push.targets);
        ends.map(|(thread, target)| (target.name.clone(), end(push, &target.name, thread))).collect()
    })
}

fn end(push: &Push<'_>, host: &str, thread: io::Result<ScopedJoinHandle<'_, End>>) -> End {
    match thread {
        Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(error) => {
            let end = End::Trouble(Trouble::Here(format!("cannot start a thread: {error}")));
            push.controller.ended(host, &end);
            end
        }
    }
}
