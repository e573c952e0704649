//! Bytes to sealed text and back, by the crate `age`. Which keys, is for others to say.

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use model::Secret;
use std::io::{self, Read as _, Write as _};

/// No sealed file is larger without its armour, in bytes.
const LARGEST: u64 = 16 << 20;

/// A private key, ready to open files.
pub type Identity = Box<dyn age::Identity>;

/// Seals to all of `recipients`, in ASCII armour.
///
/// # Errors
/// What went wrong, in words.
pub fn seal(value: &Secret<Vec<u8>>, recipients: &[&dyn age::Recipient]) -> Result<Vec<u8>, String> {
    let encryptor = Encryptor::with_recipients(recipients.iter().copied()).map_err(|error| match error {
        EncryptError::MissingRecipients => "there are no recipients".to_owned(),
        error => error.to_string(),
    })?;
    written(encryptor, value).map_err(|error| error.to_string())
}

fn written(encryptor: Encryptor, value: &Secret<Vec<u8>>) -> io::Result<Vec<u8>> {
    let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armour)?;
    writer.write_all(value.expose())?;
    writer.finish()?.finish()
}

/// A sealed file without its armour; one that has none is taken as it is.
///
/// # Errors
/// In words where the armour is damaged.
pub fn bare(file: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = ArmoredReader::new(file).take(LARGEST).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| format!("is damaged: {error}"))
}

/// What is in a file without its armour; `None` where none of `identities` opens it.
///
/// # Errors
/// In words where one would, and the file is damaged.
pub fn open(bare: &[u8], identities: &[Identity]) -> Result<Option<Secret<Vec<u8>>>, String> {
    let damaged = |error: &dyn std::fmt::Display| format!("is damaged: {error}");
    let decryptor = Decryptor::new_buffered(bare).map_err(|error| damaged(&error))?;
    let mut reader = match decryptor.decrypt(identities.iter().map(|one| &**one)) {
        Ok(reader) => reader,
        Err(DecryptError::NoMatchingKeys) => return Ok(None),
        Err(error) => return Err(damaged(&error)),
    };
    let mut value = Vec::new();
    reader.read_to_end(&mut value).map_err(|error| damaged(&error))?;
    Ok(Some(Secret::new(value)))
}
