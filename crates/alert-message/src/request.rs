//! What is asked of a provider's server, step by step.

use secret_text::Secret;
use url::Url;

use crate::{Error, Place, Thread};

/// What Flux says first of most failures.
pub(crate) const POST_FAILED: &str = "postMessage failed: ";

/// What comes next.
#[expect(missing_debug_implementations, reason = "requests carry credentials")]
pub enum Step {
    /// Nothing: the provider has been told, or need not be.
    Done,
    /// Nothing: the provider has been told, and what follows can be told below that.
    Begun(Thread),
    /// A request; its answer decides what comes next.
    Ask(Request, Continuation),
    /// A message for a NATS server; nothing comes after it.
    Publish(Publication),
}

/// What follows an answer.
pub type Continuation = Box<dyn FnOnce(&Answer) -> Result<Step, Error> + Send>;

/// A request.
#[expect(missing_debug_implementations, reason = "requests carry credentials")]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to. May be a secret as a whole.
    pub url: Url,
    /// Headers besides the content type.
    pub headers: Vec<(String, Secret)>,
    /// Content type and content.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// The key that signs it when it is sent, which takes a clock.
    pub shared_key: Option<SharedKey>,
    /// What is said first where it fails.
    pub told: &'static str,
}

/// A shared key of Azure, which signs the address and a time of expiry.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "credentials")]
pub struct SharedKey {
    /// Its name.
    pub name: String,
    /// The key.
    pub key: Secret,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "HTTP's own names")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
}

/// A message for a NATS server.
#[expect(missing_debug_implementations, reason = "it carries credentials")]
pub struct Publication {
    /// Address of the server.
    pub server: String,
    /// The subject.
    pub subject: String,
    /// The message.
    pub message: String,
    /// Who publishes it.
    pub login: Option<NatsLogin>,
}

/// Who we are to a NATS server.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "credentials")]
pub enum NatsLogin {
    /// A credentials file: a token and the seed that signs for it.
    Credentials(Secret),
    /// A seed.
    Seed(Secret),
    /// A user and its password.
    Password {
        /// The user.
        username: String,
        /// Its password.
        password: Secret,
    },
}

impl Method {
    /// As HTTP writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

impl Step {
    /// A request whose answer is judged by `then`.
    pub(crate) fn ask(
        request: Request,
        then: impl FnOnce(&Answer) -> Result<Self, Error> + Send + 'static,
    ) -> Self {
        Self::Ask(request, Box::new(then))
    }

    /// A request after which nothing follows if it succeeds.
    pub(crate) fn tell(request: Request) -> Self {
        let told = request.told;
        Self::ask(request, move |answer| answer.accepted(told).map(|()| Self::Done))
    }

    /// The same, where the answer says at a JSON pointer what others can be told below.
    pub(crate) fn tell_at(place: Place<'_>, request: Request, pointer: &'static str) -> Self {
        let is_first = place == Place::First;
        let told = request.told;
        Self::ask(request, move |answer| {
            answer.accepted(told).map(|()| Self::told(is_first, answer, pointer))
        })
    }

    /// The end, with the handle at a JSON pointer of the answer if that may be the first of several.
    pub(crate) fn told(is_first: bool, answer: &Answer, pointer: &str) -> Self {
        let found = || Thread::found(&answer.json(), pointer);
        is_first.then(found).flatten().map_or(Self::Done, Self::Begun)
    }
}

impl Request {
    /// A request without anything.
    pub(crate) const fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: None, shared_key: None, told: POST_FAILED }
    }

    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::Get, url)
    }

    /// A request with a JSON body, letter for letter.
    pub(crate) fn json_text(method: Method, url: Url, body: String) -> Self {
        let body = Some(("application/json", body.into_bytes()));
        Self { body, ..Self::new(method, url) }
    }

    pub(crate) fn json(method: Method, url: Url, body: &serde_json::Value) -> Self {
        Self::json_text(method, url, body.to_string())
    }

    pub(crate) fn post(url: Url, body: &serde_json::Value) -> Self {
        Self::json(Method::Post, url, body)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), Secret::new(value)));
        self
    }

    pub(crate) const fn told_as(mut self, told: &'static str) -> Self {
        self.told = told;
        self
    }

    pub(crate) fn signed_by(mut self, key: SharedKey) -> Self {
        self.shared_key = Some(key);
        self
    }

    pub(crate) fn bearer(self, token: &Secret) -> Self {
        self.with("Authorization", format!("Bearer {}", token.expose()))
    }

    pub(crate) fn basic(self, username: &str, password: &Secret) -> Self {
        use base64::Engine as _;
        let login = format!("{username}:{}", password.expose());
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        self.with("Authorization", format!("Basic {login}"))
    }
}

impl Answer {
    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// # Errors
    /// Unless the answer is a success.
    pub(crate) fn accepted(&self, told: &'static str) -> Result<(), Error> {
        if self.is_success() {
            return Ok(());
        }
        Err(Error::Refused { told, status: self.status, body: self.text() })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
