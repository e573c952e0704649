//! The engine: catalog and host in, converged host and events out. It alone executes ops, and journals first.
//!
//! `graph` decodes, `observe` looks, `forecast` makes the plan, `run` walks the graph, `act` journals and executes.

mod act;
mod answer;
mod at_work;
mod batch;
mod comeback;
mod commit;
mod debs;
mod decide;
mod enact;
mod forecast;
mod graph;
mod groups;
mod locks;
mod log;
mod many_files;
mod moot;
mod node_run;
mod observe;
mod orphans;
mod plan_groups;
mod run;
mod sink;
mod spread;
mod texts;
mod together;
mod unified;

pub use comeback::Comeback;
pub use decide::touches_unit_files;
pub use enact::{Order, enact};
pub use forecast::forecast;
pub use graph::{Choice, Graph, Link, Part, Vertex};
pub use locks::{LOCKED, Locks, matcher};
pub use log::{Faults, Log, MemoryLog};
pub use run::{Host, Outcome, run};
pub use sink::{NoSink, Sink};
pub use texts::texts;
pub use unified::unified;
