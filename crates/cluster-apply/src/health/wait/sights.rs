//! What the watches of a wait say of its objects.

use std::collections::{HashMap, HashSet};

use manifest::Object;
use serde_json::Value;

use super::super::{HealthStatus, pods};
use super::Wait;
use crate::watch::Sight;

/// What one watch is about.
pub(super) enum Scope {
    /// Some of the tracked objects, by name.
    Objects {
        names: HashMap<String, usize>,
        /// While a list comes in: what it held so far.
        listed: Option<HashSet<usize>>,
    },
    /// The pods of one of the tracked objects: the names of those that have failed.
    Pods { of: usize, failed: HashSet<String> },
}

impl Wait {
    /// Takes in what the watch of this scope saw.
    pub(super) fn take_in(&mut self, scope: &mut Scope, sight: Sight) {
        match scope {
            Scope::Objects { names, listed } => self.take_in_object(names, listed, sight),
            Scope::Pods { of, failed } => {
                take_in_pod(failed, sight);
                self.tracked[*of].failed_pods = failed.len();
            }
        }
    }

    fn take_in_object(
        &mut self,
        names: &HashMap<String, usize>,
        listed: &mut Option<HashSet<usize>>,
        sight: Sight,
    ) {
        match sight {
            Sight::Restart => *listed = Some(HashSet::new()),
            Sight::There(object) => {
                let Ok(object) = Object::new(object) else { return };
                let Some(&index) = names.get(object.name()) else { return };
                self.tracked[index].judge(&object, self.evaluator.as_deref());
                self.tracked[index].keep(object);
                if let Some(listed) = listed {
                    listed.insert(index);
                }
            }
            Sight::Listed => {
                let listed = listed.take().unwrap_or_default();
                for index in names.values().filter(|index| !listed.contains(*index)) {
                    self.tracked[*index].lose();
                }
            }
            Sight::Following => {}
            Sight::Gone(object) => {
                if let Some(&index) = names.get(name_of(&object)) {
                    self.tracked[index].lose();
                }
            }
            Sight::Trouble(trouble) => {
                for &index in names.values() {
                    self.tracked[index].status = Some(HealthStatus::Unknown);
                    self.tracked[index].error = Some(crate::chain(&trouble));
                }
            }
        }
    }
}

fn take_in_pod(failed: &mut HashSet<String>, sight: Sight) {
    match sight {
        Sight::Restart => failed.clear(),
        Sight::There(pod) => {
            let Ok(pod) = Object::new(pod) else { return };
            if pods::has_failed(&pod) {
                failed.insert(pod.name().to_owned());
            } else {
                failed.remove(pod.name());
            }
        }
        Sight::Gone(pod) => {
            failed.remove(name_of(&pod));
        }
        // Who may not see the pods learns no more than the workload tells.
        Sight::Listed | Sight::Following | Sight::Trouble(_) => {}
    }
}

fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}
