//! Writes values as D-Bus has them, low byte first (D-Bus specification, "Marshaling"). What is written is ours: nothing here can fail.

/// A body, or the fields of a head, that grows. Where it begins is a multiple of eight.
#[derive(Default)]
pub struct Writing {
    bytes: Vec<u8>,
}

impl Writing {
    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Goes on at a multiple of `to`.
    pub fn align(&mut self, to: usize) -> &mut Self {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
        self
    }

    /// A byte: `y`.
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    /// A number: `u`.
    pub fn number(&mut self, number: u32) -> &mut Self {
        self.align(4).bytes.extend(number.to_le_bytes());
        self
    }

    /// A text or a path: `s`, `o`.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(length(text.len())).bytes.extend(text.bytes().chain([0]));
        self
    }

    /// The signature of types: `g`. Those of ours are short.
    pub fn signature(&mut self, types: &str) -> &mut Self {
        let length = u8::try_from(types.len()).expect("signatures of ours have less than 256 characters");
        self.byte(length).bytes.extend(types.bytes().chain([0]));
        self
    }

    /// An array whose elements begin at multiples of `align`; `elements` writes them.
    pub fn array(&mut self, align: usize, elements: impl FnOnce(&mut Self)) -> &mut Self {
        let at = self.number(0).bytes.len();
        // The padding before the first element is no part of the length.
        let begin = self.align(align).bytes.len();
        elements(self);
        let length = length(self.bytes.len() - begin);
        self.bytes[at - 4..at].copy_from_slice(&length.to_le_bytes());
        self
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("what is written here is far below 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::Writing;

    #[test]
    fn values_stand_where_the_specification_has_them() {
        let mut written = Writing::default();
        written.byte(7).text("ab").signature("s").array(8, |it| {
            it.align(8).text("k");
        });
        let (seven, ab, signature) = ([7, 0, 0, 0], [2, 0, 0, 0, b'a', b'b', 0], [1, b's', 0]);
        // 14 bytes, two to a multiple of four, the length at 16, four to a multiple of eight.
        let array = [0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b'k', 0];
        assert_eq!(written.into_bytes(), [&seven[..], &ab, &signature, &array].concat());
    }

    #[test]
    fn an_array_of_nothing_has_its_padding() {
        let mut written = Writing::default();
        written.array(8, |_| {});
        assert_eq!(written.into_bytes(), [0; 8]);
    }
}
