//! Reads partitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::{Poll, ReaderContext, SourceOutput, SourceReader, Split};
use flott_kafka::{Chunk, Fetcher};
use flott_types::{CheckpointId, Error, Result};

use super::SourceConfig;
use super::group::GroupOffsets;
use super::progress::Progress;
use super::rows::{Read, Rows};
use super::split::PartitionSplit;

/// The task looks again after this long, even if nobody wakes it.
const LOOK_AGAIN: i64 = 1_000;

type Key = (Arc<str>, i32);

struct Reading {
    id: String,
    split: PartitionSplit,
}

pub(super) struct KafkaReader {
    context: ReaderContext,
    fetcher: Fetcher,
    group: Option<GroupOffsets>,
    rows: Rows,
    splits: BTreeMap<Key, Reading>,
    /// Read to their ends and not said to be.
    done: Vec<Key>,
    current: Option<Chunk>,
    /// Of partitions that are read to their ends, where they ended.
    ended: BTreeMap<Key, i64>,
    /// What each checkpoint that may be complete holds.
    snapshots: BTreeMap<CheckpointId, Vec<(String, i32, i64)>>,
    progress: Progress,
    /// How many rows are still wanted, if there is a limit.
    wanted: Option<u64>,
}

impl KafkaReader {
    pub(super) fn new(
        config: &SourceConfig,
        rows: Rows,
        wanted: Option<u64>,
        context: ReaderContext,
    ) -> Result<Self> {
        let connection = &config.connection;
        let fetcher =
            Fetcher::new(connection.client.clone(), connection.fetch.clone(), context.waker.clone())?;
        let group = connection.group.clone().filter(|_| connection.commits_offsets);
        let progress = Progress::new(&context.metrics);
        let group = group
            .map(|group| GroupOffsets::new(connection.client.clone(), group, progress.commits()))
            .transpose()?;
        Ok(KafkaReader {
            context,
            fetcher,
            group,
            rows,
            splits: BTreeMap::new(),
            done: Vec::new(),
            current: None,
            ended: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            progress,
            wanted,
        })
    }

    /// Says that splits are read to their ends.
    fn finish(&mut self, output: &mut dyn SourceOutput) -> Result<()> {
        for key in std::mem::take(&mut self.done) {
            if let Some(reading) = self.splits.remove(&key) {
                self.fetcher.remove(&key.0, key.1);
                self.progress.ended(&key);
                output.split_finished(&reading.id)?;
                self.ended.insert(key, reading.split.offset);
            }
        }
        Ok(())
    }

    /// Warns of records that were gone.
    fn report_lost(&self) {
        for lost in self.fetcher.take_lost() {
            let flott_kafka::Lost { topic, index, offset, next } = lost;
            tracing::warn!(
                "partition {topic}-{index}: offset {offset} is gone, and reading goes on at {next} ('auto.offset.reset'): \
                 {} records were not read",
                next.saturating_sub(offset)
            );
        }
    }

    /// A batch's worth of a chunk.
    fn read(&mut self, mut chunk: Chunk, output: &mut dyn SourceOutput) -> Result<()> {
        let key: Key = (chunk.topic.clone(), chunk.index);
        let Some(reading) = self.splits.get_mut(&key) else { return Ok(()) };
        let most = self.context.batch_size.min(self.wanted.map_or(usize::MAX, |wanted| wanted as usize));
        let rows = &mut self.rows;
        let before = reading.split.end.unwrap_or(i64::MAX);
        chunk.read(before, |batch, message| {
            rows.push((&key.0, key.1), batch, &message).map_err(|error| {
                error.context(format!("the record at offset {} of partition {}", message.offset, reading.id))
            })?;
            Ok::<bool, Error>(rows.len() < most && rows.rejected() < self.context.batch_size)
        })?;
        let Read { rows: batch, rejected, skipped } = rows.finish(&key.0, key.1)?;
        reading.split.offset = chunk.position();
        let end = reading.split.end.unwrap_or(i64::MAX).min(chunk.high_watermark);
        self.progress.read(&key, chunk.position(), end);
        if skipped > 0 {
            output.skipped(skipped);
        }
        if let Some(rejected) = rejected {
            output.rejected(Batch::Changes(rejected))?;
        }
        if let Some(batch) = batch {
            let rows = batch.num_rows() as u64;
            output.emit(&reading.id, Batch::Changes(batch))?;
            self.wanted = self.wanted.map(|wanted| wanted.saturating_sub(rows));
        }
        if reading.split.is_done() {
            self.done.push(key);
        } else if !chunk.is_empty() {
            self.current = Some(chunk);
        }
        Ok(())
    }
}

impl SourceReader for KafkaReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            let read = PartitionSplit::from_split(split)?;
            let key: Key = (read.topic.as_str().into(), read.partition);
            if read.is_done() {
                self.done.push(key.clone());
            } else {
                self.fetcher.add(&read.topic, read.partition, read.offset);
            }
            self.splits.insert(key, Reading { id: split.id.clone(), split: read });
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.wanted == Some(0) {
            self.current = None;
            self.done = self.splits.keys().cloned().collect();
        }
        self.finish(output)?;
        if self.splits.is_empty() {
            return Ok(Poll::SplitsDone);
        }
        let chunk = match self.current.take() {
            Some(chunk) => Some(chunk),
            None => self.fetcher.take()?,
        };
        self.report_lost();
        let Some(chunk) = chunk else {
            return Ok(Poll::Wait(self.context.clock.now().saturating_add(LOOK_AGAIN)));
        };
        self.read(chunk, output)?;
        self.finish(output)?;
        Ok(if self.splits.is_empty() { Poll::SplitsDone } else { Poll::More })
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Split>> {
        if self.group.is_some() {
            let offset = |(key, offset): (&Key, i64)| (key.0.to_string(), key.1, offset);
            let reading = self.splits.iter().map(|(key, reading)| (key, reading.split.offset));
            let ended = self.ended.iter().map(|(key, end)| (key, *end));
            self.snapshots.insert(checkpoint, reading.chain(ended).map(offset).collect());
        }
        self.splits.values().map(|reading| reading.split.to_split()).collect()
    }

    fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
        let is_paused = |topic: &str, index: i32| paused.contains(&PartitionSplit::id(topic, index).as_str());
        if let Some(chunk) = self.current.take() {
            match is_paused(&chunk.topic, chunk.index) {
                true => self.fetcher.put_back(chunk),
                false => self.current = Some(chunk),
            }
        }
        self.fetcher.pause(is_paused);
        Ok(())
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let later = self.snapshots.split_off(&CheckpointId(checkpoint.0 + 1));
        let complete = std::mem::replace(&mut self.snapshots, later).remove(&checkpoint);
        if let (Some(group), Some(offsets)) = (&self.group, complete)
            && !offsets.is_empty()
        {
            group.commit(offsets);
        }
        Ok(())
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.snapshots.remove(&checkpoint);
        Ok(())
    }
}
