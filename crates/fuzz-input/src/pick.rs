//! Choices, which the driver of a target makes.

use bolero::Driver;
use bolero::generator::ValueGenerator as _;

/// A number below `end`; none if there is none.
pub(crate) fn below<D: Driver>(driver: &mut D, end: usize) -> Option<usize> {
    (end > 0).then(|| (0..end).generate(driver)).flatten()
}

/// One of these; none if there is none.
pub(crate) fn one<'a, T, D: Driver>(driver: &mut D, of: &'a [T]) -> Option<&'a T> {
    of.get(below(driver, of.len())?)
}

/// A piece of a list of this length that holds at most `most`, and at least one if there is one.
pub(crate) fn piece<D: Driver>(
    driver: &mut D,
    length: usize,
    most: usize,
) -> Option<std::ops::Range<usize>> {
    let start = below(driver, length)?;
    let taken = 1 + below(driver, most.min(length - start))?;
    Some(start..start + taken)
}
