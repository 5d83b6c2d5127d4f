//! How a server that a user names is asked: login, certificates, proxy, redirects, limits.
//!
//! A [`Client`] knows how a server is reached; [`Client::send`] asks it. A login goes to the server
//! that it was given for and to no other, however often that server redirects. What comes back is
//! read piece by piece under a deadline and a cap.

mod access;
mod body;
mod cause;
mod client;
mod clients;
mod link_local;
mod tls;

pub use access::{Access, ClientCertificate, InvalidAccess, Login, Proxy};
pub use body::{Body, ReadError};
pub use cause::Cause;
pub use client::{Authorization, Client, Request, SendError};
pub use clients::Clients;
pub use link_local::is_link_local;
pub use reqwest::{Method, StatusCode, Url, header};
pub use secret_text::Secret;
