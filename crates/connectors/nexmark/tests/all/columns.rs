//! Columns and fields that are read by themselves.

use flott_plan::SourceSpec;
use flott_types::TypeKind;

use crate::support::{Run, all_columns, nexmark, row, table};

fn lines(spec: &SourceSpec) -> Vec<String> {
    Run::default().read(spec).lines()
}

/// Every field of every ROW, alone, is what it is in its ROW, and NULL in events of other kinds.
#[test]
fn a_field_alone_is_that_of_its_row() {
    let options = [("events.num", "300"), ("seed", "3")];
    let whole = lines(&nexmark(&options));
    for (column, (name, ty)) in all_columns().iter().enumerate().skip(1) {
        let TypeKind::Row(fields) = &ty.kind else { panic!("{name} is no ROW") };
        for (at, field) in fields.iter().enumerate() {
            let mut spec = nexmark(&options);
            spec.projection = vec![column];
            spec.paths = vec![vec![at]];
            assert_eq!(spec.produced().columns[0].name, format!("{name}_{}", field.name));
            let expected: Vec<String> = whole
                .iter()
                .map(|line| {
                    let cells: Vec<&str> = line.split('\t').collect();
                    let is_of_kind = cells[0] == (column - 1).to_string();
                    if is_of_kind { cells[1 + at].to_owned() } else { "NULL".to_owned() }
                })
                .collect();
            assert_eq!(lines(&spec), expected, "{name}.{}", field.name);
        }
    }
}

#[test]
fn columns_and_fields_can_be_mixed() {
    let mut spec = nexmark(&[("events.num", "60")]);
    spec.projection = vec![3, 0, 3];
    spec.paths = vec![vec![0], vec![], vec![]];
    let whole = lines(&nexmark(&[("events.num", "60")]));
    for (line, whole) in lines(&spec).iter().zip(&whole) {
        let expected = match whole.split_once('\t') {
            Some(("2", bid)) => format!("{}\t2\t{bid}", bid.split('\t').next().unwrap()),
            Some((kind, _)) => format!("NULL\t{kind}"),
            None => String::new(),
        };
        assert_eq!(*line, expected);
    }
}

#[test]
fn a_table_may_have_some_columns_in_any_order() {
    let bid = row(&[("price", TypeKind::BigInt), ("auction", TypeKind::BigInt)]);
    let spec = table(&[("bid", bid), ("event_type", TypeKind::Int.nullable())], &[("events.num", "60")]);
    let whole = lines(&nexmark(&[("events.num", "60")]));
    for (line, whole) in lines(&spec).iter().zip(&whole) {
        let cells: Vec<&str> = whole.split('\t').collect();
        let expected = match cells[0] {
            "2" => format!("{}\t{}\t2", cells[3], cells[1]),
            other => other.to_owned(),
        };
        assert_eq!(*line, expected);
    }
}

#[test]
fn rows_can_be_counted_without_columns() {
    let mut spec = nexmark(&[("events.num", "5000")]);
    spec.projection.clear();
    let events = Run::default().read(&spec);
    assert_eq!(events.batches.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>(), 5_000);
}
