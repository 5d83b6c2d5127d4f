//! How much of what the real tools print comes out the same.

fn main() {}
