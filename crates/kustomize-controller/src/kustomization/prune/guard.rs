//! Whether deletions wait until a person has confirmed them. Pure.

use std::fmt::Write as _;

use cluster_apply::Doomed;
use crd_types::kustomize::Kustomization;
use kube::ResourceExt as _;
use manifest::ObjectId;
use sha2::{Digest as _, Sha256};

/// The annotation by which a Kustomization has another mode than the flag says.
const MODE: &str = "ferroflux.dev/prune-guard";
/// The annotation that confirms one plan, by its digest.
const CONFIRM: &str = "ferroflux.dev/confirm-prune";
/// How many objects a message names.
const NAMED: usize = 3;

/// Which deletions wait for a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// None: as in Flux.
    None,
    /// Those of a build that came out empty although there is a lot in the inventory.
    Empty,
    /// Those of every empty build, of a large share of the inventory, and of objects that take
    /// others or data with them.
    Full,
}

/// The limits beyond which deletions wait for a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    pub(crate) mode: Mode,
    /// The share of the inventory, in percent, that goes without a question.
    pub(crate) share_percent: u8,
    /// Fewer deletions than this are not a large share, however small the inventory is.
    pub(crate) minimum: usize,
}

/// What a run would delete, and what is known about that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan<'a> {
    /// How many objects the inventory had.
    pub(super) inventory: usize,
    /// How many objects the build has.
    pub(super) built: usize,
    /// What would be deleted.
    pub(super) doomed: &'a [Doomed],
    /// Whether deletions were held before this run.
    pub(super) was_held: bool,
}

/// Why deletions wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    EmptyBuild,
    LargeShare {
        percent: u8,
    },
    /// It takes others or data with it.
    Protected(ObjectId),
    /// What is held stays held until it is confirmed or wanted again: what came into the inventory
    /// since would make the share look smaller.
    Unconfirmed,
}

impl Guard {
    /// The guard of one object.
    pub(super) fn of(self, ks: &Kustomization) -> Self {
        let mode = match ks.annotations().get(MODE).map(String::as_str) {
            None => self.mode,
            Some("none") => Mode::None,
            Some("empty") => Mode::Empty,
            // What cannot be understood must not delete anything.
            Some(_) => Mode::Full,
        };
        Self { mode, ..self }
    }

    /// Why the deletions of this plan wait, if they do.
    pub(super) fn objection(self, plan: &Plan<'_>) -> Option<Reason> {
        let doomed = plan.doomed.len();
        if self.mode == Mode::None || doomed == 0 {
            return None;
        }
        if plan.built == 0 && (self.mode == Mode::Full || doomed >= self.minimum) {
            return Some(Reason::EmptyBuild);
        }
        if self.mode == Mode::Full {
            if let Some(id) = plan.doomed.iter().map(id).find(|id| is_protected(id)) {
                return Some(Reason::Protected(id.clone()));
            }
            let allowed = plan.inventory.saturating_mul(usize::from(self.share_percent));
            if doomed >= self.minimum && doomed.saturating_mul(100) > allowed {
                return Some(Reason::LargeShare { percent: self.share_percent });
            }
        }
        plan.was_held.then_some(Reason::Unconfirmed)
    }
}

