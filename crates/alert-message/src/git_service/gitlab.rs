//! Projects at GitLab.

use super::Api;
use crate::address::{below, repository};
use crate::refusal::Dialect;
use crate::{Error, Provider};

pub(crate) fn api(provider: &Provider) -> Result<Api, Error> {
    let token = provider.token_or_password();
    if token.is_empty() {
        return Err(Error::Setting { sentence: "gitlab token cannot be empty" });
    }
    let repository = repository(&provider.address)?;
    Ok(Api {
        dialect: Dialect::GitLab,
        server: below(&repository.server, ["api", "v4"]),
        repository: vec!["projects".to_owned(), repository.id],
        headers: vec![("Private-Token", token.clone())],
    })
}
