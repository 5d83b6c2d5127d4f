//! The event as it is, to whoever makes something of it.

pub(crate) mod azure_event_hub;
pub(crate) mod generic;
pub(crate) mod generic_hmac;
pub(crate) mod github_dispatch;
pub(crate) mod google_pubsub;
pub(crate) mod nats;
