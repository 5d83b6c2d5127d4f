//! Services where people talk.

pub(crate) mod discord;
pub(crate) mod google_chat;
pub(crate) mod lark;
pub(crate) mod matrix;
pub(crate) mod ms_teams;
pub(crate) mod rocket;
pub(crate) mod slack;
pub(crate) mod telegram;
pub(crate) mod webex;
pub(crate) mod zulip;
