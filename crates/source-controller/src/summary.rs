//! From the conditions of a source to its `Ready`.

use crd_types::conditions::READY;
use reconcile_loop::conditions::{Conditions, Status};

/// Whether a condition is good news when it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polarity {
    /// It is.
    Positive,
    /// It is bad news.
    Negative,
}

/// Sets `Ready` to what the most urgent of the conditions says; among equally urgent ones, the first
/// of `inputs` speaks. Without any of them, `Ready` stays.
///
/// Flux: `runtime/conditions` merges in this way.
pub(crate) fn conclude_ready(conditions: &mut Conditions, inputs: &[(&str, Polarity)]) {
    let most_urgent = inputs
        .iter()
        .filter_map(|(type_, polarity)| {
            let condition = conditions.get(type_)?;
            Some((urgency(&condition.status, *polarity), *polarity, condition))
        })
        // The first of the least: order among equals is kept.
        .min_by_key(|(urgency, _, _)| *urgency);
    let Some((_, polarity, condition)) = most_urgent else { return };
    let ready = match (condition.status.as_str(), polarity) {
        ("True", Polarity::Positive) | ("False", Polarity::Negative) => Status::True,
        ("False", Polarity::Positive) | ("True", Polarity::Negative) => Status::False,
        (_, Polarity::Positive | Polarity::Negative) => Status::Unknown,
    };
    let (reason, message) = (condition.reason.clone(), condition.message.clone());
    conditions.set(READY, ready, &reason, message);
}

fn urgency(status: &str, polarity: Polarity) -> u8 {
    match (status, polarity) {
        ("True", Polarity::Negative) => 0,
        ("False", Polarity::Positive) => 1,
        ("True", Polarity::Positive) => 2,
        ("False", Polarity::Negative) => 3,
        (_, Polarity::Positive | Polarity::Negative) => 4,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const INPUTS: &[(&str, Polarity)] = &[
        ("FetchFailed", Polarity::Negative),
        ("ArtifactInStorage", Polarity::Positive),
        ("Reconciling", Polarity::Negative),
    ];

    fn ready(given: &[(&str, Status)]) -> String {
        let mut conditions = Conditions::resume(&[], 1, Timestamp::UNIX_EPOCH);
        for (type_, status) in given {
            conditions.set(type_, *status, type_, "");
        }
        conclude_ready(&mut conditions, INPUTS);
        conditions.get(READY).map_or_else(String::new, |c| format!("{} {}", c.status, c.reason))
    }

    #[test]
    fn the_worst_news_speaks_first() {
        use Status::{False, True, Unknown};
        assert_eq!(ready(&[("ArtifactInStorage", True)]), "True ArtifactInStorage");
        let failing = [("Reconciling", True), ("ArtifactInStorage", True), ("FetchFailed", True)];
        assert_eq!(ready(&failing), "False FetchFailed");
        let under_way = [("Reconciling", True), ("ArtifactInStorage", True)];
        assert_eq!(ready(&under_way), "False Reconciling");
        assert_eq!(ready(&[("ArtifactInStorage", False)]), "False ArtifactInStorage");
        assert_eq!(ready(&[("FetchFailed", Unknown)]), "Unknown FetchFailed");
        assert_eq!(ready(&[]), "");
    }
}
