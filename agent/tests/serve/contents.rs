//! Contents: what is wanted and when, and what becomes of those that do not come as they should.

use crate::host::Host;
use crate::peer::Peer;
use model::Digest;
use std::process::{Command, Stdio};
use wire::{Down, Ending, Order, PIECE, Up, send_bytes};

#[test]
fn what_is_small_is_shown_and_what_is_large_comes_before_the_question() {
    let (host, small) = (Host::new(), &b"small\n"[..]);
    let large: Vec<u8> = (0..=u8::MAX).cycle().take(3 * PIECE + 7).collect();
    let work = host.work(&[("a", small), ("b", &large)]);
    let talk = host.start().talk(&Order::Apply(work.clone()), &[small, &large], true);
    let wanted = |up: &Up| if let Up::Want(digests) = up { digests.clone() } else { Vec::new() };
    let wanted: Vec<_> = talk.said.iter().map(wanted).filter(|it| !it.is_empty()).collect();
    assert_eq!(wanted, [vec![Digest::of(small)], vec![Digest::of(&large)]]);
    assert_eq!(std::fs::read(host.file("b")).unwrap(), large);
    assert_eq!(host.state("blobs/sha256").read_dir().unwrap().count(), 1, "what is small is not kept");
    // What the host has is not asked for again.
    std::fs::write(host.file("b"), "drifted").unwrap();
    host.apply(&work, &[]);
    assert_eq!(std::fs::read(host.file("b")).unwrap(), large);
}

#[test]
fn only_what_changes_is_wanted() {
    let (host, one, other) = (Host::new(), &b"one\n"[..], &b"other\n"[..]);
    host.apply(&host.work(&[("a", one)]), &[one]);
    let work = host.work(&[("a", one), ("b", other)]);
    let talk = host.start().talk(&Order::Apply(work), &[other], true);
    assert!(talk.said.contains(&Up::Want(vec![Digest::of(other)])), "{talk:?}");
    assert_eq!(talk.ending(), Some(&Ending::Changed));
}

/// The run needs room for what it writes; here there is none for what comes.
#[test]
fn needs_root_a_full_disk_ends_the_run_before_it_begins() {
    let (host, small, large) = (Host::new(), &b"small\n"[..], vec![b'x'; 900 << 10]);
    let blobs = host.state("blobs").display().to_string();
    std::fs::create_dir(&blobs).unwrap();
    let script = "mount -t tmpfs -o size=300k,mode=0700 tmpfs \"$0\" && exec \"$1\" serve";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, &blobs]).arg(host.agent());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let order = Order::Apply(host.work(&[("a", small), ("b", &large)]));
    let talk = Peer::start(&mut command).talk(&order, &[small, &large], true);
    assert_eq!(talk.words().join(" "), "hello want plan want error report done", "{talk:?}");
    let errors = talk.errors().join("\n");
    assert!(errors.contains("No space left on device") && errors.contains("blobs/sha256"), "{errors}");
    assert_eq!(talk.ending(), Some(&Ending::Failed));
    assert!(host.is_untouched());
}

#[test]
fn what_is_lacking_ends_the_run_before_it_begins() {
    for size in [5, 300 << 10] {
        let (host, bytes) = (Host::new(), vec![b'x'; size]);
        let talk = host.start().talk(&Order::Apply(host.work(&[("a", &bytes)])), &[], true);
        assert_eq!(talk.ending(), Some(&Ending::Failed));
        let errors = talk.errors().join("\n");
        assert!(errors.contains("the controller cannot give the content"), "{errors}");
        assert!(errors.contains("it does not exist") && !talk.words().contains(&"question"), "{talk:?}");
        assert!(host.is_untouched());
    }
}

#[test]
fn what_is_not_what_was_wanted_is_refused_and_not_kept() {
    for size in [5, 300 << 10] {
        let (host, bytes) = (Host::new(), vec![b'x'; size]);
        let mut peer = host.start();
        peer.hear_until("hello");
        peer.order(&Order::Apply(host.work(&[("a", &bytes)])));
        peer.hear_until("want");
        peer.say(&Down::Content { digest: Digest::of(&bytes), size: size as u64 });
        for piece in vec![b'y'; size].chunks(PIECE) {
            send_bytes(peer.input.as_mut().unwrap(), piece.to_vec()).unwrap();
        }
        peer.hear_until("done");
        let talk = peer.finish();
        assert_eq!((talk.ending(), talk.code), (Some(&Ending::Failed), Some(0)), "{talk:?}");
        assert!(talk.errors().join("\n").contains("what came is not the content"), "{talk:?}");
        assert!(host.is_untouched());
    }
}
