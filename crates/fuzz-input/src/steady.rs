//! The engine of a plain `cargo test`: the same cases each time.

use bolero::bolero_engine::driver::cache::Cache;
use bolero::bolero_engine::rng::{Options, Recommended};
use bolero::bolero_engine::{Failure, driver, input::cache::Driver, panic};
use bolero::{BorrowedInput, ByteSliceGenerator, Engine, Test, TestTarget};
use rand_core::SeedableRng as _;
use std::fmt::Debug;

/// A target that gets bytes until it is given a generator.
pub fn check(cases: usize) -> TestTarget<ByteSliceGenerator, Steady, BorrowedInput> {
    TestTarget::new(Steady::new(cases))
}

/// Runs as many cases as it is told, counted up from one seed.
///
/// bolero's own engine draws its seeds from the system, so that a change could fail for what it has not
/// touched. Chance is for long runs, which say so: see the crate's documentation.
#[derive(Debug)]
pub struct Steady {
    first_seed: u128,
    cases: usize,
}

impl Steady {
    /// `cases` is for a plain run; `BOLERO_RANDOM_ITERATIONS` and `BOLERO_RANDOM_SEED` go before.
    fn new(cases: usize) -> Self {
        let asked = Options::default();
        Self { first_seed: asked.seed.unwrap_or(0), cases: asked.iterations.unwrap_or(cases) }
    }
}

impl<T: Test<Value: Debug>> Engine<T> for Steady {
    type Output = ();

    /// # Panics
    /// If a case fails; it says the seed and the input.
    #[expect(clippy::panic, reason = "this is how a test fails")]
    fn run(self, mut test: T, options: driver::Options) {
        let mut cache = Cache::default();
        let mut buffer = Vec::new();
        panic::set_hook();
        for seed in (self.first_seed..).take(self.cases) {
            let rng = || driver::Rng::new(from(seed), &options);
            let forwarded = panic::forward_panic(false);
            let passed = test.test(&mut Driver::new(rng(), &mut cache, &mut buffer));
            panic::forward_panic(forwarded);
            if let Err(error) = passed {
                buffer.clear();
                let input = test.generate_value(&mut Driver::new(rng(), &mut cache, &mut buffer));
                panic!("{:#}", Failure { error, input, seed: Some(seed) });
            }
        }
    }
}

/// Seeds that follow each other give sequences that have nothing in common.
#[expect(clippy::cast_possible_truncation, reason = "the other half is put in by its bits")]
fn from(seed: u128) -> Recommended {
    Recommended::seed_from_u64(seed as u64 ^ (seed >> 64) as u64)
}
