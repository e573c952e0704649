//! A word that nobody can guess, by which the script's lines are told from whatever else a login prints.

use crate::trouble::Trouble;

/// 32 hex digits, fresh from the system's randomness.
pub fn nonce() -> Result<String, Trouble> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::Here(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
