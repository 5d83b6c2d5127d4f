//! What fuzz targets share: input that is nearly right, and patience that ends.
//!
//! A target is a test in `tests/fuzz.rs` of the crate that it is about. It makes the same few hundred
//! inputs in each plain `cargo test`. For a long run `BOLERO_RANDOM_ITERATIONS` says how many, and
//! `BOLERO_RANDOM_SEED` where to begin; a failure names its seed.
//!
//! Random bytes seldom get past the first line of a parser. So a [`Corpus`] of what is right, most of
//! it from the tables of the real tools, is damaged a little: as text by [`MutatedText`], as a tree of
//! values by [`MutatedValue`]. [`words`] strings together the words of a language.
//!
//! What is made to do harm stands in `tests/hostile.rs`: [`passes_alone`] and [`frugally`] tell what it
//! costs.
//!
//! ```
//! use fuzz_input::{Corpus, check, soon};
//!
//! let corpus = Corpus::of(["1", "-22"]);
//! check(10).with_generator(corpus.text()).for_each(|text| {
//!     soon(|| text.parse::<i32>().ok());
//! });
//! ```

mod alone;
mod corpus;
mod json;
mod patience;
mod pick;
mod steady;
mod text;
mod value;
mod words;

pub use alone::{frugally, passes_alone};
pub use bolero::generator::{ValueGenerator, produce};
pub use corpus::{Corpus, Values, cases};
pub use json::check_json;
pub use patience::soon;
pub use steady::{Steady, check};
pub use text::{Bytes, MutatedBytes, MutatedText};
pub use value::MutatedValue;
pub use words::{Words, words};
