//! GitLab's merge requests.

use event_api::Event;
use serde_json::json;

use super::{Comment, user};
use crate::git_service::gitlab::Api;
use crate::git_service::{changed, listed};
use crate::request::Method;
use crate::{Error, Provider, Request, Step};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let api = Api::of(provider)?;
    let comment = Comment::of(provider, event, "flux-mr-comment-key")?;
    let whoami = api.authorized(Request::get(api.user()));
    Ok(Step::ask(whoami, move |answer| {
        let author = user(answer, "username")?;
        let number = comment.number.to_string();
        let notes = api.url(&["merge_requests", &number, "notes"]);
        let mut list = notes.clone();
        list.set_query(Some("order_by=created_at&per_page=100&sort=asc"));
        Ok(Step::ask(api.authorized(Request::get(list)), move |answer| {
            let found = listed(answer, "list merge request notes")?;
            let body = json!({"body": comment.body});
            let (request, what) = match comment.written(&found, "/author/username", &author) {
                Some(id) => {
                    let url = api.url(&["merge_requests", &number, "notes", &id.to_string()]);
                    (Request::json(Method::Put, url, &body), "update merge request note")
                }
                None => (Request::post(notes, &body), "create merge request note"),
            };
            Ok(changed(api.authorized(request), what))
        }))
    }))
}
