//! Whether a failure passes by itself.

use std::error::Error;

use cluster_apply::ApiError;
use helm_action::{ActionError, HookError, ObjectError};

/// Whether an action failed by something that passes: the API server or a webhook was not there.
///
/// Differs: Flux counts such a failure as a try like any other, so a release whose webhook was down
/// for a minute stays failed until somebody looks at it. Here it is tried again, with a growing
/// delay, and does not count.
pub(super) fn is_transient(error: &ActionError) -> bool {
    match error {
        ActionError::Objects(errors) | ActionError::Delete { errors, .. } => {
            errors.iter().any(of_object)
        }
        ActionError::Hook { source, .. } | ActionError::Test(source) => of_hook(source),
        ActionError::Crds(source) => is_transient(source),
        ActionError::Uninstalled(errors) => errors.iter().any(is_transient),
        other => of_chain(other),
    }
}

fn of_hook(error: &HookError) -> bool {
    match error {
        HookError::Create { source, .. } | HookError::Delete(source) => of_object(source),
        other => of_chain(other),
    }
}

fn of_object(error: &ObjectError) -> bool {
    match error {
        ObjectError::Api(error)
        | ObjectError::Get(error)
        | ObjectError::Apply { source: error, .. }
        | ObjectError::Conflict { source: error, .. }
        | ObjectError::Replace(error)
        | ObjectError::Delete { source: error, .. } => of_api(error),
        ObjectError::Create(source) => of_object(source),
    }
}

fn of_chain(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let api = error
            .downcast_ref::<ApiError>()
            .or_else(|| error.downcast_ref::<Box<ApiError>>().map(|error| &**error));
        if api.is_some_and(of_api) {
            return true;
        }
        next = error.source();
    }
    false
}

fn of_api(error: &ApiError) -> bool {
    error.is_passing() || matches!(error, ApiError::Login(_))
}
