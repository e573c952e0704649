//! What a host takes from a controller, and when: a machine without I/O, fed by `inbox`. Whoever stores contents checks their digest.

use crate::send::{LONGEST_SECRET, TOTAL_SECRETS};
use crate::{Down, Heard, Malformed, Order, VERSION, Work, common};
use model::{Digest, Secrets};
use std::collections::BTreeMap;

/// What a host makes of what it was told.
#[derive(Debug)]
pub enum Told {
    /// What to do, whole, with its secrets.
    Order(Box<Order>, Secrets),
    /// Contents that were wanted begin. Where `size` is 0 they are whole with that.
    Content {
        /// Which.
        digest: Digest,
        /// Bytes in all.
        size: u64,
    },
    /// The next bytes of the contents that have begun. Where `left` is 0 they are whole.
    Piece {
        /// The bytes.
        bytes: Vec<u8>,
        /// How many are still to come.
        left: u64,
    },
    /// Contents that were wanted do not come; what has come of them is to be forgotten.
    Lacking {
        /// Which.
        digest: Digest,
        /// Why, in the controller's words.
        because: String,
    },
    /// The answer to the question. A yes is the commit point.
    Answer {
        /// Whether to go on.
        yes: bool,
    },
    /// Stop at the next safe point.
    Stop,
}

/// How far the controller is.
#[derive(Debug)]
enum Stage {
    /// The version has not been told.
    Silent,
    /// The version has, and the order has not.
    Speaking,
    /// The order has come; secrets come.
    Ordering(Box<Order>, Secrets),
    /// The name of a secret has come; its bytes are due.
    Secret(Box<Order>, Secrets, String),
    /// The order is whole.
    Working,
    /// Contents have begun; so many bytes are due.
    Content(Digest, u64),
    /// Something was wrong; nothing more is taken.
    Broken,
}

/// The host's view of the conversation. It is told what the host itself says, and judges what the controller says.
#[derive(Debug)]
pub struct HostSide {
    stage: Stage,
    /// Bytes of secrets so far.
    secrets: usize,
    /// What the catalog names, by digest, with its size.
    named: BTreeMap<Digest, u64>,
    /// What was wanted of these, and has not come.
    wanted: BTreeMap<Digest, u64>,
    /// True where a question has no answer yet.
    is_asked: bool,
}

impl Default for HostSide {
    fn default() -> Self {
        let (named, wanted) = (BTreeMap::new(), BTreeMap::new());
        Self { stage: Stage::Silent, secrets: 0, named, wanted, is_asked: false }
    }
}

impl HostSide {
    /// To be called before `Up::Want` is sent.
    pub fn wants(&mut self, digests: &[Digest]) {
        let size = |digest: &Digest| Some((*digest, *self.named.get(digest)?));
        self.wanted.extend(digests.iter().filter_map(size));
    }

    /// To be called before `Up::Question` is sent.
    pub fn asks(&mut self) {
        self.is_asked = true;
    }

    /// Takes what was heard; `None` where there is nothing to do for it yet, or it was a sign of life.
    ///
    /// # Errors
    /// It may not be said now, or is more than agreed. From then on everything is an error.
    pub fn take(&mut self, heard: Heard<Down>) -> Result<Option<Told>, Malformed> {
        let stage = std::mem::replace(&mut self.stage, Stage::Broken);
        let (stage, told) = match heard {
            Heard::Bytes(bytes) => self.bytes(stage, bytes)?,
            Heard::Message(message) => self.message(stage, message)?,
        };
        self.stage = stage;
        Ok(told)
    }

    fn bytes(&mut self, stage: Stage, bytes: Vec<u8>) -> Result<(Stage, Option<Told>), Malformed> {
        match stage {
            Stage::Secret(order, mut secrets, name) => {
                if bytes.len() > LONGEST_SECRET {
                    return Err(Malformed::Much {
                        what: "the bytes of a secret",
                        most: LONGEST_SECRET as u64,
                    });
                }
                self.secrets += name.len() + bytes.len();
                if self.secrets > TOTAL_SECRETS {
                    return Err(Malformed::Much { what: "the secrets", most: TOTAL_SECRETS as u64 });
                }
                secrets.keep(name, bytes);
                Ok((Stage::Ordering(order, secrets), None))
            }
            Stage::Content(_, due) if bytes.len() as u64 > due => {
                Err(Malformed::Misplaced("contents are longer than announced"))
            }
            Stage::Content(..) if bytes.is_empty() => {
                Err(Malformed::Misplaced("a piece of contents is empty"))
            }
            Stage::Content(digest, due) => {
                let left = due - bytes.len() as u64;
                let next = if left == 0 { Stage::Working } else { Stage::Content(digest, left) };
                Ok((next, Some(Told::Piece { bytes, left })))
            }
            _ => Err(Malformed::Misplaced("bytes that belong to no message")),
        }
    }

