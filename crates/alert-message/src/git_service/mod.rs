//! Git services: how their repositories are addressed, and how they answer.

use secret_text::Secret;
use serde_json::Value;
use url::Url;

use crate::address::below;
use crate::refusal::{Dialect, changed, listed};
use crate::{Answer, Error, Request, Step};

pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod gitlab;

/// A repository at a git service, and who asks for it.
#[derive(Clone)]
pub(crate) struct Api {
    server: Url,
    /// The path of the repository below the server.
    repository: Vec<String>,
    headers: Vec<(&'static str, Secret)>,
    dialect: Dialect,
}

impl Api {
    /// An address of the repository.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let repository = self.repository.iter().map(String::as_str);
        below(&self.server, repository.chain(segments.iter().copied()))
    }

    /// Asks for the name of the user who asks.
    pub(crate) fn whoami(&self) -> Request {
        self.get(below(&self.server, ["user"]))
    }

    /// Asks for what is at an address.
    pub(crate) fn get(&self, url: Url) -> Request {
        self.authorized(Request::get(url))
    }

    /// What such a request answered. `told` comes before what is said of a refusal.
    pub(crate) fn listed(&self, answer: &Answer, told: &'static str) -> Result<Value, Error> {
        listed(answer, self.dialect, told)
    }

    /// A change, after which nothing follows.
    pub(crate) fn change(&self, request: Request, told: &'static str) -> Step {
        changed(self.authorized(request), self.dialect, told)
    }

    fn authorized(&self, request: Request) -> Request {
        let with =
            |request: Request, (name, value): &(&str, Secret)| request.with(name, value.expose());
        self.headers.iter().fold(request, with)
    }
}
