//! From a logical plan to operators: which operator, how many subtasks, which exchange between them, and under which uid its
//! state is found again.
//!
//! A uid identifies what the operator's state means (`meaning`), and stays the same when a query is changed
//! in ways that do not affect that. A lineage identifies everything that the operator computes: its own
//! description with column names, and the lineages of its inputs. Two parts of a statement with the same
//! lineage compute the same, so they become one node and its output is shared.

mod aggregate;
mod calc;
mod describe;
mod explain;
mod join;
pub(crate) mod limits;
mod lookup_join;
mod meaning;
mod options;
mod row_pattern;
mod sink;
mod source;
mod versions;

use flott_connector::{Changelog, Registry, TableContext};
use flott_expr::Functions;
use flott_plan::{Exchange, Lineage, Node, NodeId, OperatorSpec, Schema, StreamGraph, Wishes};
use flott_types::{Error, FastMap, FastSet, OperatorUid, Result};

use self::meaning::{Identity, Meaning};
pub use explain::explain;
pub use options::PlanOptions;
pub use sink::SinkTarget;

use crate::logical::{Rel, RelNode, TimeAttribute, WindowBound};

/// A stream in the graph.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    /// The operator that produces it.
    pub id: NodeId,
    /// How many subtasks it has.
    pub parallelism: u32,
    /// Whether it has updates and deletions.
    pub updates: bool,
    /// Its columns.
    pub schema: Schema,
    /// What its rows and columns are.
    pub meaning: Meaning,
}

/// Builds the graph of one job.
pub struct Planner<'a> {
    connectors: &'a Registry,
    functions: &'a Functions,
    options: &'a PlanOptions,
    table_context: TableContext,
    graph: StreamGraph,
    /// What each node emits, for EXPLAIN: `I` or `I,UB,UA,D`.
    updates: Vec<bool>,
    by_lineage: FastMap<String, Stream>,
}

impl<'a> Planner<'a> {
    /// A planner with nothing in it.
    pub fn new(connectors: &'a Registry, functions: &'a Functions, options: &'a PlanOptions) -> Self {
        let table_context = options.table_context();
        let graph = StreamGraph::default();
        let (updates, by_lineage) = (Vec::new(), FastMap::default());
        Planner { connectors, functions, options, table_context, graph, updates, by_lineage }
    }

    /// The operators planned so far.
    pub fn finish(mut self) -> (StreamGraph, Vec<bool>) {
        self.tell_apart();
        (self.graph, self.updates)
    }

    /// Operators whose state would have one name are told apart by all that they compute: all of them, so that none takes the
    /// state of another when statements are added or change places.
    fn tell_apart(&mut self) {
        let mut known: FastMap<String, usize> = FastMap::default();
        for node in &self.graph.nodes {
            *known.entry(node.uid.0.clone()).or_default() += 1;
        }
        let mut taken: FastSet<String> =
            known.iter().filter(|(_, count)| **count == 1).map(|(uid, _)| uid.clone()).collect();
        for node in self.graph.nodes.iter_mut().filter(|node| known[&node.uid.0] > 1) {
            let uid = format!("{}-{}", node.uid.0, meaning::hash(&[&node.lineage.whole]));
            let uid = numbered(uid, |name| taken.contains(name));
            taken.insert(uid.clone());
            node.uid = OperatorUid(uid);
        }
    }

