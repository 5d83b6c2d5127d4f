//! The little of ASN.1 that certificates and keys are made of.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const BOOLEAN_TRUE: [u8; 3] = [0x01, 0x01, 0xff];
pub(super) const NULL: [u8; 2] = [0x05, 0x00];

/// A context-specific tag with parts within.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// An element of these parts.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or(0));
    } else {
        let bytes = length.to_be_bytes();
        let digits: Vec<u8> = bytes.into_iter().skip_while(|b| *b == 0).collect();
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
        out.extend(digits);
    }
    out.extend(parts.concat());
    out
}

/// A number from its digits, most significant first, not negative.
pub(super) fn integer(digits: &[u8]) -> Vec<u8> {
    let start = digits.iter().position(|b| *b != 0).unwrap_or(digits.len());
    let digits = digits.get(start..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|b| *b >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, digits])
}

/// A string of whole bytes.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes])
}

/// An element: its tag, its content, all of it, and what follows.
#[derive(Clone, Copy)]
pub(super) struct Element<'d> {
    pub(super) tag: u8,
    pub(super) content: &'d [u8],
    pub(super) whole: &'d [u8],
}

/// Reads the first element.
pub(super) fn read(data: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, length, header) = match data {
        [tag, length, ..] if *length < 0x80 => (*tag, usize::from(*length), 2),
        [tag, count, rest @ ..] if (0x81..=0x84).contains(count) => {
            let count = usize::from(count & 0x7f);
            let digits = rest.get(..count)?;
            let length = digits.iter().fold(0_usize, |n, byte| n << 8 | usize::from(*byte));
            (*tag, length, 2 + count)
        }
        _ => return None,
    };
    let end = header.checked_add(length)?;
    let (whole, rest) = data.split_at_checked(end)?;
    Some((Element { tag, content: whole.get(header..)?, whole }, rest))
}

/// The elements within a sequence.
pub(super) fn children(data: &[u8]) -> Option<Vec<Element<'_>>> {
    let (sequence, _) = read(data)?;
    let mut rest = sequence.content;
    let mut children = Vec::new();
    while !rest.is_empty() {
        let (child, after) = read(rest)?;
        children.push(child);
        rest = after;
    }
    Some(children)
}
