//! The watermarks of a table, generated for each split of its source.

use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{EventTimeGenerator, EventTimeProgress, Timed};
use flott_operator::Output;
use flott_types::{Error, Result, Timestamp, Watermark};

use super::watermark_generator::{EventTime, WatermarkGenerator};

/// The watermark expression of a table, for one split.
pub(crate) struct TableWatermark(pub Arc<WatermarkGenerator>);

impl EventTimeGenerator for TableWatermark {
    fn rows(
        &mut self,
        batch: Batch,
        progress: &mut EventTimeProgress,
        cap: Timestamp,
        now: Timestamp,
        output: &mut dyn FnMut(Timed) -> Result<()>,
    ) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("watermarks are generated from columns"));
        };
        let mut time = EventTime { current: progress.current, sent: progress.sent };
        self.0.emit(&batch.compact()?, &mut time, cap, now, &mut TimedOutput(output))?;
        (progress.current, progress.sent) = (time.current, time.sent);
        Ok(())
    }
}

struct TimedOutput<'a>(&'a mut dyn FnMut(Timed) -> Result<()>);

impl Output for TimedOutput<'_> {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        (self.0)(Timed::Rows(batch))
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        (self.0)(Timed::Watermark(watermark))
    }

    fn watermark_status(&mut self, _: WatermarkStatus) -> Result<()> {
        Ok(())
    }
}
