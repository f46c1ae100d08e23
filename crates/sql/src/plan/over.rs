//! OVER: by a time attribute, by any columns of a stream, and in batch.

use flott_plan::OperatorSpec;
use flott_types::{Error, Result};

use super::{Planner, Stream, describe, schema_of};
use crate::logical::{Rel, TimeAttribute};

impl Planner<'_> {
    pub(super) fn over(
        &mut self,
        input: &Rel,
        spec: &crate::logical::OverSpec,
        calls: &[crate::logical::Call],
        rel: &Rel,
    ) -> Result<Stream> {
        if !self.options.streaming {
            return self.batch_over(input, spec, calls, rel);
        }
        if let Some(call) = calls.iter().find(|call| is_ranking(&call.function))
            && (spec.order.first().is_some_and(|key| key.descending) || spec.order.len() > 1)
        {
            return Err(Error::unsupported(format!(
                "{}() on streaming table is not supported currently in this order: number rows with ROW_NUMBER()",
                call.function
            )));
        }
        if let Some(call) = calls.iter().find(|call| is_unknowable(&call.function)) {
            return Err(Error::unsupported(format!(
                "{} with OVER on a stream is not supported",
                call.function
            )));
        }
        let key = match spec.order.as_slice() {
            [key] if !key.descending => key,
            [_] => {
                return Err(Error::invalid(
                    "The window can only be ordered in ASCENDING mode: this is OVER of a stream",
                ));
            }
            _ => {
                return Err(Error::invalid(
                    "OVER of a stream needs an ORDER BY of one column, preferably a time attribute",
                ));
            }
        };
        let Some(time) = input.fields[key.column].time else {
            return self.updating_over(input, spec, calls, rel);
        };
        let time_column = (time == TimeAttribute::Event).then_some(key.column);
        let input = self.stream(input)?;
        self.insert_only(&input, "OverAggregate")?;
        self.check_users(calls, spec.preceding.map(|_| "a bounded frame"), None)?;
        let name = describe::over(spec, calls, &input.schema);
        let operator = OperatorSpec::OverAggregate {
            partition: spec.partition.clone(),
            time_column,
            preceding: spec.preceding,
            rows: spec.rows,
            aggregates: calls.to_vec(),
            ttl: self.options.state_ttl,
        };
        Ok(self.keyed(name, operator, schema_of(rel), input, &spec.partition))
    }

    /// OVER by what is no time attribute: rows change the results of those behind them.
    fn updating_over(
        &mut self,
        input: &Rel,
        spec: &crate::logical::OverSpec,
        calls: &[crate::logical::Call],
        rel: &Rel,
    ) -> Result<Stream> {
        if spec.preceding.is_some() {
            return Err(Error::unsupported(
                "OVER of a stream with a bounded frame that is not ordered by a time attribute is not supported",
            ));
        }
        let input = self.stream(input)?;
        let name = describe::over(spec, calls, &input.schema);
        let operator = OperatorSpec::UpdatingOver {
            partition: spec.partition.clone(),
            order: spec.order.clone(),
            rows: spec.rows,
            aggregates: calls.to_vec(),
            ttl: self.options.state_ttl,
            emit_update_before: true,
        };
        Ok(self.keyed(name, operator, schema_of(rel), input, &spec.partition))
    }

    /// OVER when all rows are there: any order, any frame.
    fn batch_over(
        &mut self,
        input: &Rel,
        spec: &crate::logical::OverSpec,
        calls: &[crate::logical::Call],
        rel: &Rel,
    ) -> Result<Stream> {
        let input = self.stream(input)?;
        let name = describe::over(spec, calls, &input.schema);
        let operator = OperatorSpec::BatchOver {
            partition: spec.partition.clone(),
            order: spec.order.clone(),
            rows: spec.rows,
            preceding: spec.preceding,
            following: spec.following,
            aggregates: calls.to_vec(),
        };
        Ok(self.keyed(name, operator, schema_of(rel), input, &spec.partition))
    }
}

/// Functions with OVER by which rows that are equal have the same rank.
fn is_ranking(function: &str) -> bool {
    matches!(function, "RANK" | "DENSE_RANK")
}

/// Functions with OVER that need rows that a stream has not seen yet.
fn is_unknowable(function: &str) -> bool {
    matches!(function, "NTILE" | "LEAD" | "PERCENT_RANK" | "CUME_DIST")
}
