//! Any bytes: however a stream is cut it says the same, and no bytes at all make a side panic or hold more than it may.

use crate::exchange::{Said, lines, stream};
use crate::replay::recorded;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use std::fmt::Debug;
use wire::{ControllerSide, Down, Heard, HostSide, Inbox, LONGEST_UP, Message, Up};

/// All that is heard in `bytes`, up to the first breach, where each piece has one of the sizes `cuts` in turn.
fn heard<M: Message + Debug + PartialEq>(bytes: &[u8], cuts: &[usize]) -> (Vec<Heard<M>>, Option<String>) {
    let (mut inbox, mut all, mut rest) = (Inbox::default(), Vec::new(), bytes);
    for cut in cuts.iter().cycle() {
        let (piece, next) = rest.split_at((*cut).min(rest.len()));
        inbox.feed(piece);
        loop {
            match inbox.heard() {
                Ok(Some(heard)) => all.push(heard),
                Ok(None) => break,
                Err(error) => return (all, Some(error.to_string())),
            }
        }
        rest = next;
        if rest.is_empty() {
            break;
        }
    }
    (all, None)
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1usize..600, 1..8)
}

/// A recorded stream of either direction.
fn streams(is_wanted: fn(&Said<'_>) -> bool) -> impl Strategy<Value = Vec<u8>> {
    select(recorded().iter().map(|text| stream(&lines(text), is_wanted)).collect::<Vec<_>>())
}

fn is_from_host(said: &Said<'_>) -> bool {
    matches!(said, Said::Host(_) | Said::Raw(_))
}

fn is_from_controller(said: &Said<'_>) -> bool {
    !is_from_host(said)
}

/// `bytes` with a few of them replaced.
fn damaged(mut bytes: Vec<u8>, damage: &[(usize, u8)]) -> Vec<u8> {
    let length = bytes.len().max(1);
    for (at, byte) in damage {
        if let Some(slot) = bytes.get_mut(at % length) {
            *slot = *byte;
        }
    }
    bytes
}

fn damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
    proptest::collection::vec(any::<(usize, u8)>(), 0..6)
}

proptest! {
    #[test]
    fn a_cut_changes_nothing(up in streams(is_from_host), down in streams(is_from_controller), cuts in cuts()) {
        prop_assert_eq!(heard::<Up>(&up, &cuts), heard::<Up>(&up, &[usize::MAX]));
        prop_assert_eq!(heard::<Down>(&down, &cuts), heard::<Down>(&down, &[usize::MAX]));
    }

    #[test]
    fn a_damaged_stream_of_a_host_is_taken_or_refused(up in streams(is_from_host), damage in damage()) {
        let mut side = ControllerSide::default();
        for heard in heard::<Up>(&damaged(up, &damage), &[64]).0 {
            if let Err(error) = side.take(heard) {
                prop_assert!(error.to_string().len() < 1000);
                break;
            }
        }
    }

    #[test]
    fn a_damaged_stream_of_a_controller_is_taken_or_refused(down in streams(is_from_controller), damage in damage()) {
        let mut side = HostSide::default();
        let heard = heard::<Down>(&damaged(down, &damage), &[64]).0;
        let refused = heard.into_iter().map(|heard| side.take(heard)).find_map(Result::err);
        prop_assert!(refused.is_none_or(|error| error.to_string().len() < 1000));
    }

    #[test]
    fn a_forged_head_is_refused_or_waited_for(tag in 0u8..6, length in 50u32.., some in proptest::collection::vec(any::<u8>(), 0..50)) {
        let mut bytes = vec![tag];
        bytes.extend(length.to_be_bytes());
        bytes.extend(some);
        let (heard, error) = heard::<Up>(&bytes, &[7]);
        prop_assert!(heard.is_empty());
        prop_assert_eq!(error.is_some(), !(1..=3).contains(&tag) || length > LONGEST_UP);
    }

    #[test]
    fn any_bytes_in_a_frame_are_a_message_or_none(tag in 1u8..=3, some in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = vec![tag, 0, 0, 0, u8::try_from(some.len()).unwrap_or(u8::MAX)];
        bytes.extend(some);
        let (up, refused) = heard::<Up>(&bytes, &[64]);
        prop_assert!(up.len() == 1 || refused.is_some());
        let (down, refused) = heard::<Down>(&bytes, &[64]);
        prop_assert!(down.len() == 1 || refused.is_some());
    }
}
