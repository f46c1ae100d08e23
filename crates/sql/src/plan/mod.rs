//! From a logical plan to operators: which operator, how many subtasks, which exchange between them, and under which uid its
//! state is found again.
//!
//! A uid identifies what the operator's state means (`meaning`), and stays the same when a query is changed
//! in ways that do not affect that. A lineage identifies everything that the operator computes: its own
//! description with column names, and the lineages of its inputs. Two parts of a statement with the same
//! lineage compute the same, so they become one node and its output is shared.

mod aggregate;
mod async_call;
mod calc;
mod changes;
mod describe;
mod errors;
mod explain;
mod extreme;
mod first;
mod join;
pub(crate) mod limits;
mod lookup_join;
mod meaning;
mod options;
mod over;
mod process_table;
mod rank;
mod row_pattern;
mod sink;
mod source;
mod spread;
mod versions;

use flott_connector::{Changelog, Registry, TableContext};
use flott_expr::Functions;
use flott_plan::{Exchange, Lineage, Node, NodeId, OperatorSpec, Schema, StreamGraph, Wishes};
use flott_types::{FastMap, FastSet, OperatorUid, Result};

use self::meaning::{Identity, Meaning};
pub use explain::explain;
pub use options::{Materialize, PlanOptions};
pub use sink::SinkTarget;

use crate::changelog::{Asked, Mode, Relation};
use crate::logical::{ErrorsInto, Rel, RelNode};

/// A stream in the graph.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    /// The operator that produces it.
    pub id: NodeId,
    /// The side output of that operator; `None` is its output proper.
    pub tag: Option<&'static str>,
    /// How many subtasks it has.
    pub parallelism: u32,
    /// What is known of its changes and keys.
    pub relation: Relation,
    /// Its columns.
    pub schema: Schema,
    /// What its rows and columns are.
    pub meaning: Meaning,
}

impl Stream {
    /// Whether rows are updated or deleted.
    pub fn updates(&self) -> bool {
        !self.relation.kinds.is_insert_only()
    }
}

/// Builds the graph of one job.
pub struct Planner<'a> {
    connectors: &'a Registry,
    functions: &'a Functions,
    options: &'a PlanOptions,
    table_context: TableContext,
    graph: StreamGraph,
    /// What is known of the changes of each node.
    relations: Vec<Relation>,
    /// What sinks and clients want of updates.
    asked: FastMap<NodeId, Asked>,
    /// What functions of tables can give.
    emissions: FastMap<NodeId, process_table::Emissions>,
    by_lineage: FastMap<String, Stream>,
    /// The sources whose unreadable records go into tables.
    errors: Vec<(Stream, ErrorsInto)>,
}

impl<'a> Planner<'a> {
    /// A planner with nothing in it.
    pub fn new(connectors: &'a Registry, functions: &'a Functions, options: &'a PlanOptions) -> Self {
        let table_context = options.table_context();
        let graph = StreamGraph::default();
        Planner {
            connectors,
            functions,
            options,
            table_context,
            graph,
            relations: Vec::new(),
            asked: FastMap::default(),
            emissions: FastMap::default(),
            by_lineage: FastMap::default(),
            errors: Vec::new(),
        }
    }

