//! Projects at GitLab.

use secret_text::Secret;
use url::Url;

use crate::address::{below, repository};
use crate::{Error, Provider, Request};

/// A project at GitLab.
#[derive(Clone)]
pub(crate) struct Api {
    server: Url,
    project: String,
    token: Secret,
}

impl Api {
    pub(crate) fn of(provider: &Provider) -> Result<Self, Error> {
        let token = provider.token_or_password();
        if token.is_empty() {
            return Err(Error::Setting { sentence: "gitlab token cannot be empty" });
        }
        let repository = repository(&provider.address)?;
        let server = below(&repository.server, ["api", "v4"]);
        Ok(Self { server, project: repository.id, token: token.clone() })
    }

    /// An address of the project.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let project = ["projects", self.project.as_str()];
        below(&self.server, project.into_iter().chain(segments.iter().copied()))
    }

    /// An address of the user who asks.
    pub(crate) fn user(&self) -> Url {
        below(&self.server, ["user"])
    }

    pub(crate) fn authorized(&self, request: Request) -> Request {
        request.with("Private-Token", self.token.expose())
    }
}
