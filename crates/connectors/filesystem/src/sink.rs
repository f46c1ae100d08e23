//! The sink: hidden files, made visible when the checkpoint that holds them has completed.

mod partitioner;
mod writer;

use std::sync::Arc;

use flott_connector::{Committable, Sink, SinkContext, SinkWriter};
use flott_files::storage;
use flott_plan::SinkSpec;
use flott_types::{Error, Result};

use crate::config::Config;
use writer::FileWriter;

pub(crate) struct FileSink {
    config: Arc<Config>,
    spec: Arc<SinkSpec>,
}

impl FileSink {
    pub(crate) fn new(config: Config, spec: &SinkSpec) -> Result<Self> {
        if spec.overwrite {
            return Err(Error::unsupported(format!(
                "table {}: INSERT OVERWRITE is not built yet",
                spec.table.name
            )));
        }
        let (_, schema) = config.file_columns(&spec.table);
        if schema.is_empty() {
            return Err(Error::invalid(format!(
                "table {}: at least one column must not be a partition column",
                spec.table.name
            )));
        }
        config.format.encoder(&schema)?;
        Ok(FileSink { config: Arc::new(config), spec: Arc::new(spec.clone()) })
    }
}

impl Sink for FileSink {
    fn writer(&self, context: SinkContext, restored: Vec<String>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(FileWriter::new(self.config.clone(), &self.spec, context, &restored)?))
    }

    fn commit(&self, committables: &[Committable]) -> Result<()> {
        let partitions = flott_files::commit(committables)?;
        if let (Some(name), false) = (&self.config.success_file, self.config.partitioning.columns.is_empty())
        {
            partitions.iter().try_for_each(|partition| storage::touch(&partition.join(name)))?;
        }
        Ok(())
    }

    fn is_two_phase(&self) -> bool {
        true
    }
}
