//! What a barrier overtook, as the bytes of one file, and the way back.
//!
//! ```text
//! "FLUW" | version | of each element: channel, u32 | length, u32 | frame as in crate::wire
//! ```
//!
//! The elements are batches, watermarks and changes of idleness, in order within each channel. The end of
//! time is left out: if the inputs have ended, it is said again; if there are more of them now, their rows
//! would be late.
//!
//! They are replayed in front of everything that the channels bring ([`replay`]). Rows may go to another
//! subtask than before, or come in another channel; then only they are replayed (see
//! [`flott_checkpoint::manifest::InFlight`]). A sender that was restored takes itself for active until it says
//! otherwise, so a channel that was idle at the end of what is replayed is active again.

use std::collections::BTreeMap;

use flott_batch::codec::RecordsReader;
use flott_batch::hash::partition;
use flott_batch::{Batch, WatermarkStatus};
use flott_checkpoint::manifest::{InFlightChannel, InFlightShare, Replayed};
use flott_plan::Exchange;
use flott_state::store::InFlightRows;
use flott_types::{Error, FastMap, KeyGroup, Result, Watermark};

use crate::gate::overtaking::Kept;
use crate::gate::{Element, Gate};
use crate::wire::{ElementDecoder, ElementEncoder};
use crate::{TaskDeployment, TaskEnvironment};

const MAGIC: &[u8; 4] = b"FLUW";
const VERSION: u8 = 1;

/// What a barrier overtook, before it is written: the elements, and what the gate's channels are.
pub(crate) struct Overtaken {
    pub(crate) channels: Vec<InFlightChannel>,
    pub(crate) kept: Kept,
}

impl Overtaken {
    /// As bytes; `None` if it is nothing.
    pub(crate) fn encode(self) -> Result<Option<InFlightRows>> {
        let mut numbers: BTreeMap<usize, (u32, ElementEncoder)> = BTreeMap::new();
        let mut channels = Vec::new();
        let mut bytes = [MAGIC.as_slice(), &[VERSION]].concat();
        let mut rows = 0;
        for (channel, element) in self.kept {
            if matches!(element, Element::Watermark(Watermark::MAX)) {
                continue;
            }
            if let Element::Batch(batch) = &element {
                rows += batch.num_rows() as u64;
            }
            let known = self.channels.get(channel);
            let known = known.ok_or_else(|| Error::internal(format!("there is no channel {channel}")))?;
            let (number, encoder) = numbers.entry(channel).or_insert_with(|| {
                channels.push(known.clone());
                (channels.len() as u32 - 1, ElementEncoder::default())
            });
            let frame = encoder.encode(element)?;
            let len = u32::try_from(frame.len())
                .map_err(|_| Error::internal("a batch under way is larger than 4 GB"))?;
            bytes.extend(number.to_le_bytes());
            bytes.extend(len.to_le_bytes());
            bytes.extend(frame);
        }
        Ok((!channels.is_empty()).then_some(InFlightRows { channels, bytes, rows }))
    }
}

/// The elements of a file: of which of its channels, and the frame.
fn frames(bytes: &[u8]) -> Result<Vec<(u32, &[u8])>> {
    let rest = bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first);
    let (version, mut rest) = rest.ok_or_else(|| damaged("it does not begin as it should"))?;
    if *version != VERSION {
        return Err(Error::state(format!(
            "the rows that were under way are of version {version}; this build reads version {VERSION}: restore the checkpoint \
             with the build that wrote it, and take a savepoint"
        )));
    }
    let mut all = Vec::new();
    while !rest.is_empty() {
        let cut = || damaged("it is truncated");
        let (channel, behind) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let (len, behind) = behind.split_first_chunk::<4>().ok_or_else(cut)?;
        let (frame, behind) = behind.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(cut)?;
        all.push((u32::from_le_bytes(*channel), frame));
        rest = behind;
    }
    Ok(all)
}

fn damaged(why: &str) -> Error {
    Error::state(format!("the rows that were under way cannot be read: {why}"))
}

