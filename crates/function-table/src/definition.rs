//! Makes a function of what a user implements.

use std::sync::Arc;

use flott_expr::user::{FunctionDefinition, ProcessParameter, SqlRow, SqlType, TableTraits, typed};
use flott_types::RowField;

use crate::function::ProcessTableFunction;
use crate::instance::{Instance, Running};

/// Makes the function's instances.
pub struct Factory(Box<dyn Fn() -> Box<dyn Instance> + Send + Sync>);

impl Factory {
    /// An instance for a subtask.
    pub fn instance(&self) -> Box<dyn Instance> {
        (self.0)()
    }
}

/// A table that a function takes.
#[derive(Clone, Debug)]
pub struct TableArgument {
    name: String,
    traits: TableTraits,
}

impl TableArgument {
    /// Rows that belong together by the columns of PARTITION BY: those of a key have states and timers.
    pub fn set(name: &str) -> Self {
        TableArgument { name: name.to_owned(), traits: TableTraits { set: true, ..TableTraits::default() } }
    }

    /// Rows that are taken one by one.
    pub fn rows(name: &str) -> Self {
        TableArgument { name: name.to_owned(), traits: TableTraits::default() }
    }

    /// PARTITION BY may be left out: all rows then have one key.
    #[must_use]
    pub fn optional_partition_by(mut self) -> Self {
        self.traits.optional_partition = true;
        self
    }

    /// All of the table's columns are in the result, not only those of PARTITION BY. There are no timers then.
    #[must_use]
    pub fn pass_columns_through(mut self) -> Self {
        self.traits.passes_columns = true;
        self
    }

    /// A call must have `on_time`.
    #[must_use]
    pub fn require_on_time(mut self) -> Self {
        self.traits.requires_time = true;
        self
    }

    /// The table may be updated: [`Row::kind`](crate::Row::kind) says how a row changes it. What the function gives is never taken back.
    #[must_use]
    pub fn supports_updates(mut self) -> Self {
        self.traits.takes_updates = true;
        self
    }
}

/// A process table function with its parameters. See [`process_table`].
pub struct ProcessTableDefinition<F> {
    function: F,
    parameters: Vec<ProcessParameter>,
    columns: Vec<String>,
}

/// A function of tables. Its parameters are those that follow, in this order.
pub fn process_table<F: ProcessTableFunction>(function: F) -> ProcessTableDefinition<F> {
    ProcessTableDefinition { function, parameters: Vec::new(), columns: Vec::new() }
}

impl<F: ProcessTableFunction> ProcessTableDefinition<F> {
    /// A parameter for a table.
    #[must_use]
    pub fn table(mut self, TableArgument { name, traits }: TableArgument) -> Self {
        self.parameters.push(ProcessParameter::Table { name, traits });
        self
    }

    /// A parameter for a constant.
    #[must_use]
    pub fn argument<T: SqlType>(mut self, name: &str) -> Self {
        let (name, ty) = (name.to_owned(), typed::<T>());
        self.parameters.push(ProcessParameter::Scalar { name, ty, optional: false });
        self
    }

    /// A parameter for a constant that may be left out: it is read as an `Option`.
    #[must_use]
    pub fn optional_argument<T: SqlType>(mut self, name: &str) -> Self {
        let (name, ty) = (name.to_owned(), typed::<Option<T>>());
        self.parameters.push(ProcessParameter::Scalar { name, ty, optional: true });
        self
    }

    /// Names the columns of the rows that it gives. Without names they are `f0`, `f1`, and so on; a single one is `EXPR$0`.
    #[must_use]
    pub fn columns<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.columns = names.map(str::to_owned).to_vec();
        self
    }
}

impl<F: ProcessTableFunction> From<ProcessTableDefinition<F>> for FunctionDefinition {
    fn from(definition: ProcessTableDefinition<F>) -> Self {
        let ProcessTableDefinition { function, parameters, columns } = definition;
        let types = F::Out::types();
        let single = types.len() == 1;
        let fields = types.into_iter().enumerate().map(|(at, ty)| RowField {
            name: columns
                .get(at)
                .cloned()
                .unwrap_or_else(|| if single { "EXPR$0".to_owned() } else { format!("f{at}") }),
            ty: ty.kind.with_nullable(ty.nullable),
            comment: None,
        });
        let factory = Factory(Box::new(move || Box::new(Running::new(function.clone()))));
        FunctionDefinition::process(parameters, fields.collect(), Arc::new(factory))
    }
}
