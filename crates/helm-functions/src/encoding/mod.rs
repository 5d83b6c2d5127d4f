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

pub(crate) fn register(f: &mut Functions, dialect: Dialect) {
    base::register(f);
    json_read::register(f);
    json_write::register(f);
    yaml_form::register(f, dialect);
    toml_write::register(f, dialect);
    toml_read::register(f);
}
