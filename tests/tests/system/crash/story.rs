//! What a controller is doing when it is killed, and what must come of it.

use serde_json::{Value, json};

use super::chart;

/// What a controller is doing when it is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Story {
    /// A chart is installed, then tested.
    Install,
    /// An install fails, is uninstalled and tried again.
    InstallRemedy,
    /// A release is upgraded, then tested.
    Upgrade,
    /// An upgrade fails, is rolled back and tried again.
    UpgradeRemedy,
    /// The test of an upgrade fails, so that it is rolled back and tried again. It has no other hooks.
    TestRemedy,
    /// The object is deleted.
    Uninstall,
}

impl Story {
    pub(super) const ALL: [Self; 6] = [
        Self::Uninstall,
        Self::UpgradeRemedy,
        Self::TestRemedy,
        Self::Upgrade,
        Self::InstallRemedy,
        Self::Install,
    ];

    /// For names of objects.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::InstallRemedy => "reinstall",
            Self::Upgrade => "upgrade",
            Self::UpgradeRemedy => "rollback",
            Self::TestRemedy => "retest",
            Self::Uninstall => "uninstall",
        }
    }

    /// Whether it begins with a release.
    pub(super) const fn begins_installed(self) -> bool {
        !matches!(self, Self::Install | Self::InstallRemedy)
    }

    /// What the object says at the beginning, if it begins with a release.
    pub(super) fn first() -> Value {
        spec("1.0.0", "one", "never")
    }

    /// What the object says then; nothing if it goes.
    pub(super) fn then(self) -> Option<Value> {
        Some(match self {
            Self::Install => spec("1.0.0", "one", "never"),
            Self::InstallRemedy => spec("1.0.0", "one", "install"),
            Self::Upgrade => spec("2.0.0", "two", "never"),
            Self::UpgradeRemedy => spec("2.0.0", "two", "upgrade"),
            Self::TestRemedy => spec("2.0.0", "two", "test"),
            Self::Uninstall => return None,
        })
    }

    /// All revisions that must be in storage in the end.
    pub(super) const fn revisions(self) -> &'static str {
        match self {
            Self::Install | Self::InstallRemedy => "1:deployed",
            Self::Upgrade => "1:superseded 2:deployed",
            Self::UpgradeRemedy => "1:superseded 2:failed 3:superseded 4:deployed",
            Self::TestRemedy => "1:superseded 2:superseded 3:superseded 4:deployed",
            Self::Uninstall => "",
        }
    }

    /// The revision that is released in the end.
    pub(super) const fn last_revision(self) -> u32 {
        match self {
            Self::Install | Self::InstallRemedy | Self::Uninstall => 1,
            Self::Upgrade => 2,
            Self::UpgradeRemedy | Self::TestRemedy => 4,
        }
    }

    /// How often each hook runs, by Helm's rules; the others do not.
    pub(super) const fn hooks(self) -> &'static [(&'static str, usize)] {
        match self {
            Self::Install => &[("pre-install", 1), ("post-install", 1), ("test", 1)],
            Self::InstallRemedy => &[
                ("pre-install", 2),
                ("pre-delete", 1),
                ("post-delete", 1),
                ("post-install", 1),
                ("test", 1),
            ],
            Self::Upgrade => &[("pre-upgrade", 1), ("post-upgrade", 1), ("test", 1)],
            Self::UpgradeRemedy => &[
                ("pre-upgrade", 2),
                ("pre-rollback", 1),
                ("post-rollback", 1),
                ("post-upgrade", 1),
                ("test", 1),
            ],
            // Going back runs what the first revision has.
            Self::TestRemedy => &[("pre-rollback", 1), ("post-rollback", 1), ("test", 2)],
            Self::Uninstall => &[("pre-delete", 1), ("post-delete", 1)],
        }
    }
}

fn spec(version: &str, text: &str, broken: &str) -> Value {
    json!({
        "interval": "1h",
        // Longer than a busy machine needs.
        "timeout": "4m",
        "chart": {"spec": {
            "chart": chart::NAME,
            "version": version,
            "sourceRef": {"kind": "HelmRepository", "name": "charts"},
        }},
        "install": {"remediation": {"retries": 1}},
        "upgrade": {"remediation": {"retries": 1}},
        "test": {"enable": true},
        "values": {"text": text, "broken": broken, "hooks": broken != "test"},
    })
}
