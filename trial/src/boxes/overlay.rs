//! Boxes that are overlays of this machine: there at once, with nothing to set up. No service manager runs in them: services are
//! written down as started, and none is. They end with this program, however that ends.

use super::driver::{Driver, Raw, TestBox};
use super::way_out::WayOut;
use agent::rehearse::Standing;
use fleet::{Remote, Spawned};
use model::Failure;

/// Makes them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overlay;

impl Driver for Overlay {
    fn name(&self) -> &'static str {
        "overlay"
    }

    fn create(&self) -> Result<Box<dyn TestBox>, Failure> {
        let copy = Standing::make()?;
        let way_out = WayOut::open(copy.pid(), &mut Spawned::behind(copy.enter()))?;
        Ok(Box::new(OverlayBox { copy, way_out }))
    }
}

struct OverlayBox {
    copy: Standing,
    way_out: WayOut,
}

impl TestBox for OverlayBox {
    fn remote(&self) -> Box<dyn Remote> {
        Box::new(Spawned::behind(self.copy.enter()))
    }

    fn compare(&mut self) -> Result<Raw, Failure> {
        self.copy.differences().map(Raw::Differs)
    }

    fn notes(&self) -> Vec<String> {
        let none = "no service manager runs in an overlay: services are written down as started, and none is";
        std::iter::once(none.to_owned()).chain(self.copy.notes().iter().cloned()).collect()
    }

    fn destroy(self: Box<Self>) -> Result<(), Failure> {
        drop(self.way_out);
        self.copy.end()
    }

    fn keep(self: Box<Self>) -> Option<String> {
        None
    }
}
