//! OVER functions over complete partitions, with any order and frame.
//!
//! `bounds` computes which rows a frame contains. All rows are sorted by encoded keys; an aggregate passes
//! over a frame's rows once, or, if frames only grow, once for all of them.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, UInt32Array, new_null_array};
use arrow::compute::{SortOptions, cast, concat, interleave, take};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use arrow::row::{RowConverter, Rows, SortField};
use flott_batch::arrow_type;
use flott_plan::{AggregateCall, Schema, SortKey};
use flott_state::SlotColumns;
use flott_types::{Error, Result};

mod bounds;

use self::bounds::{Frame, Values};
use super::deviation::Deviations;
use crate::BuildContext;
use crate::accumulate::{self, Aggregates, Keys, unique_fields};
use crate::support::kernel;

/// What it is built from.
pub(crate) struct CompleteParts<'a> {
    pub partition: &'a [usize],
    pub order: &'a [SortKey],
    pub rows: bool,
    pub preceding: Option<i64>,
    pub following: Option<i64>,
    pub aggregates: &'a [AggregateCall],
}

/// One window with its calls.
pub(crate) struct CompleteOver {
    partition: Vec<usize>,
    order: Vec<SortKey>,
    frame: Frame,
    /// What is computed over frames.
    calls: Vec<AggregateCall>,
    deviations: Deviations,
    outputs: Vec<Output>,
    types: Vec<DataType>,
    keys: Keys,
}

/// Where a result comes from.
#[derive(Clone, Copy)]
enum Output {
    Call(usize),
    Deviation(usize),
}

/// All rows, sorted, and where partitions and peers begin and end.
struct Sorted {
    columns: Vec<ArrayRef>,
    /// The original position of each row.
    places: UInt32Array,
    partitions: Vec<(Range<usize>, Vec<Range<usize>>)>,
}

impl CompleteOver {
    pub fn new(input: &Schema, parts: &CompleteParts<'_>, context: &BuildContext) -> Result<Self> {
        let fields = arrow_type::schema(input.iter());
        let key_fields: Vec<_> = parts.partition.iter().map(|key| fields.fields()[*key].clone()).collect();
        let (mut calls, mut outputs, mut deviations) = (Vec::new(), Vec::new(), Deviations::new(input));
        for call in parts.aggregates {
            outputs.push(match deviations.add(call, &mut calls, context)? {
                Some(number) => Output::Deviation(number),
                None => {
                    calls.push(call.clone());
                    Output::Call(calls.len() - 1)
                }
            });
        }
        Ok(CompleteOver {
            partition: parts.partition.to_vec(),
            order: parts.order.to_vec(),
            frame: Frame { rows: parts.rows, preceding: parts.preceding, following: parts.following },
            types: parts.aggregates.iter().map(|call| arrow_type::to_arrow(&call.ty)).collect(),
            calls,
            deviations,
            outputs,
            keys: Keys {
                fields: unique_fields(&key_fields),
                partition_columns: parts.partition.len(),
                max_parallelism: context.max_parallelism,
                streaming: context.streaming,
                functions: context.functions.clone(),
            },
        })
    }

    /// How many columns it adds.
    pub fn calls(&self) -> usize {
        self.outputs.len()
    }

    /// The columns, sorted, with one more column for each call; and the original position of each row.
    pub fn compute(&self, mut columns: Vec<ArrayRef>) -> Result<(Vec<ArrayRef>, UInt32Array)> {
        let width = columns.len();
        let rows = columns.first().map_or(0, |column| column.len());
        columns.append(&mut self.deviations.added(&columns, rows)?);
        let sorted = self.sort(columns)?;
        let mut computed = Vec::with_capacity(self.calls.len());
        for call in &self.calls {
            computed.push(match call.function.as_str() {
                "ROW_NUMBER" | "RANK" | "DENSE_RANK" | "PERCENT_RANK" | "CUME_DIST" => ranks(call, &sorted),
                "NTILE" => buckets(call, &sorted)?,
                "LEAD" => beside(call, &sorted, 1)?,
                "LAG" => beside(call, &sorted, -1)?,
                _ => self.aggregate(call, &sorted)?,
            });
        }
        let mut columns = sorted.columns;
        columns.truncate(width);
        for (output, ty) in self.outputs.iter().zip(&self.types) {
            let result = match output {
                Output::Call(call) => computed[*call].clone(),
                Output::Deviation(number) => self.deviations.result(*number, &computed, rows)?,
            };
            columns.push(if result.data_type() == ty {
                result
            } else {
                cast(&result, ty).map_err(kernel)?
            });
        }
        Ok((columns, sorted.places))
    }

