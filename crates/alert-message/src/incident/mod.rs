//! Services that keep alerts, incidents, annotations and traces.

pub(crate) mod alertmanager;
pub(crate) mod datadog;
pub(crate) mod grafana;
pub(crate) mod opsgenie;
pub(crate) mod otel;
pub(crate) mod pager_duty;
mod protobuf;
pub(crate) mod sentry;
