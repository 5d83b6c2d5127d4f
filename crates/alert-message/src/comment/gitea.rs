//! Pull requests of Gitea and Forgejo.

use event_api::Event;
use serde_json::json;

use super::{Comment, user};
use crate::git_service::gitea::Api;
use crate::git_service::{changed, listed};
use crate::request::Method;
use crate::{Error, Provider, Request, Step};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let api = Api::of(provider)?;
    let comment = Comment::of(provider, event, "flux-pr-comment-key")?;
    let whoami = api.authorized(Request::get(api.user()));
    Ok(Step::ask(whoami, move |answer| {
        let author = user(answer, "login")?;
        let comments = api.url(&["issues", &comment.number.to_string(), "comments"]);
        let mut list = comments.clone();
        list.set_query(Some("limit=100&page=1"));
        Ok(Step::ask(api.authorized(Request::get(list)), move |answer| {
            let found = listed(answer, "list pull request comments")?;
            let body = json!({"body": comment.body});
            let (request, what) = match comment.written(&found, "/user/login", &author) {
                Some(id) => {
                    let url = api.url(&["issues", "comments", &id.to_string()]);
                    (Request::json(Method::Patch, url, &body), "update pull request comment")
                }
                None => (Request::post(comments, &body), "create pull request comment"),
            };
            Ok(changed(api.authorized(request), what))
        }))
    }))
}