    /// The operators planned so far, and what each emits.
    ///
    /// # Errors
    /// If a function of tables cannot give what is needed of it.
    pub fn finish(mut self) -> Result<(StreamGraph, Vec<Mode>)> {
        self.tell_apart();
        if self.options.streaming {
            first::only_first_ones(&mut self.graph);
        }
        let mut modes = self.leave_out_update_before()?;
        if self.options.streaming && self.options.two_phase {
            extreme::drop_others(&mut self.graph, self.functions, &mut modes);
        }
        Ok((self.graph, modes))
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
                Ok(self.add(name, OperatorSpec::Values { rows: rows.clone() }, schema, 1, &[]))
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
                Ok(self.add(name, spec, schema, input.parallelism, &inputs))
            }
            RelNode::Unnest { input, collection, ordinality, keep_empty, condition } => {
                let input = self.stream(input)?;
                let shown = describe::of_elements(condition.as_ref(), rel, input.schema.len());
                let name = describe::unnest((collection, *ordinality, *keep_empty), shown, &input.schema);
                let spec = OperatorSpec::Unnest {
                    collection: collection.clone(),
                    ordinality: *ordinality,
                    keep_empty: *keep_empty,
                    condition: condition.clone(),
                };
                let parallelism = input.parallelism;
                Ok(self.add(name, spec, schema_of(rel), parallelism, &[(input, Exchange::Forward)]))
            }
            RelNode::ToChangelog { input, codes } => {
                let input = self.stream(input)?;
                let name = describe::to_changelog(codes, &rel.fields[0].name);
                let spec = OperatorSpec::ToChangelog { codes: codes.clone() };
                let parallelism = input.parallelism;
                Ok(self.add(name, spec, schema_of(rel), parallelism, &[(input, Exchange::Forward)]))
            }
            RelNode::FromChangelog { input, column, codes } => {
                let input = self.stream(input)?;
                self.insert_only(&input, "FROM_CHANGELOG")?;
                let name = describe::from_changelog(*column, codes, &input.schema);
                let spec = OperatorSpec::FromChangelog { column: *column, codes: codes.clone() };
                let parallelism = input.parallelism;
                Ok(self.add(name, spec, schema_of(rel), parallelism, &[(input, Exchange::Forward)]))
            }
            RelNode::TopN { input, partition, order, from, to, rank } => {
                self.top_n(input, &rank::Ranks { partition, order, from: *from, to: *to, rank: *rank }, rel)
            }
            RelNode::TemporalSort { input, order } => {
                let input = self.stream(input)?;
                self.insert_only(&input, "Sort")?;
                let name = describe::sort(order, &input.schema);
                let spec = OperatorSpec::TemporalSort { order: order.clone(), partition: Vec::new() };
                Ok(self.keyed(name, spec, schema_of(rel), input, &[]))
            }
            RelNode::AsyncCall { .. } => self.async_call(rel),
            RelNode::ProcessTable { inputs, spec } => self.process_table(inputs, spec, rel),
            RelNode::Over { input, spec, calls } => self.over(input, spec, calls, rel),
            RelNode::Match { input, spec } => {
                let input = self.stream(input)?;
                self.insert_only(&input, "Match Recognize")?;
                let name = row_pattern::describe(spec, &input.schema, &rel.fields);
                let operator = OperatorSpec::MatchRecognize(spec.clone());
                Ok(self.keyed(name, operator, schema_of(rel), input, &spec.partition))
            }
        }
    }

    /// Adds an operator, or finds the one that computes the same.
    pub(crate) fn add(
        &mut self,
        name: String,
        spec: OperatorSpec,
        schema: Schema,
        parallelism: u32,
        inputs: &[(Stream, Exchange)],
    ) -> Stream {
        let ports: Vec<(usize, &Stream, &Exchange)> =
            inputs.iter().enumerate().map(|(port, (stream, exchange))| (port, stream, exchange)).collect();
        self.add_ports(name, spec, schema, parallelism, &ports)
    }

    pub(crate) fn add_ports(
        &mut self,
        name: String,
        mut spec: OperatorSpec,
        schema: Schema,
        parallelism: u32,
        inputs: &[(usize, &Stream, &Exchange)],
    ) -> Stream {
        let streams: Vec<&Stream> = inputs.iter().map(|(_, stream, _)| *stream).collect();
        let lineage = self.lineage_of(&name, &streams);
        if let [input, ..] = streams.as_slice() {
            meaning::name_calls(&mut spec, &meaning::in_state(input));
        }
        let identity = meaning::identify(kind_of(&name), &spec, &streams, &schema);
        let relation = self.relation(&spec, inputs);
        self.add_as((lineage, identity), (name, spec, schema, parallelism), relation, inputs)
    }

    /// The lineage of what an operator described so computes from these inputs.
    fn lineage_of(&self, description: &str, inputs: &[&Stream]) -> String {
        let mut parts = vec![description];
        for stream in inputs {
            parts.push(self.graph.nodes[stream.id.0 as usize].lineage.whole.as_str());
            parts.extend(stream.tag);
        }
        format!("{}-{}", kind_of(description), meaning::hash(&parts))
    }

    /// Adds a node of this lineage, or finds the one that computes the same.
    fn add_as(
        &mut self,
        (lineage, identity): (String, Identity),
        (name, spec, schema, parallelism): (String, OperatorSpec, Schema, u32),
        relation: Relation,
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
            self.graph.connect_side(stream.id, stream.tag, id, *port, (*exchange).clone());
        }
        self.relations.push(relation.clone());
        let stream = Stream { id, tag: None, parallelism, relation, schema, meaning: identity.output };
        self.by_lineage.insert(whole, stream.clone());
        stream
    }

    /// The second of two phases. Its state means the same as that of a single phase, and so it has the same uid: whether an
    /// aggregation is split depends on the parallelism, and a restore may change that.
    pub(crate) fn second_phase(
        &mut self,
        single: (&str, OperatorSpec, &Stream),
        (name, mut spec, schema): (String, OperatorSpec, Schema),
        local: &Stream,
        keys: &[usize],
    ) -> Stream {
        let (single_name, single_spec, input) = single;
        let lineage = self.lineage_of(single_name, &[input]);
        meaning::name_calls(&mut spec, &meaning::in_state(input));
        let identity = meaning::identify(kind_of(single_name), &single_spec, &[input], &schema);
        let (parallelism, exchange) = self.distribution(keys);
        let inputs = [(0, local, &exchange)];
        let relation = self.relation(&spec, &inputs);
        self.add_as((lineage, identity), (name, spec, schema, parallelism), relation, &inputs)
    }

    /// An operator with state per key: hash exchange on the key, unless the rows of a key are in one subtask already;
    /// or a single subtask without one.
    pub(crate) fn keyed(
        &mut self,
        name: String,
        spec: OperatorSpec,
        schema: Schema,
        input: Stream,
        keys: &[usize],
    ) -> Stream {
        let (parallelism, exchange) = match self.lies_by(&input, keys) {
            true => (input.parallelism, Exchange::Forward),
            false => self.distribution(keys),
        };
        self.add(name, spec, schema, parallelism, &[(input, exchange)])
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
        let parallelism = streams.iter().map(|stream| stream.parallelism).max().unwrap_or(1);
        let schema = schema_of(rel);
        let all: Vec<usize> = (0..schema.len()).collect();
        let exchanges: Vec<Exchange> = streams
            .iter()
            .map(|stream| {
                if stream.parallelism == parallelism {
                    Exchange::Forward
                } else if stream.updates() {
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
        Ok(self.add_ports(name, OperatorSpec::Union, schema, parallelism, &ports))
    }

    /// In a batch query the rows that are left of a changelog, once it has ended; in a stream the changelog.
    pub(crate) fn settled(&mut self, stream: Stream) -> Stream {
        if self.options.streaming || !stream.updates() {
            return stream;
        }
        let (schema, parallelism) = (stream.schema.clone(), stream.parallelism);
        let exchange = match parallelism {
            1 => Exchange::Forward,
            // The changes of a row come to one place.
            _ => Exchange::Hash((0..schema.len()).collect()),
        };
        let name = describe::batch_rows(&schema);
        self.add(name, OperatorSpec::BatchRows, schema, parallelism, &[(stream, exchange)])
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
