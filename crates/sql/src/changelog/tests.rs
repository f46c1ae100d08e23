//! The passes over graphs written as text: one operator a line, `name: what(inputs)`.

use expect_test::{Expect, expect};
use std::ops::RangeInclusive;

use flott_plan::{
    AggregatePhase, ChangeCodes, ChangelogMode, Exchange, Expr, JoinKind, JoinRows, Lineage, Node, NodeId,
    OperatorSpec, ProcessTableSpec, ProcessedTable, Schema, SinkSpec, SortKey, SourceSpec, StreamGraph,
    TableSpec, Wishes,
};
use flott_types::{OperatorUid, TypeKind};

use super::{Asked, Input, Keys, Kinds, Relation, derive, require};

/// A graph under construction.
#[derive(Default)]
struct Plan {
    graph: StreamGraph,
    relations: Vec<Relation>,
    asked: Vec<(NodeId, Asked)>,
}

impl Plan {
    fn add(&mut self, name: &str, spec: OperatorSpec, width: usize, inputs: &[(NodeId, Exchange)]) -> NodeId {
        let known: Vec<Input<'_>> = inputs
            .iter()
            .map(|(from, exchange)| Input {
                relation: &self.relations[from.0 as usize],
                exchange,
                width: self.graph.nodes[from.0 as usize].schema.len(),
            })
            .collect();
        let relation = derive(&spec, &known, true);
        self.relations.push(relation);
        let id = self.graph.add(Node {
            uid: OperatorUid(name.to_owned()),
            name: name.to_owned(),
            spec,
            schema: Schema::new((0..width).map(|at| (format!("c{at}"), TypeKind::Int.nullable()))),
            parallelism: 2,
            wishes: Wishes::default(),
            lineage: Lineage::default(),
        });
        let several = matches!(self.graph.nodes[id.0 as usize].spec, OperatorSpec::Join { .. });
        for (port, (from, exchange)) in inputs.iter().enumerate() {
            self.graph.connect(*from, id, if several { port } else { 0 }, exchange.clone());
        }
        id
    }

    fn source(&mut self, name: &str, kinds: Kinds, key: Option<&[usize]>, before: bool) -> NodeId {
        let spec = SourceSpec {
            table: table(name),
            projection: vec![0, 1],
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: false,
        };
        let id = self.add(name, OperatorSpec::Source(spec), 2, &[]);
        let keys = key.map_or_else(Keys::none, |key| Keys::one(key.iter().copied()));
        self.relations[id.0 as usize] = Relation { kinds, keys, always_before: before };
        id
    }

    fn rows(&mut self, name: &str) -> NodeId {
        self.source(name, Kinds::INSERTS, None, false)
    }

    fn cdc(&mut self, name: &str) -> NodeId {
        self.source(name, Kinds::ALL, Some(&[0]), true)
    }

    /// GROUP BY the first column.
    fn group(&mut self, name: &str, input: NodeId) -> NodeId {
        let spec = OperatorSpec::GroupAggregate {
            keys: vec![0],
            aggregates: Vec::new(),
            phase: AggregatePhase::Single,
            input_updates: false,
            emit_update_before: true,
            ttl: 0,
        };
        self.add(name, spec, 2, &[(input, Exchange::Hash(vec![0]))])
    }

    fn calc(&mut self, name: &str, input: NodeId, projection: Vec<Expr>, condition: Option<Expr>) -> NodeId {
        let width = projection.len();
        self.add(name, OperatorSpec::Calc { condition, projection }, width, &[(input, Exchange::Forward)])
    }

    /// `unique` are the columns that tell the rows of each side apart, if there are any.
    fn join_of(
        &mut self,
        name: &str,
        kind: JoinKind,
        [left, right]: [NodeId; 2],
        on: [usize; 2],
        unique: Option<usize>,
    ) -> NodeId {
        let rows = || unique.map_or_else(JoinRows::default, |column| JoinRows::Unique(vec![column]));
        let spec = OperatorSpec::Join {
            kind,
            left_keys: vec![on[0]],
            right_keys: vec![on[1]],
            null_safe: vec![false],
            condition: None,
            ttl: 0,
            right_ttl: None,
            bound: None,
            rows: [rows(), rows()],
            emit_update_before: true,
            first_by: Vec::new(),
        };
        let sides = [(left, Exchange::Hash(vec![on[0]])), (right, Exchange::Hash(vec![on[1]]))];
        self.add(name, spec, 4, &sides)
    }

