//! Asking values for their types.

use go_template::{Functions, Type};

use crate::arguments::{any, ok, text};
use crate::equal::deep_equal;

const ANY: Type = Type::Any;
const S: Type = Type::String;

pub(crate) fn register(f: &mut Functions) {
    f.add("typeOf", [ANY], |_, a| ok(any(a, 0).type_name().as_ref()));
    f.add("typeIs", [S, ANY], |_, a| ok(*text(a, 0) == *any(a, 1).type_name()));
    f.add("typeIsLike", [S, ANY], |_, a| {
        let (wanted, name) = (text(a, 0), any(a, 1).type_name());
        ok(*wanted == *name || name.strip_prefix('*') == Some(&wanted))
    });
    f.add("kindOf", [ANY], |_, a| ok(any(a, 0).kind_name()));
    f.add("kindIs", [S, ANY], |_, a| ok(*text(a, 0) == *any(a, 1).kind_name()));
    f.add("deepEqual", [ANY, ANY], |call, a| ok(deep_equal(call, any(a, 0), any(a, 1))?));
}
