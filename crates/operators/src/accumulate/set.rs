//! All calls of an aggregation.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Field, FieldRef, Int64Type};
use flott_batch::arrow_type;
use flott_batch::bytes::{BATCH_BYTES, runs};
use flott_expr::Functions;
use flott_plan::AggregateCall;
use flott_state::{Migration, PrimitiveColumn, SlotColumns, StateColumn, Stored, with_default};
use flott_types::{Error, Result};
use std::sync::Arc;

use super::append_distinct::AppendOnlyDistinct;
use super::distinct::Distinct;
use super::factory::accumulator;
use super::{Accumulator, Input, MergeInto};

/// The keys of the table that holds the groups.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// The columns.
    pub fields: Vec<FieldRef>,
    /// How many of them, from the first on, decide the key group.
    pub partition_columns: usize,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// Whether this is a stream rather than a batch query; some functions differ between the two.
    pub streaming: bool,
    /// The functions of the program are among them.
    pub functions: Functions,
}

/// Rows of a batch with the slots of their groups.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The columns of the input; all rows of the batch.
    pub columns: &'a [ArrayRef],
    /// The rows that count.
    pub rows: &'a [u32],
    /// Their groups.
    pub slots: &'a [u32],
    /// Which of them are retractions; `None` if there are none.
    pub retract: Option<&'a [bool]>,
}

/// The accumulators of all calls, by group: the values of a table of groups.
pub(crate) struct Aggregates {
    units: Vec<Unit>,
    /// For each call its unit, and in a DISTINCT its member.
    outputs: Vec<Output>,
    /// How many rows a group has; only for inputs with retractions.
    row_counts: Option<PrimitiveColumn<Int64Type>>,
    width: usize,
    varies: bool,
}

/// Calls that see the same rows.
struct Unit {
    args: Vec<usize>,
    filter: Option<usize>,
    kind: Kind,
}

enum Kind {
    Plain(Box<dyn Accumulator>),
    Distinct(Box<Distinct>),
    AppendOnlyDistinct(Box<AppendOnlyDistinct>),
}

impl Kind {
    fn accumulator(&self) -> &dyn Accumulator {
        match self {
            Kind::Plain(plain) => plain.as_ref(),
            Kind::Distinct(distinct) => distinct.as_ref(),
            Kind::AppendOnlyDistinct(distinct) => distinct.as_ref(),
        }
    }

    fn accumulator_mut(&mut self) -> &mut dyn Accumulator {
        match self {
            Kind::Plain(plain) => plain.as_mut(),
            Kind::Distinct(distinct) => distinct.as_mut(),
            Kind::AppendOnlyDistinct(distinct) => distinct.as_mut(),
        }
    }
}

/// Makes names distinct from each other and from `taken` by appending a number.
pub(crate) fn unique_names<'a>(names: impl Iterator<Item = &'a str>, taken: &[FieldRef]) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        let candidates = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}#{n}")));
        let free = |candidate: &String| {
            !unique.contains(candidate) && taken.iter().all(|field| field.name() != candidate)
        };
        let found = candidates.into_iter().find(free);
        unique.extend(found);
    }
    unique
}

/// Fields with their names made distinct.
pub(crate) fn unique_fields(fields: &[FieldRef]) -> Vec<FieldRef> {
    let names = unique_names(fields.iter().map(|field| field.name().as_str()), &[]);
    let rename = |(field, name): (&FieldRef, String)| Arc::new(Field::clone(field).with_name(name));
    fields.iter().zip(names).map(rename).collect()
}

