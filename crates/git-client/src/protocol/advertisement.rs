//! What a server offers: its features, and its references.

use gix_hash::ObjectId;

use super::packet::{Packet, Packets};
use crate::error::Error;

/// A reference of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteRef {
    /// The full name.
    pub(crate) name: String,
    /// What it points to: of an annotated tag, what the tag points to in the end.
    pub(crate) id: ObjectId,
}

/// The first answer.
#[derive(Debug)]
pub(crate) enum Advertisement {
    /// References are to be asked for.
    Version2(Features),
    /// Here they all are.
    Version0(Features, Vec<RemoteRef>),
}

/// What a server can do.
#[derive(Debug, Default)]
pub(crate) struct Features(Vec<String>);

impl Features {
    /// Whether the server has the feature, with whatever value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value of a feature; empty if it has none.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|feature| {
            let rest = feature.strip_prefix(name)?;
            if rest.is_empty() { Some("") } else { rest.strip_prefix('=') }
        })
    }
}

/// Reads the first answer.
pub(crate) async fn advertisement(packets: &mut Packets) -> Result<Advertisement, Error> {
    let mut first = packets.expect().await?;
    if first.line().is_some_and(|line| line.starts_with(b"# service=")) {
        if packets.expect().await? != Packet::Flush {
            return Err(Error::Protocol { what: "its announcement does not end" });
        }
        first = match packets.next().await? {
            Some(packet) => packet,
            // Nothing behind the announcement: nothing in the repository.
            None => return Ok(Advertisement::Version0(Features::default(), Vec::new())),
        };
    }
    if first.line() != Some(b"version 2") {
        return version_0(packets, first).await;
    }
    let mut features = Vec::new();
    while let Some(line) = packets.expect().await?.line() {
        features.push(String::from_utf8_lossy(line).into_owned());
    }
    let features = Features(features);
    check_format(&features)?;
    Ok(Advertisement::Version2(features))
}

async fn version_0(packets: &mut Packets, first: Packet) -> Result<Advertisement, Error> {
    let mut features = Features::default();
    let mut refs = Vec::new();
    let mut at = first;
    while let Some(line) = at.line() {
        let line = String::from_utf8_lossy(line);
        let (line, rest) = line.split_once('\0').unwrap_or((&line, ""));
        if !rest.is_empty() {
            features = Features(rest.split(' ').map(str::to_owned).collect());
        }
        // `version 1` and `shallow <id>` are no references.
        if !line.starts_with("version ") && !line.starts_with("shallow ") {
            add(&mut refs, line)?;
        }
        at = packets.expect().await?;
    }
    check_format(&features)?;
    Ok(Advertisement::Version0(features, refs))
}

/// Takes in `<id> <name>`, where `<name>^{}` says what the tag before points to.
fn add(refs: &mut Vec<RemoteRef>, line: &str) -> Result<(), Error> {
    let (id, name) =
        line.split_once(' ').ok_or(Error::Protocol { what: "a reference is broken" })?;
    let id = parse_id(id)?;
    if let Some(tag) = name.strip_suffix("^{}") {
        // `capabilities^{}` stands where there is no reference.
        if let Some(last) = refs.last_mut().filter(|last| last.name == tag) {
            last.id = id;
        }
        return Ok(());
    }
    refs.push(RemoteRef { name: name.to_owned(), id });
    Ok(())
}

/// Reads the answer to `ls-refs`, or as many of it as are `enough`.
pub(crate) async fn refs(packets: &mut Packets, enough: usize) -> Result<Vec<RemoteRef>, Error> {
    let mut refs = Vec::new();
    while refs.len() < enough
        && let Some(line) = packets.expect().await?.line()
    {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ');
        let (Some(id), Some(name)) = (words.next(), words.next()) else {
            return Err(Error::Protocol { what: "a reference is broken" });
        };
        let peeled = words.find_map(|word| word.strip_prefix("peeled:"));
        refs.push(RemoteRef { name: name.to_owned(), id: parse_id(peeled.unwrap_or(id))? });
    }
    Ok(refs)
}

fn parse_id(hex: &str) -> Result<ObjectId, Error> {
    ObjectId::from_hex(hex.as_bytes())
        .map_err(|_syntax| Error::Protocol { what: "an object id is broken" })
}

/// Limit: repositories with SHA-256 ids are not read.
fn check_format(features: &Features) -> Result<(), Error> {
    match features.value("object-format") {
        None | Some("sha1") => Ok(()),
        Some(_) => Err(Error::Protocol { what: "its object format is not sha1" }),
    }
}
