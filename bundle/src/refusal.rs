//! Why a bundle is not taken, in words an operator can act on. Whatever it is, the bundle that was in force stays so.

use model::Digest;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is shorter than it says.
    #[error("the bundle is cut off: {have} of {want} bytes are there")]
    CutOff {
        /// Bytes that are there.
        have: u64,
        /// Bytes that have to be.
        want: u64,
    },
    /// It is no bundle, or a damaged one.
    #[error("this is no bundle: {0}")]
    Malformed(String),
    /// A file in it is not what the manifest says.
    #[error("the bundle is damaged: {name} is not what its manifest says")]
    Damaged {
        /// The file.
        name: String,
    },
    /// It was made by a later version.
    #[error(
        "the bundle has the format {format}, and this keel reads the format {}: bring keel up to date",
        crate::FORMAT
    )]
    Newer {
        /// Its format.
        format: u32,
    },
    /// Larger than any bundle may be.
    #[error("the bundle has {size} bytes, and {most} are the most that is taken")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The most there may be.
        most: u64,
    },
    /// It changed while it was read.
    #[error("the bundle was changed while it was read")]
    Moved,
    /// There is no signature.
    #[error("the bundle is not signed: there is no {signature}; `keel bundle sign` makes it")]
    Unsigned {
        /// Where it would be.
        signature: String,
    },
    /// The signature is none.
    #[error("the signature cannot be read: {0}")]
    BadSignature(String),
    /// It was made for something else.
    #[error("the signature is for `{found}` and not for `{wanted}`: it was made for something else")]
    OtherNamespace {
        /// What it was made for.
        found: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// It does not belong to these bytes.
    #[error("the signature by {key} is not of this bundle: one of the two was changed")]
    WrongSignature {
        /// The key, by its fingerprint.
        key: String,
    },
    /// Whoever signed may not.
    #[error("the bundle is signed by {key}, which is not in {file}")]
    Foreign {
        /// The key, by its fingerprint.
        key: String,
        /// The file.
        file: String,
    },
    /// The key may sign other things, or not now.
    #[error("the bundle is signed by {key}, which {file}:{line} {why}")]
    NotAllowed {
        /// The key, by its fingerprint.
        key: String,
        /// The file.
        file: String,
        /// Its line.
        line: usize,
        /// What it says.
        why: String,
    },
    /// Who may sign cannot be told.
    #[error("{file}{}: {why}", line.map(|line| format!(":{line}")).unwrap_or_default())]
    BadAllowed {
        /// The file.
        file: String,
        /// The line.
        line: Option<usize>,
        /// What is wrong, and what to write.
        why: String,
    },
    /// It is of another site.
    #[error("the bundle is of the site `{found}`, and this is the place of `{wanted}`")]
    OtherSite {
        /// Its site.
        found: String,
        /// The one that belongs here.
        wanted: String,
    },
    /// It is older than what was there.
    #[error(
        "the bundle has the counter {found}, and one with {seen} was here already: an older bundle is not taken"
    )]
    Older {
        /// Its counter.
        found: u64,
        /// The largest so far.
        seen: u64,
    },
    /// The counter was used already.
    #[error(
        "the bundle has the counter {counter} like the one in force, and is another: each bundle needs a counter of its own"
    )]
    SameCounter {
        /// The counter.
        counter: u64,
    },
    /// The place gave something else than what its pointer promised.
    #[error("{place} gives something else than the bundle {wanted} that it promises")]
    OtherContent {
        /// What was asked for it.
        place: String,
        /// Its digest.
        wanted: Digest,
    },
    /// There is nothing to take.
    #[error("there is no bundle of the site `{site}` at {place}")]
    Nothing {
        /// The site.
        site: String,
        /// Where.
        place: String,
    },
    /// The pointer of a place cannot be used.
    #[error("{place} cannot be used: {why}")]
    BadPointer {
        /// What was read.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// The site cannot be made into a bundle.
    #[error("{what} cannot be in a bundle: {why}")]
    Unfit {
        /// The file, or the site.
        what: String,
        /// Why not.
        why: String,
    },
    /// It is whole, signed and newer, and yet of no use here.
    #[error("the bundle with the counter {counter} is of no use on this host: {why}")]
    Useless {
        /// Its counter.
        counter: u64,
        /// Why, in one or several lines.
        why: String,
    },
    /// The user's text is wrong.
    #[error("the site does not compile")]
    Wrong(Vec<model::Diagnostic>),
    /// The key cannot sign.
    #[error("the key {0}")]
    Key(String),
    /// Reading or writing failed.
    #[error("cannot {action} {what}: {why}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        what: String,
        /// What the system said.
        why: String,
    },
}

impl Refusal {
    /// One of reading or writing. What a place says of it may be anything, and ends on a terminal.
    pub fn io(action: &'static str, what: impl std::fmt::Display, why: impl std::fmt::Display) -> Self {
        let why = why.to_string();
        let plain = why.trim().chars().map(|one| if one.is_control() { '?' } else { one });
        Self::Io { action, what: what.to_string(), why: plain.take(MOST_WORDS).collect() }
    }
}

/// What is said of a failure is no longer, in characters.
const MOST_WORDS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn what_a_place_says_is_short_and_can_be_shown() {
        let told = Refusal::io("fetch", "x", format!("\x1b[2Jremote\n{}\n", "y".repeat(5000))).to_string();
        assert!(told.starts_with("cannot fetch x: ?[2Jremote?yyy"), "{told}");
        assert!(told.len() < 1100 && !told.contains(char::is_control), "{told}");
    }
}
