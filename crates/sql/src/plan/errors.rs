//! Where records go that a source cannot read: from its side output into a table.

use flott_plan::{ERRORS, OperatorSpec, Schema, errors_schema};
use flott_types::Result;

use super::meaning::Meaning;
use super::{Planner, SinkTarget, Stream};
use crate::changelog::{Keys, Kinds, Relation};
use crate::logical::ErrorsInto;

impl Planner<'_> {
    /// Notes where the records go that a source cannot read.
    pub(super) fn note_errors(&mut self, source: &Stream, errors: &ErrorsInto) {
        if self.errors.iter().all(|(known, _)| known.id != source.id) {
            self.errors.push((source.clone(), errors.clone()));
        }
    }

    /// Plans the tables of ERRORS INTO, once everything that reads is planned. Gives their names.
    ///
    /// # Errors
    /// If a table cannot be written to.
    pub fn errors(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for (source, errors) in std::mem::take(&mut self.errors) {
            let ErrorsInto { sink, columns } = errors;
            let (exprs, columns): (Vec<_>, Vec<_>) = columns
                .into_iter()
                .map(|(expr, name)| {
                    let ty = expr.ty().clone();
                    (expr, (name, ty))
                })
                .unzip();
            let schema = Schema::new(columns);
            let stream = self.side_output(source);
            let stream = self.project_stream(stream, exprs, None, schema.clone());
            names.push(sink.table.name.clone());
            self.write_to(stream, schema, None, &SinkTarget::Table(Box::new(sink), None))?;
        }
        Ok(names)
    }

    /// The records that a source cannot read: rows that come and stay, without a key.
    fn side_output(&self, source: Stream) -> Stream {
        debug_assert!(matches!(self.graph.nodes[source.id.0 as usize].spec, OperatorSpec::Source(_)));
        let schema = errors_schema();
        let meaning = Meaning {
            rows: format!("{} ERRORS", source.meaning.rows),
            columns: schema.iter().map(|(name, _)| name.to_owned()).collect(),
            joined: 1,
        };
        let relation = Relation { kinds: Kinds::INSERTS, keys: Keys::none(), always_before: false };
        Stream { tag: Some(ERRORS), relation, schema, meaning, ..source }
    }
}
