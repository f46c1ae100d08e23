//! Lines of files.

use std::collections::VecDeque;
use std::time::Duration;

use flott_batch::Records;
use flott_connector::{
    Boundedness, EnumeratorContext, Payload, Poll, Produces, ReaderContext, Source, SourceOutput,
    SourceReader, Split, SplitEnumerator,
};
use flott_files::{FileEnumerator, FileSplit, Listing, SplitInput};
use flott_storage::Location;
use flott_types::{CheckpointId, Error, Result};

/// The lines of a file, of all files below a directory, or of those that a glob matches; without their ends
/// (`\n` or `\r\n`).
///
/// Large files are read in pieces by several readers. A reader's position is a byte offset at the start of a
/// line. Files with the ending `.gz`, `.gzip` or `.deflate` are read compressed, in one piece. Names that
/// begin with `.` or `_` are hidden. Bytes that are not UTF-8 become `U+FFFD`.
#[derive(Clone, Debug)]
pub struct TextFileSource {
    path: Location,
    monitor_interval: Option<i64>,
}

impl TextFileSource {
    /// The existing files at a path, plain or `file:`.
    ///
    /// # Errors
    /// If the path is of a file system that is not built yet.
    pub fn new(path: &str) -> Result<Self> {
        Ok(TextFileSource { path: Location::parse(path)?, monitor_interval: None })
    }

    /// Also future files: they are looked for this often, and the source never ends. A file must be complete
    /// when it appears, and is read once.
    #[must_use]
    pub fn monitored(self, interval: Duration) -> Self {
        let millis = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        TextFileSource { monitor_interval: Some(millis), ..self }
    }
}

impl Source for TextFileSource {
    fn boundedness(&self) -> Boundedness {
        if self.monitor_interval.is_some() { Boundedness::Unbounded } else { Boundedness::Bounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let listing = Listing {
            path: self.path.clone(),
            pattern: None,
            monitor_interval: self.monitor_interval,
            is_splittable: true,
        };
        Ok(Box::new(FileEnumerator::new(listing, restored, context)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let batch_size = context.batch_size.max(1);
        Ok(Box::new(LineReader { batch_size, waiting: VecDeque::new(), current: None }))
    }
}

impl Produces<String> for TextFileSource {}

struct LineReader {
    batch_size: usize,
    waiting: VecDeque<FileSplit>,
    /// With its split's id.
    current: Option<(String, SplitInput)>,
}

impl SourceReader for LineReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.waiting.push_back(FileSplit::from_split(split)?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let (id, input) = match &mut self.current {
            Some(current) => current,
            None => match self.waiting.pop_front() {
                None => return Ok(Poll::SplitsDone),
                Some(split) => {
                    let id = split.to_split()?.id;
                    self.current.insert((id, SplitInput::open(split)?))
                }
            },
        };
        let lines = read_lines(input, self.batch_size)?;
        if !lines.is_empty() {
            output.emit(id, Records::new(lines).into())?;
        }
        if input.is_done() {
            output.split_finished(id)?;
            self.current = None;
        }
        let nothing_left = self.current.is_none() && self.waiting.is_empty();
        Ok(if nothing_left { Poll::SplitsDone } else { Poll::More })
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        let current = self.current.as_ref().map(|(_, input)| input.checkpoint());
        current.iter().chain(&self.waiting).map(FileSplit::to_split).collect()
    }
}

/// A batch ends when this many bytes of a file are in it.
const BATCH_BYTES: u64 = 4 << 20;

/// Up to this many lines; fewer at the end, or if they are long.
fn read_lines(input: &mut SplitInput, most: usize) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let begin = input.position().offset;
    while lines.len() < most && input.position().offset - begin < BATCH_BYTES {
        let bytes = input.bytes();
        let (line, consumed) = match memchr::memchr(b'\n', bytes) {
            Some(end) => (&bytes[..end], end + 1),
            None if !input.at_end() => {
                input.fill()?;
                continue;
            }
            None if bytes.is_empty() => break,
            None => (bytes, bytes.len()),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        lines.push(String::from_utf8_lossy(line).into_owned());
        input.consume(consumed, 1);
    }
    match lines.is_empty() && !input.is_done() {
        true => Err(Error::internal(format!("no line can be read of {}", input.split().path))),
        false => Ok(lines),
    }
}
