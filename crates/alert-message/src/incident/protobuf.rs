//! The little of protobuf's wire format that spans take.

/// A message, written field by field.
#[derive(Default)]
pub(super) struct Message(Vec<u8>);

/// How a value is written.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
}

impl Message {
    pub(super) fn number(mut self, field: u8, number: u8) -> Self {
        self.tag(field, Wire::Varint);
        self.varint(number.into());
        self
    }

    pub(super) fn fixed64(mut self, field: u8, number: u64) -> Self {
        self.tag(field, Wire::Fixed64);
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, field: u8, bytes: &[u8]) -> Self {
        self.tag(field, Wire::Bytes);
        self.varint(bytes.len());
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn text(self, field: u8, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u8, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    pub(super) fn messages(self, field: u8, messages: impl IntoIterator<Item = Self>) -> Self {
        messages.into_iter().fold(self, |all, message| all.message(field, &message))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn tag(&mut self, field: u8, wire: Wire) {
        self.varint(usize::from(field) << 3 | wire as usize);
    }

    /// Seven bits at a time, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut number: usize) {
        while number > 0x7f {
            self.0.push(0x80 | number.to_le_bytes()[0]);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_has_them() {
        let inner = Message::default().number(3, 2).text(2, &"x".repeat(300));
        let bytes = Message::default().fixed64(16, 1).message(1, &inner).into_bytes();
        assert_eq!(bytes[..10], [0x81, 0x01, 1, 0, 0, 0, 0, 0, 0, 0]);
        // 300 is 0b10_0101100.
        assert_eq!(bytes[10..18], [0x0a, 0xb1, 0x02, 0x18, 2, 0x12, 0xac, 0x02]);
    }
}
