//! The words of a language, strung together.

use bolero::Driver;
use bolero::generator::ValueGenerator;

use crate::pick::{below, one};

/// Texts of words.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    words: &'static [&'static str],
    most: usize,
}

/// Texts of up to `most` of these words.
pub fn words(words: &'static [&'static str], most: usize) -> Words {
    Words { words, most }
}

impl ValueGenerator for Words {
    type Output = String;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<String> {
        let mut text = String::new();
        for _ in 0..below(driver, self.most + 1)? {
            text.push_str(one(driver, self.words)?);
        }
        Some(text)
    }
}
