//! Makes a function of what a user implements.

use std::sync::Arc;

use flott_expr::user::{
    ChangelogContext, ChangelogOf, FunctionDefinition, ProcessParameter, SqlRow, SqlType, TableTraits, typed,
};
use flott_plan::ChangelogMode;
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

    /// The table may be updated: [`Row::kind`](crate::Row::kind) says how a row changes it. Where PARTITION BY is what identifies a row,
    /// updates are `+U` alone, and deletions may have NULL in all columns but those; otherwise `-U` comes too.
    #[must_use]
    pub fn supports_updates(mut self) -> Self {
        self.traits.takes_updates = true;
        self
    }

    /// The table may be updated, and each update comes as `-U` and `+U`.
    #[must_use]
    pub fn require_update_before(self) -> Self {
        let mut argument = self.supports_updates();
        argument.traits.requires_update_before = true;
        argument
    }

    /// The table may be updated, and deletions have all columns.
    #[must_use]
    pub fn require_full_delete(self) -> Self {
        let mut argument = self.supports_updates();
        argument.traits.requires_full_delete = true;
        argument
    }
}

/// A process table function with its parameters. See [`process_table`].
pub struct ProcessTableDefinition<F> {
    function: F,
    parameters: Vec<ProcessParameter>,
    columns: Vec<String>,
    changelog: Option<ChangelogOf>,
}

/// A function of tables. Its parameters are those that follow, in this order.
pub fn process_table<F: ProcessTableFunction>(function: F) -> ProcessTableDefinition<F> {
    ProcessTableDefinition { function, parameters: Vec::new(), columns: Vec::new(), changelog: None }
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

    /// What the function gives is changed later (`ChangelogFunction` in Flink): it tells how, for the changes of its tables and for what
    /// those who take the result need. It is asked several times while a query is planned; what it is to give in the end is
    /// [`TableContext::changelog_mode`](crate::TableContext::changelog_mode).
    ///
    /// Its tables are taken as sets. Rows that are replaced and deleted without `-U` are found by the columns of PARTITION BY: there is
    /// one for each key.
    ///
    /// ```
    /// # use flott_function_table::{OpenContext, ProcessTableFunction, Row, TableContext};
    /// # use flott_types::Result;
    /// use flott_function_table::{ChangelogMode, TableArgument, process_table};
    ///
    /// # #[derive(Clone, Default)]
    /// # struct Latest;
    /// # impl ProcessTableFunction for Latest {
    /// #     type Out = i64;
    /// #     fn eval(&mut self, _: &Row<'_>, _: &mut TableContext<'_, i64>) -> Result<()> { Ok(()) }
    /// # }
    /// let latest = process_table(Latest)
    ///     .table(TableArgument::set("input").supports_updates())
    ///     .changelog(|context| ChangelogMode::upsert(context.required().key_only_deletes));
    /// # let _ = latest;
    /// ```
    #[must_use]
    pub fn changelog(
        mut self,
        changelog: impl Fn(&ChangelogContext) -> ChangelogMode + Send + Sync + 'static,
    ) -> Self {
        self.changelog = Some(Arc::new(changelog));
        self
    }
}

impl<F: ProcessTableFunction> From<ProcessTableDefinition<F>> for FunctionDefinition {
    fn from(definition: ProcessTableDefinition<F>) -> Self {
        let ProcessTableDefinition { function, parameters, columns, changelog } = definition;
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
        FunctionDefinition::process(parameters, fields.collect(), changelog, Arc::new(factory))
    }
}
