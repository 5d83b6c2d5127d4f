//! Where tokens are handed out.

use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::Reason;
use crate::identity::Secret;
use crate::{Client, Endpoints};

/// The content type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Who is asked for tokens, and how.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) client: &'a Client,
    pub(crate) endpoints: &'a Endpoints,
}

/// A token that was handed out.
pub(crate) struct Granted {
    pub(crate) token: Secret,
    /// How long it is good for, if that was said.
    pub(crate) life: Option<Duration>,
}

impl Granted {
    /// From an answer as OAuth 2 has it. Azure's machines write the number as a text.
    pub(crate) fn read(answer: &Value, step: &'static str) -> Result<Self, Reason> {
        let token = answer["access_token"].as_str().filter(|token| !token.is_empty());
        let token = token.ok_or(Reason::Answer { step })?;
        let life = &answer["expires_in"];
        let seconds = life.as_u64().or_else(|| life.as_str()?.parse().ok());
        let life = seconds.map(Duration::from_secs);
        Ok(Self { token: Zeroizing::new(token.to_owned()), life })
    }
}