impl Aggregates {
    /// For the calls of an aggregation whose input may contain retractions, with groups in a table with these
    /// keys.
    pub fn new(calls: &[AggregateCall], retracts: bool, keys: &Keys) -> Result<Self> {
        let mut units: Vec<Unit> = Vec::new();
        let mut outputs = Vec::new();
        let names = unique_names(calls.iter().map(|call| call.name.as_str()), &keys.fields);
        for (call, name) in calls.iter().zip(&names) {
            // MIN and MAX are the same over distinct values.
            let distinct = call.distinct && !matches!(call.function.as_str(), "MIN" | "MAX");
            let made = accumulator(call, name, retracts, keys)?;
            if !distinct {
                outputs.push((units.len(), None));
                units.push(Unit { args: call.args.clone(), filter: call.filter, kind: Kind::Plain(made) });
                continue;
            }
            let value = |(at, ty)| arrow_type::field(&format!("{name}.value{at}"), ty);
            let values: Vec<FieldRef> = call.arg_types.iter().enumerate().map(value).collect();
            outputs.push(match retracts {
                true => add_distinct(&mut units, call, made, || Distinct::new(name, values))?,
                false => add_distinct_call(&mut units, call, made, || AppendOnlyDistinct::new(name, values))?,
            });
        }
        let row_counts = retracts.then(|| PrimitiveColumn::new("$rows", 0));
        let width = units.iter().map(|unit| unit.kind.accumulator().fields().len()).sum();
        let fixed = |field: FieldRef| field.data_type().primitive_width().is_some();
        let varies = !units.iter().flat_map(|unit| unit.kind.accumulator().fields()).all(fixed)
            || units.iter().any(|unit| unit.kind.accumulator().has_side());
        Ok(Aggregates { units, outputs, row_counts, width, varies })
    }

    /// How many rows each group has, for an input with retractions.
    pub fn row_counts(&mut self) -> Option<&mut [i64]> {
        self.row_counts.as_mut().map(PrimitiveColumn::values_mut)
    }

    /// Whether a group has rows. Without retractions it always has.
    pub fn has_rows(&self, slot: u32) -> bool {
        self.row_counts.as_ref().is_none_or(|counts| counts.values()[slot as usize] > 0)
    }

    /// Adds rows, in order. Does not count them.
    pub fn update(&mut self, rows: &Rows<'_>) -> Result<()> {
        for unit in &mut self.units {
            let args: Vec<ArrayRef> = unit.args.iter().map(|arg| rows.columns[*arg].clone()).collect();
            let all = Input { rows: rows.rows, slots: rows.slots, retract: rows.retract, args: &args };
            let Some(filter) = unit.filter else {
                unit.kind.accumulator_mut().update(&all)?;
                continue;
            };
            let filter = rows.columns[filter]
                .as_boolean_opt()
                .ok_or_else(|| Error::internal("the FILTER of an aggregate is not BOOLEAN"))?;
            let passed = Passed::new(rows, &is_true(filter));
            let retract = rows.retract.map(|_| passed.retract.as_slice());
            let input = Input { rows: &passed.rows, slots: &passed.slots, retract, ..all };
            unit.kind.accumulator_mut().update(&input)?;
        }
        Ok(())
    }

    /// Adds group `from[i]` to group `to[i]`, in order. See [`Accumulator::merge`].
    pub fn merge(&mut self, from: &[u32], to: &[u32], into: MergeInto) -> Result<()> {
        if let Some(counts) = self.row_counts() {
            for (from, to) in from.iter().zip(to) {
                counts[*to as usize] += counts[*from as usize];
            }
        }
        let merge =
            |unit: &mut Unit, from: &[u32], to: &[u32]| unit.kind.accumulator_mut().merge(from, to, into);
        if !self.varies {
            return self.units.iter_mut().try_for_each(|unit| merge(unit, from, to));
        }
        for run in runs(from.len(), BATCH_BYTES, |at| self.bytes_of(from[at])) {
            let (from, to) = (&from[run.clone()], &to[run]);
            self.units.iter_mut().try_for_each(|unit| merge(unit, from, to))?;
        }
        Ok(())
    }

    /// Whether groups differ in size, because accumulators hold strings, lists and the like.
    pub fn varies(&self) -> bool {
        self.varies
    }

