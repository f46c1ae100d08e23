//! The sink: hidden files, made visible when the checkpoint that holds them has completed.

mod file_name;
mod partitioner;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flott_connector::{Committable, Sink, SinkContext, SinkWriter};
use flott_plan::SinkSpec;
use flott_types::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::storage;
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
        let mut partitions: Vec<PathBuf> = Vec::new();
        for committable in committables {
            let file = FinishedFile::from_committable(committable)?;
            let visible = Path::new(&file.visible);
            storage::publish(Path::new(&file.hidden), visible)?;
            partitions.extend(visible.parent().map(Path::to_owned));
        }
        if let (Some(name), false) = (&self.config.success_file, self.config.partitioning.columns.is_empty())
        {
            partitions.sort();
            partitions.dedup();
            partitions.iter().try_for_each(|partition| storage::touch(&partition.join(name)))?;
        }
        Ok(())
    }

    fn is_two_phase(&self) -> bool {
        true
    }
}

/// A file that is complete and waits for its name: the payload of a [`Committable`].
#[derive(Serialize, Deserialize)]
struct FinishedFile {
    version: u32,
    hidden: String,
    visible: String,
}

const VERSION: u32 = 1;

impl FinishedFile {
    fn to_committable(hidden: &Path, visible: &Path) -> Result<Committable> {
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .ok_or_else(|| Error::unsupported(format!("the path {} is not UTF-8", path.display())))
        };
        let file = FinishedFile { version: VERSION, hidden: text(hidden)?, visible: text(visible)? };
        let payload = serde_json::to_string(&file);
        Ok(Committable {
            payload: payload
                .map_err(|error| Error::internal("a file's name cannot be written").with_source(error))?,
        })
    }

    fn from_committable(committable: &Committable) -> Result<Self> {
        let damaged = || Error::state(format!("a finished file cannot be read: {}", committable.payload));
        let file: FinishedFile =
            serde_json::from_str(&committable.payload).map_err(|error| damaged().with_source(error))?;
        if file.version != VERSION {
            return Err(damaged().context(format!("version {} instead of {VERSION}", file.version)));
        }
        Ok(file)
    }
}
