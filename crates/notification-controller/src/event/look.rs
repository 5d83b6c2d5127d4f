//! Looking at the objects of open incidents of which nothing is heard: a recovery may have been told to
//! another replica, lost, or not been told at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alert_incident::{ObjectKey, Sight};
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::listed::{Source, sight};
use crate::context::Context;

/// How often is looked.
const EVERY: Duration = Duration::from_mins(3);
/// Limit: lists that are asked for each time; the others have their turn the next time.
const LISTS: usize = 100;
/// How long a list may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Namespace and kind.
type Place = (String, String);

/// Looks, until the process ends.
pub(crate) async fn look_again(ctx: Arc<Context>) {
    let mut last = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = ctx.runtime.shutdown() => return,
        }
        let places = turn(ctx.memory.silent(Instant::now()), last.as_ref());
        for (place, silent) in &places {
            tokio::select! {
                () = look(&ctx, place, silent) => {}
                () = ctx.runtime.shutdown() => return,
            }
        }
        last = places.into_iter().next_back().map(|(place, _)| place);
    }
}

/// The places that are looked at after that one.
fn turn(silent: BTreeSet<ObjectKey>, last: Option<&Place>) -> Vec<(Place, Vec<ObjectKey>)> {
    let mut places: BTreeMap<Place, Vec<ObjectKey>> = BTreeMap::new();
    for object in silent {
        let place = (object.namespace().to_owned(), object.kind().to_owned());
        places.entry(place).or_default().push(object);
    }
    let Some(last) = last else { return places.into_iter().take(LISTS).collect() };
    let mut next = places.split_off(last);
    let again = next.remove_entry(last);
    next.into_iter().chain(places).chain(again).take(LISTS).collect()
}

async fn look(ctx: &Arc<Context>, (namespace, kind): &Place, silent: &[ObjectKey]) {
    let Some(source) = Source::of(namespace, kind) else { return };
    let (mut sights, now) = (HashMap::new(), Timestamp::now());
    let listed = source.each(&ctx.runtime.client, |object| {
        sights.insert(object.name_any(), sight(&object, now));
    });
    let are_all = match tokio::time::timeout(PATIENCE, listed).await {
        Ok(Ok(are_all)) => are_all,
        Ok(Err(error)) => return tracing::debug!(error, kind, namespace, "cannot look"),
        Err(_elapsed) => return tracing::debug!(kind, namespace, "cannot look in time"),
    };
    for object in silent {
        let seen = match sights.get(object.name()) {
            Some(seen) => *seen,
            None => are_all.then_some(Sight::Gone),
        };
        if let Some(seen) = seen {
            see(ctx, object, seen);
        }
    }
}

/// Has all alerts know how an object is.
fn see(ctx: &Arc<Context>, object: &ObjectKey, seen: Sight) {
    let order = ctx.memory.in_order();
    for (rule, telling) in ctx.memory.see(object, seen, Instant::now()) {
        let bytes = telling.event.to_json().len();
        super::notify(ctx, &telling.event, &rule, telling.chapter.as_ref(), bytes);
    }
    drop(order);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_its_turn() {
        let silent: BTreeSet<_> =
            (0..250).map(|n| ObjectKey::new("K", format!("n{n:03}"), "web")).collect();
        let (mut last, mut seen) = (None, BTreeSet::new());
        for _ in 0..3 {
            let places = turn(silent.clone(), last.as_ref());
            assert_eq!(places.len(), LISTS);
            seen.extend(places.iter().map(|(place, _)| place.clone()));
            last = places.into_iter().next_back().map(|(place, _)| place);
        }
        assert_eq!(seen.len(), 250);
        let one = [ObjectKey::new("K", "n", "a")].into();
        assert_eq!(turn(one, Some(&("n".to_owned(), "K".to_owned()))).len(), 1, "again");
    }
}
