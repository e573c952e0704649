//! Any bytes into the controller's side of the protocol, as if a host had sent them: it must not panic, must let
//! nothing pass that the order does not allow, and must refuse in words that are fit to be shown. The first byte says which order there is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Catalog, Common, Content, Digest, EventBody, Id, Node};
use std::collections::BTreeSet;
use wire::{ControllerSide, Ending, Heard, Inbox, Order, Up, Work};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let order = order(*first);
    let mut inbox = Inbox::<Up>::default();
    let mut talk =
        Talk { side: ControllerSide::default(), order, wanted: BTreeSet::new(), has_said_yes: false };
    // Pieces of every length: a stream says the same however it is cut.
    for piece in rest.chunks(1 + usize::from(*first) / 8) {
        inbox.feed(piece);
        loop {
            match inbox.heard() {
                Ok(None) => break,
                Ok(Some(heard)) => {
                    if !talk.hear(heard) {
                        return;
                    }
                }
                Err(error) => return check(&error),
            }
        }
    }
});

/// The digests that the catalog names.
fn named() -> Vec<Digest> {
    [&b"hello"[..], b""].map(Digest::of).to_vec()
}

fn order(first: u8) -> Order {
    let contents = named().into_iter().map(|digest| Content::reference(digest, 5)).collect();
    let (id, common) = (Id::new("file", "/a"), Common::default());
    let node = Node { id, origins: Vec::new(), params: contents, common };
    let catalog = Catalog::new(vec![node], Vec::new()).expect("one node is a catalog");
    let work = Work { catalog, ..Work::default() };
    match first % 8 {
        0 => Order::Plan(work),
        1 | 2 => Order::Apply(work),
        3 => Order::Rehearse(work),
        4 => Order::Rollback(wire::Rollback::default()),
        5 => Order::History,
        6 => Order::Show { run: None },
        _ => Order::Facts,
    }
}

struct Talk {
    side: ControllerSide,
    order: Order,
    wanted: BTreeSet<Digest>,
    has_said_yes: bool,
}

impl Talk {
    /// False where the host is not talked with any further.
    fn hear(&mut self, heard: Heard<Up>) -> bool {
        let was_done = self.side.is_done();
        let up = match self.side.take(heard) {
            Ok(up) => up,
            Err(error) => {
                check(&error);
                return false;
            }
        };
        assert!(!was_done, "words after the last ones");
        match &up {
            Up::Hello(_) => self.side.orders(&self.order),
            Up::Want(digests) => {
                assert!(digests.iter().all(|digest| named().contains(digest) && self.wanted.insert(*digest)));
            }
            Up::Question => {
                assert!(self.order.may_change() && !self.has_said_yes);
                self.has_said_yes = true;
                self.side.commits();
            }
            Up::Event(event) if matches!(event.body, EventBody::Started { .. }) => {
                assert!(self.has_said_yes || matches!(self.order, Order::Rehearse(_)));
            }
            Up::Done(Ending::Changed) => assert!(self.has_said_yes),
            _ => {}
        }
        let text = serde_json::to_vec(&up).expect("what came as JSON goes as JSON");
        let again: Up = serde_json::from_slice(&text).expect("what was said can be heard");
        assert_eq!(serde_json::to_vec(&again).ok(), Some(text));
        true
    }
}

fn check(error: &wire::Malformed) {
    let words = error.to_string();
    assert!(words.len() < 1000 && !words.contains(char::is_control), "{words:?}");
}
