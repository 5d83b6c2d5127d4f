//! Shamir's way to share a secret: bytes are points of polynomials over GF(256).

use zeroize::Zeroizing;

/// Why parts do not make a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShamirError {
    /// One part alone says nothing.
    #[error("less than two parts cannot be used to reconstruct the secret")]
    TooFew,
    /// A part must have a byte of the secret and its number.
    #[error("parts must be at least two bytes")]
    TooShort,
    /// Parts of one secret are equally long.
    #[error("all parts must be the same length")]
    Lengths,
    /// A part is there twice.
    #[error("duplicate part detected")]
    Duplicate,
}

/// The secret of which these are parts. The last byte of a part is its number.
pub(crate) fn combine(parts: &[Zeroizing<Vec<u8>>]) -> Result<Zeroizing<Vec<u8>>, ShamirError> {
    let [first, _, ..] = parts else { return Err(ShamirError::TooFew) };
    let length = first.len();
    if length < 2 {
        return Err(ShamirError::TooShort);
    }
    if parts.iter().any(|part| part.len() != length) {
        return Err(ShamirError::Lengths);
    }
    let numbers: Vec<u8> = parts.iter().filter_map(|part| part.last().copied()).collect();
    if (1..numbers.len()).any(|at| numbers[..at].contains(&numbers[at])) {
        return Err(ShamirError::Duplicate);
    }
    let weights: Vec<u8> = numbers.iter().map(|number| weight(*number, &numbers)).collect();
    let byte = |at: usize| {
        let terms = parts.iter().zip(&weights).map(|(part, weight)| multiply(part[at], *weight));
        terms.fold(0, |sum, term| sum ^ term)
    };
    Ok(Zeroizing::new((0..length - 1).map(byte).collect()))
}

/// How much a part counts at zero: Lagrange's basis.
fn weight(number: u8, numbers: &[u8]) -> u8 {
    let others = numbers.iter().filter(|other| **other != number);
    others.fold(1, |product, other| multiply(product, multiply(*other, inverse(number ^ other))))
}

/// In constant time, as is all the rest.
fn multiply(a: u8, b: u8) -> u8 {
    (0..8).rev().fold(0, |product: u8, bit| {
        let reduced = (product << 1) ^ (0x1b & (product >> 7).wrapping_neg());
        reduced ^ (a & (b >> bit & 1).wrapping_neg())
    })
}

/// The power 254, which is the inverse.
fn inverse(a: u8) -> u8 {
    let square = |a| multiply(a, a);
    (0..6).fold(square(a), |power, _| square(multiply(power, a)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_an_inverse() {
        assert!((1..=255).all(|a| multiply(a, inverse(a)) == 1));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let part = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        assert_eq!(combine(&[part(&[1, 2])]).err(), Some(ShamirError::TooFew));
        assert_eq!(combine(&[part(&[1]), part(&[2])]).err(), Some(ShamirError::TooShort));
        assert_eq!(combine(&[part(&[1, 2]), part(&[2])]).err(), Some(ShamirError::Lengths));
        assert_eq!(combine(&[part(&[1, 2]), part(&[3, 2])]).err(), Some(ShamirError::Duplicate));
    }

    #[test]
    fn two_points_make_a_line() {
        // 0x2a + 7x at 1 and 2.
        let parts = [[0x2a ^ 0x07, 1], [0x2a ^ 0x0e, 2]].map(|part| Zeroizing::new(part.to_vec()));
        assert_eq!(*combine(&parts).unwrap(), [0x2a]);
    }
}
