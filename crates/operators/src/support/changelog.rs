//! A changelog under construction: which rows of which columns are emitted, with which kinds.

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::{RowBytes, runs};
use flott_batch::{ChangeBatch, RowKind, RowKinds};
use flott_types::Result;

use super::rows::{kernel, record_batch, take_columns};

/// Cuts changes into runs of at most `limit`, unless a single one is larger; the halves of an update stay
/// together.
pub(crate) fn whole_updates(
    len: usize,
    limit: usize,
    kind: impl Fn(usize) -> RowKind,
    bytes: impl Fn(usize) -> usize,
) -> Vec<Range<usize>> {
    let is_second =
        |at: usize| at > 0 && kind(at) == RowKind::UpdateAfter && kind(at - 1) == RowKind::UpdateBefore;
    let mut starts: Vec<usize> = (0..len).filter(|at| !is_second(*at)).collect();
    starts.push(len);
    let changes = runs(starts.len() - 1, limit, |at| (starts[at]..starts[at + 1]).map(&bytes).sum());
    changes.into_iter().map(|run| starts[run.start]..starts[run.end]).collect()
}

/// Rows from several lists of columns, each with its kind. Built with one gather per column.
#[derive(Default)]
pub(crate) struct Changelog {
    kinds: Vec<RowKind>,
    picks: Vec<(usize, usize)>,
}

impl Changelog {
    /// Adds a row of a source.
    #[inline]
    pub fn push(&mut self, kind: RowKind, source: usize, row: usize) {
        self.kinds.push(kind);
        self.picks.push((source, row));
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The changes in batches of at most `limit`, unless a single one is larger; the halves of an update stay
    /// together.
    pub fn build_in_runs(
        self,
        schema: &SchemaRef,
        sources: &[&[ArrayRef]],
        limit: usize,
        mut each: impl FnMut(ChangeBatch) -> Result<()>,
    ) -> Result<()> {
        let bytes: Vec<RowBytes> = sources.iter().map(|source| RowBytes::new(source)).collect();
        let of = |at: usize| bytes[self.picks[at].0].of(self.picks[at].1);
        for run in whole_updates(self.kinds.len(), limit, |at| self.kinds[at], of) {
            let part = Changelog { kinds: self.kinds[run.clone()].to_vec(), picks: self.picks[run].to_vec() };
            each(part.build(schema, sources)?)?;
        }
        Ok(())
    }

    /// The batch. All sources have the columns of the schema.
    pub fn build(self, schema: &SchemaRef, sources: &[&[ArrayRef]]) -> Result<ChangeBatch> {
        let rows = self.picks.len();
        let only = self
            .picks
            .first()
            .map(|(source, _)| *source)
            .filter(|first| sources.len() == 1 || self.picks.iter().all(|(source, _)| source == first));
        let columns = match only {
            Some(source) => {
                let whole = sources[source].first().is_none_or(|column| column.len() == rows)
                    && self.picks.iter().enumerate().all(|(at, (_, row))| at == *row);
                if whole {
                    sources[source].to_vec()
                } else {
                    let rows: Vec<u32> = self.picks.iter().map(|(_, row)| *row as u32).collect();
                    take_columns(sources[source], &rows)?
                }
            }
            None => (0..schema.fields().len())
                .map(|column| {
                    let arrays: Vec<_> = sources.iter().map(|source| source[column].as_ref()).collect();
                    interleave(&arrays, &self.picks).map_err(kernel)
                })
                .collect::<Result<_>>()?,
        };
        Ok(ChangeBatch::new(record_batch(schema, columns, rows)?, Some(RowKinds::from(self.kinds))))
    }
}
