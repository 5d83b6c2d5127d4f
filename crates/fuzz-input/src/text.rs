//! Texts that are nearly right.

use std::fmt;
use std::ops::Deref;

use bolero::Driver;
use bolero::generator::ValueGenerator;

use crate::pick::{below, one, piece};

/// How many changes a text gets at most.
const CHANGES: usize = 6;
/// Tokens that are moved at once, at most.
const PIECE: usize = 24;
/// Bytes that a text may grow to.
const MAX_BYTES: usize = 256 << 10;

/// Tokens that parsers stumble over, whatever they parse.
const ODD: &[&[u8]] = &[
    b"",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\n",
    b"\r\n",
    b"\t",
    b"    ",
    b"\\",
    b"\"",
    b"'",
    b"`",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"<<",
    b"&a",
    b"*a",
    b"---",
    b"#",
    b":",
    b",",
    b"-",
    b"..",
    b"/",
    b"$",
    b"${",
    b"{{",
    b"}}",
    b"null",
    b"~",
    b"true",
    b"0",
    b"-1",
    b"65537",
    b"1e999",
    b".5",
    b"0x",
    b"9223372036854775807",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"99999999999999999999999999",
    "é".as_bytes(),
    "İ".as_bytes(),
    "😀".as_bytes(),
];

/// Bytes that a failure shows as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(Vec<u8>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Bytes made of others: tokens deleted, repeated, swapped, or brought in from elsewhere.
#[derive(Clone, Debug)]
pub struct MutatedBytes(Vec<Vec<u8>>);

/// As [`MutatedBytes`]; what is no text becomes the replacement character.
#[derive(Clone, Debug)]
pub struct MutatedText(pub(crate) MutatedBytes);

impl MutatedBytes {
    pub(crate) fn new(samples: Vec<Vec<u8>>) -> Self {
        Self(samples)
    }
}

impl ValueGenerator for MutatedText {
    type Output = String;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<String> {
        let bytes = self.0.generate(driver)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl ValueGenerator for MutatedBytes {
    type Output = Bytes;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Bytes> {
        let mut tokens = tokens(one(driver, &self.0)?);
        for _ in 0..below(driver, CHANGES + 1)? {
            self.change(driver, &mut tokens)?;
        }
        let mut bytes = tokens.concat();
        bytes.truncate(MAX_BYTES);
        if below(driver, 8)? == 0 {
            flip(driver, &mut bytes)?;
        }
        Some(Bytes(bytes))
    }
}

impl MutatedBytes {
    fn change<'a, D: Driver>(&'a self, driver: &mut D, to: &mut Vec<&'a [u8]>) -> Option<()> {
        let at = below(driver, to.len() + 1)?;
        match below(driver, 8)? {
            0 => {
                if let Some(range) = piece(driver, to.len(), PIECE) {
                    to.drain(range);
                }
            }
            1 => {
                if let Some(range) = piece(driver, to.len(), PIECE) {
                    let times = if below(driver, 16)? == 0 { 400 } else { 1 + below(driver, 4)? };
                    let again = to.get(range).unwrap_or_default().repeat(times);
                    to.splice(at..at, again);
                }
            }
            2 => {
                let other = below(driver, to.len() + 1)?;
                if other.max(at) < to.len() {
                    to.swap(other, at);
                }
            }
            3 => to.truncate(at),
            4 => to.splice(at..at, [*one(driver, ODD)?]).for_each(drop),
            kind => {
                let others = tokens(one(driver, &self.0)?);
                if let Some(range) = piece(driver, others.len(), PIECE) {
                    let end = if kind == 5 { at } else { (at + 1).min(to.len()) };
                    to.splice(at..end, others.get(range).unwrap_or_default().iter().copied());
                }
            }
        }
        Some(())
    }
}

/// Changes one byte.
fn flip<D: Driver>(driver: &mut D, bytes: &mut [u8]) -> Option<()> {
    if let Some(at) = below(driver, bytes.len())
        && let Some(byte) = bytes.get_mut(at)
    {
        *byte = driver.produce()?;
    }
    Some(())
}

/// Words, runs of blanks, and all other characters by themselves.
fn tokens(text: &[u8]) -> Vec<&[u8]> {
    text.chunk_by(|before, after| {
        let (before, after) = (class(*before), class(*after));
        before == after && before != Class::Sign
    })
    .collect()
}

#[derive(PartialEq, Eq)]
enum Class {
    Word,
    Blank,
    Sign,
    Foreign,
}

fn class(byte: u8) -> Class {
    match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Word,
        b' ' => Class::Blank,
        0x80.. => Class::Foreign,
        _ => Class::Sign,
    }
}
