//! The order in which Go's printer writes the keys of a mapping: numbers within names count as
//! numbers, so `a2` comes before `a10`.

use std::cmp::Ordering;

/// Which of Go's two printers sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Letters come after everything else.
    Marshal,
    /// As before, but right after a digit letters come before everything else.
    Pretty,
}

/// The entries in the order in which Go prints them.
///
/// The order has cycles (`13` before `1b` before `02` before `13`), which the sort of the standard
/// library may answer with a panic; merging runs cannot.
pub(crate) fn sorted<'a, T>(
    entries: impl Iterator<Item = (&'a str, T)>,
    order: Order,
) -> Vec<(&'a str, T)> {
    let mut runs: Vec<Vec<(&str, T)>> = Vec::new();
    for entry in entries {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| compare(last.0, entry.0, order).is_le()) => {
                run.push(entry);
            }
            _ => runs.push(vec![entry]),
        }
    }
    while runs.len() > 1 {
        let mut pairs = runs.into_iter();
        let mut merged = Vec::new();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, order),
                None => left,
            });
        }
        runs = merged;
    }
    runs.pop().unwrap_or_default()
}

fn merge<'a, T>(
    left: Vec<(&'a str, T)>,
    right: Vec<(&'a str, T)>,
    order: Order,
) -> Vec<(&'a str, T)> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let side = if compare(a.0, b.0, order).is_le() { &mut left } else { &mut right };
        out.extend(side.next());
    }
    out.extend(left);
    out.extend(right);
    out
}

/// Compares two keys: the first character that differs decides; if it belongs to numbers, they do.
fn compare(a: &str, b: &str, order: Order) -> Ordering {
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    if common == a.len() || common == b.len() {
        return a.len().cmp(&b.len());
    }
    // Bytes that are equal up to here may end within a character.
    let start = (0..=common).rev().find(|at| a.is_char_boundary(*at)).unwrap_or(0);
    let (before, rest_a, rest_b) = (&a[..start], &a[start..], &b[start..]);
    let (Some(x), Some(y)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return a.len().cmp(&b.len());
    };
    let letters_last = order == Order::Marshal || !before.ends_with(is_digit);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (false, false) => {}
        (letter, _) if letter == letters_last => return Ordering::Greater,
        _ => return Ordering::Less,
    }
    // A zero within a number is a digit like others; at its start it only makes it longer.
    let within = (x == '0' || y == '0')
        && before.chars().rev().take_while(|c| is_digit(*c)).any(|c| c != '0');
    let (number_a, digits_a) = number(rest_a, within);
    let (number_b, digits_b) = number(rest_b, within);
    number_a.cmp(&number_b).then(digits_a.cmp(&digits_b)).then(x.cmp(&y))
}

/// The number at the start of a text, and how many digits it has.
fn number(text: &str, within: bool) -> (i64, usize) {
    let mut value = i64::from(within);
    let mut digits = 0;
    for c in text.chars().take_while(|c| is_digit(*c)) {
        let digit = i64::from(u32::from(c)) - i64::from(u32::from('0'));
        value = value.wrapping_mul(10).wrapping_add(digit);
        digits += 1;
    }
    (value, digits)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order<'a>(keys: &[&'a str], order: Order) -> Vec<&'a str> {
        sorted(keys.iter().map(|key| (*key, ())), order).into_iter().map(|(key, ())| key).collect()
    }

    #[test]
    fn numbers_within_keys_count_as_numbers() {
        let keys = ["a10", "a2", "a", "b", "a1b", "a02", "1", "10", "2", "B", "a-b", "_x"];
        let wanted = ["_x", "1", "2", "10", "B", "a", "a-b", "a1b", "a2", "a02", "a10", "b"];
        assert_eq!(order(&keys, Order::Marshal), wanted);
        assert_eq!(order(&["1a", "1-"], Order::Marshal), ["1-", "1a"]);
        assert_eq!(order(&["1-", "1a"], Order::Pretty), ["1a", "1-"]);
    }

    #[test]
    fn an_order_with_cycles_loses_no_key() {
        let keys: Vec<String> =
            (0..200).flat_map(|n| [format!("{n}"), format!("0{n}"), format!("{n}b")]).collect();
        let as_text: Vec<_> = keys.iter().map(String::as_str).collect();
        let mut sorted = order(&as_text, Order::Marshal);
        sorted.sort_unstable();
        let mut keys = keys.clone();
        keys.sort_unstable();
        assert_eq!(sorted, keys);
    }
}
