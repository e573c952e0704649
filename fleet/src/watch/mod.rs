//! A run after the yes: it is the host's own. `seen` is what has been told of it, `follow` goes on with it over a new connection where one
//! was lost, `confirm` shows the host over one more that it is still in reach, and `take_up` sees to a run that an earlier call lost.

mod confirm;
mod follow;
mod nap;
mod seen;
mod take_up;

pub(crate) use confirm::confirm;
pub(crate) use follow::follow;
pub(crate) use seen::{Mark, Seen};
pub(crate) use take_up::take_up;
