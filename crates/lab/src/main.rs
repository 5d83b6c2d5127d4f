//! Programs on the test bed.
fn main() {}
