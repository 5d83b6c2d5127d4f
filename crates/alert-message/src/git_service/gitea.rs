//! Repositories at Gitea and Forgejo.

use secret_text::Secret;
use url::Url;

use crate::address::{below, repository};
use crate::{Error, Provider, Request};

/// A repository at Gitea.
#[derive(Clone)]
pub(crate) struct Api {
    server: Url,
    owner: String,
    name: String,
    token: Secret,
}

impl Api {
    pub(crate) fn of(provider: &Provider) -> Result<Self, Error> {
        let token = provider.token_or_password();
        if token.is_empty() {
            return Err(Error::Setting { sentence: "gitea token cannot be empty" });
        }
        let repository = repository(&provider.address)?;
        let (owner, name) = repository.owner_and_name()?;
        let server = below(&repository.server, ["api", "v1"]);
        Ok(Self { owner: owner.to_owned(), name: name.to_owned(), server, token: token.clone() })
    }

    /// An address of the repository.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let repository = ["repos", self.owner.as_str(), self.name.as_str()];
        below(&self.server, repository.into_iter().chain(segments.iter().copied()))
    }

    /// An address of the user who asks.
    pub(crate) fn user(&self) -> Url {
        below(&self.server, ["user"])
    }

    pub(crate) fn authorized(&self, request: Request) -> Request {
        request.with("Authorization", format!("token {}", self.token.expose()))
    }
}
