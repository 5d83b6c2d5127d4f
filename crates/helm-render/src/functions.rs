//! The functions that charts may call.

use std::sync::LazyLock;

use go_template::Functions;
use helm_chart::Rules;
use helm_functions::Dialect;

/// The tables of functions, made once; what differs from rendering to rendering is in the session.
pub(crate) fn functions(rules: Rules) -> &'static Functions {
    static HELM_3: LazyLock<Functions> =
        LazyLock::new(|| helm_functions::functions(Dialect::Helm3));
    static HELM_4: LazyLock<Functions> =
        LazyLock::new(|| helm_functions::functions(Dialect::Helm4));
    match rules {
        Rules::Helm3 => &HELM_3,
        Rules::Helm4 => &HELM_4,
    }
}
