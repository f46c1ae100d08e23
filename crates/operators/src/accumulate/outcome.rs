//! Computes a result from the values of a group, in order.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, ListArray, ListBuilder, StringBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type};
use flott_batch::arrow_type;
use flott_types::{Error, LogicalType, Result};

use super::bitmap::BitmapCall;
use super::json::write_json;
use super::numbers::as_doubles;
use crate::support::kernel;

/// The values of several groups, one after the other.
pub(super) struct Lists {
    /// One column per argument.
    pub columns: Vec<ArrayRef>,
    pub offsets: OffsetBuffer<i32>,
}

impl Lists {
    fn groups(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.offsets.windows(2).map(|bounds| bounds[0] as usize..bounds[1] as usize)
    }

    fn filled(&self) -> NullBuffer {
        self.groups().map(|group| !group.is_empty()).collect()
    }
}

/// What is computed from the values.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Outcome {
    /// The first value of the list.
    First,
    Last,
    /// ARRAY_AGG
    Array(LogicalType),
    /// LISTAGG; the second argument is the separator. The text is kept in addition to the list.
    Text,
    /// JSON_ARRAYAGG
    JsonArray {
        ty: LogicalType,
        nulls: bool,
    },
    /// JSON_OBJECTAGG of keys and values
    JsonObject {
        ty: LogicalType,
        nulls: bool,
    },
    /// BITMAP_*_AGG
    Bitmap(BitmapCall),
    /// PERCENTILE of values, with a percentage and perhaps a frequency; several percentages give an ARRAY.
    Percentile {
        several: bool,
    },
}

impl Outcome {
    /// Whether a NULL counts as a value.
    pub fn keeps_nulls(&self) -> bool {
        matches!(self, Outcome::Array(_) | Outcome::JsonArray { .. } | Outcome::JsonObject { .. })
    }

    /// The result of each group.
    pub fn of(&self, lists: &Lists) -> Result<ArrayRef> {
        let values = &lists.columns[0];
        match self {
            Outcome::First | Outcome::Last | Outcome::Text => {
                Err(Error::internal("a result that is not computed from all values"))
            }
            Outcome::Array(element) => {
                let item = arrow_type::list_item(element);
                let nulls = Some(lists.filled());
                let list = ListArray::try_new(item, lists.offsets.clone(), values.clone(), nulls);
                Ok(Arc::new(list.map_err(kernel)?))
            }
            Outcome::JsonArray { ty, nulls } => {
                let mut builder = StringBuilder::new();
                for group in lists.groups() {
                    let mut json = String::from("[");
                    for row in group.filter(|row| *nulls || values.is_valid(*row)) {
                        if json.len() > 1 {
                            json.push(',');
                        }
                        write_json(&mut json, values.as_ref(), row, ty);
                    }
                    json.push(']');
                    builder.append_value(json);
                }
                Ok(Arc::new(builder.finish()))
            }
            Outcome::Bitmap(call) => bitmaps(lists, *call),
            Outcome::JsonObject { ty, nulls } => json_objects(lists, ty, *nulls),
            Outcome::Percentile { several } => percentiles(lists, *several),
        }
    }
}

fn bitmaps(lists: &Lists, call: BitmapCall) -> Result<ArrayRef> {
    let values = call.values(&lists.columns[0])?;
    let mut sets = Vec::new();
    for group in lists.groups() {
        let mut set = None;
        for row in group {
            call.add(&mut set, &values, row)?;
        }
        sets.push(set);
    }
    call.results(sets.iter().map(Option::as_ref))
}

fn json_objects(lists: &Lists, ty: &LogicalType, nulls: bool) -> Result<ArrayRef> {
    let keys = lists.columns[0].as_string::<i32>();
    let values = lists.columns.get(1).ok_or_else(|| Error::internal("JSON_OBJECTAGG without values"))?;
    let mut builder = StringBuilder::new();
    for group in lists.groups() {
        let mut seen: Vec<&str> = group.clone().map(|row| keys.value(row)).collect();
        seen.sort_unstable();
        if let Some(twice) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::data(format!(
                "Key '{}' is already present. Duplicate keys are not allowed in JSON_OBJECTAGG. Please ensure that keys \
                 are unique.",
                twice[0]
            )));
        }
        let mut json = String::from("{");
        // By the keys, as Java compares them.
        let mut rows: Vec<usize> = group.filter(|row| nulls || values.is_valid(*row)).collect();
        rows.sort_by(|a, b| keys.value(*a).encode_utf16().cmp(keys.value(*b).encode_utf16()));
        for row in rows {
            if json.len() > 1 {
                json.push(',');
            }
            flott_batch::json::write_text(&mut json, keys.value(row));
            json.push(':');
            write_json(&mut json, values.as_ref(), row, ty);
        }
        json.push('}');
        builder.append_value(json);
    }
    Ok(Arc::new(builder.finish()))
}

fn percentiles(lists: &Lists, several: bool) -> Result<ArrayRef> {
    let values = as_doubles(&lists.columns[0])?;
    let percentages = lists.columns.get(1).ok_or_else(|| Error::internal("PERCENTILE without percentage"))?;
    let frequencies = lists.columns.get(2).map(as_doubles).transpose()?;
    let percentages = if several {
        let item = Arc::new(Field::new_list_field(DataType::Float64, true));
        cast(percentages, &DataType::List(item)).map_err(kernel)?
    } else {
        Arc::new(as_doubles(percentages)?)
    };
    let mut one = Vec::new();
    let mut many = ListBuilder::new(Float64Builder::new());
    for group in lists.groups() {
        let Some(last) = group.clone().last() else {
            one.push(None);
            many.append_null();
            continue;
        };
        let mut sorted: Vec<(f64, i64)> = group
            .map(|row| (values.value(row), frequencies.as_ref().map_or(1, |many| many.value(row) as i64)))
            .filter(|(_, frequency)| *frequency > 0)
            .collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        if several {
            let wanted = percentages.as_list::<i32>().value(last);
            for percentage in wanted.as_primitive::<Float64Type>().values() {
                many.values().append_option(percentile(&sorted, between_0_and_1(*percentage)?));
            }
            many.append(true);
        } else {
            let percentage = percentages.as_primitive::<Float64Type>().value(last);
            one.push(percentile(&sorted, between_0_and_1(percentage)?));
        }
    }
    Ok(if several { Arc::new(many.finish()) } else { Arc::new(Float64Array::from(one)) })
}

fn between_0_and_1(percentage: f64) -> Result<f64> {
    match (0.0..=1.0).contains(&percentage) {
        true => Ok(percentage),
        false => Err(Error::data(format!(
            "Percentage of PERCENTILE should be between [0.0, 1.0], but was '{percentage:?}'."
        ))),
    }
}

/// Interpolates linearly between the two values around the position `percentage * (n - 1)`.
fn percentile(sorted: &[(f64, i64)], percentage: f64) -> Option<f64> {
    let total: i64 = sorted.iter().map(|(_, frequency)| frequency).sum();
    let at = |position: i64| {
        let mut before = 0;
        sorted.iter().find_map(|(value, frequency)| {
            before += frequency;
            (position < before).then_some(*value)
        })
    };
    let position = (total - 1) as f64 * percentage;
    let (lower, upper) = (at(position.floor() as i64)?, at(position.ceil() as i64)?);
    if lower == upper {
        return Some(lower);
    }
    Some((position.ceil() - position) * lower + (position - position.floor()) * upper)
}