    fn message(&mut self, stage: Stage, message: Down) -> Result<(Stage, Option<Told>), Malformed> {
        match (stage, message) {
            (Stage::Broken, _) => Err(Malformed::Misplaced("a message after a breach of the protocol")),
            (Stage::Secret(..), _) => {
                Err(Malformed::Misplaced("a message where the bytes of a secret are due"))
            }
            (Stage::Content(due, _), Down::Lacking { digest, because }) if due == digest => {
                Ok((Stage::Working, Some(Told::Lacking { digest, because })))
            }
            (Stage::Content(..), _) => Err(Malformed::Misplaced("a message where contents are due")),
            (stage, Down::Alive) => Ok((stage, None)),
            (stage, Down::Stop) => Ok((stage, Some(Told::Stop))),
            (Stage::Silent, Down::Speak { protocol }) if common(VERSION, protocol) == Some(protocol) => {
                Ok((Stage::Speaking, None))
            }
            (Stage::Silent, Down::Speak { protocol }) => {
                Err(Malformed::Version { ours: VERSION, theirs: protocol })
            }
            (Stage::Speaking, Down::Order(order)) => {
                self.named = order.work().map(Work::contents).unwrap_or_default();
                Ok((Stage::Ordering(order, Secrets::default()), None))
            }
            (Stage::Ordering(_, secrets), Down::Secret { name })
                if secrets.entries().any(|(known, _)| known == name) =>
            {
                Err(Malformed::Misplaced("a secret twice"))
            }
            (Stage::Ordering(order, secrets), Down::Secret { name }) => {
                Ok((Stage::Secret(order, secrets, name), None))
            }
            (Stage::Ordering(order, secrets), Down::Go) => {
                Ok((Stage::Working, Some(Told::Order(order, secrets))))
            }
            (Stage::Working, answer) => self.answer(answer),
            _ => Err(Malformed::Misplaced("no order can go on so")),
        }
    }

