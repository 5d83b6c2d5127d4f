//! Decimal numbers, as the shopspring library that sprig's float arithmetic goes through.

/// `coefficient × 10^exponent`, exact while it fits 128 bits.
///
/// Limit: what does not fit is reckoned in floating point, which may differ in the last digit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decimal {
    Exact { coefficient: i128, exponent: i32 },
    Float(f64),
}

/// Digits after the point that a division keeps.
const DIVISION_PLACES: i32 = 16;

impl Decimal {
    /// The shortest decimal that stands for the float.
    pub(crate) fn from_float(number: f64) -> Self {
        let text = format!("{number:e}");
        let exact = || {
            let (mantissa, exponent) = text.split_once('e')?;
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let coefficient = format!("{whole}{fraction}").parse().ok()?;
            let digits = i32::try_from(fraction.len()).ok()?;
            Some(Self::Exact { coefficient, exponent: exponent.parse::<i32>().ok()? - digits })
        };
        exact().unwrap_or(Self::Float(number))
    }

    pub(crate) fn to_float(self) -> f64 {
        match self {
            Self::Exact { coefficient, exponent } => {
                format!("{coefficient}e{exponent}").parse().unwrap_or(0.0)
            }
            Self::Float(number) => number,
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        self.combine(other, i128::checked_add, |a, b| a + b)
    }

    pub(crate) fn sub(self, other: Self) -> Self {
        self.combine(other, i128::checked_sub, |a, b| a - b)
    }

    pub(crate) fn mul(self, other: Self) -> Self {
        if let (
            Self::Exact { coefficient: a, exponent: m },
            Self::Exact { coefficient: b, exponent: n },
        ) = (self, other)
            && let Some(coefficient) = a.checked_mul(b)
        {
            return Self::Exact { coefficient, exponent: m + n };
        }
        Self::Float(self.to_float() * other.to_float())
    }

    /// `None` if the divisor is zero.
    pub(crate) fn div(self, other: Self) -> Option<Self> {
        if other.to_float() == 0.0 {
            return None;
        }
        let exact = || {
            let (
                Self::Exact { coefficient: a, exponent: m },
                Self::Exact { coefficient: b, exponent: n },
            ) = (self, other)
            else {
                return None;
            };
            // a·10^m / (b·10^n), in units of 10^-16.
            let shift = m - n + DIVISION_PLACES;
            let (a, b) = if shift >= 0 {
                (a.checked_mul(power(shift)?)?, b)
            } else {
                (a, b.checked_mul(power(-shift)?)?)
            };
            let (quotient, rest) = (a / b, a % b);
            let away = rest.unsigned_abs().checked_mul(2)? >= b.unsigned_abs();
            let step = if (a < 0) == (b < 0) { 1 } else { -1 };
            let coefficient = if away { quotient.checked_add(step)? } else { quotient };
            Some(Self::Exact { coefficient, exponent: -DIVISION_PLACES })
        };
        Some(exact().unwrap_or_else(|| Self::Float(self.to_float() / other.to_float())))
    }

    fn combine(
        self,
        other: Self,
        exact: impl Fn(i128, i128) -> Option<i128>,
        rough: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let aligned = || {
            let (
                Self::Exact { coefficient: a, exponent: m },
                Self::Exact { coefficient: b, exponent: n },
            ) = (self, other)
            else {
                return None;
            };
            let exponent = m.min(n);
            let a = a.checked_mul(power(m - exponent)?)?;
            let b = b.checked_mul(power(n - exponent)?)?;
            Some(Self::Exact { coefficient: exact(a, b)?, exponent })
        };
        aligned().unwrap_or_else(|| Self::Float(rough(self.to_float(), other.to_float())))
    }
}

fn power(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}
