//! Assembles a batch: columns from the file, and columns that are constant for the whole file.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray,
    UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::Rejected;
use flott_connector::format::FileFormat;
use flott_files::{FileSplit, SplitInput};
use flott_plan::SourceSpec;
use flott_types::{Error, Result};

use super::content::{Columns, Content, Records};
use crate::config::Config;

/// Where each column of the output comes from.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    schema: SchemaRef,
    origins: Vec<Origin>,
    /// The columns that the decoder produces, by position among the columns in the files.
    decoded: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Origin {
    Decoded(usize),
    Partition(usize),
    Path,
    Name,
    Size,
    Modified,
}

impl Layout {
    pub(super) fn new(config: &Config, spec: &SourceSpec) -> Result<Self> {
        let (in_files, _) = config.file_columns(&spec.table);
        let mut origins = Vec::new();
        let mut decoded = Vec::new();
        let mut columns = Vec::new();
        for index in &spec.projection {
            let column = spec.table.schema.columns.get(*index);
            columns.push(column.ok_or_else(|| Error::internal(format!("there is no column {index}")))?);
            let partition = config.partitioning.columns.iter().position(|(column, ..)| column == index);
            origins.push(match partition {
                Some(partition) => Origin::Partition(partition),
                None => {
                    let position = in_files.iter().position(|column| column == index);
                    decoded.push(position.ok_or_else(|| Error::internal("a column is nowhere"))?);
                    Origin::Decoded(decoded.len() - 1)
                }
            });
        }
        for column in &spec.metadata.columns {
            columns.push(column);
            origins.push(match column.name.as_str() {
                "file.path" => Origin::Path,
                "file.name" => Origin::Name,
                "file.size" => Origin::Size,
                "file.modification-time" => Origin::Modified,
                other => {
                    return Err(Error::invalid(format!(
                        "table {} has no metadata '{other}'; there are: file.path, file.name, file.size, file.modification-time",
                        spec.table.name
                    )));
                }
            });
        }
        let schema = arrow_type::schema(columns.into_iter().map(|column| (column.name.as_str(), &column.ty)));
        Ok(Layout { schema, origins, decoded })
    }

    /// Whether the files can hold the columns.
    pub(super) fn check(&self, config: &Config, spec: &SourceSpec) -> Result<()> {
        let schema = config.file_columns(&spec.table).1;
        match config.files()? {
            FileFormat::Records(records) => records.decoder(&schema, &self.decoded).map(|_| ()),
            FileFormat::Bulk(bulk) => bulk.check(&schema),
        }
    }

    /// What reads a split.
    pub(super) fn content(&self, config: &Config, spec: &SourceSpec, split: FileSplit) -> Result<Content> {
        let schema = config.file_columns(&spec.table).1;
        Ok(match config.files()? {
            FileFormat::Records(records) => Content::Records(Records::open(
                records.decoder(&schema, &self.decoded)?,
                records.is_text(),
                SplitInput::open(split)?,
                Rejected::wanted(spec),
            )),
            FileFormat::Bulk(bulk) => Content::Columns(Columns::open(split, |file, first_row| {
                bulk.reader(file, first_row, &schema, &self.decoded)
            })?),
        })
    }

    /// The columns that are constant for a file, as arrays of one element.
    pub(super) fn constants(&self, config: &Config, split: &FileSplit) -> Result<Vec<Option<ArrayRef>>> {
        let path = Path::new(&split.path);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let wanted = self.origins.iter().any(|origin| matches!(origin, Origin::Partition(_)));
        let partition = if wanted { config.partitioning.values(path)? } else { Vec::new() };
        let constant = |origin: &Origin| -> Option<ArrayRef> {
            Some(match origin {
                Origin::Decoded(_) => return None,
                Origin::Partition(index) => partition[*index].clone(),
                Origin::Path => Arc::new(StringArray::from(vec![split.path.as_str()])),
                Origin::Name => Arc::new(StringArray::from(vec![name])),
                Origin::Size => Arc::new(Int64Array::from(vec![split.size as i64])),
                Origin::Modified => {
                    let micros = split.modified.saturating_mul(1_000);
                    Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone(arrow_type::utc()))
                }
            })
        };
        Ok(self.origins.iter().map(constant).collect())
    }

    /// A batch of the output, from one of the decoder and the constants of its file.
    pub(super) fn assemble(
        &self,
        decoded: &ChangeBatch,
        constants: &[Option<ArrayRef>],
    ) -> Result<ChangeBatch> {
        let rows = decoded.physical_rows();
        let wrong = |error| Error::internal("columns of a file's batch").with_source(error);
        let firsts = UInt32Array::from_value(0, if constants.iter().any(Option::is_some) { rows } else { 0 });
        let column = |(origin, constant): (&Origin, &Option<ArrayRef>)| match (origin, constant) {
            (Origin::Decoded(index), _) => Ok(decoded.column(*index).clone()),
            (_, Some(constant)) => take(constant.as_ref(), &firsts, None).map_err(wrong),
            (_, None) => Err(Error::internal("a constant column is missing")),
        };
        let columns = self.origins.iter().zip(constants).map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(wrong)?;
        Ok(ChangeBatch::new(batch, decoded.kinds().cloned()))
    }
}