    /// Plans a relation.
    pub(crate) fn stream(&mut self, rel: &Rel) -> Result<Stream> {
        match &rel.node {
            RelNode::Scan(scan) => self.scan(rel, scan),
            RelNode::Values(rows) => {
                let schema = schema_of(rel);
                let name = describe::values(rows, &schema);
                Ok(self.add(name, OperatorSpec::Values { rows: rows.clone() }, schema, 1, false, &[]))
            }
            RelNode::Project { .. } | RelNode::Filter { .. } => self.calc(rel),
            RelNode::Watermark { input, column, expr } => self.watermark(input, *column, expr, rel),
            RelNode::WindowTvf { input, window, partition } => self.window_tvf(input, window, partition, rel),
            RelNode::Aggregate { input, keys, calls } => self.group_aggregate(input, keys, calls, rel),
            RelNode::WindowAggregate { input, window, attached, keys, calls, bounds } => {
                let parts =
                    aggregate::WindowParts { window, attached: *attached, keys, calls, bounds: *bounds };
                self.window_aggregate(input, &parts, rel)
            }
            RelNode::Join { left, right, kind, condition } => {
                self.join(left, right, *kind, condition.as_ref(), rel)
            }
            RelNode::TemporalJoin { left, right, kind, left_time, right_time, condition } => {
                let times = (*left_time, *right_time);
                self.temporal_join(left, right, *kind, times, condition.as_ref(), rel)
            }
            RelNode::LookupJoin { .. } => self.lookup_join(rel),
            RelNode::Union(inputs) => self.union(inputs, rel),
            RelNode::Expand { input, projections } => {
                let input = self.stream(input)?;
                let schema = schema_of(rel);
                let name = describe::expand(projections, &input.schema);
                let spec = OperatorSpec::Expand { projections: projections.clone() };
                let inputs = [(input.clone(), Exchange::Forward)];
                Ok(self.add(name, spec, schema, input.parallelism, input.updates, &inputs))
            }
            RelNode::Unnest { input, collection, ordinality, keep_empty } => {
                let input = self.stream(input)?;
                let name = describe::unnest(collection, *ordinality, *keep_empty, &input.schema);
                let spec = OperatorSpec::Unnest {
                    collection: collection.clone(),
                    ordinality: *ordinality,
                    keep_empty: *keep_empty,
                };
                let (parallelism, updates) = (input.parallelism, input.updates);
                Ok(self.add(name, spec, schema_of(rel), parallelism, updates, &[(input, Exchange::Forward)]))
            }
            RelNode::ToChangelog { input, codes } => {
                let input = self.stream(input)?;
                let name = describe::to_changelog(codes, &rel.fields[0].name);
                let spec = OperatorSpec::ToChangelog { codes: codes.clone() };
                let parallelism = input.parallelism;
                Ok(self.add(name, spec, schema_of(rel), parallelism, false, &[(input, Exchange::Forward)]))
            }
            RelNode::FromChangelog { input, column, codes } => {
                let input = self.stream(input)?;
                insert_only(&input, "FROM_CHANGELOG")?;
                let name = describe::from_changelog(*column, codes, &input.schema);
                let spec = OperatorSpec::FromChangelog { column: *column, codes: codes.clone() };
                let parallelism = input.parallelism;
                Ok(self.add(name, spec, schema_of(rel), parallelism, true, &[(input, Exchange::Forward)]))
            }
            RelNode::TopN { input: source, partition, order, from, to, rank } => {
                let input = self.stream(source)?;
                let schema = schema_of(rel);
                let name = describe::top_n(partition, order, *from, *to, *rank, &input.schema);
                let window_end =
                    self.window_of_partition(source, partition).filter(|_| to.is_some() && !input.updates);
                let name = if window_end.is_some() { format!("Window{name}") } else { name };
                let spec = OperatorSpec::TopN {
                    partition: partition.clone(),
                    order: order.clone(),
                    from: *from,
                    to: *to,
                    output_rank: *rank,
                    input_updates: input.updates,
                    ttl: self.options.state_ttl,
                    window_end,
                };
                // LIMIT without an order keeps the first rows that come and takes none back; in a batch query all leave at the end.
                let updates =
                    self.options.streaming && window_end.is_none() && (!order.is_empty() || input.updates);
                Ok(self.keyed(name, spec, schema, updates, input, partition))
            }
            RelNode::TemporalSort { input, order } => {
                let input = self.stream(input)?;
                insert_only(&input, "Sort")?;
                let name = describe::sort(order, &input.schema);
                let spec = OperatorSpec::TemporalSort { order: order.clone() };
                Ok(self.keyed(name, spec, schema_of(rel), false, input, &[]))
            }
            RelNode::Over { input, spec, calls } => self.over(input, spec, calls, rel),
            RelNode::Match { input, spec } => {
                let input = self.stream(input)?;
                insert_only(&input, "Match Recognize")?;
                let name = row_pattern::describe(spec, &input.schema, &rel.fields);
                let operator = OperatorSpec::MatchRecognize(spec.clone());
                Ok(self.keyed(name, operator, schema_of(rel), false, input, &spec.partition))
            }
        }
    }

    /// The end of the window, where these columns hold a whole window of event time.
    fn window_of_partition(&self, rel: &Rel, partition: &[usize]) -> Option<usize> {
        let bound =
            |bound| partition.iter().copied().find(|column| rel.fields[*column].window == Some(bound));
        let (_, end) = (bound(WindowBound::Start)?, bound(WindowBound::End)?);
        let window = crate::optimize::window_of(rel)?;
        (self.options.streaming && window.ends_in_event_time()).then_some(end)
    }