/// Puts what a task replays in front of its channels.
pub(crate) fn replay(
    deployment: &TaskDeployment,
    environment: &TaskEnvironment,
    shares: &[InFlightShare],
    gate: &Gate,
) -> Result<()> {
    let channels = deployment.input_channels();
    let mut found: BTreeMap<usize, Vec<Element>> = BTreeMap::new();
    for share in shares {
        let bytes = environment.storage.in_flight(deployment, &share.file)?;
        let mut readers: FastMap<u32, (usize, Reader)> = FastMap::default();
        for replayed in &share.channels {
            let place = channels
                .iter()
                .position(|(key, _)| key.edge == replayed.edge && key.from.subtask.0 == replayed.sender);
            let place = place.ok_or_else(|| Error::internal("what was under way has no channel"))?;
            let reader = Reader::new(deployment, environment, *replayed)?;
            readers.insert(replayed.at, (place, reader));
        }
        for (channel, frame) in frames(&bytes)? {
            let Some((place, reader)) = readers.get_mut(&channel) else { continue };
            if let Some(element) = reader.read(frame)? {
                found.entry(*place).or_default().push(element);
            }
        }
    }
    for (place, mut elements) in found {
        let mut statuses = elements.iter().filter(|element| matches!(element, Element::Status(_)));
        if let Some(Element::Status(WatermarkStatus::Idle)) = statuses.next_back() {
            elements.push(Element::Status(WatermarkStatus::Active));
        }
        gate.replay(place, elements);
    }
    Ok(())
}

/// Reads what is replayed of one channel.
struct Reader {
    decoder: ElementDecoder,
    replayed: Replayed,
    /// How its rows are spread, among whom, and which of those this is.
    exchange: Exchange,
    max_parallelism: u32,
    parallelism: u32,
    subtask: usize,
}

impl Reader {
    fn new(deployment: &TaskDeployment, environment: &TaskEnvironment, replayed: Replayed) -> Result<Self> {
        let edge = deployment.inputs.iter().find(|input| input.edge == replayed.edge);
        let edge = edge.ok_or_else(|| Error::internal("what was under way has no edge"))?;
        let records: Option<RecordsReader> =
            environment.operators.records(&edge.sender, edge.plan.tag.as_deref())?;
        Ok(Reader {
            decoder: ElementDecoder::new(records),
            replayed,
            exchange: edge.plan.exchange.clone(),
            max_parallelism: edge.max_parallelism,
            parallelism: deployment.vertex.parallelism,
            subtask: deployment.task.subtask.index(),
        })
    }

    fn read(&mut self, frame: &[u8]) -> Result<Option<Element>> {
        let element = self.decoder.decode(frame).map_err(|error| damaged(&error.to_string()))?;
        Ok(match element {
            Element::Batch(batch) => self.own(batch)?.map(Element::Batch),
            Element::Watermark(_) | Element::Status(_) => self.replayed.unchanged.then_some(element),
            Element::Begin | Element::Barrier(..) | Element::EndOfInput | Element::Broken(_) => {
                return Err(damaged("it holds what is never replayed"));
            }
        })
    }

    /// The rows of this subtask.
    fn own(&self, batch: Batch) -> Result<Option<Batch>> {
        let Exchange::Hash(columns) = &self.exchange else { return Ok(Some(batch)) };
        if !self.replayed.own_keys {
            return Ok(Some(batch));
        }
        let parts = self.parallelism as usize;
        Ok(match batch {
            Batch::Changes(changes) => {
                let mut dealt = partition(&changes, columns, self.max_parallelism, self.parallelism)?;
                dealt.get_mut(self.subtask).and_then(Option::take).map(Batch::Changes)
            }
            Batch::Records(records) => {
                let routes = records.routes();
                let routes = routes.ok_or_else(|| damaged("records of a keyed stream have no keys"))?;
                let target = |hash: &u64| {
                    let group = KeyGroup::of_hash(*hash, self.max_parallelism);
                    group.subtask(self.max_parallelism, self.parallelism).0
                };
                let targets: Vec<u32> = routes.iter().map(target).collect();
                let mut dealt = records.deal(&targets, parts);
                dealt.get_mut(self.subtask).and_then(Option::take).map(Batch::Records)
            }
        })
    }
}
