//! What fuzz targets share: input that is nearly right, and patience that ends.
//!
//! A target is a test in `tests/fuzz.rs` of the crate that it is about. It makes a few hundred inputs
//! in a plain `cargo test`, as many as `BOLERO_RANDOM_ITERATIONS` says otherwise. A failure names the
//! seed, which `BOLERO_RANDOM_SEED` brings back.
//!
//! Random bytes seldom get past the first line of a parser. So a [`Corpus`] of what is right, most of
//! it from the tables of the real tools, is damaged a little: as text by [`MutatedText`], as a tree of
//! values by [`MutatedValue`]. [`words`] strings together the words of a language.
//!
//! ```
//! use fuzz_input::{Corpus, check, soon};
//!
//! let corpus = Corpus::of(["1", "-22"]);
//! check!().with_generator(corpus.text()).with_iterations(10).for_each(|text| {
//!     soon(|| text.parse::<i32>().ok());
//! });
//! ```

mod corpus;
mod patience;
mod pick;
mod text;
mod value;
mod words;

pub use bolero::check;
pub use bolero::generator::{ValueGenerator, produce};
pub use corpus::{Corpus, Values, cases};
pub use patience::soon;
pub use text::{Bytes, MutatedBytes, MutatedText};
pub use value::MutatedValue;
pub use words::{Words, words};
