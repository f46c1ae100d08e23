//! A source with a watermark strategy.

use std::sync::Arc;

use flott_batch::Record;
use flott_connector::{
    Boundedness, EnumeratorContext, EventTimePolicy, Payload, Produces, ReaderContext, Source, SourceReader,
    SplitEnumerator,
};
use flott_types::Result;

use super::WatermarkStrategy;

/// A source whose events get timestamps and watermarks by a strategy, per split. The source's own watermarks
/// ([`SourceOutput::watermark`](flott_connector::SourceOutput::watermark)) count too.
pub struct WatermarkedSource<T> {
    source: Arc<dyn Source>,
    strategy: WatermarkStrategy<T>,
}

impl<T: Record> WatermarkedSource<T> {
    /// This source with this strategy.
    pub fn new(source: impl Produces<T> + 'static, strategy: WatermarkStrategy<T>) -> Self {
        WatermarkedSource { source: Arc::new(source), strategy }
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<T: Record> Source for WatermarkedSource<T> {
    fn boundedness(&self) -> Boundedness {
        self.source.boundedness()
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        self.source.enumerator(restored, context)
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        self.source.reader(context)
    }

    fn watermark_per_split(&self) -> bool {
        self.source.watermark_per_split()
    }

    fn event_time(&self, interval: i64) -> Option<EventTimePolicy> {
        self.strategy.policy(interval).or_else(|| self.source.event_time(interval))
    }
}

impl<T: Record> Produces<T> for WatermarkedSource<T> {}
