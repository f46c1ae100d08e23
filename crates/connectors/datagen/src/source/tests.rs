use std::collections::{BTreeMap, BTreeSet};

use flott_batch::pretty;
use flott_connector::conformance::{ByHand, SourceUnderTest, check_source};
use flott_connector::{TableContext, Waker};
use flott_plan::{Schema, TableSpec};
use flott_types::clock::ManualClock;
use flott_types::{LogicalType, SubtaskIndex, TypeKind};

use super::*;

fn spec(columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> SourceSpec {
    let options: BTreeMap<String, String> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let schema = Schema::new(columns.iter().map(|(name, kind)| (*name, kind.clone().nullable())));
    SourceSpec {
        projection: (0..columns.len()).collect(),
        table: TableSpec {
            name: "t".to_owned(),
            connector: "datagen".to_owned(),
            options,
            schema,
            partition_keys: Vec::new(),
            primary_key: Vec::new(),
        },
        paths: Vec::new(),
        metadata: Schema::default(),
        limit: None,
        watermark: None,
        errors: false,
    }
}

fn source(spec: &SourceSpec) -> Result<Arc<dyn Source>> {
    let context = TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() };
    let mut registry = flott_connector::Registry::default();
    registry.register(Arc::new(crate::DatagenConnector));
    registry.source(spec, &context)
}

#[derive(Default)]
struct Rows {
    batches: Vec<ChangeBatch>,
}

impl SourceOutput for Rows {
    fn emit(&mut self, _split: &str, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else { panic!("columns are wanted") };
        assert!(batch.num_rows() > 0);
        self.batches.push(batch);
        Ok(())
    }

    fn skipped(&mut self, _rows: u64) {
        panic!("nothing is skipped");
    }
}

