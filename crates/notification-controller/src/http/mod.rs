//! The two servers: limits for strangers, metrics.
//!
//! Limit: strangers can make one server hold about 176 MiB: 4096 connections with 24 KiB each for the
//! beginnings of a head and a body, 16 MiB for large heads and 64 MiB for large bodies. What comes on a
//! connection before the request ahead of it is answered is counted after that.

mod body;
mod head;
mod places;
mod serve;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use serve::{Handler, Reply, Request, bind, serve};

/// What strangers may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Connections at once.
    connections: usize,
    /// How long the head of a request may take, from the end of the one before.
    head_timeout: Duration,
    /// How long a body may take.
    body_timeout: Duration,
    /// Bytes of one head.
    head: usize,
    /// Bytes of all heads, beyond the beginning of each.
    heads: usize,
    /// Bytes of one body.
    body: usize,
    /// Bytes of all bodies that are being read or looked at, beyond the beginning of each.
    bodies: usize,
    /// The beginning of a head or body that always finds room.
    beginning: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            // These two as in Flux.
            head: 256 << 10,
            body: 3 << 20,
            heads: 16 << 20,
            bodies: 64 << 20,
            beginning: 8 << 10,
        }
    }
}
