//! Where the engine tells what happens.

use model::EventBody;

/// Takes events. It must not fail and must not block for long: a run does not depend on who watches.
pub trait Sink: Sync {
    /// Takes one event.
    fn emit(&self, body: EventBody);

    /// Takes several, in their order.
    fn emit_all(&self, bodies: Vec<EventBody>) {
        bodies.into_iter().for_each(|body| self.emit(body));
    }
}

/// Nobody watches.
pub struct NoSink;

impl Sink for NoSink {
    fn emit(&self, _body: EventBody) {}
}
