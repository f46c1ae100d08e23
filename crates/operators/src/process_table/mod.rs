//! Process table functions: runs a function of a program over the rows of tables, with state and timers.
//!
//! Keys are interned once per batch. The function is called for each row in one typed loop
//! ([`Instance`](flott_function_table::Instance)), with columns that it has resolved when it was opened; what it gives is gathered with the
//! columns that pass through, once per batch or after some thousands of rows.
//!
//! State: the states that the function declares, and its timers, over one index of keys. Keys are named by position, so that the state of a
//! function outlives a change of the query around it.
//!
//! Late rows are taken as all others: what is late is for the function to say.
//!
//! Cost of a row: interning its key, the call, and a gather of its columns for each row that it gives.

mod sender;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::{Field, Schema as ArrowSchema};
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_expr::user::{ProcessParameter, of_row};
use flott_expr::{Value, bind};
use flott_function::runtime_context::{KeyedScope, RuntimeContext};
use flott_function::state::{StateTtlConfig, States, tell_dropped};
use flott_function_table::timers::Timers;
use flott_function_table::{
    Argument, Core, Factory, Instance, OpenContext, OpenParts, Table, TableRows, Timer, Wanted,
};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, ChangelogMode, Expr, ProcessTableSpec, ProcessedTable, Schema};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState, SharedIndex};
use flott_types::{CheckpointId, Error, LogicalType, Result, Timestamp, Watermark};

use self::sender::{Origins, Sender};
use crate::BuildContext;
use crate::support::{Expression, Millis, columns_of, record_batch};

/// This many timers fire before what the function gave is sent.
const TIMERS: usize = 4_096;

/// The operator.
pub(crate) struct ProcessTable {
    /// The name that messages call the function by.
    shown: String,
    tables: Vec<ProcessedTable>,
    instance: Box<dyn Instance>,
    parts: OpenParts,
    /// What a call without tables is given.
    nothing: Table,
    constants: Vec<Expression>,
    /// For each table, how the columns that the function reads are computed.
    reads: Vec<Vec<Expression>>,
    /// `None` if no table is taken as a set.
    index: Option<SharedIndex>,
    states: States,
    timers: Timers,
    /// Whether the function may have timers.
    with_timers: bool,
    /// How often a key is in the output: once for each table.
    repeated: usize,
    sender: Sender,
    /// How what the function gives changes.
    output: ChangelogMode,
    options: Arc<TaskOptions>,
    context: BuildContext,
    inputs: Vec<Schema>,
}

impl ProcessTable {
    pub fn new(node: &ChainedNode, spec: &ProcessTableSpec, context: &BuildContext) -> Result<Self> {
        let lost = || Error::internal(format!("there is no process table function '{}'", spec.function));
        let function = context.functions.called(&spec.function).ok_or_else(lost)?;
        let process = function.process().ok_or_else(lost)?;
        let factory: &Factory = process.body().ok_or_else(lost)?;
        let mut parts = OpenParts::default();
        let mut constants = Vec::new();
        for parameter in process.parameters() {
            match parameter {
                ProcessParameter::Table { name, .. } => {
                    let at = parts.tables.len();
                    let table = spec.tables.get(at).ok_or_else(lost)?;
                    // The input's own names are those of its meaning.
                    let columns = table.columns.iter().zip(&crate::build::input(node, at)?.columns);
                    parts.tables.push(Table {
                        name: name.clone(),
                        columns: columns.map(|(name, column)| (name.clone(), column.ty.clone())).collect(),
                        partition: table.partition.clone(),
                    });
                }
                ProcessParameter::Scalar { name, ty, .. } => {
                    let expr = spec.arguments.get(constants.len()).ok_or_else(lost)?;
                    constants.push(Expression::new(expr, &Schema::default(), context)?);
                    let value = new_null_array(&arrow_type::to_arrow(expr.ty()), 1);
                    parts.arguments.push(Argument { name: name.clone(), value, kind: ty.kind.clone() });
                }
            }
        }
        parts.wanted = vec![Vec::new(); parts.tables.len()];
        let ttl = u64::try_from(spec.ttl).ok().filter(|ttl| *ttl > 0);
        parts.ttl = ttl.map(|ttl| StateTtlConfig::new(Duration::from_millis(ttl)));
        let partition = spec.tables.first().and_then(|table| table.partition.as_ref());
        let index = partition.map(|partition| key_index(crate::build::input(node, 0)?, partition, context));
        let timed = spec.tables.iter().any(|table| table.time.is_some());
        let passes = spec.tables.iter().any(|table| table.passes_columns);
        Ok(ProcessTable {
            shown: function.shown().to_owned(),
            with_timers: timed && index.is_some() && !passes,
            repeated: if index.is_some() { spec.tables.len() } else { 0 },
            tables: spec.tables.clone(),
            instance: factory.instance(),
            parts,
            nothing: Table { name: String::new(), columns: Vec::new(), partition: None },
            constants,
            reads: Vec::new(),
            index: index.transpose()?,
            states: States::default(),
            timers: Timers::default(),
            sender: Sender {
                schema: arrow_type::schema(node.node.schema.iter()),
                batch_bytes: context.batch_bytes,
            },
            output: spec.output,
            options: context.options.clone().ok_or_else(|| Error::internal("an operator without a job"))?,
            context: context.clone(),
            inputs: node.inputs.clone(),
        })
    }