impl Plan<'_> {
    /// What a confirmation has to say: it holds for these objects and no others, be it others of
    /// the same names that were made since.
    pub(super) fn digest(&self) -> String {
        let line = |doomed: &Doomed| {
            let uid = doomed.uid.as_deref().unwrap_or_default();
            format!("{} {uid}", id(doomed).inventory_id())
        };
        let mut lines: Vec<String> = self.doomed.iter().map(line).collect();
        lines.sort_unstable();
        let mut digest = String::new();
        for byte in &Sha256::digest(lines.join("\n"))[..16] {
            _ = write!(digest, "{byte:02x}");
        }
        digest
    }

    /// Whether a person has confirmed these deletions.
    pub(super) fn is_confirmed(&self, ks: &Kustomization) -> bool {
        confirmation(ks).is_some_and(|said| said == self.digest())
    }

    /// What would be deleted, why it is not, and how to have it deleted.
    pub(super) fn message(&self, reason: &Reason, ks: &Kustomization) -> String {
        let (doomed, inventory) = (self.doomed.len(), self.inventory);
        let named: Vec<String> =
            self.doomed.iter().take(NAMED).map(|it| id(it).to_string()).collect();
        let named = named.join(", ");
        let more = match doomed.saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = match reason {
            Reason::EmptyBuild => "the build is empty".to_owned(),
            Reason::LargeShare { percent } => format!("that is more than {percent}%"),
            Reason::Protected(id) => format!("what depends on {id} would be lost with it"),
            Reason::Unconfirmed => "they are held since an earlier revision".to_owned(),
        };
        format!(
            "{doomed} of {inventory} objects would be deleted ({named}{more}) and {why}; to delete \
             them: kubectl annotate --overwrite -n {} kustomization/{} {CONFIRM}={}",
            ks.namespace().unwrap_or_default(),
            ks.name_any(),
            self.digest(),
        )
    }
}

impl Reason {
    /// The reason of the condition.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::EmptyBuild => "EmptyBuild",
            Self::LargeShare { .. } => "LargeShare",
            Self::Protected(_) => "ProtectedKind",
            Self::Unconfirmed => "Unconfirmed",
        }
    }
}

/// What a person has confirmed last.
pub(super) fn confirmation(ks: &Kustomization) -> Option<&str> {
    ks.annotations().get(CONFIRM).map(String::as_str)
}

const fn id(doomed: &Doomed) -> &ObjectId {
    &doomed.stale.id
}

