//! Arithmetic.

use go_template::{Functions, Type, Value, format};

use crate::arguments::{any, int, ok, text};
use crate::convert::{to_f64, to_i64};
use crate::decimal::Decimal;
use crate::error::FunctionError;

const ANY: Type = Type::Any;

pub(crate) fn register(f: &mut Functions) {
    integers(f);
    floats(f);
    f.add("atoi", [Type::String], |_, a| {
        let text = text(a, 0);
        let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        // Flux: sprig leaves the error alone, and Go gives the nearest number with it.
        let nearest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
        Ok(Value::int(if plain { text.parse().unwrap_or(nearest) } else { 0 }))
    });
    f.add("int", [ANY], |_, a| Ok(Value::int(to_i64(any(a, 0)))));
    f.add("int64", [ANY], |_, a| Ok(Value::int64(to_i64(any(a, 0)))));
    f.add("float64", [ANY], |_, a| ok(to_f64(any(a, 0))));
    f.add("toDecimal", [ANY], |_, a| {
        Ok(Value::int64(i64::from_str_radix(&format::text(any(a, 0)), 8).unwrap_or(0)))
    });
}

/// Go's integers wrap around.
fn integers(f: &mut Functions) {
    f.add("add1", [ANY], |_, a| Ok(Value::int64(to_i64(any(a, 0)).wrapping_add(1))));
    f.add_variadic("add", [ANY], |_, a| {
        Ok(Value::int64(a.iter().map(to_i64).fold(0, i64::wrapping_add)))
    });
    f.add("sub", [ANY, ANY], |_, a| {
        Ok(Value::int64(to_i64(any(a, 0)).wrapping_sub(to_i64(any(a, 1)))))
    });
    f.add("div", [ANY, ANY], |_, a| match to_i64(any(a, 1)) {
        0 => Err(FunctionError::DivideByZero.into()),
        divisor => Ok(Value::int64(to_i64(any(a, 0)).wrapping_div(divisor))),
    });
    f.add("mod", [ANY, ANY], |_, a| match to_i64(any(a, 1)) {
        0 => Err(FunctionError::DivideByZero.into()),
        divisor => Ok(Value::int64(to_i64(any(a, 0)).wrapping_rem(divisor))),
    });
    f.add_variadic("mul", [ANY, ANY], |_, a| {
        Ok(Value::int64(a.iter().map(to_i64).fold(1, i64::wrapping_mul)))
    });
    for name in ["max", "biggest"] {
        f.add_variadic(name, [ANY, ANY], |_, a| {
            Ok(Value::int64(a.iter().map(to_i64).max().unwrap_or(0)))
        });
    }
    f.add_variadic("min", [ANY, ANY], |_, a| {
        Ok(Value::int64(a.iter().map(to_i64).min().unwrap_or(0)))
    });
}

fn floats(f: &mut Functions) {
    f.add("add1f", [ANY], |_, a| {
        ok(Decimal::from_float(to_f64(any(a, 0))).add(Decimal::from_float(1.0)).to_float())
    });
    f.add_variadic("addf", [ANY], |_, a| {
        let sum = a.iter().map(decimal).fold(Decimal::from_float(0.0), Decimal::add);
        ok(sum.to_float())
    });
    f.add_variadic("subf", [ANY, ANY], |_, a| Ok(fold(a, Decimal::sub)));
    f.add_variadic("mulf", [ANY, ANY], |_, a| Ok(fold(a, Decimal::mul)));
    f.add_variadic("divf", [ANY, ANY], |_, a| {
        let mut numbers = a.iter().map(decimal);
        let mut quotient = numbers.next().unwrap_or_else(|| decimal(&Value::Nil));
        for divisor in numbers {
            quotient = quotient.div(divisor).ok_or(FunctionError::DecimalDivision)?;
        }
        ok(quotient.to_float())
    });
    f.add_variadic("maxf", [ANY, ANY], |_, a| {
        ok(a.iter().map(to_f64).reduce(greater).unwrap_or(0.0))
    });
    f.add_variadic("minf", [ANY, ANY], |_, a| {
        ok(a.iter().map(to_f64).reduce(|x, y| -greater(-x, -y)).unwrap_or(0.0))
    });
    f.add("floor", [ANY], |_, a| ok(to_f64(any(a, 0)).floor()));
    f.add("ceil", [ANY], |_, a| ok(to_f64(any(a, 0)).ceil()));
    f.add_variadic("round", [ANY, Type::INT, Type::Float], |_, a| {
        let round_on = match a.get(2) {
            Some(Value::Float(on)) => *on,
            _ => 0.5,
        };
        ok(round(to_f64(any(a, 0)), int(a, 1), round_on))
    });
}

fn decimal(value: &Value) -> Decimal {
    Decimal::from_float(to_f64(value))
}

fn fold(values: &[Value], step: impl Fn(Decimal, Decimal) -> Decimal) -> Value {
    let result = values.iter().map(decimal).reduce(step);
    Value::Float(result.map_or(0.0, Decimal::to_float))
}

/// Unlike Rust's, Go's maximum with NaN is NaN.
fn greater(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// Up from `round_on` of the last place on, down below it; negative numbers go down.
fn round(number: f64, places: i64, round_on: f64) -> f64 {
    let power = 10_f64.powi(i32::try_from(places).unwrap_or(i32::MAX));
    let shifted = power * number;
    let rounded = if shifted.fract() >= round_on { shifted.ceil() } else { shifted.floor() };
    rounded / power
}

#[cfg(test)]
mod tests {
    use go_template::{Budget, Session, Templates, Value};

    use crate::{Dialect, functions};

    #[test]
    fn numbers_that_are_too_large_become_the_nearest() {
        for (text, number) in [
            ("42", "42"),
            ("-9223372036854775809", "-9223372036854775808"),
            ("+123456789012345678901", "9223372036854775807"),
            ("-", "0"),
            ("1e3", "0"),
        ] {
            let mut templates = Templates::new("gotpl", functions(Dialect::Helm4));
            templates.parse("t", "{{ atoi . }}").unwrap();
            let mut session = Session::new(Budget::default());
            let made = templates.execute("t", Value::from(text), &mut session).unwrap();
            assert_eq!(made, number.as_bytes(), "{text}");
        }
    }
}
