//! What a process before this one did and did not come to note, by the record that it left. Pure.

use helm_release::{IntentAction, Record, Status};

use crate::helm_release::conclude::outcome::Outcome;

/// What became of an action that is done. `tested` says how many tests ran, in Flux's words.
pub(super) fn outcome(
    action: IntentAction,
    record: &Record,
    tested: impl FnOnce() -> String,
) -> Option<Outcome> {
    let failure = match action {
        IntentAction::Test => record.intent.as_ref().and_then(|intent| intent.failure.clone()),
        _ => failure(record),
    };
    Some(match (action, failure) {
        (IntentAction::Install, None) => Outcome::Installed,
        (IntentAction::Install, Some(error)) => Outcome::InstallFailed { error },
        (IntentAction::Upgrade, None) => Outcome::Upgraded,
        (IntentAction::Upgrade, Some(error)) => Outcome::UpgradeFailed { error },
        (IntentAction::Rollback, None) => Outcome::RolledBack,
        (IntentAction::Rollback, Some(error)) => Outcome::RollbackFailed { error },
        (IntentAction::Test, None) => Outcome::Tested { message: tested() },
        (IntentAction::Test, Some(error)) => Outcome::TestFailed { error },
        // What is uninstalled leaves nothing to be noted.
        (IntentAction::Uninstall, _) => return None,
    })
}

/// Why the release failed, out of its description.
fn failure(record: &Record) -> Option<String> {
    let told = &record.info.description;
    let error = told.split_once("failed: ").map_or(told.as_str(), |(_, error)| error);
    (record.info.status == Status::Failed).then(|| error.to_owned())
}

#[cfg(test)]
mod tests {
    use helm_release::{Info, Intent};

    use super::*;

    fn left(action: IntentAction, status: Status, failure: Option<&str>) -> Option<Outcome> {
        let intent = Intent {
            action,
            started_at: String::new(),
            from: None,
            made_by: None,
            failure: failure.map(str::to_owned),
            done: true,
        };
        let description = "Upgrade \"app\" failed: no".to_owned();
        let info = Info { status, description, ..Info::default() };
        let record = Record { info, intent: Some(intent), ..Record::default() };
        outcome(action, &record, || "1 test hook completed successfully".to_owned())
    }

    #[test]
    fn a_failure_is_noted_as_one() {
        use IntentAction::{Install, Rollback, Test, Uninstall, Upgrade};
        let error = || "no".to_owned();
        assert_eq!(left(Install, Status::Deployed, None), Some(Outcome::Installed));
        for (action, outcome) in [
            (Install, Outcome::InstallFailed { error: error() }),
            (Upgrade, Outcome::UpgradeFailed { error: error() }),
            (Rollback, Outcome::RollbackFailed { error: error() }),
        ] {
            assert_eq!(left(action, Status::Failed, None), Some(outcome));
        }
        // A release whose tests failed is deployed all the same.
        let failed = Outcome::TestFailed { error: error() };
        assert_eq!(left(Test, Status::Deployed, Some("no")), Some(failed));
        let message = "1 test hook completed successfully".to_owned();
        assert_eq!(left(Test, Status::Deployed, None), Some(Outcome::Tested { message }));
        assert_eq!(left(Uninstall, Status::Uninstalled, None), None);
    }
}
