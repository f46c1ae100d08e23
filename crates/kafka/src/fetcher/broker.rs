//! Asks one broker for the records of the partitions that it leads.

use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::{Chunk, Key, Lost, Shared};
use crate::client::{Client, Fetched, OffsetAt, Position};
use crate::failure::{Failure, Result};
use crate::records::batches;

pub(super) fn run(shared: &Arc<Shared>, broker: i32) {
    let mut client = shared.client();
    let mut turn = 0_usize;
    let first_pause = shared.client.backoff;
    let mut pause = first_pause;
    while let Some(mut positions) = next_positions(shared, broker) {
        turn = turn.wrapping_add(1);
        let first = turn % positions.len().max(1);
        positions.rotate_left(first);
        // It may have moved since somebody looked.
        let known = client.topics_once(Some(&[]), false);
        if let Err(failure) = known
            .and_then(|_| fetch_until_moved(shared, &mut client, broker, positions, || pause = first_pause))
        {
            if failure.is_stopped() {
                return;
            }
            if !failure.is_retriable() {
                return shared.fail(failure);
            }
            let what = "its partitions are read again when they have a leader";
            // Said once, and not each time that it is tried again.
            if pause == first_pause {
                tracing::warn!("Kafka: {failure}; {what}");
            } else {
                tracing::debug!("Kafka: {failure}; {what}");
            }
            forget(shared, broker);
            if client.pause(&mut pause) {
                return;
            }
        }
    }
}

/// Fetches as long as the broker answers and leads something.
fn fetch_until_moved(
    shared: &Arc<Shared>,
    client: &mut Client,
    broker: i32,
    mut positions: Vec<Position>,
    mut answered: impl FnMut(),
) -> Result<()> {
    loop {
        let fetched = client.fetch(broker, &positions, &shared.config);
        let fetched = match fetched {
            Ok(fetched) => {
                answered();
                fetched
            }
            Err(failure) => {
                returned(shared, &positions);
                return Err(failure);
            }
        };
        let mut moved = false;
        for one in fetched {
            moved |=
                arrived(shared, client, &positions, one).inspect_err(|_| returned(shared, &positions))?;
        }
        returned(shared, &positions);
        if moved && client.stop().wait(shared.client.backoff) {
            return Err(Failure::stopped());
        }
        match next_positions(shared, broker) {
            Some(next) => positions = next,
            None => return Err(Failure::stopped()),
        }
        let first = client.nanos() as usize % positions.len().max(1);
        positions.rotate_left(first);
    }
}

/// Waits until there is room for records of a partition that this broker leads; none when it is stopped.
fn next_positions(shared: &Shared, broker: i32) -> Option<Vec<Position>> {
    let mut state = shared.state.lock();
    loop {
        if shared.stop.is_set() {
            return None;
        }
        let full = state.waiting >= shared.config.buffer;
        let mut positions = Vec::new();
        for ((topic, index), reading) in &mut state.partitions {
            let wanted = !reading.paused && !reading.in_flight && (!full || reading.chunks.is_empty());
            if reading.leader == Some(broker) && wanted {
                reading.in_flight = true;
                positions.push(Position { topic: topic.to_string(), index: *index, offset: reading.offset });
            }
        }
        if !positions.is_empty() {
            return Some(positions);
        }
        shared.changed.wait(&mut state);
    }
}

/// Nobody is asked for these now.
fn returned(shared: &Shared, positions: &[Position]) {
    let mut state = shared.state.lock();
    for position in positions {
        if let Some(reading) = state.partitions.get_mut(&(position.topic.as_str().into(), position.index)) {
            reading.in_flight = false;
        }
    }
    shared.changed.notify_all();
}

/// Who leads the broker's partitions is to be found out.
fn forget(shared: &Shared, broker: i32) {
    let mut state = shared.state.lock();
    for reading in state.partitions.values_mut().filter(|reading| reading.leader == Some(broker)) {
        (reading.leader, reading.in_flight) = (None, false);
    }
    shared.changed.notify_all();
}

/// Takes what came of a partition. Whether it is led by somebody else now.
fn arrived(shared: &Shared, client: &mut Client, asked: &[Position], fetched: Fetched) -> Result<bool> {
    let Fetched { topic, index, error, high_watermark, aborted, records } = fetched;
    let Some(position) = asked.iter().find(|asked| asked.topic == topic && asked.index == index) else {
        return Ok(false);
    };
    let key: Key = (topic.as_str().into(), index);
    let what = || format!("partition {topic}-{index}");
    match error {
        None => {}
        Some(ResponseError::OffsetOutOfRange) => {
            let next = reset(shared, client, position)?;
            let mut state = shared.state.lock();
            state.lost.push(Lost { topic: topic.clone(), index, offset: position.offset, next });
            if let Some(reading) = state.partitions.get_mut(&key) {
                reading.offset = next;
            }
            drop(state);
            shared.waker.wake();
            return Ok(false);
        }
        Some(error) => {
            let failure = Failure::code(error, what());
            if !failure.is_retriable() {
                return Err(failure);
            }
            let mut state = shared.state.lock();
            if let Some(reading) = state.partitions.get_mut(&key) {
                reading.leader = None;
                // Only as long as it is not found for the whole of the time is it gone.
                if error == ResponseError::UnknownTopicOrPartition {
                    reading.missing_since.get_or_insert(client.nanos());
                }
            }
            return Ok(true);
        }
    }
    let batches = batches(records, shared.config.check_crcs)
        .map_err(|error| Failure::last(format!("{}: {error}", what())))?;
    let chunk =
        Chunk::new(key.clone(), high_watermark, position.offset, batches, &aborted, shared.config.isolation);
    let mut state = shared.state.lock();
    let bytes = chunk.bytes();
    let Some(reading) = state.partitions.get_mut(&key) else { return Ok(false) };
    reading.missing_since = None;
    // It may have been added anew meanwhile, from another offset.
    if reading.offset == position.offset && chunk.end() > position.offset {
        reading.offset = chunk.end();
        reading.chunks.push_back(chunk);
        state.waiting += bytes;
        drop(state);
        shared.waker.wake();
    }
    Ok(false)
}

/// Where to go on when the next record is gone.
fn reset(shared: &Shared, client: &mut Client, position: &Position) -> Result<i64> {
    let Position { topic, index, offset } = position;
    let partition = (topic.clone(), *index);
    let at = shared.config.reset.unwrap_or(OffsetAt::Earliest);
    let offsets = client.offsets(std::slice::from_ref(&partition), at, shared.config.isolation)?;
    let next = offsets.get(&partition).copied().flatten();
    let next = next.ok_or_else(|| Failure::lost(format!("partition {topic}-{index} has no offsets")))?;
    match shared.config.reset {
        Some(_) => Ok(next),
        None => Err(Failure::code(
            ResponseError::OffsetOutOfRange,
            format!(
                "offset {offset} is not in partition {topic}-{index}, which begins at {next} now: records were deleted \
                 before they were read, or the topic was made anew; 'auto.offset.reset' = 'earliest' or 'latest' goes \
                 on without them"
            ),
        )),
    }
}
