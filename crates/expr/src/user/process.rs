//! Process table functions, as a planner sees them: their parameters. What they do is known to the operator that runs them, through a
//! type that this crate does not know.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use flott_plan::ChangelogMode;
use flott_types::{RowField, TypeKind};

use super::{Body, FunctionDefinition, FunctionKind, Typed, UserFunction};
use crate::function::Determinism;

/// A table that a function takes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TableTraits {
    /// Its rows belong together by key (set semantics), rather than being taken one by one (row semantics).
    pub set: bool,
    /// PARTITION BY may be left out: then all rows have one key.
    pub optional_partition: bool,
    /// All of its columns are in the result, rather than those of the key alone.
    pub passes_columns: bool,
    /// The call must have `on_time`.
    pub requires_time: bool,
    /// It may be updated.
    pub takes_updates: bool,
    /// Its updates have to tell what a row was.
    pub requires_update_before: bool,
    /// Its deletions have to have all columns.
    pub requires_full_delete: bool,
}

/// What a function is told when it is asked how what it gives will change.
#[derive(Clone, Debug)]
pub struct ChangelogContext {
    tables: Vec<(String, ChangelogMode)>,
    required: ChangelogMode,
}

impl ChangelogContext {
    /// The changes of the tables, by parameter, and what is wanted of the function.
    pub fn new(tables: Vec<(String, ChangelogMode)>, required: ChangelogMode) -> Self {
        ChangelogContext { tables, required }
    }

    /// How the table that was given for a parameter changes.
    pub fn table(&self, name: &str) -> Option<ChangelogMode> {
        self.tables.iter().find(|(known, _)| known == name).map(|(_, mode)| *mode)
    }

    /// What those who take the result need: whether updates have to tell what a row was, and whether deletions may have the key alone.
    pub fn required(&self) -> ChangelogMode {
        self.required
    }
}

/// How what a function gives changes.
pub type ChangelogOf = Arc<dyn Fn(&ChangelogContext) -> ChangelogMode + Send + Sync>;

/// A parameter of a process table function.
#[derive(Clone, Debug)]
pub enum ProcessParameter {
    /// A table.
    Table {
        /// Its name.
        name: String,
        /// What the function asks of it.
        traits: TableTraits,
    },
    /// A constant.
    Scalar {
        /// Its name.
        name: String,
        /// Its type. NULL is allowed where it is optional.
        ty: Typed,
        /// It may be left out: then it is NULL.
        optional: bool,
    },
}

impl ProcessParameter {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            ProcessParameter::Table { name, .. } | ProcessParameter::Scalar { name, .. } => name,
        }
    }
}

/// What a process table function takes, and what it does.
#[derive(Clone)]
pub struct ProcessFunction {
    pub(super) parameters: Vec<ProcessParameter>,
    pub(super) changelog: Option<ChangelogOf>,
    pub(super) body: Arc<dyn Any + Send + Sync>,
}

impl ProcessFunction {
    /// The parameters, without those that every such function has.
    pub fn parameters(&self) -> &[ProcessParameter] {
        &self.parameters
    }

    /// How what it gives changes.
    pub fn changelog(&self, context: &ChangelogContext) -> ChangelogMode {
        self.changelog.as_ref().map_or(ChangelogMode::insert_only(), |changelog| changelog(context))
    }

    /// What it does, for the operator that knows the type.
    pub fn body<T: 'static>(&self) -> Option<&T> {
        self.body.downcast_ref()
    }
}

impl FunctionDefinition {
    /// A process table function with these parameters and columns.
    pub fn process(
        parameters: Vec<ProcessParameter>,
        columns: Vec<RowField>,
        changelog: Option<ChangelogOf>,
        body: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        let row = TypeKind::Row(columns).not_null();
        FunctionDefinition {
            kind: FunctionKind::ProcessTable,
            params: Vec::new(),
            names: Vec::new(),
            result: Typed { kind: TypeKind::Array(Box::new(row)), nullable: false },
            determinism: Determinism::Never,
            body: Body::Process(ProcessFunction { parameters, changelog, body }),
        }
    }
}

impl UserFunction {
    /// What it is as a process table function, if it is one.
    pub fn process(&self) -> Option<&ProcessFunction> {
        match &self.definition.body {
            Body::Process(process) => Some(process),
            Body::Rows(_) | Body::Aggregate(_) | Body::Async(_) => None,
        }
    }

    /// The columns of a table function's rows.
    pub fn columns(&self) -> &[RowField] {
        match &self.definition.result.kind {
            TypeKind::Array(row) => row.kind.fields().unwrap_or_default(),
            _ => &[],
        }
    }
}

/// As signatures show it.
impl fmt::Display for ProcessParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessParameter::Table { name, traits } => {
                let semantics = if traits.set { "SET" } else { "ROW" };
                write!(f, "{name} => {{TABLE, {semantics} SEMANTIC TABLE}}")
            }
            ProcessParameter::Scalar { name, ty, .. } => {
                write!(f, "{name} => {}", ty.kind.clone().with_nullable(ty.nullable))
            }
        }
    }
}
