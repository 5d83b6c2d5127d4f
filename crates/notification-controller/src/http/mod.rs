//! The two servers: limits for strangers, metrics.

mod body;
mod serve;

pub(crate) use serve::{Handler, Reply, Request, bind, serve};
