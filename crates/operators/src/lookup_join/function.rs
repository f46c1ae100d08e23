//! A function of a program that answers later, looked up as a table is: its arguments are the keys, and what it returns for them are the
//! rows that are found. NULL is a key like any other.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use flott_batch::arrow_type;
use flott_connector::lookup::{AsyncLookup, Found, Lookup, LookupContext, LookupFuture, LookupTable};
use flott_expr::Value;
use flott_expr::user::UserFunction;
use flott_plan::{LookupRetry, LookupSpec, Schema};
use flott_runtime::executor::Executor;
use flott_types::{Error, Result};

use crate::BuildContext;
use crate::support::{kernel, record_batch};

/// The function.
pub(super) struct FunctionTable {
    function: Arc<UserFunction>,
    retry: Option<LookupRetry>,
    schema: SchemaRef,
}

impl FunctionTable {
    pub fn new(
        name: &str,
        spec: &LookupSpec,
        retry: Option<LookupRetry>,
        context: &BuildContext,
    ) -> Result<Self> {
        let lost = || Error::internal(format!("there is no asynchronous function '{name}'"));
        let function =
            context.functions.called(name).filter(|function| function.is_async()).ok_or_else(lost)?;
        let column = |column: &usize| spec.table.schema.columns.get(*column).cloned().ok_or_else(lost);
        let columns = spec.projection.iter().map(column).collect::<Result<Vec<_>>>()?;
        let schema = arrow_type::schema(Schema { columns }.iter());
        Ok(FunctionTable { function: function.clone(), retry, schema })
    }
}

impl LookupTable for FunctionTable {
    fn lookup(&self, _: LookupContext) -> Result<Lookup> {
        Ok(Lookup::Async(Box::new(Calls {
            function: self.function.clone(),
            executor: Executor::new(None)?,
            retry: self.retry,
            schema: self.schema.clone(),
        })))
    }

    fn is_async(&self) -> bool {
        true
    }
}

/// What a subtask asks of it.
struct Calls {
    function: Arc<UserFunction>,
    executor: Executor,
    retry: Option<LookupRetry>,
    schema: SchemaRef,
}

impl AsyncLookup for Calls {
    fn lookup(&mut self, keys: RecordBatch) -> LookupFuture {
        let args: Arc<[Value]> = keys.columns().iter().cloned().map(Value::array).collect();
        let (retries, pause) = self.retry.map_or((0, 0), |retry| (retry.attempts, retry.delay));
        let pause = Duration::from_millis(u64::try_from(pause).unwrap_or_default());
        let call = |row| {
            let (function, args) = (self.function.clone(), args.clone());
            self.executor.run(retries, pause, move || function.ask(&args, row))
        };
        let answers: Vec<_> = (0..keys.num_rows()).map(call).collect();
        let schema = self.schema.clone();
        Box::pin(async move {
            let (mut rows, mut of) = (Vec::with_capacity(answers.len()), Vec::with_capacity(answers.len()));
            for (key, answer) in (0..).zip(answers) {
                let columns = answer.await?;
                let count = columns.first().map_or(0, |column| column.len());
                of.extend(std::iter::repeat_n(key, count));
                rows.push(record_batch(&schema, columns, count)?);
            }
            Found::new(concat_batches(&schema, &rows).map_err(kernel)?, of)
        })
    }
}