/// Whether the end of an object is the end of others, or of data.
fn is_protected(id: &ObjectId) -> bool {
    matches!(
        (id.group.as_str(), id.kind.as_str()),
        ("", "Namespace" | "PersistentVolumeClaim")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

#[cfg(test)]
mod tests {
    use cluster_apply::Stale;
    use crd_types::kustomize::KustomizationSpec;

    use super::*;

    fn guard(mode: Mode) -> Guard {
        Guard { mode, share_percent: 50, minimum: 10 }
    }

    fn maps(count: usize) -> Vec<Doomed> {
        (0..count).map(|n| object(&format!("shop_m{n:02}__ConfigMap"))).collect()
    }

    fn object(text: &str) -> Doomed {
        let id = ObjectId::from_inventory_id(text).unwrap();
        let uid = Some(format!("uid of {text}"));
        Doomed { stale: Stale { id, version: "v1".to_owned() }, uid }
    }

    fn ks(annotations: &[(&str, &str)]) -> Kustomization {
        let mut ks = Kustomization::new("app", KustomizationSpec::default());
        ks.metadata.namespace = Some("shop".to_owned());
        let annotations = annotations.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        ks.metadata.annotations = Some(annotations.collect());
        ks
    }

    /// Every count of deletions out of every small inventory, in every mode, against the rule in
    /// other words.
    #[test]
    fn every_small_plan_is_decided_by_the_rule() {
        let all = maps(30);
        for mode in [Mode::None, Mode::Empty, Mode::Full] {
            for inventory in 0..=30_usize {
                for doomed in 0..=inventory {
                    for (built, was_held) in
                        [(0, false), (0, true), (inventory - doomed, false), (5, true), (5, false)]
                    {
                        let plan = Plan { inventory, built, doomed: &all[..doomed], was_held };
                        let found = guard(mode).objection(&plan);
                        let empty = built == 0 && (doomed >= 10 || mode == Mode::Full);
                        let large = mode == Mode::Full && doomed >= 10 && 2 * doomed > inventory;
                        let expected = match mode {
                            Mode::None => None,
                            _ if doomed == 0 => None,
                            _ if empty => Some(Reason::EmptyBuild),
                            _ if large => Some(Reason::LargeShare { percent: 50 }),
                            _ if was_held => Some(Reason::Unconfirmed),
                            _ => None,
                        };
                        assert_eq!(found, expected, "{mode:?} {doomed}/{inventory} {built}");
                    }
                }
            }
        }
    }

    #[test]
    fn one_object_that_takes_others_with_it_is_enough() {
        for (text, protected) in [
            ("_shop__Namespace", true),
            ("shop_data__PersistentVolumeClaim", true),
            ("_a.b.c_apiextensions.k8s.io_CustomResourceDefinition", true),
            ("shop_data_other.io_PersistentVolumeClaim", false),
            ("_pv__PersistentVolume", false),
            ("shop_web_apps_Deployment", false),
        ] {
            let doomed = [object(text)];
            let plan = Plan { inventory: 100, built: 99, doomed: &doomed, was_held: false };
            assert_eq!(guard(Mode::Full).objection(&plan).is_some(), protected, "{text}");
            assert_eq!(guard(Mode::Empty).objection(&plan), None, "{text}");
        }
    }

    #[test]
    fn shares_of_nothing_and_of_everything_do_not_overflow() {
        let doomed = maps(12);
        for (share_percent, held) in [(0, true), (100, false), (255, false)] {
            let guard = Guard { share_percent, ..guard(Mode::Full) };
            let plan = Plan { inventory: 12, built: 1, doomed: &doomed, was_held: false };
            assert_eq!(guard.objection(&plan).is_some(), held, "{share_percent}");
        }
    }

    #[test]
    fn a_confirmation_is_for_these_objects_in_any_order() {
        let (forth, mut back) = (maps(4), maps(4));
        back.reverse();
        let plan = |doomed| Plan { inventory: 4, built: 0, doomed, was_held: false };
        let digest = plan(&forth).digest();
        assert_eq!((digest.len(), &digest), (32, &plan(&back).digest()));
        assert!(plan(&forth).is_confirmed(&ks(&[(CONFIRM, &digest)])));
        assert!(!plan(&forth[1..]).is_confirmed(&ks(&[(CONFIRM, &digest)])));
        for other in ["", "true", &digest[1..]] {
            assert!(!plan(&forth).is_confirmed(&ks(&[(CONFIRM, other)])), "{other:?}");
        }
        assert!(!plan(&forth).is_confirmed(&ks(&[])));
        // The annotation stays when the objects are gone, and they may come back.
        let mut anew = forth.clone();
        anew[2].uid = Some("another".to_owned());
        assert!(!plan(&anew).is_confirmed(&ks(&[(CONFIRM, &digest)])));
    }

    #[test]
    fn an_object_has_its_own_mode() {
        for (said, mode) in [
            ("none", Mode::None),
            ("empty", Mode::Empty),
            ("full", Mode::Full),
            ("None", Mode::Full),
            ("", Mode::Full),
        ] {
            assert_eq!(guard(Mode::Empty).of(&ks(&[(MODE, said)])).mode, mode, "{said:?}");
        }
        assert_eq!(guard(Mode::Empty).of(&ks(&[])).mode, Mode::Empty);
    }

    #[test]
    fn the_message_says_what_why_and_how() {
        let doomed = maps(12);
        let plan = Plan { inventory: 20, built: 8, doomed: &doomed, was_held: false };
        let digest = plan.digest();
        assert_eq!(
            plan.message(&Reason::LargeShare { percent: 50 }, &ks(&[])),
            format!(
                "12 of 20 objects would be deleted (ConfigMap/shop/m00, ConfigMap/shop/m01, \
                 ConfigMap/shop/m02 and 9 more) and that is more than 50%; to delete them: kubectl \
                 annotate --overwrite -n shop kustomization/app \
                 ferroflux.dev/confirm-prune={digest}"
            )
        );
    }
}
