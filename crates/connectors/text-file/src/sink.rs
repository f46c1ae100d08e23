//! Files, exactly once.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, Record, Records};
use flott_connector::{
    Committer, CommitterContext, Consumes, Payload, Prepared, Sink, SinkContext, SinkWriter,
};
use flott_files::{Compaction, FileNames, Rolling, RollingWriter};
use flott_storage::Location;
use flott_types::{CheckpointId, Clock, Result, Timestamp, Watermark};

use crate::bucket::{BucketAssigner, BucketContext};

type Encode<T> = dyn Fn(&T, &mut Vec<u8>) -> Result<()> + Send + Sync;
type Buckets<T> = dyn BucketAssigner<T>;

/// Writes values to files below a directory. A file becomes visible with the checkpoint that it is part of,
/// so without checkpoints only at the end of the input; a failure neither loses nor duplicates values.
///
/// Files are closed at every checkpoint, and earlier if they are large or old ([`FileSink::with_file_size`]
/// and others). With [`FileSink::with_buckets`] each value's directory depends on it. Small files are merged
/// with [`FileSink::compact_after`].
pub struct FileSink<T> {
    path: Location,
    rolling: Rolling,
    encode: Arc<Encode<T>>,
    buckets: Option<Arc<Buckets<T>>>,
    names: FileNames,
    compaction: Option<Compaction>,
}

impl<T: Record> FileSink<T> {
    /// A line for each value, as the function formats it, without the line end.
    ///
    /// # Errors
    /// If the path is of a file system that is not built yet.
    pub fn lines(path: &str, line: impl Fn(&T) -> String + Send + Sync + 'static) -> Result<Self> {
        FileSink::bytes(path, move |value, file| {
            file.extend_from_slice(line(value).as_bytes());
            file.push(b'\n');
            Ok(())
        })
    }

    /// The bytes that the function appends for each value.
    ///
    /// # Errors
    /// If the path is of a file system that is not built yet.
    pub fn bytes(
        path: &str,
        encode: impl Fn(&T, &mut Vec<u8>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        Ok(FileSink {
            path: Location::parse(path)?,
            rolling: Rolling::default(),
            encode: Arc::new(encode),
            buckets: None,
            names: FileNames::default(),
            compaction: None,
        })
    }

    /// The directory of a value, below the path: `2024-06-01/eu`. As it is written.
    #[must_use]
    pub fn with_buckets(self, bucket: impl Fn(&T) -> String + Send + Sync + 'static) -> Self {
        self.with_bucket_assigner(bucket)
    }

    /// The directory of a value by an assigner, which also knows the time:
    /// [`DateTimeBucketAssigner`](crate::DateTimeBucketAssigner), or one of your own.
    #[must_use]
    pub fn with_bucket_assigner(self, buckets: impl BucketAssigner<T> + 'static) -> Self {
        FileSink { buckets: Some(Arc::new(buckets)), ..self }
    }

    /// Files are called `prefix-...suffix` and not `part-...`.
    ///
    /// # Errors
    /// If such files would be hidden, or in other directories.
    pub fn with_names(self, prefix: &str, suffix: &str) -> Result<Self> {
        Ok(FileSink { names: FileNames::new(prefix, suffix)?, ..self })
    }

    /// Files are closed only by checkpoints, however large or old they are.
    #[must_use]
    pub fn roll_on_checkpoint(self) -> Self {
        let never = i64::MAX / 2;
        let rolling = Rolling {
            file_size: u64::MAX,
            rollover_interval: never,
            inactivity_interval: never,
            check_interval: never,
        };
        FileSink { rolling, ..self }
    }

    /// A writer merges the files of a directory that come from so many checkpoints into one. They become
    /// visible merged, and not before; as `compacted-...`.
    #[must_use]
    pub fn compact_after(mut self, checkpoints: u32) -> Self {
        self.compaction.get_or_insert_default().checkpoints = Some(checkpoints.max(1));
        self
    }

    /// A writer merges the files of a directory into one when they have so many bytes together. They become
    /// visible merged, and not before; as `compacted-...`. With [`FileSink::compact_after`], when either says so.
    #[must_use]
    pub fn compact_at(mut self, bytes: u64) -> Self {
        self.compaction.get_or_insert_default().size = Some(bytes);
        self
    }

    /// A file is closed when it has this many bytes; by default 128 MiB.
    #[must_use]
    pub fn with_file_size(mut self, bytes: u64) -> Self {
        self.rolling.file_size = bytes;
        self
    }

    /// A file is closed when it is this old, or nothing was written to it for this long; by default half an
    /// hour each. The clock is checked at least once a minute.
    #[must_use]
    pub fn with_intervals(mut self, rollover: Duration, inactivity: Duration) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1);
        self.rolling.rollover_interval = millis(rollover);
        self.rolling.inactivity_interval = millis(inactivity);
        self.rolling.check_interval = millis(rollover).min(millis(inactivity)).min(60_000);
        self
    }
}

