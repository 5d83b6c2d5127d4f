//! The conditions of an object: what is claimed, when it changed, in which order it stands.

use crd_types::conditions::{MESSAGE_MAX_BYTES, READY, RECONCILING, STALLED};
use crd_types::{Condition, Time};
use jiff::Timestamp;

use crate::redact::redact;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    True,
    /// It does not.
    False,
    /// That is not known yet.
    Unknown,
}

impl Status {
    /// As conditions write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The conditions of one object while they are being concluded.
#[derive(Clone, Debug)]
pub struct Conditions {
    generation: i64,
    now: Timestamp,
    list: Vec<Condition>,
}

impl Conditions {
    /// Starts from the conditions that stand.
    pub fn resume(standing: &[Condition], generation: i64, now: Timestamp) -> Self {
        Self { generation, now, list: standing.to_vec() }
    }

    /// Claims a condition.
    ///
    /// Flux: the transition time moves with the reason and the message too, and the generation is
    /// the one at hand even if nothing changed (runtime, `conditions/setter.go`).
    pub fn set(&mut self, type_: &str, status: Status, reason: &str, message: impl Into<String>) {
        let message = trimmed(redact(&message.into()).into_owned());
        let standing = self.list.iter_mut().find(|condition| condition.type_ == type_);
        if let Some(condition) = standing {
            let same = condition.status == status.as_str()
                && condition.reason == reason
                && condition.message == message;
            if !same {
                condition.last_transition_time = Time(self.now);
            }
            status.as_str().clone_into(&mut condition.status);
            reason.clone_into(&mut condition.reason);
            condition.message = message;
            condition.observed_generation = Some(self.generation);
        } else {
            self.list.push(Condition {
                type_: type_.to_owned(),
                status: status.as_str().to_owned(),
                reason: reason.to_owned(),
                message,
                last_transition_time: Time(self.now),
                observed_generation: Some(self.generation),
            });
        }
    }

    /// Gives up a claim.
    pub fn remove(&mut self, type_: &str) {
        self.list.retain(|condition| condition.type_ != type_);
    }

    /// A condition that stands.
    pub fn get(&self, type_: &str) -> Option<&Condition> {
        find(&self.list, type_)
    }

    /// The conditions in the order in which Flux stores them: `Stalled`, `Reconciling`, `Ready`,
    /// then the newest generation first, then by type.
    pub fn into_list(mut self) -> Vec<Condition> {
        self.list.sort_by(|a, b| {
            rank(&a.type_)
                .cmp(&rank(&b.type_))
                .then_with(|| b.observed_generation.cmp(&a.observed_generation))
                .then_with(|| a.type_.cmp(&b.type_))
        });
        self.list
    }
}

/// The condition of a type, if it is claimed.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether a condition is claimed to be true.
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    find(conditions, type_).is_some_and(|condition| condition.status == Status::True.as_str())
}

fn rank(type_: &str) -> usize {
    [STALLED, RECONCILING, READY].iter().position(|first| *first == type_).unwrap_or(3)
}

fn trimmed(mut message: String) -> String {
    if message.len() > MESSAGE_MAX_BYTES {
        let mut end = MESSAGE_MAX_BYTES - "...".len();
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push_str("...");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_000, 0);
    const LATER: Timestamp = Timestamp::constant(2_000, 0);

    #[test]
    fn the_transition_time_moves_with_what_is_said() {
        let mut conditions = Conditions::resume(&[], 1, NOON);
        conditions.set(READY, Status::True, "Succeeded", "stored");
        let mut again = Conditions::resume(&conditions.clone().into_list(), 2, LATER);
        again.set(READY, Status::True, "Succeeded", "stored");
        let same = again.get(READY).unwrap();
        assert_eq!(same.last_transition_time, Time(NOON));
        assert_eq!(same.observed_generation, Some(2));
        again.set(READY, Status::True, "Succeeded", "stored anew");
        assert_eq!(again.get(READY).unwrap().last_transition_time, Time(LATER));
    }

    #[test]
    fn conditions_stand_in_the_order_of_flux() {
        let mut conditions = Conditions::resume(&[], 1, NOON);
        for type_ in ["Healthy", "Ready", "ArtifactInStorage", "Stalled", "Reconciling"] {
            conditions.set(type_, Status::True, "R", "m");
        }
        conditions.remove("Healthy");
        let order: Vec<_> = conditions.into_list().into_iter().map(|c| c.type_).collect();
        assert_eq!(order, ["Stalled", "Reconciling", "Ready", "ArtifactInStorage"]);
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let mut conditions = Conditions::resume(&[], 1, NOON);
        conditions.set(READY, Status::False, "Failed", "ü".repeat(MESSAGE_MAX_BYTES));
        let message = &conditions.get(READY).unwrap().message;
        assert!(message.len() <= MESSAGE_MAX_BYTES && message.ends_with("ü..."));
    }
}
