//! Several sources, one after the other.

mod enumerator;
mod reader;

use std::fmt;
use std::sync::Arc;

use flott_batch::Record;
use flott_connector::{
    Boundedness, EnumeratorContext, Payload, Produces, ReaderContext, Source, SourceReader, Split,
    SplitEnumerator,
};
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

use enumerator::HybridEnumerator;
use reader::HybridReader;

/// What a source in the sequence knows about the previous one.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Switch {
    /// Where the previous source ended, according to its enumerator
    /// ([`end_position`](flott_connector::SplitEnumerator::end_position)); `None` for the first.
    pub end_position: Option<String>,
}

type Make = Arc<dyn Fn(&Switch) -> Result<Arc<dyn Source>> + Send + Sync>;

/// Reads a source to its end, then the next one: historical files, then a stream. A source begins when all
/// readers are done with the previous one, so that event time does not jump back and forth. Checkpoints
/// contain the position in the whole sequence.
///
/// The watermark strategy applies to the whole; timestamps and watermarks of the inner sources are ignored.
///
/// ```
/// use flott_datastream::source::{HybridSource, SequenceSource};
/// use flott_connector::Boundedness;
///
/// # fn example() -> flott_types::Result<()> {
/// let source = HybridSource::new(SequenceSource::new(1, 10)?).then_from(Boundedness::Bounded, |switch| {
///     let last: i64 = switch.end_position.as_deref().and_then(|end| end.parse().ok()).unwrap_or(0);
///     SequenceSource::new(last + 1, last + 5)
/// })?;
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
pub struct HybridSource<T> {
    sources: Vec<Make>,
    boundedness: Boundedness,
    value: std::marker::PhantomData<fn() -> T>,
}

impl<T: Record> HybridSource<T> {
    /// Starts with this source.
    pub fn new(first: impl Produces<T> + 'static) -> Self {
        let boundedness = first.boundedness();
        let first: Arc<dyn Source> = Arc::new(first);
        HybridSource {
            sources: vec![Arc::new(move |_| Ok(first.clone()))],
            boundedness,
            value: std::marker::PhantomData,
        }
    }

    /// Continues with this source.
    ///
    /// # Errors
    /// If the previous source never ends.
    pub fn then(self, next: impl Produces<T> + 'static) -> Result<Self> {
        let boundedness = next.boundedness();
        let next: Arc<dyn Source> = Arc::new(next);
        self.push(boundedness, Arc::new(move |_| Ok(next.clone())))
    }

    /// Continues with a source that depends on where the previous one ended. The function is called in
    /// several processes, and must create the same source from the same [`Switch`].
    ///
    /// # Errors
    /// If the previous source never ends.
    pub fn then_from<S: Produces<T> + 'static>(
        self,
        boundedness: Boundedness,
        make: impl Fn(&Switch) -> Result<S> + Send + Sync + 'static,
    ) -> Result<Self> {
        self.push(boundedness, Arc::new(move |switch| Ok(Arc::new(make(switch)?))))
    }

    fn push(mut self, boundedness: Boundedness, make: Make) -> Result<Self> {
        if self.boundedness == Boundedness::Unbounded {
            return Err(Error::invalid(format!(
                "source {} of a hybrid source never ends, so no source can follow it",
                self.sources.len()
            )));
        }
        self.sources.push(make);
        self.boundedness = boundedness;
        Ok(self)
    }
}

impl<T> Clone for HybridSource<T> {
    fn clone(&self) -> Self {
        HybridSource {
            sources: self.sources.clone(),
            boundedness: self.boundedness,
            value: std::marker::PhantomData,
        }
    }
}

impl<T> fmt::Debug for HybridSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HybridSource({} sources)", self.sources.len())
    }
}

impl<T: Record> Source for HybridSource<T> {
    fn boundedness(&self) -> Boundedness {
        self.boundedness
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(HybridEnumerator::new(Chain(self.sources.clone()), restored, context)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(HybridReader::new(Chain(self.sources.clone()), context)))
    }
}

impl<T: Record> Produces<T> for HybridSource<T> {}

/// The sources, whatever they produce.
struct Chain(Vec<Make>);

/// A source of the chain, and what it began with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Stage {
    number: usize,
    #[serde(flatten)]
    switch: Switch,
}

impl Chain {
    fn source(&self, stage: &Stage) -> Result<Arc<dyn Source>> {
        let make = self.0.get(stage.number).ok_or_else(|| {
            Error::state(format!(
                "a position is in source {} of a hybrid source that has {}",
                stage.number + 1,
                self.0.len()
            ))
        })?;
        make(&stage.switch)
    }

    fn is_last(&self, stage: &Stage) -> bool {
        stage.number + 1 >= self.0.len()
    }
}

/// The payload of a split of the whole. In checkpoints.
#[derive(Serialize, Deserialize)]
struct Position {
    /// 1, where payloads had no version yet; that is the form of today without it.
    #[serde(default, skip_serializing)]
    version: u32,
    stage: Stage,
    id: String,
    payload: Payload,
}

const VERSION: u32 = 2;
const KNOWN: [u32; 2] = [Payload::UNVERSIONED, VERSION];

impl Stage {
    /// The name of one of its splits among those of the whole.
    fn id(&self, split: &str) -> String {
        format!("{}:{split}", self.number)
    }

    fn wrap(&self, split: Split) -> Result<Split> {
        let id = self.id(&split.id);
        let position = Position { version: 0, stage: self.clone(), id: split.id, payload: split.payload };
        Ok(Split { id, payload: Payload::json(VERSION, &position)? })
    }

    fn unwrap(split: &Split) -> Result<(Stage, Split)> {
        let what = format!("the position of the split {}", split.id);
        let read: Position = split.payload.from_json(&KNOWN, &what)?;
        check_inner(read.version, &what)?;
        Ok((read.stage, Split { id: read.id, payload: read.payload }))
    }
}

/// Of what was written before payloads had a version.
fn check_inner(version: u32, what: &str) -> Result<()> {
    if version <= 1 {
        return Ok(());
    }
    Err(Error::state(format!("{what} has version {version} instead of 1")))
}
