//! What is said on the wire: protocol version 2, and version 0 for servers that know no other.

mod advertisement;
mod packet;
mod request;
mod response;

pub(crate) use advertisement::{Advertisement, RemoteRef, advertisement, refs};
pub(crate) use packet::Packets;
pub(crate) use request::{fetch, ls_refs};
pub(crate) use response::{PackData, pack_data};
