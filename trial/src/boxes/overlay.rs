//! Boxes that are overlays of this machine: there at once, with nothing to set up. No service manager runs in them: services are
//! written down as started, and none is. They end with this program, however that ends.

use super::command::plain;
use super::driver::{Driver, Raw, TestBox};
use super::kept::Kept;
use super::name;
use super::way_out::{self, WayOut};
use agent::rehearse::Standing;
use fleet::{Remote, Spawned};
use model::Failure;

/// Ends what keeps a copy, and with it the copy, where it is still that. 1: its number
const REMOVE: &str = "grep -q __copy-keeper \"/proc/$1/cmdline\" 2>/dev/null || exit 0; exec kill \"$1\"";

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

    fn keep(self: Box<Self>) -> Result<Kept, Failure> {
        let Self { copy, way_out } = *self;
        let enter: Vec<String> = copy.enter().iter().map(|word| plain(word)).collect();
        let keeper = copy.leave()?.to_string();
        let remove = ["sh", "-euc", REMOVE, "sh", &keeper].map(str::to_owned).to_vec();
        let note = format!("{}; it is gone when this machine is started anew", way_out::note(Some(way_out)));
        Ok(Kept { name: name::next(), enter: format!("{} bash", enter.join(" ")), remove, note })
    }
}
