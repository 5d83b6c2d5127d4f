//! What each operator means.

use super::{Comparison, Failure, Open, Operator};
use crate::version::{Version, compare_prereleases};

impl Comparison {
    /// What is wrong with the version, if anything.
    pub(super) fn failure(&self, version: &Version, prereleases: bool) -> Option<Failure> {
        if version.is_prerelease() && !prereleases {
            return Some(Failure::Prerelease);
        }
        match self.operator {
            Operator::Equal if self.open != Open::Nothing => self.tilde(version),
            Operator::Equal => (*version != self.version).then_some(Failure::NotEqual),
            Operator::NotEqual => self.not_equal(version),
            Operator::Greater => self.greater(version),
            Operator::Less => (*version >= self.version).then_some(Failure::GreaterOrEqual),
            Operator::GreaterOrEqual => (*version < self.version).then_some(Failure::Less),
            Operator::LessOrEqual => self.less_or_equal(version),
            Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
        }
    }

    fn not_equal(&self, version: &Version) -> Option<Failure> {
        let wanted = &self.version;
        let differs = match self.open {
            // Flux: an open major is the number 0, so `!=*` refuses 0.0.0 only.
            Open::Nothing | Open::Major => version != wanted,
            Open::Minor => version.major() != wanted.major(),
            Open::Patch => {
                (version.major(), version.minor()) != (wanted.major(), wanted.minor())
                    || compare_prereleases(version.prerelease(), wanted.prerelease()).is_ne()
            }
        };
        (!differs).then_some(Failure::Equal)
    }

    fn greater(&self, version: &Version) -> Option<Failure> {
        let wanted = &self.version;
        let greater = match self.open {
            Open::Minor => version.major() > wanted.major(),
            Open::Patch => (version.major(), version.minor()) > (wanted.major(), wanted.minor()),
            // Flux: an open major is the number 0, so `>*` matches from 0.0.1 on.
            Open::Nothing | Open::Major => version > wanted,
        };
        (!greater).then_some(Failure::LessOrEqual)
    }

    fn less_or_equal(&self, version: &Version) -> Option<Failure> {
        let wanted = &self.version;
        let within = match self.open {
            Open::Nothing => version <= wanted,
            Open::Minor => version.major() <= wanted.major(),
            // Flux: an open major is the number 0, so `<=*` matches 0.0.x only.
            Open::Patch | Open::Major => {
                (version.major(), version.minor()) <= (wanted.major(), wanted.minor())
            }
        };
        (!within).then_some(Failure::Greater)
    }

    /// `~1.2.3` allows other patches, `~1` other minors, `~*` everything.
    fn tilde(&self, version: &Version) -> Option<Failure> {
        let wanted = &self.version;
        if version < wanted {
            return Some(Failure::Less);
        }
        let zero = (wanted.major(), wanted.minor(), wanted.patch()) == (0, 0, 0);
        // Flux: `~0.0.0` is taken for `~*`.
        if zero && matches!(self.open, Open::Major | Open::Nothing) {
            return None;
        }
        if version.major() != wanted.major() {
            return Some(Failure::OtherMajor);
        }
        (version.minor() != wanted.minor() && self.open != Open::Minor)
            .then_some(Failure::OtherMajorOrMinor)
    }

    /// `^1.2.3` allows whatever keeps the first number that is not zero.
    fn caret(&self, version: &Version) -> Option<Failure> {
        let wanted = &self.version;
        if version < wanted {
            return Some(Failure::Less);
        }
        if wanted.major() > 0 || self.open == Open::Minor {
            return (version.major() != wanted.major()).then_some(Failure::OtherMajor);
        }
        if version.major() > 0 {
            return Some(Failure::OtherMajor);
        }
        if wanted.minor() > 0 || self.open == Open::Patch {
            return (version.minor() != wanted.minor()).then_some(Failure::OtherMinorOfZero);
        }
        if version.minor() > 0 {
            return Some(Failure::OtherMinor);
        }
        (version.patch() != wanted.patch()).then_some(Failure::OtherPatchOfZero)
    }
}
