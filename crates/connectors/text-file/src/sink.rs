//! Files, exactly once.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, Record};
use flott_connector::{
    Committer, CommitterContext, Consumes, Payload, Prepared, Sink, SinkContext, SinkWriter,
};
use flott_files::{Rolling, RollingWriter};
use flott_types::{CheckpointId, Result, Timestamp};

type Encode<T> = dyn Fn(&T, &mut Vec<u8>) -> Result<()> + Send + Sync;
type Bucket<T> = dyn Fn(&T) -> String + Send + Sync;

/// Writes values to files below a directory. A file becomes visible with the checkpoint that it is part of,
/// so without checkpoints only at the end of the input; a failure neither loses nor duplicates values.
///
/// Files are closed at every checkpoint, and earlier if they are large or old ([`FileSink::with_file_size`]
/// and others). With [`FileSink::with_buckets`] each value's directory depends on it.
pub struct FileSink<T> {
    path: PathBuf,
    rolling: Rolling,
    encode: Arc<Encode<T>>,
    bucket: Option<Arc<Bucket<T>>>,
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
            path: flott_storage::local_path(path)?,
            rolling: Rolling::default(),
            encode: Arc::new(encode),
            bucket: None,
        })
    }

    /// The directory of a value, below the path: `2024-06-01/eu`. As it is written.
    #[must_use]
    pub fn with_buckets(self, bucket: impl Fn(&T) -> String + Send + Sync + 'static) -> Self {
        FileSink { bucket: Some(Arc::new(bucket)), ..self }
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
        write!(f, "FileSink({})", self.path.display())
    }
}

impl<T: Record> Sink for FileSink<T> {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        let files = RollingWriter::new(self.path.clone(), self.rolling.clone(), context, &restored)?;
        Ok(Box::new(FileWriter {
            files,
            encode: self.encode.clone(),
            bucket: self.bucket.clone(),
            value: PhantomData::<fn(T)>,
        }))
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(flott_files::committer())
    }

    fn check(&self) -> Result<()> {
        flott_storage::local::check_writable(&self.path)
    }

    fn is_two_phase(&self) -> bool {
        true
    }
}

impl<T: Record> Consumes<T> for FileSink<T> {}

struct FileWriter<T> {
    files: RollingWriter,
    encode: Arc<Encode<T>>,
    bucket: Option<Arc<Bucket<T>>>,
    value: PhantomData<fn(T)>,
}

impl<T: Record> SinkWriter for FileWriter<T> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let values = batch.into_records::<T>()?.values;
        let Some(bucket) = &self.bucket else {
            return self
                .files
                .write("", |file, _| values.iter().try_for_each(|value| (self.encode)(value, file)));
        };
        // Values of one bucket mostly come together.
        let buckets: Vec<String> = values.iter().map(|value| bucket(value)).collect();
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

    fn prepare_commit(&mut self, _: CheckpointId, _: bool) -> Result<Prepared> {
        self.files.prepare_commit()
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