    /// Adds an operator, or finds the one that computes the same.
    pub(crate) fn add(
        &mut self,
        name: String,
        spec: OperatorSpec,
        schema: Schema,
        parallelism: u32,
        updates: bool,
        inputs: &[(Stream, Exchange)],
    ) -> Stream {
        let ports: Vec<(usize, &Stream, &Exchange)> =
            inputs.iter().enumerate().map(|(port, (stream, exchange))| (port, stream, exchange)).collect();
        self.add_ports(name, spec, schema, parallelism, updates, &ports)
    }

    pub(crate) fn add_ports(
        &mut self,
        name: String,
        mut spec: OperatorSpec,
        schema: Schema,
        parallelism: u32,
        updates: bool,
        inputs: &[(usize, &Stream, &Exchange)],
    ) -> Stream {
        let streams: Vec<&Stream> = inputs.iter().map(|(_, stream, _)| *stream).collect();
        let lineage = self.lineage_of(&name, &streams);
        if let [input, ..] = streams.as_slice() {
            meaning::name_calls(&mut spec, &meaning::in_state(input));
        }
        let identity = meaning::identify(kind_of(&name), &spec, &streams, &schema);
        self.add_as((lineage, identity), (name, spec, schema, parallelism), updates, inputs)
    }

    /// The lineage of what an operator described so computes from these inputs.
    fn lineage_of(&self, description: &str, inputs: &[&Stream]) -> String {
        let mut parts = vec![description];
        parts.extend(
            inputs.iter().map(|stream| self.graph.nodes[stream.id.0 as usize].lineage.whole.as_str()),
        );
        format!("{}-{}", kind_of(description), meaning::hash(&parts))
    }

    /// Adds a node of this lineage, or finds the one that computes the same.
    fn add_as(
        &mut self,
        (lineage, identity): (String, Identity),
        (name, spec, schema, parallelism): (String, OperatorSpec, Schema, u32),
        updates: bool,
        inputs: &[(usize, &Stream, &Exchange)],
    ) -> Stream {
        if let Some(known) = self.by_lineage.get(&lineage)
            && !describe::is_volatile(&spec, self.functions)
            && self.graph.nodes[known.id.0 as usize].spec == spec
        {
            return known.clone();
        }
        let whole = numbered(lineage, |name| self.by_lineage.contains_key(name));
        let ports = inputs.iter().map(|(port, ..)| port + 1).max().unwrap_or(0);
        let mut columns = vec![Vec::new(); ports];
        for (port, stream, _) in inputs {
            columns[*port].clone_from(&stream.meaning.columns);
        }
        let id = self.graph.add(Node {
            uid: OperatorUid(identity.uid),
            name,
            spec,
            schema: schema.clone(),
            parallelism,
            wishes: Wishes::default(),
            lineage: Lineage { whole: whole.clone(), columns },
        });
        for (port, stream, exchange) in inputs {
            self.graph.connect(stream.id, id, *port, (*exchange).clone());
        }
        self.updates.push(updates);
        let stream = Stream { id, parallelism, updates, schema, meaning: identity.output };
        self.by_lineage.insert(whole, stream.clone());
        stream
    }

    /// The second of two phases. Its state means the same as that of a single phase, and so it has the same uid: whether an
    /// aggregation is split depends on the parallelism, and a restore may change that.
    pub(crate) fn second_phase(
        &mut self,
        single: (&str, OperatorSpec, &Stream),
        (name, mut spec, schema): (String, OperatorSpec, Schema),
        updates: bool,
        local: &Stream,
        keys: &[usize],
    ) -> Stream {
        let (single_name, single_spec, input) = single;
        let lineage = self.lineage_of(single_name, &[input]);
        meaning::name_calls(&mut spec, &meaning::in_state(input));
        let identity = meaning::identify(kind_of(single_name), &single_spec, &[input], &schema);
        let (parallelism, exchange) = self.distribution(keys);
        self.add_as((lineage, identity), (name, spec, schema, parallelism), updates, &[(0, local, &exchange)])
    }

    /// An operator with state per key: hash exchange on the key, or a single subtask without one.
    pub(crate) fn keyed(
        &mut self,
        name: String,
        spec: OperatorSpec,
        schema: Schema,
        updates: bool,
        input: Stream,
        keys: &[usize],
    ) -> Stream {
        let (parallelism, exchange) = self.distribution(keys);
        self.add(name, spec, schema, parallelism, updates, &[(input, exchange)])
    }

