//! Everything ends, and soon.

use std::time::{Duration, Instant};

/// What one case may take on a busy machine; without optimization all is many times slower.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 5 });

/// Does something that must not take long.
///
/// # Panics
/// If it took longer than any input may.
pub fn soon<T>(case: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = case();
    let took = start.elapsed();
    assert!(took < PATIENCE, "took {took:?}");
    done
}