impl Rows {
    fn lines(&self, spec: &SourceSpec) -> Vec<String> {
        let types: Vec<LogicalType> =
            spec.projection.iter().map(|index| spec.table.schema.columns[*index].ty.clone()).collect();
        self.batches
            .iter()
            .flat_map(|batch| pretty::print(batch, &types).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

/// Reads until the end, or for this many polls; stops, and continues from the snapshot, after every `restart`
/// polls.
fn run(spec: &SourceSpec, parallelism: u32, restart: usize) -> Vec<String> {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let source = source(spec).unwrap();
    let mut rows = Rows::default();
    let mut enumerator = ByHand::new(&*source, None, parallelism, clock.clone()).unwrap();
    for subtask in (0..parallelism).map(SubtaskIndex) {
        let reader = || {
            source
                .reader(ReaderContext {
                    subtask,
                    parallelism,
                    batch_size: 7,
                    clock: clock.clone(),
                    waker: Waker::default(),
                    metrics: Default::default(),
                })
                .unwrap()
        };
        let mut current = reader();
        for poll in 1.. {
            match current.poll(&mut rows).unwrap() {
                Poll::More => {}
                Poll::Wait(until) => clock.set(until),
                Poll::SplitsDone => match enumerator.ask(subtask).unwrap() {
                    Some(splits) => current.add_splits(splits).unwrap(),
                    None => break,
                },
            }
            if poll % restart == 0 {
                let splits = current.snapshot(CheckpointId(1)).unwrap();
                current = reader();
                current.add_splits(splits).unwrap();
                let state = enumerator.snapshot().unwrap();
                enumerator = ByHand::new(&*source, Some(&state), parallelism, clock.clone()).unwrap();
            }
        }
    }
    let mut lines = rows.lines(spec);
    lines.sort();
    lines
}

#[test]
fn the_table_is_the_same_at_every_parallelism_and_after_restarts() {
    let options = [("number-of-rows", "100"), ("seed", "42"), ("fields.c.null-rate", "0.3")];
    let spec =
        spec(&[("a", TypeKind::BigInt), ("b", TypeKind::Varchar(5)), ("c", TypeKind::Double)], &options);
    let expected = run(&spec, 1, 1_000);
    assert_eq!(expected.len(), 100);
    assert_eq!(expected.iter().collect::<BTreeSet<_>>().len(), 100);
    let nulls = expected.iter().filter(|line| line.ends_with(" NULL")).count();
    assert!((10..60).contains(&nulls), "{nulls} NULLs");
    for parallelism in [1, 2, 3, 7] {
        assert_eq!(run(&spec, parallelism, 3), expected);
    }
    let mut other = spec;
    other.projection = vec![2];
    let mut thirds: Vec<String> =
        expected.iter().map(|line| format!("+I {}", line.rsplit(' ').next().unwrap())).collect();
    thirds.sort();
    assert_eq!(run(&other, 2, 5), thirds);
}

#[test]
fn the_shortest_sequence_ends_the_table() {
    let options = [
        ("fields.a.kind", "sequence"),
        ("fields.a.start", "-2"),
        ("fields.a.end", "10"),
        ("fields.b.kind", "sequence"),
        ("fields.b.start", "1"),
        ("fields.b.end", "4"),
        ("fields.c.kind", "sequence"),
        ("fields.c.start", "5"),
        ("fields.c.end", "99"),
    ];
    let spec =
        spec(&[("a", TypeKind::SmallInt), ("b", TypeKind::STRING), ("c", TypeKind::Decimal(5, 2))], &options);
    assert_eq!(source(&spec).unwrap().boundedness(), Boundedness::Bounded);
    assert_eq!(run(&spec, 2, 1), ["+I -1 2 6.00", "+I -2 1 5.00", "+I 0 3 7.00", "+I 1 4 8.00"]);
}

#[test]
fn every_type_has_values_within_its_bounds() {
    use TypeKind::*;
    let element = |kind: TypeKind| Box::new(kind.nullable());
    let columns = [
        ("a", TinyInt),
        ("b", Int),
        ("c", Float),
        ("d", Decimal(38, 10)),
        ("e", Boolean),
        ("f", Char(3)),
        ("g", TypeKind::BYTES),
        ("h", Date),
        ("i", Time(3)),
        ("j", Timestamp(3)),
        ("k", TimestampLtz(9)),
        ("l", IntervalYearMonth),
        ("m", IntervalDaySecond),
        ("n", Array(element(Int))),
        ("o", Map(element(Boolean), element(Int))),
        ("p", Multiset(element(TypeKind::STRING))),
        ("q", pretty::row([Int, TypeKind::STRING])),
        ("r", Double),
    ];
    let options = [
        ("number-of-rows", "200"),
        ("seed", "1"),
        ("fields.b.min", "-1"),
        ("fields.b.max", "1"),
        ("fields.d.min", "-1.5"),
        ("fields.d.max", "1.5"),
        ("fields.g.length", "20"),
        ("fields.g.var-len", "true"),
        ("fields.j.max-past", "1 s"),
        ("fields.n.length", "2"),
        ("fields.n.element.max", "0"),
        ("fields.n.null-rate", "0.5"),
        ("fields.p.element.length", "2"),
        ("fields.q.f0.min", "7"),
        ("fields.q.f0.max", "7"),
        ("fields.q.f1.length", "1"),
        ("fields.o.value.null-rate", "1"),
    ];
    let spec = spec(&columns, &options);
    let lines = run(&spec, 2, 10);
    assert_eq!(lines.len(), 200);
    let column = |index: usize| -> BTreeSet<String> {
        lines.iter().map(|line| line.split(' ').nth(index + 1).unwrap().to_owned()).collect()
    };
    assert_eq!(column(1).into_iter().collect::<Vec<_>>(), ["-1", "0", "1"]);
    assert!(column(3).iter().all(|text| text.parse::<f64>().unwrap().abs() <= 1.5));
    assert_eq!(column(4).len(), 2);
    assert!(column(5).iter().all(|text| text.len() == 3 && text.chars().all(|c| c.is_ascii_hexdigit())));
    let lengths: BTreeSet<usize> = column(6).iter().map(|text| (text.len() - 3) / 2).collect();
    assert!(
        *lengths.first().unwrap() >= 1 && *lengths.last().unwrap() == 20 && lengths.len() > 5,
        "{lengths:?}"
    );
    assert_eq!(column(7).into_iter().collect::<Vec<_>>(), ["2023-11-14"]);
    assert!(column(9).iter().all(|text| text.as_str() >= "2023-11-14T22:13:19" && text.len() == 23));
    assert!(column(13).contains("NULL") && column(13).len() > 50);
    assert!(column(14).iter().all(|text| {
        ["{TRUE=NULL}", "{FALSE=NULL}", "{TRUE=NULL,FALSE=NULL}", "{FALSE=NULL,TRUE=NULL}"]
            .contains(&text.as_str())
    }));
    assert!(column(16).iter().all(|text| text.starts_with("(7,") && text.len() == 5));
    assert!(column(17).iter().all(|text| text.contains('E')));
}

/// Reads until the end, with up to 1,000 rows at once.
fn read_at_once(spec: &SourceSpec) -> (Rows, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(0));
    let source = source(spec).unwrap();
    let mut enumerator = ByHand::new(&*source, None, 1, clock.clone()).unwrap();
    let mut reader = source
        .reader(ReaderContext {
            subtask: SubtaskIndex(0),
            parallelism: 1,
            batch_size: 1_000,
            clock: clock.clone(),
            waker: Waker::default(),
            metrics: Default::default(),
        })
        .unwrap();
    reader.add_splits(enumerator.ask(SubtaskIndex(0)).unwrap().unwrap()).unwrap();
    let mut rows = Rows::default();
    loop {
        match reader.poll(&mut rows).unwrap() {
            Poll::More => {}
            Poll::Wait(until) => clock.set(until),
            Poll::SplitsDone => break,
        }
    }
    (rows, clock)
}

#[test]
fn wide_rows_come_a_few_at_a_time() {
    let kinds = [TypeKind::STRING, TypeKind::Array(Box::new(TypeKind::STRING.nullable()))];
    for (kind, length) in kinds.into_iter().zip(["1000000", "10000"]) {
        let options = [("fields.a.length", length), ("number-of-rows", "10"), ("rows-per-second", "1000000")];
        let (rows, _) = read_at_once(&spec(&[("a", kind)], &options));
        let sizes: Vec<usize> = rows.batches.iter().map(ChangeBatch::num_rows).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 10);
        assert!(sizes.iter().all(|rows| *rows <= 4), "{sizes:?}");
    }
}

#[test]
fn an_unbounded_table_keeps_its_rate_and_its_limit() {
    let mut spec = spec(&[("a", TypeKind::Int)], &[("rows-per-second", "100")]);
    assert_eq!(source(&spec).unwrap().boundedness(), Boundedness::Unbounded);
    spec.limit = Some(250);
    let (rows, clock) = read_at_once(&spec);
    assert_eq!(rows.lines(&spec).len(), 250);
    assert!((2_400..2_600).contains(&clock.now()), "{}", clock.now());
}

#[test]
fn wrong_options_are_refused() {
    let error = |kind: TypeKind, options: &[(&str, &str)]| {
        source(&spec(&[("a", kind)], options)).err().unwrap().to_string()
    };
    assert!(error(TypeKind::Int, &[("rows-per-secnd", "1")]).contains("no option 'rows-per-secnd'"));
    assert!(error(TypeKind::Int, &[("rows-per-second", "0")]).contains("above 0"));
    assert!(error(TypeKind::Int, &[("fields.b.min", "0")]).contains("no option 'fields.b.min'"));
    assert!(error(TypeKind::TinyInt, &[("fields.a.max", "128")]).contains("from -128 to 127"));
    assert!(error(TypeKind::Int, &[("fields.a.min", "2"), ("fields.a.max", "1")]).contains("is above"));
    assert!(error(TypeKind::Int, &[("fields.a.kind", "sequence")]).contains("'fields.a.start' is missing"));
    assert!(error(TypeKind::Boolean, &[("fields.a.kind", "sequence")]).contains("is not for BOOLEAN"));
    assert!(error(TypeKind::Varchar(3), &[("fields.a.length", "4")]).contains("from 1 to 3"));
    assert!(error(TypeKind::Int, &[("fields.a.null-rate", "2")]).contains("from 0 to 1"));
    assert!(error(TypeKind::Int, &[("fields.a.kind", "odd")]).contains("random or sequence"));
}

/// The table of some options.
struct Generated(SourceSpec);

impl SourceUnderTest for Generated {
    fn source(&self) -> Result<Arc<dyn Source>> {
        source(&self.0)
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        let mut rows = Rows::default();
        rows.emit("", batch)?;
        Ok(rows.lines(&self.0))
    }

    fn expected(&self) -> Vec<String> {
        run(&self.0, 1, 1_000)
    }
}

#[test]
fn the_rules_of_all_sources_hold() {
    let options = [("number-of-rows", "30"), ("seed", "42")];
    let columns = [("a", TypeKind::BigInt), ("b", TypeKind::Varchar(5))];
    check_source(&Generated(spec(&columns, &options))).unwrap();
}
