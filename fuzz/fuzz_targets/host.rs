//! Any bytes into a host's side of the protocol, as if a controller had sent them: it must not panic, must not take
//! more than was agreed, and must refuse in words that are fit to be shown. The host wants all contents that the catalog names, and asks. Touches no file and no host.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Broken, Down, HostSide, Inbox, LONGEST_SECRET, TOTAL_SECRETS, Told};

/// What a host has taken so far.
#[derive(Default)]
struct Taken {
    orders: usize,
    answers: usize,
    /// Bytes of the contents that are under way.
    due: u64,
}

impl Taken {
    fn count(&mut self, told: Told, side: &mut HostSide) {
        match told {
            Told::Order(order, secrets) => {
                self.orders += 1;
                let lengths: Vec<usize> = secrets.values().map(|value| value.expose().len()).collect();
                assert!(lengths.iter().all(|length| *length <= LONGEST_SECRET));
                assert!(lengths.iter().sum::<usize>() <= TOTAL_SECRETS);
                let named = order.work().map(wire::Work::contents).unwrap_or_default();
                side.wants(&named.into_keys().collect::<Vec<_>>());
                side.asks();
            }
            Told::Content { size, .. } => {
                assert_eq!(self.due, 0, "contents within contents");
                self.due = size;
            }
            Told::Piece { bytes, left } => {
                assert_eq!(self.due, left + bytes.len() as u64, "bytes were lost or won");
                self.due = left;
            }
            Told::Lacking { .. } => self.due = 0,
            Told::Answer { .. } => self.answers += 1,
            Told::Stop => assert_eq!(self.due, 0),
        }
        assert!(self.orders <= 1 && self.answers <= self.orders);
    }
}

fuzz_target!(|data: &[u8]| {
    let (mut inbox, mut side, mut taken) = (Inbox::<Down>::default(), HostSide::default(), Taken::default());
    let mut pipe = data;
    loop {
        let told = match inbox.hear(&mut pipe) {
            Ok(Some(heard)) => side.take(heard),
            Ok(None) | Err(Broken::Pipe(_)) => return,
            Err(Broken::Malformed(error)) => Err(error),
        };
        match told {
            Ok(None) => {}
            Ok(Some(told)) => taken.count(told, &mut side),
            Err(error) => {
                let words = error.to_string();
                assert!(words.len() < 1000 && !words.contains(char::is_control), "{words:?}");
                return;
            }
        }
    }
});
