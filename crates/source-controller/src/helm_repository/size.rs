//! Sizes as people read them.

/// Decimal units with four digits, as Docker's `HumanSize` prints them: `30.9kB`.
pub(super) fn human(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    #[expect(clippy::cast_precision_loss, reason = "four digits are printed")]
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit < UNITS.len() - 1 {
        size /= 1000.0;
        unit += 1;
    }
    // Go's `%.4g`.
    let before_point = if size < 1.0 { 1 } else { format!("{}", size.trunc()).len() };
    let mut digits = format!("{size:.*}", 4_usize.saturating_sub(before_point));
    if digits.contains('.') {
        digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
    }
    format!("{digits}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_four_digits() {
        for (bytes, text) in [
            (0, "0B"),
            (460, "460B"),
            (1000, "1kB"),
            (30_893, "30.89kB"),
            (1_500_000, "1.5MB"),
            (999_999, "1000kB"),
            (104_857_600, "104.9MB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
