//! The template functions that Helm offers: sprig's and its own.
//!
//! [`functions`] gives the table that templates are parsed against; it never changes and is made
//! once. What a function needs of the outside (time, chance, a cluster, how deep templates include
//! each other) lies in [`Helm`], the state of the session.
//!
//! ```
//! use go_template::{Budget, MissingKey, Session, Templates, Value};
//! use helm_functions::{Dialect, Helm, SystemEntropy, functions};
//!
//! let mut templates = Templates::new("gotpl", functions(Dialect::Helm4));
//! templates.parse("t", r#"{{ tpl "{{ .name | upper | quote }}" . }}"#)?;
//!
//! let helm = Helm::new(jiff::Timestamp::UNIX_EPOCH, SystemEntropy);
//! let mut session = Session::with_state(Budget::default(), helm);
//! session.missing_key = MissingKey::Zero;
//! let data = Value::map([("name", Value::from("web"))]);
//! assert_eq!(templates.execute("t", data, &mut session)?, br#""WEB""#);
//! # Ok::<(), go_template::Error>(())
//! ```

mod arguments;
mod cases;
mod convert;
mod crypto;
mod dates;
mod decimal;
mod dicts;
mod encoding;
mod equal;
mod error;
mod host;
mod kinds;
mod lists;
mod math;
mod merge;
mod paths;
mod random;
mod regexes;
mod sequences;
mod strings;
mod templates;
mod truth;
mod urls;
mod versions;
mod words;

use go_template::Functions;

pub use crypto::{CryptoError, KeyError};
pub use dates::ParseTimeError;
pub use encoding::{CorruptInput, JsonError, TomlError, Unsupported};
pub use error::FunctionError;
pub use host::{Entropy, Helm, Hosts, Limits, Lookup, NoCluster, NoNetwork, SystemEntropy};
pub use urls::{UrlError, UrlFault};

/// Whose set of functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Helm 4, which Flux runs.
    #[default]
    Helm4,
    /// Helm 3: has no `mustToYaml` and `mustToToml`.
    Helm3,
}

/// All functions of a dialect: sprig's without `env` and `expandenv`, and Helm's own.
pub fn functions(dialect: Dialect) -> Functions {
    let mut functions = Functions::new();
    let f = &mut functions;
    strings::register(f);
    words::register(f);
    cases::register(f);
    lists::register(f);
    dicts::register(f);
    math::register(f);
    sequences::register(f);
    truth::register(f);
    kinds::register(f);
    regexes::register(f);
    versions::register(f);
    paths::register(f);
    urls::register(f);
    dates::register(f);
    random::register(f);
    crypto::register(f);
    encoding::register(f, dialect);
    templates::register(f);
    functions
}