    /// The results of these groups, one column per call.
    pub fn values(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let value = |(unit, member): &(usize, Option<usize>)| match (&self.units[*unit].kind, member) {
            (Kind::Distinct(distinct), Some(member)) => distinct.members[*member].values(slots),
            (Kind::AppendOnlyDistinct(distinct), Some(member)) => distinct.members[*member].values(slots),
            (kind, _) => kind.accumulator().values(slots),
        };
        self.outputs.iter().map(value).collect()
    }

    /// Merges partial accumulators, one per row, as [`SlotColumns::read`] of the local phase returned them.
    /// `slots[i]` is the group of row `i`; slots from `end` on are free.
    pub fn merge_partial(&mut self, slots: &[u32], columns: &[ArrayRef], end: usize) -> Result<()> {
        let moment: Vec<u32> = (0..slots.len()).map(|row| (end + row) as u32).collect();
        let mut columns = columns;
        for unit in &mut self.units {
            let accumulator = unit.kind.accumulator_mut();
            let (own, rest) = columns
                .split_at_checked(accumulator.fields().len())
                .ok_or_else(|| Error::internal("too few accumulator columns"))?;
            columns = rest;
            if !accumulator.merge_columns(slots, own)? {
                moment.iter().for_each(|slot| accumulator.reset(*slot));
                accumulator.write(&moment, own)?;
                accumulator.merge(&moment, slots, MergeInto::Moment)?;
                moment.iter().for_each(|slot| accumulator.reset(*slot));
            }
        }
        Ok(())
    }

    /// Whether there are states beside the groups' own: see [`SlotColumns::each_state`].
    pub fn has_side(&self) -> bool {
        self.units.iter().any(|unit| unit.kind.accumulator().has_side())
    }

    /// How many accumulator columns there are.
    pub fn width(&self) -> usize {
        self.width
    }
}

/// The rows that pass a FILTER.
struct Passed {
    rows: Vec<u32>,
    slots: Vec<u32>,
    retract: Vec<bool>,
}

impl Passed {
    /// Has no branch per row: which rows pass is rarely predictable.
    fn new(all: &Rows<'_>, passes: &BooleanBuffer) -> Self {
        let (mut rows, mut slots) = (vec![0; all.rows.len()], vec![0; all.rows.len()]);
        let mut len = 0;
        for (row, slot) in all.rows.iter().zip(all.slots) {
            (rows[len], slots[len]) = (*row, *slot);
            len += usize::from(passes.value(*row as usize));
        }
        rows.truncate(len);
        slots.truncate(len);
        let retracts = all.retract.unwrap_or_default().iter().zip(all.rows);
        let retract = retracts.filter(|(_, row)| passes.value(**row as usize)).map(|(retract, _)| *retract);
        Passed { rows, slots, retract: retract.collect() }
    }
}

/// The rows for which a condition is TRUE.
pub(super) fn is_true(condition: &BooleanArray) -> BooleanBuffer {
    match condition.nulls() {
        Some(nulls) => condition.values() & nulls.inner(),
        None => condition.values().clone(),
    }
}

/// Where the result of a call comes from: a unit and its member.
type Output = (usize, Option<usize>);

/// Adds a call with DISTINCT to the unit with its arguments and filter.
fn add_distinct(
    units: &mut Vec<Unit>,
    call: &AggregateCall,
    made: Box<dyn Accumulator>,
    new: impl FnOnce() -> Result<Distinct>,
) -> Result<Output> {
    for (at, unit) in units.iter_mut().enumerate() {
        if let Kind::Distinct(distinct) = &mut unit.kind
            && unit.args == call.args
            && unit.filter == call.filter
        {
            distinct.members.push(made);
            return Ok((at, Some(distinct.members.len() - 1)));
        }
    }
    let mut distinct = new()?;
    distinct.members.push(made);
    units.push(Unit {
        args: call.args.clone(),
        filter: call.filter,
        kind: Kind::Distinct(Box::new(distinct)),
    });
    Ok((units.len() - 1, Some(0)))
}

