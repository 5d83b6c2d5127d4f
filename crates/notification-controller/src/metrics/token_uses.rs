//! Tokens that were kept or had to be asked for, with the names that Flux has for it.

use std::sync::atomic::Ordering;

use crd_types::notification::Provider;
use key_services::{Bearer, Counts};
use kube::ResourceExt as _;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use reconcile_loop::metrics::Metrics;

use crate::provider::token::Error;

const HIT: &str = "cache_hit";
const MISS: &str = "cache_miss";

/// The metrics `gotk_token_…`.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenUses {
    events: Family<EventLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    items: Gauge,
    evictions: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EventLabels {
    event_type: &'static str,
    kind: &'static str,
    name: String,
    namespace: String,
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    status: &'static str,
}

impl TokenUses {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.with_registry(|registry| {
            let help = "Total number of cache retrieval events for a Gitops Toolkit resource \
                        reconciliation";
            registry.register("gotk_token_cache_events", help, own.events.clone());
            let help = "Total number of cache requests partioned by success or failure";
            registry.register("gotk_token_cache_requests", help, own.requests.clone());
            let help = "Total number of items in the cache";
            registry.register("gotk_token_cached_items", help, own.items.clone());
            let help = "Total number of cache evictions";
            registry.register("gotk_token_cache_evictions", help, own.evictions.clone());
        });
        own
    }

    /// Counts that a provider's token was wanted, and what is kept since.
    pub(crate) fn count(&self, of: &Provider, asked: Result<&Bearer, &Error>, counts: Counts) {
        let (event, status) = match asked {
            Ok(bearer) if bearer.was_kept => (HIT, "success"),
            Ok(_) => (MISS, "success"),
            Err(error) if error.is_of_asking() => (MISS, "failure"),
            Err(_) => return,
        };
        self.events.get_or_create(&labels(event, of)).inc();
        self.requests.get_or_create(&RequestLabels { status }).inc();
        self.items.set(i64::try_from(counts.kept).unwrap_or(i64::MAX));
        self.evictions.inner().store(counts.evicted, Ordering::Relaxed);
    }

    /// Forgets what was counted of a Provider that is gone.
    pub(crate) fn forget(&self, provider: &Provider) {
        for event in [HIT, MISS] {
            self.events.remove(&labels(event, provider));
        }
    }
}

fn labels(event_type: &'static str, of: &Provider) -> EventLabels {
    EventLabels {
        event_type,
        kind: "Provider",
        name: of.name_any(),
        namespace: of.namespace().unwrap_or_default(),
        operation: "post",
    }
}

#[cfg(test)]
mod tests {
    use crd_types::notification::ProviderSpec;

    use super::*;

    #[test]
    fn uses_are_counted_until_the_provider_is_gone() {
        let metrics = Metrics::default();
        let uses = TokenUses::register(&metrics);
        let provider = Provider::new("hub", ProviderSpec::default());
        let bearer =
            |was_kept| Bearer { token: String::new().into(), slug: String::new(), was_kept };
        let counts = Counts { kept: 1, evicted: 3 };
        for was_kept in [false, true, true] {
            uses.count(&provider, Ok(&bearer(was_kept)), counts);
        }
        uses.count(&provider, Err(&Error::Deadline), counts);
        let text = metrics.text();
        let of = |event| {
            format!(
                "gotk_token_cache_events_total{{event_type=\"{event}\",kind=\"Provider\",name=\"hub\",\
                 namespace=\"\",operation=\"post\"}}"
            )
        };
        for line in [
            format!("{} 2", of(HIT)),
            format!("{} 2", of(MISS)),
            "gotk_token_cache_requests_total{status=\"success\"} 3".to_owned(),
            "gotk_token_cache_requests_total{status=\"failure\"} 1".to_owned(),
            "gotk_token_cached_items 1".to_owned(),
            "gotk_token_cache_evictions_total 3".to_owned(),
        ] {
            assert!(text.contains(&line), "{line}\n{text}");
        }
        uses.forget(&provider);
        assert!(!metrics.text().contains("hub"));
    }
}
