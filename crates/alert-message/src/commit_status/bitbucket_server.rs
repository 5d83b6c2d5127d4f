//! Bitbucket Server and Data Center.

use event_api::Event;
use serde_json::{Value, json};
use url::Url;

use super::bitbucket::{STATES, key};
use super::{Status, id};
use crate::address::below;
use crate::refusal::{Dialect, changed, listed};
use crate::{Error, Provider, Request, Step, words};

const LOOK_FAILED: &str =
    "could not get existing commit status: failed api call to check duplicate commit status: ";
const SET_FAILED: &str = "could not post build status: could not post build commit status: ";

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let clone_url = provider.address.clone();
    let api = api(clone_url.expose())?;
    let id = id(provider)?;
    let has_login = !provider.username.is_empty() && !provider.password.is_empty();
    if provider.token.is_empty() && !has_login {
        let sentence = "invalid credentials, expected to be one of username/password or API Token";
        return Err(Error::Setting { sentence });
    }
    let Some(status) = Status::of(event, &STATES)? else { return Ok(Step::Done) };
    let builds = below(&api, ["commits", &status.commit, "builds"]);
    let key = key(&id);
    let mut look = builds.clone();
    look.query_pairs_mut().append_pair("key", &key);
    let label = format!("{} [{}]", words::short_object(event), status.description);
    let provider = provider.clone();
    Ok(Step::ask(authorized(&provider, Request::get(look)).told_as(LOOK_FAILED), move |answer| {
        if answer.status != 404 {
            let stands = listed(answer, Dialect::BitbucketServer, LOOK_FAILED)?;
            let wanted = [
                ("key", key.as_str()),
                ("state", status.state),
                ("description", &status.description),
                ("name", &label),
            ];
            let text = |key: &str| stands.get(key).and_then(Value::as_str);
            if wanted.iter().all(|(key, value)| text(key) == Some(value)) {
                return Ok(Step::Done);
            }
        }
        let body = json!({
            "key": key,
            "state": status.state,
            "url": clone_url.expose(),
            "description": status.description,
            "name": label,
        });
        let set = authorized(&provider, Request::post(builds, &body));
        Ok(changed(set, Dialect::BitbucketServer, SET_FAILED))
    }))
}

fn authorized(provider: &Provider, request: Request) -> Request {
    let request = if provider.token.is_empty() {
        request.basic(&provider.username, &provider.password)
    } else {
        request.bearer(&provider.token)
    };
    request.with("X-Atlassian-Token", "no-check").with("X-Requested-With", "XMLHttpRequest")
}

/// The API of the repository that a clone URL `https://host[/context]/scm/project/name.git` names.
fn api(clone_url: &str) -> Result<Url, Error> {
    let sentence =
        "could not parse git address: supplied provider address is not http(s) git clone url";
    let malformed = || Error::Setting { sentence };
    let mut url = Url::parse(clone_url).map_err(|_malformed| malformed())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::Setting {
            sentence: "could not parse git address: unsupported scheme type in address. Must be http or https",
        });
    }
    let path = url.path().strip_suffix(".git").unwrap_or_else(|| url.path()).to_owned();
    let (context, id) = path.rsplit_once("/scm/").ok_or_else(malformed)?;
    let (project, name) = id
        .split_once('/')
        .filter(|(_, name)| !name.contains('/'))
        .ok_or_else(|| Error::BitbucketServerRepository { id: id.to_owned() })?;
    url.set_path(&format!("{context}/rest/api/latest/projects/{project}/repos/{name}"));
    url.set_query(None);
    Ok(url)
}