    fn join(&mut self, name: &str, kind: JoinKind, sides: [NodeId; 2], on: [usize; 2]) -> NodeId {
        self.join_of(name, kind, sides, on, None)
    }

    fn top(&mut self, name: &str, input: NodeId, to: u64, rank: bool) -> NodeId {
        self.ranks(name, input, 1..=to, rank)
    }

    fn ranks(&mut self, name: &str, input: NodeId, ranks: RangeInclusive<u64>, rank: bool) -> NodeId {
        let spec = OperatorSpec::TopN {
            partition: vec![0],
            order: vec![SortKey { column: 1, descending: true, nulls_first: false }],
            from: *ranks.start(),
            to: Some(*ranks.end()),
            output_rank: rank,
            input_updates: false,
            ttl: 0,
            window_end: None,
            emit_update_before: true,
        };
        self.add(name, spec, 2 + usize::from(rank), &[(input, Exchange::Hash(vec![0]))])
    }

    /// A function of a table that is partitioned by a column.
    fn process(&mut self, name: &str, input: NodeId, table: ProcessedTable, output: ChangelogMode) -> NodeId {
        let partition = table.partition.clone().unwrap_or_default();
        let (function, uid) = (name.to_owned(), name.to_owned());
        let tables = vec![ProcessedTable { takes_updates: true, ..table }];
        let spec = ProcessTableSpec { function, uid, tables, arguments: Vec::new(), ttl: 0, output };
        self.add(name, OperatorSpec::ProcessTable(spec), 2, &[(input, Exchange::Hash(partition))])
    }

    fn sink(&mut self, name: &str, input: NodeId, asked: Asked) {
        let spec = SinkSpec {
            table: table(name),
            metadata: Schema::default(),
            overwrite: false,
            static_partition: std::collections::BTreeMap::default(),
            drop_update_before: false,
        };
        let id = self.add(name, OperatorSpec::Sink(spec), 2, &[(input, Exchange::Forward)]);
        self.asked.push((id, asked));
    }

    /// For each node what it emits, and where `-U` are dropped.
    fn check(&self, expected: Expect) {
        let asked =
            |node| self.asked.iter().find(|(id, _)| *id == node).map_or(Asked::Both, |(_, asked)| *asked);
        let required = require(&self.graph, &self.relations, asked);
        let mut text = String::new();
        for ((node, relation), before) in self.graph.nodes.iter().zip(&self.relations).zip(&required.before) {
            if matches!(node.spec, OperatorSpec::Sink(_)) {
                continue;
            }
            let Relation { kinds, keys, .. } = relation;
            let kinds = match (kinds.updates, before, kinds.deletes) {
                (true, true, true) => "I,UB,UA,D",
                (true, true, false) => "I,UB,UA",
                (true, false, true) => "I,UA,D",
                (true, false, false) => "I,UA",
                (false, _, true) => "I,D",
                (false, _, false) => "I",
            };
            let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
            text += format!("{}: [{kinds}] {}", node.name, keys.join(" ")).trim_end();
            text.push('\n');
        }
        for edge in &required.drops {
            let name = |id: NodeId| &self.graph.nodes[id.0 as usize].name;
            let edge = &self.graph.edges[*edge];
            text += &format!("dropped between {} and {}\n", name(edge.from), name(edge.to));
        }
        for sink in &required.dropping_sinks {
            text += &format!("dropped in {}\n", self.graph.nodes[sink.0 as usize].name);
        }
        expected.assert_eq(&text);
    }
}

fn table(name: &str) -> TableSpec {
    TableSpec {
        name: name.to_owned(),
        connector: String::new(),
        options: std::collections::BTreeMap::default(),
        schema: Schema::default(),
        partition_keys: Vec::new(),
        primary_key: Vec::new(),
    }
}

