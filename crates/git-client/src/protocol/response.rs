//! The pack in an answer to `fetch`.

use bytes::{Buf as _, Bytes};

use super::packet::{Packet, Packets};
use crate::error::{Error, quoted};

/// The bytes of a pack, as they come.
#[derive(Debug)]
pub(crate) struct PackData(Packets);

/// Reads up to where the pack begins.
pub(crate) async fn pack_data(mut packets: Packets, version_2: bool) -> Result<PackData, Error> {
    loop {
        let packet = packets.expect().await?;
        let Some(line) = packet.line() else { continue };
        let begins = if version_2 { line == b"packfile" } else { line == b"NAK" };
        if begins {
            return Ok(PackData(packets));
        }
        let known: [&[u8]; 4] = [b"shallow ", b"unshallow ", b"ACK ", b"shallow-info"];
        if !known.iter().any(|start| line.starts_with(start)) {
            return Err(Error::Protocol { what: "there is no pack" });
        }
    }
}

impl PackData {
    /// The next piece of the pack; none at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(packet) = self.0.next().await? {
            let mut line = match packet {
                Packet::Data(line) => line,
                Packet::Flush | Packet::Delimiter | Packet::ResponseEnd => return Ok(None),
            };
            let band = line.first().copied();
            line.advance(usize::from(band.is_some()));
            match band {
                Some(1) => return Ok(Some(line)),
                // What the server would have a person read.
                Some(2) => {}
                Some(3) => return Err(Error::Remote { message: quoted(line.trim_ascii_end()) }),
                Some(_) | None => {
                    return Err(Error::Protocol { what: "the pack comes in an unknown form" });
                }
            }
        }
        // The pack is checked by its own checksum, so nothing is lost without the last mark.
        Ok(None)
    }
}
