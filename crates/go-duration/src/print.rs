//! Go's notation, written.

use std::fmt;

use crate::Duration;

/// The duration in Go's notation: `1h0m0s`, `4m30s`, `75.190237ms`.
pub fn format(duration: std::time::Duration) -> String {
    Duration::from(duration).to_string()
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: u64 = 1_000_000_000;
        let total = self.as_nanos().unsigned_abs();
        if self.as_nanos() < 0 {
            f.write_str("-")?;
        }
        match total {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{total}ns"),
            1_000..1_000_000 => decimal(f, total, 1_000, "\u{b5}s"),
            1_000_000..SECOND => decimal(f, total, 1_000_000, "ms"),
            _ => {
                let minutes = total / SECOND / 60;
                if minutes >= 60 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                decimal(f, total - minutes * 60 * SECOND, SECOND, "s")
            }
        }
    }
}

/// Writes a number of units, with as many decimals as it takes.
fn decimal(f: &mut fmt::Formatter<'_>, total: u64, unit: u64, name: &str) -> fmt::Result {
    write!(f, "{}", total / unit)?;
    let mut fraction = total % unit;
    if fraction > 0 {
        let mut width = unit.ilog10() as usize;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        write!(f, ".{fraction:0width$}")?;
    }
    f.write_str(name)
}