    /// Calls the function for the rows of a batch and sends what it gives.
    fn rows(&mut self, input: usize, batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let ProcessTable { tables, instance, parts, reads, index, states, timers, sender, .. } = self;
        let (columns, rows) = (batch.columns(), batch.physical_rows());
        let lost = || Error::internal(format!("there is no table {input}"));
        let table = tables.get(input).ok_or_else(lost)?;
        let keys: Vec<ArrayRef> = match &table.partition {
            Some(partition) => partition.iter().map(|key| columns.column(*key).clone()).collect(),
            None => Vec::new(),
        };
        let mut slots = Vec::new();
        if let Some(index) = index {
            index.intern(&keys, rows, &mut slots)?;
            states.warm(&slots, index.slots_end());
        }
        let times = table.time.map(|time| {
            let millis = Millis::required(columns.column(time))?;
            Ok::<_, Error>((0..rows).map(|row| millis.get(row)).collect::<Vec<_>>())
        });
        let times = times.transpose()?;
        let none: Vec<Wanted> = Vec::new();
        let (given, wanted) = match table.nothing {
            true => (&self.nothing, &none),
            false => (parts.tables.get(input).ok_or_else(lost)?, parts.wanted.get(input).ok_or_else(lost)?),
        };
        let read = reads.get(input).map(Vec::as_slice).unwrap_or_default();
        let read = read.iter().map(|read| read.evaluate(columns, context)).collect::<Result<Vec<_>>>()?;
        let prefix: Vec<ArrayRef> = match table.passes_columns {
            true => columns.columns().to_vec(),
            false => (0..self.repeated).flat_map(|_| keys.iter().cloned()).collect(),
        };
        let given = TableRows {
            number: input,
            table: given,
            wanted,
            columns: &read,
            kinds: batch.kinds(),
            times: times.as_deref(),
            slots: index.is_some().then_some(slots.as_slice()),
            rows,
        };
        let origins = Origins { prefix: &prefix, times: times.as_deref(), count: rows };
        // Messages show the row that failed.
        let shown: Vec<Value> = columns.columns().iter().cloned().map(Value::array).collect();
        let mut from = 0;
        while from < rows {
            let (watermark, clear) = (context.watermark, parts.clear.as_slice());
            from = of_row(&self.shown, &shown, |at| {
                let timers = self.with_timers.then_some(&mut *timers);
                instance.eval(&given, from, Core { states, timers, clear, watermark }, at)
            })?;
            states.check()?;
            sender.send(instance.take()?, &origins, context)?;
        }
        states.tidy(context.now, rows);
        Ok(())
    }

    /// Calls the function for the timers that are due and sends what it gives.
    fn fire(&mut self, until: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let ProcessTable { instance, parts, states, timers, sender, .. } = self;
        let Some(index) = self.index.as_mut().filter(|_| self.with_timers) else { return Ok(()) };
        loop {
            let mut fired: Vec<Timer> = Vec::new();
            while fired.len() < TIMERS && !instance.is_full() {
                // A function may register a timer that is due at once; at the end of input it always is.
                context.output.wanted()?;
                let Some(timer) = timers.pop_due(states, until) else { break };
                let (watermark, clear) = (context.watermark, parts.clear.as_slice());
                let number = fired.len() as u32;
                of_row(&self.shown, &[], |_| {
                    instance.on_timer(&timer, number, Core { states, timers: Some(timers), clear, watermark })
                })?;
                fired.push(timer);
            }
            states.check()?;
            if fired.is_empty() {
                return Ok(());
            }
            let slots: Vec<u32> = fired.iter().map(Timer::slot).collect();
            let times: Vec<Timestamp> = fired.iter().map(Timer::time).collect();
            let keys = index.keys_of(&slots)?;
            let prefix: Vec<ArrayRef> = (0..self.repeated).flat_map(|_| keys.iter().cloned()).collect();
            let origins = Origins { prefix: &prefix, times: Some(&times), count: fired.len() };
            sender.send(instance.take()?, &origins, context)?;
        }
    }

