//! The tests of a release, run.

use std::time::Duration;

use helm_release::{HookEvent, Intent, IntentAction, Record};

use super::run::{Run, conclude, intent};
use crate::error::{ActionError, HookError};
use crate::hooks;
use crate::options::Options;
use crate::outcome::Attempt;
use crate::storage::History;
use crate::target::Target;

/// How tests are run.
#[derive(Clone, Debug)]
pub struct TestOptions {
    /// How long each test may take.
    pub timeout: Duration,
    /// Which tests run.
    pub filters: TestFilters,
    /// Tells the health of some kinds in its own way.
    pub health: Option<std::sync::Arc<dyn cluster_apply::HealthEvaluator>>,
}

/// Which tests run: first some are left out, then some are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestFilters {
    /// Names of tests that are left out.
    pub exclude: Vec<String>,
    /// Names of tests that are taken; all if empty.
    pub include: Vec<String>,
}

impl TestFilters {
    /// Whether a test runs.
    pub fn choose(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|known| known == name);
        !named(&self.exclude) && (self.include.is_empty() || named(&self.include))
    }
}

/// Runs the tests of the newest revision.
///
/// Writes the record and the tests' objects. When it is dropped and begun again, it goes on where it
/// was: a test that has run is not run again.
pub async fn test(target: &Target, history: &History, options: &TestOptions) -> Attempt {
    let mut run = Run::new(target);
    let result = perform(&mut run, history, options).await;
    run.end(result)
}

async fn perform(
    run: &mut Run<'_>,
    history: &History,
    options: &TestOptions,
) -> Result<(), ActionError> {
    history.check()?;
    let mut record = Record::clone(history.last().ok_or(ActionError::NotFound)?);
    // An intent that is not done is of a test that was killed: go on with it.
    if !matches!(record.intent, Some(Intent { action: IntentAction::Test, done: false, .. })) {
        let made_by = record.intent.as_ref().and_then(Intent::maker);
        record.intent = Some(Intent { made_by, ..intent(IntentAction::Test, None) });
    }
    let all =
        Options { timeout: options.timeout, health: options.health.clone(), ..Options::default() };
    let is_chosen = |name: &str| options.filters.choose(name);
    let end = hooks::run(run, &mut record, HookEvent::Test, &all, &is_chosen).await;
    conclude(&mut record);
    run.update(&record).await?;
    end.map_err(|source| match source {
        HookError::Store(error) => *error,
        source => ActionError::Test(Box::new(source)),
    })
}
