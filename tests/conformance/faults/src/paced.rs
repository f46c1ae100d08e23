//! Connectors with paced readers.

use std::sync::Arc;

use flott::connector::lookup::LookupTable;
use flott::connector::{
    Boundedness, Changelog, Connector, EnumeratorContext, EventTimePolicy, Manual, Options, Payload, Poll,
    ReaderContext, Sink, Source, SourceOutput, SourceReader, Split, SplitEnumerator, TableContext,
};
use flott::plan::{LookupSpec, SinkSpec, SourceSpec, TableSpec};
use flott::types::{CheckpointId, LogicalType, Timestamp, Waker};
use flott::{Error, Result};

use crate::pace::{Pace, Turn};

/// A connector, and the pace of its readers.
pub struct Paced<C: ?Sized> {
    /// The pace.
    pub pace: Arc<Pace>,
    /// The connector.
    pub inner: Arc<C>,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl Connector for Paced<dyn Connector> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn manual(&self) -> Manual {
        self.inner.manual()
    }

    fn source(
        &self,
        spec: &SourceSpec,
        options: &Options<'_>,
        context: &TableContext,
    ) -> Result<Arc<dyn Source>> {
        let inner = self.inner.source(spec, options, context)?;
        Ok(Arc::new(Paced { pace: self.pace.clone(), inner }))
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, context: &TableContext) -> Result<Arc<dyn Sink>> {
        self.inner.sink(spec, options, context)
    }

    fn lookup(
        &self,
        spec: &LookupSpec,
        options: &Options<'_>,
        context: &TableContext,
    ) -> Result<Arc<dyn LookupTable>> {
        self.inner.lookup(spec, options, context)
    }

    fn readable_metadata(&self, spec: &TableSpec, options: &Options<'_>) -> Vec<(String, LogicalType)> {
        self.inner.readable_metadata(spec, options)
    }

    fn projects_fields(&self, spec: &TableSpec, options: &Options<'_>) -> bool {
        self.inner.projects_fields(spec, options)
    }

    fn reports_errors(&self) -> bool {
        self.inner.reports_errors()
    }

    fn overwrites(&self) -> bool {
        self.inner.overwrites()
    }

    fn sends_watermarks(&self, spec: &TableSpec, options: &Options<'_>) -> bool {
        self.inner.sends_watermarks(spec, options)
    }

    fn source_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        self.inner.source_changelog(spec, options)
    }

    fn sink_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        self.inner.sink_changelog(spec, options)
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl Source for Paced<dyn Source> {
    fn boundedness(&self) -> Boundedness {
        self.inner.boundedness()
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        self.inner.enumerator(restored, context)
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let waker = context.waker.clone();
        Ok(Box::new(PacedReader { inner: self.inner.reader(context)?, pace: self.pace.clone(), waker }))
    }

    fn watermark_per_split(&self) -> bool {
        self.inner.watermark_per_split()
    }

    fn event_time(&self, interval: i64) -> Option<EventTimePolicy> {
        self.inner.event_time(interval)
    }
}

struct PacedReader {
    inner: Box<dyn SourceReader>,
    pace: Arc<Pace>,
    waker: Waker,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl SourceReader for PacedReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.inner.add_splits(splits)
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        match self.pace.take(&self.waker) {
            Turn::Go => self.inner.poll(output),
            Turn::Wait => Ok(Poll::Wait(Timestamp::MAX)),
            Turn::Fail => Err(Error::external("the test lets a source fail")),
        }
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Split>> {
        self.inner.snapshot(checkpoint)
    }

    fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
        self.inner.pause_splits(paused)
    }

    fn event(&mut self, event: Payload) -> Result<()> {
        self.inner.event(event)
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.inner.checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.inner.checkpoint_aborted(checkpoint)
    }
}