    pub(crate) fn distribution(&self, keys: &[usize]) -> (u32, Exchange) {
        if keys.is_empty() {
            (1, Exchange::Global)
        } else {
            (self.options.parallelism, Exchange::Hash(keys.to_vec()))
        }
    }

    fn union(&mut self, inputs: &[Rel], rel: &Rel) -> Result<Stream> {
        let streams = inputs.iter().map(|input| self.stream(input)).collect::<Result<Vec<_>>>()?;
        let updates = streams.iter().any(|stream| stream.updates);
        let parallelism = streams.iter().map(|stream| stream.parallelism).max().unwrap_or(1);
        let schema = schema_of(rel);
        let all: Vec<usize> = (0..schema.len()).collect();
        let exchanges: Vec<Exchange> = streams
            .iter()
            .map(|stream| {
                if stream.parallelism == parallelism {
                    Exchange::Forward
                } else if stream.updates {
                    // Equal rows must stay in their order, so that an insertion is not overtaken by its retraction.
                    Exchange::Hash(all.clone())
                } else {
                    Exchange::Rebalance
                }
            })
            .collect();
        let ports: Vec<(usize, &Stream, &Exchange)> =
            streams.iter().zip(&exchanges).map(|(stream, exchange)| (0, stream, exchange)).collect();
        let name = describe::union(&schema);
        Ok(self.add_ports(name, OperatorSpec::Union, schema, parallelism, updates, &ports))
    }

    fn over(
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
        if let Some(call) = calls.iter().find(|call| is_ranking(&call.function)) {
            return Err(Error::unsupported(format!(
                "{} with OVER by a time attribute is not supported",
                call.function
            )));
        }
        let time_column = (time == TimeAttribute::Event).then_some(key.column);
        let input = self.stream(input)?;
        insert_only(&input, "OverAggregate")?;
        let name = describe::over(spec, calls, &input.schema);
        let operator = OperatorSpec::OverAggregate {
            partition: spec.partition.clone(),
            time_column,
            preceding: spec.preceding,
            rows: spec.rows,
            aggregates: calls.to_vec(),
            ttl: self.options.state_ttl,
        };
        Ok(self.keyed(name, operator, schema_of(rel), false, input, &spec.partition))
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
        };
        Ok(self.keyed(name, operator, schema_of(rel), true, input, &spec.partition))
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
        Ok(self.keyed(name, operator, schema_of(rel), false, input, &spec.partition))
    }

    /// In a batch query the rows that are left of a changelog, once it has ended; in a stream the changelog.
    pub(crate) fn settled(&mut self, stream: Stream) -> Stream {
        if self.options.streaming || !stream.updates {
            return stream;
        }
        let (schema, parallelism) = (stream.schema.clone(), stream.parallelism);
        let exchange = match parallelism {
            1 => Exchange::Forward,
            // The changes of a row come to one place.
            _ => Exchange::Hash((0..schema.len()).collect()),
        };
        let name = describe::batch_rows(&schema);
        self.add(name, OperatorSpec::BatchRows, schema, parallelism, false, &[(stream, exchange)])
    }

    pub(crate) fn changelog(&self, table: &flott_plan::TableSpec) -> Result<Changelog> {
        self.connectors.table(table)?.source_changelog()
    }
}

/// The kind of an operator, by its description.
fn kind_of(description: &str) -> &str {
    description.split('(').next().unwrap_or_default()
}

/// The name, or the first of those with a number behind it that is not taken.
fn numbered(name: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&name) {
        return name;
    }
    let mut number = 2;
    while taken(&format!("{name}-{number}")) {
        number += 1;
    }
    format!("{name}-{number}")
}

/// The columns of a relation as the plan names them.
pub(crate) fn schema_of(rel: &Rel) -> Schema {
    Schema::new(rel.fields.iter().map(|field| (field.name.clone(), field.ty.clone())))
}

/// Refuses updates where an operator cannot take them.
pub(crate) fn insert_only(stream: &Stream, operator: &str) -> Result<()> {
    if stream.updates {
        return Err(Error::invalid(format!(
            "{operator} doesn't support consuming update and delete changes, which its input produces"
        )));
    }
    Ok(())
}

/// Functions with OVER by which rows that are equal have the same rank.
fn is_ranking(function: &str) -> bool {
    matches!(function, "RANK" | "DENSE_RANK")
}

/// Functions with OVER that need rows that a stream has not seen yet.
fn is_unknowable(function: &str) -> bool {
    matches!(function, "NTILE" | "LEAD" | "PERCENT_RANK" | "CUME_DIST")
}