    fn sort(&self, columns: Vec<ArrayRef>) -> Result<Sorted> {
        let rows = columns.first().map_or(0, |column| column.len());
        let encode = |keys: Vec<(usize, SortOptions)>| {
            let fields = keys
                .iter()
                .map(|(column, options)| {
                    SortField::new_with_options(columns[*column].data_type().clone(), *options)
                })
                .collect();
            let arrays: Vec<ArrayRef> = keys.iter().map(|(column, _)| columns[*column].clone()).collect();
            RowConverter::new(fields)
                .and_then(|converter| converter.convert_columns(&arrays))
                .map_err(|error| Error::unsupported("OVER by a column of this type").with_source(error))
        };
        let options =
            |key: &SortKey| SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        let keys = match self.partition.as_slice() {
            [] => None,
            keys => Some(encode(keys.iter().map(|key| (*key, SortOptions::default())).collect())?),
        };
        let order = match self.order.as_slice() {
            [] => None,
            order => Some(encode(order.iter().map(|key| (key.column, options(key))).collect())?),
        };
        let mut places: Vec<u32> = (0..rows as u32).collect();
        let key = |row: u32| keys.as_ref().map(|keys| keys.row(row as usize));
        // -0.0 sorts before 0.0, but they are equal.
        let equal = match self.order.as_slice() {
            [] => None,
            order => Some(encode_equal(order.iter().map(|key| &columns[key.column]))?),
        };
        let value = |row: u32| order.as_ref().map(|order| order.row(row as usize));
        let peer = |row: u32| equal.as_ref().map(|equal| equal.row(row as usize));
        places.sort_by(|a, b| key(*a).cmp(&key(*b)).then_with(|| value(*a).cmp(&value(*b))));
        let cut = |range: Range<usize>, differ: &dyn Fn(u32, u32) -> bool| {
            let mut parts = Vec::new();
            let mut start = range.start;
            for at in range.start + 1..=range.end {
                if at == range.end || differ(places[at - 1], places[at]) {
                    parts.push(start..at);
                    start = at;
                }
            }
            parts
        };
        let partitions = cut(0..rows, &|a, b| key(a) != key(b));
        let partitions = partitions.into_iter().map(|partition| {
            let peers = cut(partition.clone(), &|a, b| peer(a) != peer(b));
            (partition, peers)
        });
        let partitions = partitions.collect();
        let places = UInt32Array::from(places);
        let columns = columns
            .iter()
            .map(|column| take(column, &places, None).map_err(kernel))
            .collect::<Result<_>>()?;
        Ok(Sorted { columns, places, partitions })
    }

    fn aggregate(&self, call: &AggregateCall, sorted: &Sorted) -> Result<ArrayRef> {
        let values = match (self.frame.measures(), self.order.as_slice()) {
            (false, _) => None,
            (true, [key]) => Some(Values::new(&sorted.columns[key.column], key.descending)?),
            (true, _) => return Err(Error::invalid("RANGE with a distance takes one column in ORDER BY")),
        };
        let call = AggregateCall { name: "a".to_owned(), ..call.clone() };
        let fresh = || {
            let mut aggregates = Aggregates::new(std::slice::from_ref(&call), false, &self.keys)?;
            aggregates.reset(0);
            Ok::<_, Error>(aggregates)
        };
        let mut results: Vec<ArrayRef> = Vec::new();
        let mut picks: Vec<u32> = Vec::new();
        for (partition, peers) in &sorted.partitions {
            let mut aggregates = fresh()?;
            let mut done = partition.start..partition.start;
            let mut current = None;
            for frame in self.frame.of(partition, peers, values.as_ref()) {
                if current.as_ref() != Some(&frame) {
                    if frame.start != done.start || frame.end < done.end {
                        aggregates = fresh()?;
                        done = frame.start..frame.start;
                    }
                    let rows: Vec<u32> = (done.end as u32..frame.end as u32).collect();
                    let slots = vec![0; rows.len()];
                    aggregates.update(&accumulate::Rows {
                        columns: &sorted.columns,
                        rows: &rows,
                        slots: &slots,
                        retract: None,
                    })?;
                    done.end = done.end.max(frame.end);
                    results.extend(aggregates.values(&[0])?);
                    current = Some(frame);
                }
                picks.push(results.len() as u32 - 1);
            }
        }
        let results: Vec<&dyn Array> = results.iter().map(|result| result.as_ref()).collect();
        let results = concat(&results).map_err(kernel)?;
        take(&results, &UInt32Array::from(picks), None).map_err(kernel)
    }
}

