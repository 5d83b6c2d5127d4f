//! Repositories at GitHub and GitHub Enterprise.

use secret_text::Secret;
use url::Url;

use super::changed;
use crate::address::{below, repository};
use crate::{Error, Provider, Request, Step, UriFault};

/// A repository at GitHub.
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
            let sentence = "github token or github app details must be specified";
            return Err(Error::Setting { sentence });
        }
        let repository = repository(&provider.address)?;
        let (owner, name) = repository
            .owner_and_name()
            .map_err(|_deeper| Error::GitHubRepository { id: repository.id.clone() })?;
        let server = if repository.server.host_str() == Some("github.com") {
            Url::parse("https://api.github.com").map_err(|_malformed| Error::Address {
                what: "GitHub address",
                fault: UriFault::Malformed,
            })?
        } else {
            below(&repository.server, ["api", "v3"])
        };
        let (owner, name) = (owner.to_owned(), name.to_owned());
        Ok(Self { server, owner, name, token: token.clone() })
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
        request.bearer(&self.token).with("X-GitHub-Api-Version", "2022-11-28")
    }

    /// A change, after which nothing follows.
    pub(crate) fn tell(&self, request: Request, what: &'static str) -> Step {
        changed(self.authorized(request), what)
    }
}