/// Adds a call with DISTINCT to the unit with its arguments.
fn add_distinct_call(
    units: &mut Vec<Unit>,
    call: &AggregateCall,
    mut made: Box<dyn Accumulator>,
    new: impl FnOnce() -> Result<AppendOnlyDistinct>,
) -> Result<Output> {
    for (at, unit) in units.iter_mut().enumerate() {
        if let Kind::AppendOnlyDistinct(distinct) = &mut unit.kind
            && unit.args.starts_with(&call.args)
            && distinct.width() == call.args.len()
        {
            match distinct.add(made, call.filter, &mut unit.args) {
                Ok(member) => return Ok((at, Some(member))),
                Err(full) => made = full,
            }
        }
    }
    let (mut distinct, mut args) = (new()?, call.args.clone());
    let member = distinct.add(made, call.filter, &mut args);
    let member = member.map_err(|_| Error::internal("a new set of values has no place for a filter"))?;
    units.push(Unit { args, filter: None, kind: Kind::AppendOnlyDistinct(Box::new(distinct)) });
    Ok((units.len() - 1, Some(member)))
}

impl SlotColumns for Aggregates {
    fn fields(&self) -> Vec<FieldRef> {
        let mut fields: Vec<FieldRef> =
            self.units.iter().flat_map(|unit| unit.kind.accumulator().fields()).collect();
        if self.row_counts.is_none() {
            // An aggregate that was added to the query starts empty here; with retractions it would be wrong.
            fields.iter_mut().for_each(|field| *field = with_default(field));
        }
        fields.extend(self.row_counts.iter().flat_map(|counts| counts.fields()));
        fields
    }

    fn reset(&mut self, slot: u32) {
        self.units.iter_mut().for_each(|unit| unit.kind.accumulator_mut().reset(slot));
        self.row_counts.iter_mut().for_each(|counts| counts.reset(slot));
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::with_capacity(self.width + 1);
        for unit in &self.units {
            columns.append(&mut unit.kind.accumulator().read(slots)?);
        }
        if let Some(counts) = &self.row_counts {
            columns.append(&mut counts.read(slots)?);
        }
        Ok(columns)
    }

    fn write(&mut self, slots: &[u32], mut columns: &[ArrayRef]) -> Result<()> {
        for unit in &mut self.units {
            let accumulator = unit.kind.accumulator_mut();
            let (own, rest) = columns
                .split_at_checked(accumulator.fields().len())
                .ok_or_else(|| Error::internal("too few accumulator columns"))?;
            accumulator.write(slots, own)?;
            columns = rest;
        }
        match &mut self.row_counts {
            Some(counts) => counts.write(slots, columns),
            None => Ok(()),
        }
    }

    fn restore(&mut self, slots: &[u32], mut stored: Vec<Stored>) -> Result<Option<Migration>> {
        let mut migration = None;
        let few = || Error::internal("too few accumulator columns");
        for unit in &mut self.units {
            let accumulator = unit.kind.accumulator_mut();
            let width = accumulator.fields().len();
            let rest = if width <= stored.len() { stored.split_off(width) } else { return Err(few()) };
            let migrated = accumulator.restore(slots, std::mem::replace(&mut stored, rest))?;
            migration = migration.or(migrated);
        }
        if let Some(counts) = &mut self.row_counts {
            counts.restore(slots, stored)?;
        }
        Ok(migration)
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        self.units.iter_mut().try_for_each(|unit| unit.kind.accumulator_mut().each_state(each))
    }

    fn occupies(&self, slot: u32) -> bool {
        self.units.iter().any(|unit| unit.kind.accumulator().occupies(slot))
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.units.iter().map(|unit| unit.kind.accumulator().bytes_of(slot)).sum()
    }

    fn memory(&self) -> usize {
        self.units.iter().map(|unit| unit.kind.accumulator().memory()).sum::<usize>()
            + self.row_counts.as_ref().map_or(0, SlotColumns::memory)
    }
}