    /// Answers to what the host has said.
    fn answer(&mut self, answer: Down) -> Result<(Stage, Option<Told>), Malformed> {
        match answer {
            Down::Content { digest, size } if self.wanted.get(&digest) == Some(&size) => {
                self.wanted.remove(&digest);
                let next = if size == 0 { Stage::Working } else { Stage::Content(digest, size) };
                Ok((next, Some(Told::Content { digest, size })))
            }
            Down::Content { .. } => Err(Malformed::Misplaced("contents that were not wanted")),
            Down::Lacking { digest, because } if self.wanted.remove(&digest).is_some() => {
                Ok((Stage::Working, Some(Told::Lacking { digest, because })))
            }
            Down::Answer { yes } if std::mem::take(&mut self.is_asked) => {
                Ok((Stage::Working, Some(Told::Answer { yes })))
            }
            _ => Err(Malformed::Misplaced("an answer to what was not asked")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HostSide, Told};
    use crate::send::LONGEST_SECRET;
    use crate::{Down, Heard, Order, VERSION, Work};
    use model::{Catalog, Content, Digest};

    /// An apply whose catalog names two contents, of 3 bytes and of none.
    fn order() -> Order {
        let named = [&b"abc"[..], b""].map(|bytes| Content::reference(Digest::of(bytes), bytes.len() as u64));
        let (id, params) = (model::Id::new("file", "/a"), serde_json::json!({ "contents": named }));
        let node = model::Node { id, origins: Vec::new(), params, common: model::Common::default() };
        let catalog = Catalog::new(vec![node], Vec::new()).unwrap();
        Order::Apply(Work { catalog, ..Work::default() })
    }

    /// In a test's words the letter after this one must be refused.
    const BREACH: char = '!';

    /// Each letter is a message or bytes; `W` and `Q` are what the host says. How many were taken before a breach.
    fn taken(words: &str) -> usize {
        let mut side = HostSide::default();
        let (digest, empty) = (Digest::of(b"abc"), Digest::of(b""));
        let told = |down| Heard::Message(down);
        let words = words.chars().filter(|letter| *letter != BREACH);
        words
            .take_while(|letter| {
                let heard = match letter {
                    'W' => {
                        side.wants(&[digest, empty]);
                        return true;
                    }
                    'Q' => {
                        side.asks();
                        return true;
                    }
                    'v' => told(Down::Speak { protocol: VERSION }),
                    'V' => told(Down::Speak { protocol: VERSION + 1 }),
                    'o' => told(Down::Order(Box::new(order()))),
                    's' => told(Down::Secret { name: "s".into() }),
                    't' => told(Down::Secret { name: "t".into() }),
                    'g' => told(Down::Go),
                    'c' => told(Down::Content { digest, size: 3 }),
                    'C' => told(Down::Content { digest, size: 4 }),
                    'e' => told(Down::Content { digest: empty, size: 0 }),
                    'l' => told(Down::Lacking { digest, because: String::new() }),
                    'y' => told(Down::Answer { yes: true }),
                    'S' => told(Down::Stop),
                    'a' => told(Down::Alive),
                    'L' => Heard::Bytes(vec![0; LONGEST_SECRET + 1]),
                    count => Heard::Bytes(vec![7; count.to_digit(10).unwrap() as usize]),
                };
                side.take(heard).is_ok()
            })
            .count()
    }

    #[test]
    fn a_controller_says_what_is_due_and_nothing_else() {
        let all = "avaoas0t9agWc12eaQyaS vogWc3!l vogWc!e vogWel vogWc1lQyS vogWc!4 vogWc!0 \
                   vogWc3!c vogW!C vog!c vogWc1!a vog!l vog!y vogQy!y vog!1 vog!o vog!g vos!a vos!g \
                   vos1!s vos!L v!v !V !og v!g S";
        for words in all.split(' ') {
            assert_eq!(taken(words), words.find(BREACH).unwrap_or(words.len()), "{words}");
        }
    }

    #[test]
    fn the_order_comes_whole_and_contents_end_where_they_end() {
        let mut side = HostSide::default();
        let mut take = |heard| side.take(heard).unwrap();
        assert!(take(Heard::Message(Down::Speak { protocol: VERSION })).is_none());
        assert!(take(Heard::Message(Down::Order(Box::new(order())))).is_none());
        assert!(take(Heard::Message(Down::Secret { name: "s".into() })).is_none());
        assert!(take(Heard::Bytes(b"hidden".to_vec())).is_none());
        let Some(Told::Order(told, secrets)) = take(Heard::Message(Down::Go)) else { panic!("no order") };
        assert_eq!(*told, order());
        let secrets: Vec<_> =
            secrets.entries().map(|(name, value)| (name, value.expose().as_slice())).collect();
        assert_eq!(secrets, [("s", &b"hidden"[..])]);
        side.wants(&[Digest::of(b"abc")]);
        let mut take = |heard| side.take(heard).unwrap();
        take(Heard::Message(Down::Content { digest: Digest::of(b"abc"), size: 3 }));
        assert!(matches!(take(Heard::Bytes(b"ab".to_vec())), Some(Told::Piece { left: 1, .. })));
        assert!(matches!(take(Heard::Bytes(b"c".to_vec())), Some(Told::Piece { left: 0, .. })));
    }

    #[test]
    fn many_secrets_are_too_much() {
        let mut side = HostSide::default();
        side.take(Heard::Message(Down::Speak { protocol: VERSION })).unwrap();
        side.take(Heard::Message(Down::Order(Box::new(order())))).unwrap();
        let refused = (0..100).find(|at| {
            side.take(Heard::Message(Down::Secret { name: format!("s{at}") })).unwrap();
            side.take(Heard::Bytes(vec![0; LONGEST_SECRET])).is_err()
        });
        assert_eq!(refused, Some(15), "with their names they are more than sixteen of them can be");
    }

    #[test]
    fn after_a_breach_nothing_is_taken() {
        let mut side = HostSide::default();
        side.take(Heard::Bytes(Vec::new())).unwrap_err();
        side.take(Heard::Message(Down::Alive)).unwrap_err();
    }
}
