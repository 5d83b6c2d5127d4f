//! Text forms of data: base64, base32, JSON, YAML, TOML.

mod base;
mod json_read;
mod json_write;
mod toml_read;
mod toml_write;
mod yaml_form;

use go_template::Functions;

pub use base::CorruptInput;
pub(crate) use base::decode64;
pub use json_read::JsonError;
pub use json_write::Unsupported;
pub use toml_read::TomlError;

use crate::Dialect;

/// Bytes that the values of a YAML, JSON or TOML text take, roughly.
pub(crate) fn read_bytes(text: &[u8]) -> usize {
    const VALUE_BYTES: usize = 48;
    let marks = text.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{' | b'\n'));
    text.len().saturating_add(marks.count().saturating_mul(VALUE_BYTES))
}

pub(crate) fn register(f: &mut Functions, dialect: Dialect) {
    base::register(f);
    json_read::register(f);
    json_write::register(f);
    yaml_form::register(f, dialect);
    toml_write::register(f, dialect);
    toml_read::register(f);
}
