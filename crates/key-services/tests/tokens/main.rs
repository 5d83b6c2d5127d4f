//! Bearer tokens, asked for at fakes on the loopback interface that check what they are sent.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

mod clouds;
mod fake;
mod github_apps;

use std::time::Duration;

use key_services::{Ambient, Bearers, Client, Endpoints, Limits};

fn bearers(endpoints: Endpoints, ambient: Ambient) -> Bearers {
    let limits = Limits { tokens: 10, longest: Duration::from_hours(1) };
    let client = Client::with_timeout(Duration::from_millis(500)).unwrap();
    Bearers::new(client, endpoints, ambient, limits)
}
