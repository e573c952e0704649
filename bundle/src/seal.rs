//! Signatures as `ssh-keygen -Y sign` makes them (PROTOCOL.sshsig of OpenSSH), beside the bundle and over all its bytes. Who may sign is
//! the business of `allowed`.

use crate::allowed::label;
use crate::digests::Digests;
use crate::refusal::Refusal;
use signature::{Signer as _, Verifier as _};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, LineEnding, PrivateKey, SshSig};

/// What a signature of a bundle is for: one of a file or of a commit says nothing about a bundle.
pub const NAMESPACE: &str = "evenkeel-bundle";
/// No signature is larger, in bytes.
pub const LARGEST: u64 = 64 << 10;

/// The bytes that a key signs for a message of these digests.
fn signed(namespace: &str, reserved: &[u8], hash: HashAlg, digests: &Digests) -> Result<Vec<u8>, Refusal> {
    let digest: &[u8] = match hash {
        HashAlg::Sha256 => digests.sha256.bytes(),
        HashAlg::Sha512 => &digests.sha512,
        other => return Err(Refusal::BadSignature(format!("it is over {other}, which is not known here"))),
    };
    let mut bytes = b"SSHSIG".to_vec();
    for part in [namespace.as_bytes(), reserved, hash.as_str().as_bytes(), digest] {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(part);
    }
    Ok(bytes)
}

/// Signs bytes of these digests: the text of a `.sig` file.
///
/// # Errors
/// Where the key cannot; of keys in hardware and of RSA `ssh-keygen` does it.
pub fn sign(key: &PrivateKey, digests: &Digests) -> Result<String, Refusal> {
    let elsewhere = |kind: &str| {
        let way = format!("ssh-keygen -Y sign -n {NAMESPACE} -f KEY BUNDLE");
        Refusal::Key(format!(
            "is of the type {kind}, which does not sign here; `{way}` makes the same signature"
        ))
    };
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => {}
        other => return Err(elsewhere(other.as_str())),
    }
    let signed = signed(NAMESPACE, &[], HashAlg::Sha512, digests)?;
    let signature = key.try_sign(&signed).map_err(|_| elsewhere(key.algorithm().as_str()))?;
    let sealed = SshSig::new(key.public_key().key_data().clone(), NAMESPACE, HashAlg::Sha512, signature);
    let text = sealed.and_then(|sealed| sealed.to_pem(LineEnding::LF));
    text.map_err(|error| Refusal::Key(format!("does not sign: {error}")))
}

/// Whose signature of these bytes it is.
///
/// # Errors
/// Where it is none, of something else, or for something else.
pub fn signer(text: &[u8], digests: &Digests) -> Result<KeyData, Refusal> {
    let seal = read(text)?;
    let signed = signed(seal.namespace(), seal.reserved(), seal.hash_alg(), digests)?;
    let key = seal.public_key();
    match key.verify(&signed, seal.signature()) {
        Ok(()) => Ok(key.clone()),
        Err(_) => Err(Refusal::WrongSignature { key: label(key) }),
    }
}

/// Whose signature it says that it is. Whether that is so only [`signer`] tells.
///
/// # Errors
/// Where it is none, or for something else.
pub fn claimed(text: &[u8]) -> Result<KeyData, Refusal> {
    read(text).map(|seal| seal.public_key().clone())
}

fn read(text: &[u8]) -> Result<SshSig, Refusal> {
    if text.len() as u64 > LARGEST {
        return Err(Refusal::BadSignature("it is too long".to_owned()));
    }
    let seal = SshSig::from_pem(text.trim_ascii())
        .map_err(|error| Refusal::BadSignature(error.to_string().replace(char::is_control, "?")))?;
    if seal.namespace() != NAMESPACE {
        let found = seal.namespace().escape_debug().to_string();
        return Err(Refusal::OtherNamespace { found, wanted: NAMESPACE });
    }
    // SHA-1 is not taken for RSA (PROTOCOL.sshsig, section 3).
    if matches!(seal.signature().algorithm(), Algorithm::Rsa { hash: None } | Algorithm::Dsa) {
        return Err(Refusal::BadSignature("it is by an algorithm that is not safe any more".to_owned()));
    }
    if matches!(seal.signature().algorithm(), Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 }) {
        return Err(Refusal::BadSignature(
            "it is by a key of the type ecdsa-sha2-nistp521, which is not read here".to_owned(),
        ));
    }
    Ok(seal)
}
