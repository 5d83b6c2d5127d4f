//! Repositories at GitHub and GitHub Enterprise.

use secret_text::Secret;
use url::Url;

use super::Api;
use crate::address::{below, repository};
use crate::refusal::Dialect;
use crate::{Error, Provider, UriFault};

pub(crate) fn api(provider: &Provider) -> Result<Api, Error> {
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
    Ok(Api {
        server,
        dialect: Dialect::GitHub,
        repository: ["repos", owner, name].map(str::to_owned).into(),
        headers: vec![
            ("Authorization", Secret::new(format!("Bearer {}", token.expose()))),
            ("X-GitHub-Api-Version", Secret::new("2022-11-28")),
        ],
    })
}
