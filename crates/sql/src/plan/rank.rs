//! The first rows of each partition.

use flott_plan::{Exchange, OperatorSpec, SortKey};
use flott_types::Result;

use super::{Planner, Stream, describe, schema_of};
use crate::logical::{Rel, WindowBound};

/// Partitions with more wanted rows than this are not looked at before rows are exchanged.
const FEW: u64 = 100;

/// Which rows are wanted.
pub(super) struct Ranks<'r> {
    pub partition: &'r [usize],
    pub order: &'r [SortKey],
    pub from: u64,
    pub to: Option<u64>,
    /// Whether the rank is a column.
    pub rank: bool,
}

impl Planner<'_> {
    pub(super) fn top_n(&mut self, source: &Rel, ranks: &Ranks<'_>, rel: &Rel) -> Result<Stream> {
        let Ranks { partition, order, from, to, rank } = *ranks;
        let input = self.stream(source)?;
        let schema = schema_of(rel);
        let name = describe::top_n(partition, order, from, to, rank, &input.schema);
        let window_end =
            self.window_of_partition(source, partition).filter(|_| to.is_some() && !input.updates());
        let spec = OperatorSpec::TopN {
            partition: partition.to_vec(),
            order: order.to_vec(),
            from,
            to,
            output_rank: rank,
            input_updates: input.updates(),
            ttl: self.options.state_ttl,
            window_end,
            emit_update_before: true,
        };
        if window_end.is_some() {
            return Ok(self.keyed(format!("Window{name}"), spec, schema, input, partition));
        }
        match to {
            Some(to) if self.can_be_looked_at_first(&input, ranks, to) => {
                let expires = self.options.state_ttl > 0;
                let (partition_columns, order) = (partition.to_vec(), order.to_vec());
                let local = OperatorSpec::LocalTopN { partition: partition_columns, order, to, expires };
                let (columns, parallelism) = (input.schema.clone(), input.parallelism);
                let inputs = [(input.clone(), Exchange::Forward)];
                let local = self.add(format!("Local{name}"), local, columns, parallelism, &inputs);
                Ok(self.second_phase(
                    (&name, spec.clone(), &input),
                    (name.clone(), spec, schema),
                    &local,
                    partition,
                ))
            }
            _ => Ok(self.keyed(name, spec, schema, input, partition)),
        }
    }

    /// Whether rows that certainly are not wanted can be dropped before they are exchanged: those that come and stay.
    fn can_be_looked_at_first(&self, input: &Stream, ranks: &Ranks<'_>, to: u64) -> bool {
        self.options.two_phase
            && self.options.streaming
            && !input.updates()
            && input.parallelism > 1
            && self.options.parallelism > 1
            && !ranks.partition.is_empty()
            && !ranks.order.is_empty()
            && (1..=FEW).contains(&to)
            && !self.lies_by(input, ranks.partition)
    }

    /// The end of the window, where these columns hold a whole window of event time.
    fn window_of_partition(&self, rel: &Rel, partition: &[usize]) -> Option<usize> {
        let bound =
            |bound| partition.iter().copied().find(|column| rel.fields[*column].window == Some(bound));
        let (_, end) = (bound(WindowBound::Start)?, bound(WindowBound::End)?);
        let window = crate::optimize::window_of(rel)?;
        (self.options.streaming && window.ends_in_event_time()).then_some(end)
    }
}
