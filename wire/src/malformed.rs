//! What one side may not say to the other. Nothing after it can be trusted: whoever meets it ends the connection.

/// A breach of the protocol. Its text is short and holds no control characters, whatever the other side sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No tag that is known.
    #[error("a frame begins with {0:#04x}, which is no tag")]
    Tag(u8),
    /// Longer than agreed.
    #[error("a frame claims {0} bytes, and {1} are the most")]
    Long(u64, u32),
    /// Not what the deflate format allows.
    #[error("a packed frame cannot be unpacked")]
    Packed,
    /// No JSON of the closed set of messages.
    #[error("a message cannot be read: {0}")]
    Message(String),
    /// The messages of a connection, or the secrets of an order, come to more than agreed.
    #[error("{what} come to more than {most} bytes")]
    Much {
        /// Such as `the messages`.
        what: &'static str,
        /// The limit.
        most: u64,
    },
    /// A message of more values than agreed.
    #[error("a message holds more than {0} values")]
    Many(usize),
    /// Nothing that may be said now.
    #[error("out of order: {0}")]
    Misplaced(&'static str),
    /// The versions that the two sides speak are too far apart.
    #[error("the other side speaks version {theirs} of the protocol, and this one {ours}")]
    Version {
        /// Ours.
        ours: u32,
        /// Theirs.
        theirs: u32,
    },
}

/// Most characters of an error's text that the other side has a say in.
const SHOWN: usize = 200;

impl Malformed {
    /// A message that is none. The words of `error` may quote what the other side sent: they are capped and made inert.
    pub(crate) fn message(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let inert = |c: char| if matches!(c, '"' | '\'') { vec![c] } else { c.escape_debug().collect() };
        let mut chars = text.chars().flat_map(inert);
        let mut shown: String = chars.by_ref().take(SHOWN).collect();
        if chars.next().is_some() {
            shown.push('…');
        }
        Self::Message(shown)
    }
}