    /// Frees the keys that nothing needs any more, and says when to look again for those whose state expires.
    fn settle(&mut self, context: &mut Context<'_>) {
        self.release();
        if let Some(at) = self.states.wake_at() {
            context.schedule(at);
        }
    }

    fn release(&mut self) {
        let ProcessTable { index, states, timers, .. } = self;
        if let Some(index) = index {
            index.freed().append(&mut states.freed);
            index.release(|slot| states.occupied(slot) || timers.occupied(slot));
        }
    }
}

/// The index of keys, named by their position in PARTITION BY.
fn key_index(input: &Schema, partition: &[usize], context: &BuildContext) -> Result<SharedIndex> {
    let fields = arrow_type::schema(input.iter());
    let field = |(at, key): (usize, &usize)| {
        let known = fields.fields().get(*key);
        let known = known.ok_or_else(|| Error::internal(format!("there is no key column {key}")))?;
        Ok(Arc::new(Field::new(format!("key{at}"), known.data_type().clone(), true)))
    };
    let keys = partition.iter().enumerate().map(field).collect::<Result<Vec<_>>>()?;
    SharedIndex::new(&keys, partition.len(), context.max_parallelism)
}

/// A column of a table as values of another type.
fn reading(wanted: &Wanted, input: &Schema, context: &BuildContext) -> Result<Expression> {
    let column = input.columns.get(wanted.column);
    let ty: &LogicalType =
        &column.ok_or_else(|| Error::internal(format!("there is no column {}", wanted.column)))?.ty;
    let read = Expr::column(wanted.column, ty.clone());
    let expr = match ty.kind == wanted.kind {
        true => read,
        false => bind::cast(read, wanted.kind.clone().with_nullable(ty.nullable), false)?,
    };
    Expression::new(&expr, input, context)
}

impl Operator for ProcessTable {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let one = record_batch(&Arc::new(ArrowSchema::empty()), Vec::new(), 1)?;
        for (argument, constant) in self.parts.arguments.iter_mut().zip(&self.constants) {
            argument.value = constant.evaluate(&one, context)?;
        }
        let ProcessTable { index, states, timers, instance, parts, options, output, .. } = self;
        states.now = context.now;
        if let Some(index) = index {
            timers.restore(index.index_mut(), &mut restored)?;
        }
        let has_keys = index.is_some();
        let keyed = index.as_mut().map(|index| KeyedScope { keys: index.index_mut(), states });
        let (info, metrics) = (context.info, context.metrics);
        let mut runtime = RuntimeContext::new(info, options, metrics, &mut restored, keyed);
        if has_keys {
            timers.declare(&mut runtime)?;
        }
        instance
            .open(*output, &mut OpenContext::new(runtime, parts))
            .and_then(|()| states.refuse(&Timers::STATES))
            .map_err(|error| error.context(format!("function '{}' cannot be opened", self.shown)))?;
        tell_dropped(&info.name, &restored);
        for (wanted, input) in self.parts.wanted.iter().zip(&self.inputs) {
            let reads = wanted.iter().map(|wanted| reading(wanted, input, &self.context));
            self.reads.push(reads.collect::<Result<_>>()?);
        }
        self.settle(context);
        Ok(())
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        self.states.now = context.now;
        self.rows(input, &batch, context)?;
        self.settle(context);
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.states.now = context.now;
        self.fire(watermark.0, context)?;
        self.settle(context);
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.states.now = now;
        self.states.tidy(now, 0);
        self.settle(context);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        let ProcessTable { index, states, timers, .. } = self;
        if let Some(index) = index {
            snapshot.keyed = states.snapshot(index.index(), full)?;
            timers.snapshot(index.index(), full, &mut states.freed, &mut snapshot.keyed)?;
        }
        self.release();
        Ok(snapshot)
    }

    fn close(&mut self) {
        self.instance.close();
    }
}

#[cfg(test)]
mod tests;