fn column(index: usize) -> Expr {
    Expr::column(index, TypeKind::Int.nullable())
}

fn test_of(index: usize) -> Expr {
    let (function, ty) = ("IS NOT NULL".to_owned(), TypeKind::Boolean.not_null());
    Expr::Call { function, args: vec![column(index)], ty }
}

#[test]
fn an_aggregation_needs_both_halves_and_a_table_with_its_key_does_not() {
    let mut plan = Plan::default();
    let t = plan.rows("t");
    let inner = plan.group("inner", t);
    let outer = plan.group("outer", inner);
    plan.sink("sink", outer, Asked::OnlyAfter);
    plan.check(expect![[r#"
        t: [I]
        inner: [I,UB,UA] {0}
        outer: [I,UA,D] {0}
    "#]]);
}

#[test]
fn a_filter_beside_the_key_needs_both_halves() {
    for column_of_condition in [0, 1] {
        let mut plan = Plan::default();
        let t = plan.rows("t");
        let group = plan.group("group", t);
        let calc = plan.calc("calc", group, vec![column(1), column(0)], Some(test_of(column_of_condition)));
        plan.sink("sink", calc, Asked::OnlyAfter);
        match column_of_condition {
            0 => plan.check(expect![[r#"
                t: [I]
                group: [I,UA] {0}
                calc: [I,UA] {1}
            "#]]),
            _ => plan.check(expect![[r#"
                t: [I]
                group: [I,UB,UA] {0}
                calc: [I,UB,UA] {1}
                dropped in sink
            "#]]),
        }
    }
}

#[test]
fn what_a_source_has_is_dropped_behind_it() {
    let mut plan = Plan::default();
    let cdc = plan.cdc("cdc");
    let calc = plan.calc("calc", cdc, vec![column(0)], None);
    plan.sink("sink", calc, Asked::OnlyAfter);
    plan.check(expect![[r#"
        cdc: [I,UA,D] {0}
        calc: [I,UA,D] {0}
        dropped between cdc and calc
    "#]]);
    let mut plan = Plan::default();
    let codes = ChangeCodes(["I", "B", "A", "D"].map(|code| vec![code.to_owned()]));
    let t = plan.rows("t");
    let spec = OperatorSpec::FromChangelog { column: 0, codes };
    let changes = plan.add("changes", spec, 1, &[(t, Exchange::Forward)]);
    plan.sink("sink", changes, Asked::After);
    plan.check(expect![[r#"
        t: [I]
        changes: [I,UA,D]
        dropped between changes and sink
    "#]]);
}

#[test]
fn a_shared_aggregation_emits_for_the_one_who_needs_most() {
    let mut plan = Plan::default();
    let t = plan.rows("t");
    let group = plan.group("group", t);
    plan.sink("all", group, Asked::Both);
    plan.sink("upsert", group, Asked::OnlyAfter);
    plan.sink("any", group, Asked::After);
    let calc = plan.calc("calc", group, vec![column(0)], None);
    plan.sink("behind", calc, Asked::OnlyAfter);
    plan.check(expect![[r#"
        t: [I]
        group: [I,UB,UA] {0}
        calc: [I,UA] {0}
        dropped between group and calc
        dropped in upsert
    "#]]);
}

#[test]
fn joins_of_updated_rows_need_both_halves_and_join_their_keys() {
    let mut plan = Plan::default();
    let (t, u) = (plan.rows("t"), plan.rows("u"));
    let (left, right) = (plan.group("left", t), plan.group("right", u));
    let equal = plan.join("keys", JoinKind::Inner, [left, right], [0, 0]);
    plan.sink("a", equal, Asked::After);
    let other = plan.join("other", JoinKind::Inner, [left, right], [1, 0]);
    plan.sink("b", other, Asked::After);
    let outer = plan.join("outer", JoinKind::Left, [t, u], [0, 0]);
    plan.sink("c", outer, Asked::After);
    plan.check(expect![[r#"
        t: [I]
        u: [I]
        left: [I,UB,UA] {0}
        right: [I,UB,UA] {0}
        keys: [I,UB,UA] {0} {0, 2} {2}
        other: [I,UB,UA]
        outer: [I,UA,D]
    "#]]);
}

#[test]
fn joins_of_rows_with_unique_keys_need_no_first_half_if_rows_stay_under_their_key() {
    for (on, unique, kind) in [
        ([0, 0], Some(0), JoinKind::Inner),
        ([0, 0], None, JoinKind::Inner),
        ([1, 0], Some(0), JoinKind::Inner),
    ] {
        let mut plan = Plan::default();
        let (t, u) = (plan.rows("t"), plan.rows("u"));
        let (left, right) = (plan.group("left", t), plan.group("right", u));
        let join = plan.join_of("join", kind, [left, right], on, unique);
        plan.sink("sink", join, Asked::After);
        match (on, unique) {
            ([0, 0], Some(_)) => plan.check(expect![[r#"
                t: [I]
                u: [I]
                left: [I,UA] {0}
                right: [I,UA] {0}
                join: [I,UA] {0} {0, 2} {2}
            "#]]),
            ([0, 0], None) => plan.check(expect![[r#"
                t: [I]
                u: [I]
                left: [I,UB,UA] {0}
                right: [I,UB,UA] {0}
                join: [I,UB,UA] {0} {0, 2} {2}
            "#]]),
            // The left's rows may come under another key of the join.
            _ => plan.check(expect![[r#"
                t: [I]
                u: [I]
                left: [I,UB,UA] {0}
                right: [I,UB,UA] {0}
                join: [I,UB,UA]
            "#]]),
        }
    }
    // An aggregation behind it needs both.
    let mut plan = Plan::default();
    let (t, u) = (plan.rows("t"), plan.rows("u"));
    let (left, right) = (plan.group("left", t), plan.group("right", u));
    let join = plan.join_of("join", JoinKind::Full, [left, right], [0, 0], Some(0));
    let sum = plan.group("sum", join);
    plan.sink("sink", sum, Asked::OnlyAfter);
    plan.check(expect![[r#"
        t: [I]
        u: [I]
        left: [I,UB,UA] {0}
        right: [I,UB,UA] {0}
        join: [I,UB,UA,D]
        sum: [I,UA,D] {0}
    "#]]);
}

#[test]
fn ranks_are_keys_with_their_partition() {
    let mut plan = Plan::default();
    let t = plan.rows("t");
    let first = plan.top("first", t, 1, false);
    plan.sink("a", first, Asked::OnlyAfter);
    let ranked = plan.top("ranked", t, 3, true);
    plan.sink("b", ranked, Asked::OnlyAfter);
    let rows = plan.top("rows", t, 3, false);
    plan.sink("c", rows, Asked::Both);
    let keyed = plan.source("keyed", Kinds::INSERTS, Some(&[0, 1]), false);
    // Of one rank a row takes the place of another, which may have any other key.
    plan.ranks("second", keyed, 2..=2, false);
    plan.ranks("both", keyed, 2..=3, false);
    plan.check(expect![[r#"
        t: [I]
        first: [I,UA,D] {0}
        ranked: [I,UA,D] {0, 2}
        rows: [I,UB,UA,D]
        keyed: [I] {0, 1}
        second: [I,UA,D] {0}
        both: [I,UA,D] {0, 1}
    "#]]);
}

#[test]
fn unions_have_no_keys_and_pass_on_what_is_needed() {
    let mut plan = Plan::default();
    let (t, u) = (plan.rows("t"), plan.rows("u"));
    let (left, right) = (plan.group("left", t), plan.group("right", u));
    let inputs = [left, right, t].map(|input| (input, Exchange::Forward));
    let union = plan.add("union", OperatorSpec::Union, 2, &inputs);
    plan.sink("sink", union, Asked::After);
    plan.check(expect![[r#"
        t: [I]
        u: [I]
        left: [I,UA] {0}
        right: [I,UA] {0}
        union: [I,UA]
    "#]]);
}

fn partitioned(column: usize) -> ProcessedTable {
    ProcessedTable { partition: Some(vec![column]), ..ProcessedTable::default() }
}

#[test]
fn functions_of_tables_need_both_halves_unless_the_partition_is_the_key() {
    let mut plan = Plan::default();
    let t = plan.rows("t");
    for (name, table) in [
        ("by key", partitioned(0)),
        ("by key, both", ProcessedTable { requires_update_before: true, ..partitioned(0) }),
        ("by another column", partitioned(1)),
        ("by rows", ProcessedTable::default()),
    ] {
        let group = plan.group(&format!("group {name}"), t);
        let given = plan.process(name, group, table, ChangelogMode::upsert(false));
        plan.sink(&format!("sink {name}"), given, Asked::OnlyAfter);
    }
    plan.check(expect![[r#"
        t: [I]
        group by key: [I,UA] {0}
        by key: [I,UA,D] {0}
        group by key, both: [I,UB,UA] {0}
        by key, both: [I,UA,D] {0}
        group by another column: [I,UB,UA] {0}
        by another column: [I,UA,D] {0}
        group by rows: [I,UB,UA] {0}
        by rows: [I,UA,D] {}
    "#]]);
}

#[test]
fn deletions_by_the_key_alone_are_enough_for_those_who_find_rows_by_it() {
    let mut plan = Plan::default();
    let t = plan.rows("t");
    let process = |plan: &mut Plan| {
        let number = plan.graph.nodes.len();
        plan.process(&format!("f{number}"), t, partitioned(0), ChangelogMode::upsert(true))
    };
    let columns = || vec![column(0), column(1)];
    // Not needed: a table, behind a filter of the key; a function with the same partition.
    let table = process(&mut plan);
    let filtered = plan.calc("filter of the key", table, columns(), Some(test_of(0)));
    plan.sink("table", filtered, Asked::OnlyAfter);
    let taken = process(&mut plan);
    plan.process("taker", taken, partitioned(0), ChangelogMode::insert_only());
    // Needed.
    let client = process(&mut plan);
    plan.sink("client", client, Asked::Both);
    let beside = process(&mut plan);
    let filtered = plan.calc("filter beside the key", beside, columns(), Some(test_of(1)));
    plan.sink("table beside", filtered, Asked::OnlyAfter);
    let grouped = process(&mut plan);
    plan.group("group", grouped);
    let full = process(&mut plan);
    let table = ProcessedTable { requires_full_delete: true, ..partitioned(0) };
    plan.process("full", full, table, ChangelogMode::insert_only());
    let asked = |node| plan.asked.iter().find(|(id, _)| *id == node).map_or(Asked::Both, |(_, asked)| *asked);
    let required = require(&plan.graph, &plan.relations, asked);
    let needed =
        [full_deletes(&required, taken), full_deletes(&required, client), full_deletes(&required, beside)];
    assert_eq!(needed, [false, true, true]);
    assert_eq!([full_deletes(&required, grouped), full_deletes(&required, full)], [true, true]);
    assert!(!required.full_deletes[1], "the table finds rows by the key");
}

fn full_deletes(required: &super::require::Required, node: NodeId) -> bool {
    required.full_deletes[node.0 as usize]
}

#[test]
fn casts_keep_keys_if_they_keep_values_apart() {
    let cast = |ty: TypeKind| Expr::Cast { input: Box::new(column(0)), ty: ty.nullable(), is_try: false };
    let keys = Keys::one([0]);
    assert!(keys.projected(&[cast(TypeKind::BigInt)]).has(&[0]));
    assert!(keys.projected(&[cast(TypeKind::TinyInt)]).is_empty());
    assert!(keys.projected(&[column(1)]).is_empty());
    let twice = keys.projected(&[column(0), column(0)]);
    assert!(twice.has(&[0]) && twice.has(&[1]) && !twice.has(&[0, 1]));
    assert!(Keys::one([]).projected(&[column(3)]).has(&[]), "one row stays one row");
}