/// Encodes rows as bytes that are equal if the values are.
fn encode_equal<'a>(columns: impl Iterator<Item = &'a ArrayRef>) -> Result<Rows> {
    let columns: Vec<ArrayRef> = columns.map(positive_zeros).collect();
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    RowConverter::new(fields).and_then(|converter| converter.convert_columns(&columns)).map_err(kernel)
}

fn positive_zeros(column: &ArrayRef) -> ArrayRef {
    if let Some(doubles) = column.as_primitive_opt::<Float64Type>() {
        return Arc::new(doubles.unary::<_, Float64Type>(|value| value + 0.0));
    }
    if let Some(floats) = column.as_primitive_opt::<Float32Type>() {
        return Arc::new(floats.unary::<_, Float32Type>(|value| value + 0.0));
    }
    column.clone()
}

/// ROW_NUMBER, RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST.
fn ranks(call: &AggregateCall, sorted: &Sorted) -> ArrayRef {
    let (mut whole, mut parts): (Vec<i64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (partition, peers) in &sorted.partitions {
        for (number, group) in peers.iter().enumerate() {
            let rank = group.start - partition.start;
            for row in group.clone() {
                match call.function.as_str() {
                    "ROW_NUMBER" => whole.push((row - partition.start) as i64 + 1),
                    "RANK" => whole.push(rank as i64 + 1),
                    "DENSE_RANK" => whole.push(number as i64 + 1),
                    "PERCENT_RANK" => {
                        let others = (partition.len() - 1) as f64;
                        parts.push(if others == 0.0 { 0.0 } else { rank as f64 / others });
                    }
                    _ => parts.push((group.end - partition.start) as f64 / partition.len() as f64),
                }
            }
        }
    }
    if parts.is_empty() { Arc::new(Int64Array::from(whole)) } else { Arc::new(Float64Array::from(parts)) }
}

/// NTILE: parts as equal as possible, the larger ones first.
fn buckets(call: &AggregateCall, sorted: &Sorted) -> Result<ArrayRef> {
    let wanted = call.args.first().map(|column| cast(&sorted.columns[*column], &DataType::Int64));
    let wanted = wanted.ok_or_else(|| Error::internal("NTILE without a number"))?.map_err(kernel)?;
    let wanted = wanted.as_primitive::<Int64Type>();
    let mut numbers = Vec::new();
    for (partition, _) in &sorted.partitions {
        let buckets = usize::try_from(wanted.value(partition.start)).unwrap_or(0);
        if buckets == 0 {
            return Err(Error::data("NTILE takes a number greater than 0"));
        }
        let (size, larger) = (partition.len() / buckets, partition.len() % buckets);
        let in_larger = larger * (size + 1);
        for row in 0..partition.len() {
            let bucket =
                if row < in_larger { row / (size + 1) } else { larger + (row - in_larger) / size.max(1) };
            numbers.push(bucket as i64 + 1);
        }
    }
    Ok(Arc::new(Int64Array::from(numbers)))
}

/// LEAD and LAG: the value this many rows away in the partition, or the default.
fn beside(call: &AggregateCall, sorted: &Sorted, sign: i64) -> Result<ArrayRef> {
    let argument = |at: usize| call.args.get(at).map(|column| &sorted.columns[*column]);
    let values = argument(0).ok_or_else(|| Error::internal("LEAD or LAG without a value"))?;
    let offsets = argument(1).map(|offsets| cast(offsets, &DataType::Int64).map_err(kernel)).transpose()?;
    let offsets = offsets.as_ref().map(|offsets| offsets.as_primitive::<Int64Type>());
    let ty = arrow_type::to_arrow(&call.ty);
    let values = cast(values, &ty).map_err(kernel)?;
    let otherwise = match argument(2) {
        Some(default) => cast(default, &ty).map_err(kernel)?,
        None => new_null_array(&ty, 1),
    };
    let mut picks = Vec::new();
    for (partition, _) in &sorted.partitions {
        for row in partition.clone() {
            let offset = offsets.map_or(1, |offsets| offsets.value(row));
            let place = (row as i64).checked_add(offset.saturating_mul(sign));
            let place = place.and_then(|place| usize::try_from(place).ok());
            picks.push(match place.filter(|place| partition.contains(place)) {
                Some(place) => (0, place),
                None => (1, if call.args.len() > 2 { row } else { 0 }),
            });
        }
    }
    interleave(&[values.as_ref(), otherwise.as_ref()], &picks).map_err(kernel)
}
