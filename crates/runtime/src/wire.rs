//! The elements of a channel as bytes, for a receiver in another process: one frame per element.
//!
//! ```text
//! version | what | of a batch: as in flott_batch::codec; of a watermark: i64; of a status: 1 if idle; of a barrier: JSON
//! ```
//!
//! Frames of a channel are read in the order in which they were written. The version is in every frame, so no
//! handshake is needed: a receiver with another version reports that, and the attempt fails.

use std::sync::Arc;

use flott_batch::WatermarkStatus;
use flott_batch::codec::{Decoder, Encoder, RecordsReader};
use flott_checkpoint::Barrier;
use flott_types::{Error, Result, Watermark};

use crate::gate::Element;

/// Of the frames.
const VERSION: u8 = 1;

const BEGIN: u8 = 0;
const BATCH: u8 = 1;
const WATERMARK: u8 = 2;
const STATUS: u8 = 3;
const BARRIER: u8 = 4;
const END: u8 = 5;

/// Writes the elements of one channel.
#[derive(Default)]
pub struct ElementEncoder {
    batches: Encoder,
}

/// Reads them again, in order.
pub struct ElementDecoder {
    batches: Decoder,
}

impl ElementEncoder {
    /// The frame of an element.
    ///
    /// # Errors
    /// If a batch cannot be written.
    pub fn encode(&mut self, element: Element) -> Result<Vec<u8>> {
        let frame = |what, body: &[u8]| {
            let mut frame = Vec::with_capacity(2 + body.len());
            frame.extend([VERSION, what]);
            frame.extend_from_slice(body);
            Ok(frame)
        };
        match element {
            Element::Begin => frame(BEGIN, &[]),
            Element::Batch(batch) => self.batches.encode_behind(vec![VERSION, BATCH], batch),
            Element::Watermark(Watermark(at)) => frame(WATERMARK, &at.to_le_bytes()),
            Element::Status(status) => frame(STATUS, &[u8::from(status == WatermarkStatus::Idle)]),
            Element::Barrier(barrier, target) => {
                let json = serde_json::to_vec(&(barrier, target));
                let refused = |error| Error::internal("a barrier cannot be written").with_source(error);
                frame(BARRIER, &json.map_err(refused)?)
            }
            Element::EndOfInput => frame(END, &[]),
            Element::Broken(why) => Err(Error::internal(format!("a broken element is not forwarded: {why}"))),
        }
    }
}

impl ElementDecoder {
    /// For a channel that carries records of this type, if it carries records.
    pub fn new(records: Option<RecordsReader>) -> Self {
        ElementDecoder { batches: Decoder::new(records) }
    }

    /// The element of a frame.
    ///
    /// # Errors
    /// If it was written by another version, or is no frame of this channel.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Element> {
        let [version, what, body @ ..] = frame else { return Err(damaged()) };
        if *version != VERSION {
            return Err(Error::external(format!(
                "the sender writes version {version} of the exchange, but this process reads version {VERSION}: all processes of a \
                 cluster must be of one release"
            )));
        }
        Ok(match (*what, body) {
            (BEGIN, []) => Element::Begin,
            (BATCH, body) => Element::Batch(self.batches.decode(body)?),
            (WATERMARK, body) => {
                let at = body.try_into().map_err(|_| damaged())?;
                Element::Watermark(Watermark(i64::from_le_bytes(at)))
            }
            (STATUS, [0]) => Element::Status(WatermarkStatus::Active),
            (STATUS, [1]) => Element::Status(WatermarkStatus::Idle),
            (BARRIER, body) => {
                let read: (Barrier, Option<Arc<str>>) =
                    serde_json::from_slice(body).map_err(|error| damaged().with_source(error))?;
                Element::Barrier(read.0, read.1)
            }
            (END, []) => Element::EndOfInput,
            _ => return Err(damaged()),
        })
    }
}

/// Whether a frame is one that its receiver must see although others wait in front of it: a barrier that may
/// overtake them, or the end.
pub(crate) fn is_urgent(frame: &[u8]) -> bool {
    match frame {
        [VERSION, END] => true,
        [VERSION, BARRIER, body @ ..] => serde_json::from_slice::<(Barrier, Option<Arc<str>>)>(body)
            .is_ok_and(|(barrier, _)| barrier.overtakes_after.is_some()),
        _ => false,
    }
}

fn damaged() -> Error {
    Error::internal("an element of a channel cannot be read from its bytes")
}

#[cfg(test)]
mod tests {
    use flott_batch::Records;
    use flott_checkpoint::CheckpointKind;
    use flott_types::CheckpointId;

    use super::*;

    #[test]
    fn every_element_comes_back_as_it_was() {
        let barrier = Barrier {
            checkpoint: CheckpointId(7),
            created_at: 12,
            kind: CheckpointKind::Savepoint,
            overtakes_after: None,
        };
        let there = || {
            [
                Element::Begin,
                Element::Batch(Records::with_timestamps(vec!["a".to_owned()], vec![3]).into()),
                Element::Watermark(Watermark(-5)),
                Element::Status(WatermarkStatus::Idle),
                Element::Status(WatermarkStatus::Active),
                Element::Barrier(barrier, Some("file:///savepoints/1".into())),
                Element::Barrier(barrier, None),
                Element::Barrier(Barrier { overtakes_after: Some(20), ..barrier }, None),
                Element::EndOfInput,
            ]
        };
        let mut encoder = ElementEncoder::default();
        let mut decoder = ElementDecoder::new(Some(RecordsReader::of::<String>()));
        for (element, original) in there().into_iter().zip(there()) {
            let frame = encoder.encode(element).unwrap();
            let back = decoder.decode(&frame).unwrap();
            assert_eq!(format!("{back:?}"), format!("{original:?}"));
            let urgent = match original {
                Element::Barrier(barrier, _) => barrier.overtakes_after.is_some(),
                other => matches!(other, Element::EndOfInput),
            };
            assert_eq!(is_urgent(&frame), urgent);
            for len in 0..2 {
                assert!(decoder.decode(&frame[..len]).is_err());
            }
        }
        assert!(decoder.decode(&[VERSION, 9]).is_err());
        let newer = decoder.decode(&[VERSION + 1, BEGIN]).unwrap_err().to_string();
        assert!(newer.contains("version 2"), "{newer}");
    }
}
