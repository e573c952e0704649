//! Who is believed. `ssh-keygen` is the judge of the format.

use crate::workshop::{bytes, digests, key, line, site, verify};
use std::path::Path;
use std::process::{Command, Stdio};

fn told(bytes: &[u8], signature: &str, allowed: &str) -> String {
    verify(bytes, signature, allowed)
        .map_or_else(|refusal| refusal.to_string(), |found| found.signer.principals)
}

#[test]
fn only_who_may_sign_is_believed() {
    let (bytes, ann) = (bytes(&site(), 7), key(1));
    let signature = bundle::sign(&ann, &digests(&bytes)).expect("it signs");
    let print = "ssh-ed25519 SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8";
    for (allowed, outcome) in [
        (line("", &ann), "ann@example.org".to_owned()),
        (line("namespaces=\"evenkeel-*\"", &ann), "ann@example.org".to_owned()),
        (line("", &key(2)), format!("the bundle is signed by {print}, which is not in allowed_signers")),
        (
            line("namespaces=\"git\"", &ann),
            format!(
                "the bundle is signed by {print}, which allowed_signers:1 allows for `git` only, and not for `evenkeel-bundle`"
            ),
        ),
        (
            line("valid-before=\"20260101Z\"", &ann),
            format!("the bundle is signed by {print}, which allowed_signers:1 allowed before 20260101Z only"),
        ),
        (
            line("valid-after=\"20300101Z\"", &ann),
            format!("the bundle is signed by {print}, which allowed_signers:1 allows from 20300101Z on"),
        ),
    ] {
        assert_eq!(told(&bytes, &signature, &allowed), outcome);
    }
}

#[test]
fn what_is_changed_is_not_believed() {
    let (good, ann) = (bytes(&site(), 7), key(1));
    let (signature, allowed) = (bundle::sign(&ann, &digests(&good)).expect("it signs"), line("", &ann));
    for at in (0..good.len()).step_by(97) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(
            told(&bad, &signature, &allowed).contains(" is not of this bundle: one of the two was changed"),
            "{at}"
        );
    }
    assert!(told(&good[..good.len() - 512], &signature, &allowed).contains(" is not of this bundle"));
    for at in 0..signature.len() {
        let mut bad = signature.clone().into_bytes();
        bad[at] ^= 1;
        let bad = String::from_utf8_lossy(&bad).into_owned();
        // A line may end in other ways, and bits of the padding mean nothing: the same signature then.
        let same = ssh_key::SshSig::from_pem(bad.trim()).ok() == ssh_key::SshSig::from_pem(&signature).ok();
        assert!(same || verify(&good, &bad, &allowed).is_err(), "byte {at}");
    }
}

#[test]
fn one_that_is_for_something_else_is_not_believed() {
    let (bytes, ann) = (bytes(&site(), 7), key(1));
    let other = ann.sign("file", ssh_key::HashAlg::Sha512, &bytes).expect("it signs");
    let other = other.to_pem(ssh_key::LineEnding::LF).expect("it is text");
    assert_eq!(
        told(&bytes, &other, &line("", &ann)),
        "the signature is for `file` and not for `evenkeel-bundle`: it was made for something else"
    );
    assert!(told(&bytes, "", &line("", &ann)).starts_with("the signature cannot be read: "));
}

#[test]
fn of_another_site_it_is_refused() {
    let elsewhere =
        site().with("keel.toml", "[project]\nname = \"bank\"\nmodules = [\"modules\", \"../shared\"]\n");
    let (bytes, ann) = (bytes(&elsewhere, 7), key(1));
    let signature = bundle::sign(&ann, &digests(&bytes)).expect("it signs");
    assert_eq!(
        told(&bytes, &signature, &line("", &ann)),
        "the bundle is of the site `bank`, and this is the place of `shop`"
    );
}

fn ssh_keygen(dir: &Path, arguments: &str, input: &[u8]) -> bool {
    use std::io::Write as _;
    let mut call = Command::new("ssh-keygen");
    call.current_dir(dir)
        .args(arguments.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = call.spawn().expect("ssh-keygen is there");
    let given = child.stdin.take().expect("it was asked for").write_all(input);
    // One that refuses need not read.
    drop(given);
    child.wait().expect("it ends").success()
}

#[test]
fn ssh_keygen_believes_what_is_signed_here() {
    let (bytes, dir) = (bytes(&site(), 7), tempfile::tempdir().expect("a directory"));
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    for kind in ["ed25519", "ecdsa"] {
        assert!(ssh_keygen(dir.path(), &format!("-q -t {kind} -N  -f {kind}"), b""));
        let key = std::fs::read_to_string(dir.path().join(kind)).expect("it was made");
        let key = ssh_key::PrivateKey::from_openssh(key).expect("it is a key");
        put("sig", &bundle::sign(&key, &digests(&bytes)).expect("it signs"));
        put("allowed", &line("namespaces=\"evenkeel-bundle\"", &key));
        let call = "-Y verify -f allowed -I ann@example.org -n evenkeel-bundle -s sig";
        assert!(ssh_keygen(dir.path(), call, &bytes), "{kind}");
        assert!(!ssh_keygen(dir.path(), call, b"other"), "{kind}");
    }
}

#[test]
fn what_ssh_keygen_signs_is_believed_here() {
    let (bytes, dir) = (bytes(&site(), 7), tempfile::tempdir().expect("a directory"));
    std::fs::write(dir.path().join("b"), &bytes).expect("written");
    for (kind, hash) in [("ed25519", "sha512"), ("ed25519", "sha256"), ("ecdsa", "sha512"), ("rsa", "sha512")]
    {
        let name = format!("{kind}{hash}");
        assert!(ssh_keygen(dir.path(), &format!("-q -t {kind} -N  -f {name}"), b""));
        let sign = format!("-Y sign -n evenkeel-bundle -O hashalg={hash} -f {name} b");
        assert!(ssh_keygen(dir.path(), &sign, b""), "{name}");
        let signature = std::fs::read_to_string(dir.path().join("b.sig")).expect("it was made");
        let public = std::fs::read_to_string(dir.path().join(format!("{name}.pub"))).expect("it was made");
        assert_eq!(told(&bytes, &signature, &format!("ann {public}")), "ann", "{name}");
        std::fs::remove_file(dir.path().join("b.sig")).expect("removed");
    }
}
