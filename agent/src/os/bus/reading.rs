//! Reads values as D-Bus has them (D-Bus specification, "Marshaling"). It believes nothing: what does not keep to the format is no value.
//! It knows no message; `message` is next.

use std::str::from_utf8;

/// How deep values may be nested. The specification allows 64.
const DEPTH: u8 = 64;

/// The order of bytes in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The low one first.
    Little,
    /// The high one first.
    Big,
}

impl Order {
    /// As the first byte of a message has it.
    pub fn of(byte: u8) -> Option<Self> {
        match byte {
            b'l' => Some(Self::Little),
            b'B' => Some(Self::Big),
            _ => None,
        }
    }
}

/// Bytes that are read from their beginning on, which is at a multiple of eight in its message.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
}

/// Each gives `None` where the bytes are not what they are to be, or end before it.
impl<'a> Reading<'a> {
    /// From the beginning.
    pub fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { bytes, at: 0, order }
    }

    /// True at the end.
    pub fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Goes on at a multiple of `to`. What is between is null.
    pub fn align(&mut self, to: usize) -> Option<()> {
        let padding = self.take(self.at.next_multiple_of(to) - self.at)?;
        padding.iter().all(|byte| *byte == 0).then_some(())
    }

    /// A byte: `y`.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// A number: `u`.
    pub fn number(&mut self) -> Option<u32> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().ok()?;
        Some(match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    /// A truth: `b`.
    pub fn truth(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A text or a path: `s`, `o`.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        self.ended(length)
    }

    /// The signature of types: `g`.
    pub fn signature(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        self.ended(length.into())
    }

    /// An array: gives `element` what is left as long as there is an element of it, each at a multiple of `align`.
    pub fn array(&mut self, align: usize, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        let length = self.length()?;
        self.align(align)?;
        let end = self.at.checked_add(length)?;
        let mut inside = Reading { bytes: self.bytes.get(..end)?, at: self.at, order: self.order };
        while !inside.is_done() {
            inside.align(align)?;
            let before = inside.at;
            element(&mut inside)?;
            // An element of no bytes would be there for ever.
            (inside.at > before).then_some(())?;
        }
        self.at = end;
        Some(())
    }

    /// Passes over a value of the first complete type of `types`, and gives the types behind it.
    pub fn skip<'t>(&mut self, types: &'t [u8]) -> Option<&'t [u8]> {
        self.skip_within(types, DEPTH)
    }

    fn skip_within<'t>(&mut self, types: &'t [u8], depth: u8) -> Option<&'t [u8]> {
        let depth = depth.checked_sub(1)?;
        let (first, rest) = types.split_first()?;
        match first {
            b'y' => self.take(1).map(|_| rest),
            b's' | b'o' => self.text().map(|_| rest),
            b'g' => self.signature().map(|_| rest),
            b'b' => self.truth().map(|_| rest),
            b'n' | b'q' | b'i' | b'u' | b'h' | b'x' | b't' | b'd' => {
                let size = alignment(*first)?;
                self.align(size)?;
                self.take(size).map(|_| rest)
            }
            b'v' => {
                let inner = self.signature()?.as_bytes();
                self.skip_within(inner, depth)?.is_empty().then_some(rest)
            }
            b'a' => {
                let after = after_type(rest, depth)?;
                self.array(alignment(*rest.first()?)?, |it| it.skip_within(rest, depth).map(|_| ()))?;
                Some(after)
            }
            b'(' | b'{' => {
                self.align(8)?;
                let end = if *first == b'(' { b')' } else { b'}' };
                let mut types = rest;
                while *types.first()? != end {
                    types = self.skip_within(types, depth)?;
                }
                types.get(1..)
            }
            _ => None,
        }
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// Text of so many bytes, and the null byte behind it.
    fn ended(&mut self, length: usize) -> Option<&'a str> {
        let bytes = self.take(length)?;
        (self.byte()? == 0 && !bytes.contains(&0)).then(|| from_utf8(bytes).ok())?
    }
}

/// Where a value of this type begins: at multiples of it.
fn alignment(first: u8) -> Option<usize> {
    Some(match first {
        b'y' | b'g' | b'v' => 1,
        b'n' | b'q' => 2,
        b'b' | b'i' | b'u' | b'h' | b's' | b'o' | b'a' => 4,
        b'x' | b't' | b'd' | b'(' | b'{' => 8,
        _ => return None,
    })
}

/// The types behind the first complete one: those of an array without elements are not passed over by reading any.
fn after_type(types: &[u8], depth: u8) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    let (first, rest) = types.split_first()?;
    match first {
        b'a' => after_type(rest, depth),
        b'(' | b'{' => {
            let end = if *first == b'(' { b')' } else { b'}' };
            let mut types = rest;
            while *types.first()? != end {
                types = after_type(types, depth)?;
            }
            types.get(1..)
        }
        _ => alignment(*first).map(|_| rest),
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, Reading};
    use crate::os::bus::writing::Writing;

    fn skipped(bytes: &[u8], types: &str) -> bool {
        let (mut reading, mut types) = (Reading::new(bytes, Order::Little), types.as_bytes());
        while !types.is_empty() {
            match reading.skip(types) {
                Some(rest) => types = rest,
                None => return false,
            }
        }
        reading.is_done()
    }

    #[test]
    fn values_of_any_type_are_passed_over() {
        let mut written = Writing::default();
        written.array(8, |all| {
            for key in ["one", "three"] {
                all.align(8).text(key).signature("(sasv)").align(8).text("a");
                all.array(4, |it| {
                    it.text("bc").text("");
                });
                all.signature("u").number(7);
            }
        });
        written.array(8, |_| {}).byte(1);
        let bytes = written.into_bytes();
        assert!(skipped(&bytes, "a{sv}a(st)y"));
        for types in ["a{sv}a(st)yy", "a{sv}a(st)", "a{su}a(st)y", "a{sv}a(st", "a{sv}a", "z", ""] {
            assert!(!skipped(&bytes, types), "{types}");
        }
        (0..bytes.len()).for_each(|end| assert!(!skipped(&bytes[..end], "a{sv}a(st)y"), "{end}"));
    }

    #[test]
    fn what_is_nested_without_end_is_no_value() {
        let types = "a".repeat(200) + "s";
        assert!(!skipped(&[0; 4096], &types));
        let variants: Vec<u8> = [1, b'v', 0].repeat(200);
        assert!(!skipped(&variants, "v"));
    }

    #[test]
    fn a_text_is_text_and_a_truth_is_one_of_two() {
        let read = |bytes: &[u8]| Reading::new(bytes, Order::Big).text().map(str::to_owned);
        assert_eq!(read(&[0, 0, 0, 2, b'a', b'b', 0]).as_deref(), Some("ab"));
        for broken in [[0, 0, 0, 2, b'a', b'b', 1], [0, 0, 0, 2, b'a', 0, 0], [0, 0, 0, 2, 0xff, b'b', 0]] {
            assert_eq!(read(&broken), None);
        }
        assert_eq!(read(&[255, 255, 255, 255, b'a']), None);
        let truth = |number: u8| Reading::new(&[number, 0, 0, 0], Order::Little).truth();
        assert_eq!([truth(0), truth(1), truth(2)], [Some(false), Some(true), None]);
    }
}
