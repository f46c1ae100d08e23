//! The source: finds files, cuts them into splits, reads them.

mod columns;
mod content;
mod reader;

use std::sync::Arc;

use flott_connector::format::FileFormat;
use flott_connector::{
    Boundedness, EnumeratorContext, Payload, RateLimiter, ReaderContext, Source, SourceReader,
    SplitEnumerator, check_errors,
};
use flott_files::{FileEnumerator, Listing};
use flott_plan::SourceSpec;
use flott_types::{Error, Result};

use crate::config::Config;
use columns::Layout;
use reader::FileReader;

pub(crate) struct FileSource {
    config: Arc<Config>,
    spec: Arc<SourceSpec>,
    layout: Layout,
}

impl FileSource {
    pub(crate) fn new(config: Config, spec: &SourceSpec) -> Result<Self> {
        let layout = Layout::new(&config, spec)?;
        // Reports wrong types and options at planning time.
        layout.check(&config, spec)?;
        check_errors(spec, &*config.format)?;
        if spec.errors && matches!(config.files()?, FileFormat::Bulk(_)) {
            return Err(Error::invalid(format!(
                "table {}: ERRORS INTO is for formats whose files are records, one after the other; of the format '{}' a file \
                 can be read or not, as a whole",
                spec.table.name,
                config.format.name()
            )));
        }
        if spec.table.schema.is_empty() {
            return Err(Error::invalid(format!("table {} has no columns", spec.table.name)));
        }
        Ok(FileSource { config: Arc::new(config), spec: Arc::new(spec.clone()), layout })
    }
}

impl Source for FileSource {
    fn boundedness(&self) -> Boundedness {
        if self.config.monitor_interval.is_some() { Boundedness::Unbounded } else { Boundedness::Bounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let listing = Listing {
            path: self.config.path.clone(),
            pattern: self.config.pattern.clone(),
            monitor_interval: self.config.monitor_interval,
            is_splittable: match self.config.files()? {
                FileFormat::Records(records) => records.is_splittable(),
                FileFormat::Bulk(_) => false,
            },
        };
        Ok(Box::new(FileEnumerator::new(listing, restored, context)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let rate = self.config.rows_per_second.map(|rate| rate / f64::from(context.parallelism.max(1)));
        let limiter = rate.map(|rate| RateLimiter::new(rate, context.clock.clone()));
        let reader = FileReader::new(
            self.config.clone(),
            self.spec.clone(),
            self.layout.clone(),
            limiter,
            context.batch_size.max(1),
        );
        Ok(Box::new(reader))
    }
}
