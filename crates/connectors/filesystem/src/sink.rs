//! The sink: hidden files, made visible when the checkpoint that contains them has completed.

mod committer;
mod merging;
mod overwriting;
mod partitioner;
mod partitions;
mod progress;
mod writer;

use std::sync::Arc;

use flott_connector::format::FileFormat;
use flott_connector::{
    Committer, CommitterContext, GlobalCommitterContext, Payload, Sink, SinkContext, SinkWriter,
};
use flott_plan::SinkSpec;
use flott_storage::files;
use flott_types::{Error, Result};

use crate::config::Config;
use committer::TableCommitter;
use overwriting::OverwritingCommitter;
use writer::FileWriter;

pub(crate) struct FileSink {
    config: Arc<Config>,
    spec: Arc<SinkSpec>,
}

impl FileSink {
    pub(crate) fn new(config: Config, spec: &SinkSpec) -> Result<Self> {
        if spec.overwrite && config.compaction.is_some() {
            return Err(Error::unsupported(format!(
                "table {}: INSERT OVERWRITE with 'auto-compaction' = 'true'; say \
                 INSERT OVERWRITE ... /*+ OPTIONS('auto-compaction' = 'false') */",
                spec.table.name
            )));
        }
        config
            .path
            .check_writable()
            .map_err(|error| error.context(format_args!("table {}", spec.table.name)))?;
        let (_, schema) = config.file_columns(&spec.table);
        if schema.is_empty() {
            return Err(Error::invalid(format!(
                "table {}: at least one column must not be a partition column",
                spec.table.name
            )));
        }
        config.partitioning.named(&spec.static_partition)?;
        match config.files()? {
            FileFormat::Records(records) => _ = records.encoder(&schema)?,
            FileFormat::Bulk(bulk) => bulk.check(&schema)?,
        }
        Ok(FileSink { config: Arc::new(config), spec: Arc::new(spec.clone()) })
    }
}

impl Sink for FileSink {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(FileWriter::new(self.config.clone(), &self.spec, context, &restored)?))
    }

    /// Makes files visible.
    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(flott_files::committer())
    }

    /// Partitions and merged files, if the table asks for it, and what takes the place of others.
    fn commits_globally(&self) -> bool {
        self.spec.overwrite || self.config.commit.is_some() || self.config.compaction.is_some()
    }

    fn global_committer(&self, context: GlobalCommitterContext) -> Result<Box<dyn Committer>> {
        if self.spec.overwrite {
            return Ok(Box::new(OverwritingCommitter::new(&self.config, &self.spec, &context)?));
        }
        let (_, schema) = self.config.file_columns(&self.spec.table);
        Ok(Box::new(TableCommitter::new(&self.config, schema, &context)))
    }

    fn check(&self) -> Result<()> {
        let checked = files::check_writable(&self.config.path);
        checked.map_err(|error| error.context(format!("table {}", self.spec.table.name)))
    }

    fn is_two_phase(&self) -> bool {
        true
    }
}
