//! What we ask for.

use gix_hash::ObjectId;

use super::{
    advertisement::Features,
    packet::{push, push_delimiter, push_flush},
};

const AGENT: &str = concat!("agent=ferroflux/", env!("CARGO_PKG_VERSION"));

/// Asks for the references whose names start with one of `prefixes` (all if there is none). Only in
/// version 2.
pub(crate) fn ls_refs(features: &Features, prefixes: &[String]) -> Vec<u8> {
    let mut message = command(features, "command=ls-refs");
    push(&mut message, "peel");
    for prefix in prefixes {
        push(&mut message, &format!("ref-prefix {prefix}"));
    }
    push_flush(&mut message);
    message
}

/// Asks for the objects of `wants`; with `depth`, only so many commits of their history.
pub(crate) fn fetch(
    features: &Features,
    version_2: bool,
    wants: &[ObjectId],
    depth: Option<u32>,
) -> Vec<u8> {
    let mut message = Vec::new();
    if version_2 {
        message = command(features, "command=fetch");
        push(&mut message, "ofs-delta");
        push(&mut message, "no-progress");
    }
    for (at, want) in wants.iter().enumerate() {
        if version_2 || at > 0 {
            push(&mut message, &format!("want {want}"));
        } else {
            // Features go with the first wish. Acknowledgements of nothing are all alike, so any
            // dialect of them serves; some servers insist on the newest.
            let wished =
                ["multi_ack_detailed", "side-band-64k", "ofs-delta", "shallow", "no-progress"];
            let offered: Vec<&str> = wished.into_iter().filter(|name| features.has(name)).collect();
            push(&mut message, &format!("want {want} {} {AGENT}", offered.join(" ")));
        }
    }
    // A server that cannot cut history sends all of it: slower, but right.
    let cuts = if version_2 {
        features.value("fetch").is_some_and(|value| value.split(' ').any(|name| name == "shallow"))
    } else {
        features.has("shallow")
    };
    if let Some(depth) = depth.filter(|_| cuts) {
        push(&mut message, &format!("deepen {depth}"));
    }
    if version_2 {
        push(&mut message, "done");
        push_flush(&mut message);
    } else {
        push_flush(&mut message);
        push(&mut message, "done");
    }
    message
}

fn command(features: &Features, command: &str) -> Vec<u8> {
    let mut message = Vec::new();
    push(&mut message, command);
    if features.has("agent") {
        push(&mut message, AGENT);
    }
    if let Some(format) = features.value("object-format") {
        push(&mut message, &format!("object-format={format}"));
    }
    push_delimiter(&mut message);
    message
}
