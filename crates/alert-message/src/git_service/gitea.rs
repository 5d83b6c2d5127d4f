//! Repositories at Gitea and Forgejo.

use secret_text::Secret;

use super::Api;
use crate::address::{below, repository};
use crate::refusal::Dialect;
use crate::{Error, Provider};

pub(crate) fn api(provider: &Provider) -> Result<Api, Error> {
    let token = provider.token_or_password();
    if token.is_empty() {
        return Err(Error::Setting { sentence: "gitea token cannot be empty" });
    }
    let repository = repository(&provider.address)?;
    let (owner, name) = repository.owner_and_name()?;
    Ok(Api {
        dialect: Dialect::Gitea,
        server: below(&repository.server, ["api", "v1"]),
        repository: ["repos", owner, name].map(str::to_owned).into(),
        headers: vec![("Authorization", Secret::new(format!("token {}", token.expose())))],
    })
}
