//! Definitions of custom resources.

use crate::fields::Fields;
use crate::{FieldError, Health};

pub(super) fn definition(fields: Fields<'_>) -> Result<Health, FieldError> {
    for condition in fields.conditions()? {
        match (condition.type_, condition.status) {
            ("NamesAccepted", "False") => return Ok(Health::failed(condition.message)),
            ("Established", "False") if condition.reason != "Installing" => {
                return Ok(Health::failed(condition.message));
            }
            ("Established", "True") => return Ok(Health::current("CRD is established")),
            _ => {}
        }
    }
    Ok(Health::in_progress("Install in progress"))
}
