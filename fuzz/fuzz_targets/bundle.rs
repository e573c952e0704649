//! Any bytes as what a place of bundles gives: an archive, the text of its manifest, a pointer, a signature, who may sign. Reading it must
//! not panic, what is refused must be told in words fit to be shown, and what is taken must be what was written. Touches no file.
#![no_main]

use bundle::{Allowed, Bundle, Manifest, Piece, Pointer, Policy, Refusal, digests, verify};
use libfuzzer_sys::fuzz_target;
use model::Digest;
use std::sync::Arc;

/// Somebody who may sign; nobody has his key.
const SIGNERS: &str = "ann namespaces=\"evenkeel-bundle\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5n4Hk5OeGnB8rSyDlJRYHNsT0BWJCFULZbwrW8pJxd\n";

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    match first % 5 {
        0 => archive(rest),
        1 => manifest(rest),
        2 => pointer(rest),
        3 => signature(rest),
        _ => signers(rest),
    }
});

fn refused(refusal: &Refusal) {
    let words = refusal.to_string();
    assert!(words.len() < 2000 && !words.contains(char::is_control), "{words:?}");
}

fn archive(bytes: &[u8]) {
    let piece: Arc<dyn Piece> = Arc::new(bytes.to_vec());
    let digests = match digests(&*piece) {
        Ok(digests) => digests,
        Err(refusal) => return refused(&refusal),
    };
    match Bundle::open(piece, &digests) {
        Err(refusal) => refused(&refusal),
        Ok(opened) => {
            assert_eq!(opened.digest(), Digest::of(bytes));
            for (name, entry) in &opened.manifest().files {
                let name = name.to_string();
                assert!(!name.starts_with('/') && !name.split('/').any(|part| part == ".."), "{name}");
                let held = opened.read(&name).expect("it was opened").expect("it is there");
                assert_eq!((held.len() as u64, Digest::of(&held)), (entry.size, entry.sha256));
            }
        }
    }
}

fn manifest(bytes: &[u8]) {
    match Manifest::parse(bytes) {
        Err(refusal) => refused(&refusal),
        Ok(manifest) => {
            let again = Manifest::parse(manifest.text().as_bytes()).expect("what we write can be read");
            assert_eq!(manifest, again);
        }
    }
}

fn pointer(bytes: &[u8]) {
    match Pointer::parse("https://example.org", bytes) {
        Err(refusal) => refused(&refusal),
        Ok(pointer) => {
            let again = Pointer::parse("https://example.org", pointer.text().as_bytes());
            assert_eq!(pointer, again.expect("what we write can be read"));
        }
    }
}

fn signature(bytes: &[u8]) {
    let allowed = Allowed::parse("allowed_signers", SIGNERS).expect("it is one");
    let policy = Policy { allowed: &allowed, site: None, now: 1_800_000_000 };
    match verify(Arc::new(b"no bundle".to_vec()), bytes, &policy) {
        Ok(_) => panic!("nobody has signed that"),
        Err(refusal) => refused(&refusal),
    }
}

fn signers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(refusal) = Allowed::parse("allowed_signers", text) {
        refused(&refusal);
    }
}