impl<T> fmt::Debug for FileSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSink({})", self.path)
    }
}

impl<T: Record> Sink for FileSink<T> {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        let clock = context.clock.clone();
        let files = RollingWriter::new(self.path.clone(), self.rolling.clone(), context, &restored)?;
        Ok(Box::new(FileWriter {
            files: files.with_names(self.names.clone()).with_compaction(self.compaction),
            encode: self.encode.clone(),
            buckets: self.buckets.clone(),
            clock,
            watermark: Watermark::MIN.0,
            value: PhantomData::<fn(T)>,
        }))
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(flott_files::committer())
    }

    fn check(&self) -> Result<()> {
        if self.compaction.is_some() {
            // Merging across checkpoints was never run against an object store.
            self.path.local("the compaction of files across checkpoints")?;
        }
        self.path.check_writable()?;
        flott_storage::files::check_writable(&self.path)
    }

    fn is_two_phase(&self) -> bool {
        true
    }
}

impl<T: Record> Consumes<T> for FileSink<T> {}

struct FileWriter<T> {
    files: RollingWriter,
    encode: Arc<Encode<T>>,
    buckets: Option<Arc<Buckets<T>>>,
    clock: Arc<dyn Clock>,
    watermark: Timestamp,
    value: PhantomData<fn(T)>,
}

impl<T: Record> SinkWriter for FileWriter<T> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<T>()?;
        let Some(buckets) = &self.buckets else {
            return self
                .files
                .write("", |file, _| values.iter().try_for_each(|value| (self.encode)(value, file)));
        };
        // Values of one bucket mostly come together.
        let (processing_time, watermark) = (self.clock.now(), self.watermark);
        let bucket = |(at, value): (usize, &T)| {
            let timestamp = timestamps.as_ref().and_then(|timestamps| timestamps.get(at).copied());
            buckets.bucket(value, &BucketContext { processing_time, timestamp, watermark })
        };
        let buckets = values.iter().enumerate().map(bucket).collect::<Result<Vec<String>>>()?;
        let mut start = 0;
        for run in buckets.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            self.files.write(&run[0], |file, _| {
                values[start..end].iter().try_for_each(|value| (self.encode)(value, file))
            })?;
            start = end;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.files.flush()
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        self.watermark = watermark.0;
        Ok(())
    }

    fn prepare_commit(&mut self, _: CheckpointId, end: bool) -> Result<Prepared> {
        self.files.prepare_commit(end)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Payload>> {
        self.files.snapshot()
    }

    fn next_time(&self) -> Option<Timestamp> {
        self.files.next_time()
    }

    fn on_time(&mut self, now: Timestamp) -> Result<()> {
        self.files.on_time(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_only_read_is_not_tried() {
        let sink = FileSink::lines("http://localhost:1/out", |number: &u64| number.to_string());
        let told = sink.and_then(|sink| sink.check()).unwrap_err().to_string();
        assert!(told.contains("what is behind HTTP can only be read"), "{told}");
    }
}
