//! Which events a receiver wants to know of.

use crate::{Rejected, Request, only};

/// The event that a header names must be one of `wanted`, in any case; any will do if there are none.
pub(crate) fn check(
    wanted: &[String],
    request: Request<'_>,
    header: &'static str,
    what: &'static str,
) -> Result<(), Rejected> {
    let event = only(request.headers, header)?.unwrap_or_default();
    if wanted.is_empty() || wanted.iter().any(|one| one.to_lowercase() == event.to_lowercase()) {
        return Ok(());
    }
    Err(Rejected::Event { what, event: event.to_owned() })
}
