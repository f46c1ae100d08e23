//! The connector: its options.

use std::sync::Arc;

use flott_connector::options::SCAN_PARALLELISM;
use flott_connector::{
    AnyOption, Connector, Manual, Options, Source, TableContext, TableOption, WithDefault,
};
use flott_plan::SourceSpec;
use flott_types::Result;

use crate::source::Datagen;

pub(crate) const ROWS_PER_SECOND: TableOption<u64, WithDefault> =
    TableOption::number("rows-per-second", 1, u64::MAX, "rows per second, of all readers together")
        .or("10000");
pub(crate) const NUMBER_OF_ROWS: TableOption<u64> = TableOption::number(
    "number-of-rows",
    0,
    u64::MAX,
    "the table ends after this many rows; without it, it does not end",
);
pub(crate) const SEED: TableOption<u64> = TableOption::number(
    "seed",
    0,
    u64::MAX,
    "the same seed generates the same rows, at any parallelism; by default each start has its own",
);

/// How the values of a column are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Generator {
    Random,
    Sequence,
}

pub(crate) const KIND: TableOption<Generator, WithDefault> = TableOption::word(
    "fields.#.kind",
    &[("random", Generator::Random), ("sequence", Generator::Sequence)],
    "random values, or a sequence of numbers; the table ends with the sequence",
)
.or("random");
pub(crate) const START: TableOption<i64> = TableOption::parsed(
    "fields.#.start",
    "whole number",
    "a whole number",
    |text| text.trim().parse().ok(),
    "for a sequence: its first number; must be set",
);
pub(crate) const END: TableOption<i64> = TableOption::parsed(
    "fields.#.end",
    "whole number",
    "a whole number",
    |text| text.trim().parse().ok(),
    "for a sequence: its last number; must be set",
);
pub(crate) const MIN: TableOption<String> = TableOption::parsed(
    "fields.#.min",
    "value of the column's type",
    "a value of the column's type",
    |text| Some(text.trim().to_owned()),
    "for random numbers: the minimum; by default the type's",
);
pub(crate) const MAX: TableOption<String> = TableOption::parsed(
    "fields.#.max",
    "value of the column's type",
    "a value of the column's type",
    |text| Some(text.trim().to_owned()),
    "for random numbers: the maximum; by default the type's",
);
pub(crate) const MAX_PAST: TableOption<i64, WithDefault> = TableOption::duration(
    "fields.#.max-past",
    "for TIMESTAMP and TIMESTAMP_LTZ: how far in the past values may be",
)
.or("0 s");
pub(crate) const LENGTH: TableOption<u32> = TableOption::number32(
    "fields.#.length",
    0,
    u32::MAX,
    "for random text and bytes, and for collections: their length; by default 100 (or what the type allows) and 3",
);
pub(crate) const VARIABLE_LENGTH: TableOption<bool, WithDefault> = TableOption::flag(
    "fields.#.var-len",
    "for random text and bytes: whether the length varies up to `length`",
)
.or("false");
pub(crate) const NULL_RATE: TableOption<f64, WithDefault> = TableOption::parsed(
    "fields.#.null-rate",
    "number from 0 to 1",
    "a number from 0 to 1",
    |text| text.trim().parse().ok().filter(|rate| (0.0..=1.0).contains(rate)),
    "the share of NULLs",
)
.or("0");

/// The connector `datagen`.
#[derive(Debug, Default)]
pub struct DatagenConnector;

impl Connector for DatagenConnector {
    fn name(&self) -> &'static str {
        "datagen"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[
            &ROWS_PER_SECOND,
            &NUMBER_OF_ROWS,
            &SEED,
            &SCAN_PARALLELISM,
            &KIND,
            &START,
            &END,
            &MIN,
            &MAX,
            &MAX_PAST,
            &LENGTH,
            &VARIABLE_LENGTH,
            &NULL_RATE,
        ];
        Manual {
            summary: "Generates rows at a given rate.",
            details: "\
A source.
Every column has random values of its type, or a sequence of numbers.
In options `#` stands for a column's name, or for a part of its type: `fields.a.element.min` of an ARRAY or MULTISET, `fields.m.key.length` and `fields.m.value.min` of a MAP, `fields.r.x.min` of the field `x` of a ROW.

After a restart the rows continue where they stopped.",
            example: "CREATE TABLE orders (id BIGINT, price DECIMAL(6, 2), item STRING, made TIMESTAMP(3)) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '100',
  'seed' = '42',
  'fields.id.kind' = 'sequence',
  'fields.id.start' = '1',
  'fields.id.end' = '1000000',
  'fields.price.min' = '1',
  'fields.price.max' = '99.99',
  'fields.item.length' = '8'
);",
            options: OPTIONS,
        }
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(Datagen::new(spec, options)?))
    }
}
