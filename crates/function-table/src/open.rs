//! What a function finds when it is opened: its tables, its arguments, and where it declares its states.

use std::time::Duration;

use arrow::array::{Array, ArrayRef};
use flott_batch::Record;
use flott_expr::typing::casts::is_implicit;
use flott_expr::user::SqlType;
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::{Key, ListState, MapState, StateTtlConfig, States, ValueState};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::row::{Column, Table, Wanted};

/// A constant that was given to a function.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The parameter.
    pub name: String,
    /// One value, of the parameter's type.
    pub value: ArrayRef,
    /// The parameter's type.
    pub kind: TypeKind,
}

/// Clears a state of the current key.
pub type Clear = Box<dyn Fn(&mut States) + Send>;

/// What the operator lends to a function that opens, and learns from it.
#[derive(Default)]
pub struct OpenParts {
    /// The tables, in the order of the parameters.
    pub tables: Vec<Table>,
    /// The constants, in the order of the parameters.
    pub arguments: Vec<Argument>,
    /// The time to live of states that say nothing of it.
    pub ttl: Option<StateTtlConfig>,
    /// For each table, what the function reads of it.
    pub wanted: Vec<Vec<Wanted>>,
    /// How each of its states is cleared.
    pub clear: Vec<Clear>,
}

/// What a function can use when it is opened.
///
/// States can be declared where a table is taken as a set. A state that says nothing of its time to live has that of the query
/// (`table.exec.state.ttl`).
pub struct OpenContext<'a> {
    pub(crate) runtime: RuntimeContext<'a>,
    pub(crate) parts: &'a mut OpenParts,
}

impl<'a> OpenContext<'a> {
    #[doc(hidden)]
    pub fn new(runtime: RuntimeContext<'a>, parts: &'a mut OpenParts) -> Self {
        OpenContext { runtime, parts }
    }

    /// The subtask, the configuration, metrics.
    pub fn runtime(&self) -> &RuntimeContext<'a> {
        &self.runtime
    }

    /// The columns of the table that was given for a parameter, with their types.
    ///
    /// # Errors
    /// If there is no such parameter.
    pub fn columns(&self, table: &str) -> Result<&[(String, LogicalType)]> {
        Ok(&self.table(table)?.1.columns)
    }

    /// The columns of PARTITION BY, by their position; none with row semantics.
    ///
    /// # Errors
    /// If there is no such parameter.
    pub fn partition_columns(&self, table: &str) -> Result<&[usize]> {
        Ok(self.table(table)?.1.partition.as_deref().unwrap_or_default())
    }

    /// A column of a table, to be read as values of a Rust type; it is cast where that loses nothing.
    ///
    /// # Errors
    /// If there is no such column, or its type is another.
    pub fn column<T: SqlType>(&mut self, table: &str, column: &str) -> Result<Column<T>> {
        let (number, found) = self.table(table)?;
        let place = found.columns.iter().position(|(name, _)| name == column).ok_or_else(|| {
            let known: Vec<&str> = found.columns.iter().map(|(name, _)| name.as_str()).collect();
            Error::invalid(format!(
                "the table '{table}' has no column '{column}'; it has {}",
                known.join(", ")
            ))
        })?;
        self.column_at(number, place)
    }

    /// The same by the position of the column.
    ///
    /// # Errors
    /// As for the other.
    pub fn column_by_position<T: SqlType>(&mut self, table: &str, position: usize) -> Result<Column<T>> {
        let (number, found) = self.table(table)?;
        match position < found.columns.len() {
            true => self.column_at(number, position),
            false => Err(Error::invalid(format!("the table '{table}' has no column at {position}"))),
        }
    }

    fn column_at<T: SqlType>(&mut self, number: usize, column: usize) -> Result<Column<T>> {
        let table = &self.parts.tables[number];
        let (name, ty) = &table.columns[column];
        let kind = T::kind();
        if !is_implicit(&ty.kind, &kind) {
            return Err(Error::invalid(format!(
                "the column '{name}' of '{}' is {}; it cannot be read as {kind}",
                table.name, ty.kind
            )));
        }
        let wanted = Wanted { column, name: name.clone(), kind };
        let all = &mut self.parts.wanted[number];
        let place = all.iter().position(|known| *known == wanted).unwrap_or_else(|| {
            all.push(wanted);
            all.len() - 1
        });
        Ok(Column::new(number, place))
    }

    fn table(&self, name: &str) -> Result<(usize, &Table)> {
        let mut tables = self.parts.tables.iter().enumerate();
        tables
            .find(|(_, table)| table.name == name)
            .ok_or_else(|| Error::invalid(format!("the function has no table '{name}'")))
    }

    /// The value of a constant argument.
    ///
    /// # Errors
    /// If there is no such parameter, it was declared with another type, or it is NULL and the Rust type is no `Option`.
    pub fn argument<T: SqlType>(&self, name: &str) -> Result<T> {
        let argument = self.parts.arguments.iter().find(|argument| argument.name == name);
        let argument =
            argument.ok_or_else(|| Error::invalid(format!("the function has no argument '{name}'")))?;
        if argument.kind != T::kind() {
            return Err(Error::invalid(format!(
                "the argument '{name}' was declared as {} and is read as {}",
                argument.kind,
                T::kind()
            )));
        }
        if !T::NULLABLE && argument.value.is_null(0) {
            return Err(Error::invalid(format!("the argument '{name}' is NULL; read it as an Option")));
        }
        T::read(argument.value.as_ref(), 0)
    }

    /// Declares a state with one value for each key.
    ///
    /// # Errors
    /// If the function takes no table as a set, if the name is taken, or if the snapshot has this state with values that cannot be
    /// read as the requested type.
    pub fn value_state<T: Record>(&mut self, name: &str) -> Result<ValueState<T>> {
        self.value_state_of(name, self.parts.ttl.clone())
    }

    /// A value state whose values expire, in processing time.
    ///
    /// # Errors
    /// As for the other.
    pub fn value_state_with_ttl<T: Record>(&mut self, name: &str, ttl: Duration) -> Result<ValueState<T>> {
        self.value_state_of(name, Some(StateTtlConfig::new(ttl)))
    }

    fn value_state_of<T: Record>(
        &mut self,
        name: &str,
        ttl: Option<StateTtlConfig>,
    ) -> Result<ValueState<T>> {
        let state = match ttl {
            Some(ttl) => self.runtime.value_state_with_ttl(name, &ttl)?,
            None => self.runtime.value_state(name)?,
        };
        self.parts.clear.push(Box::new(move |states: &mut States| state.clear(states)));
        Ok(state)
    }

    /// Declares a state with a list for each key.
    ///
    /// # Errors
    /// As for a value.
    pub fn list_state<T: Record>(&mut self, name: &str) -> Result<ListState<T>> {
        self.list_state_of(name, self.parts.ttl.clone())
    }

    /// A list state whose values expire individually.
    ///
    /// # Errors
    /// As for a value.
    pub fn list_state_with_ttl<T: Record>(&mut self, name: &str, ttl: Duration) -> Result<ListState<T>> {
        self.list_state_of(name, Some(StateTtlConfig::new(ttl)))
    }

    fn list_state_of<T: Record>(&mut self, name: &str, ttl: Option<StateTtlConfig>) -> Result<ListState<T>> {
        let state = match ttl {
            Some(ttl) => self.runtime.list_state_with_ttl(name, &ttl)?,
            None => self.runtime.list_state(name)?,
        };
        self.parts.clear.push(Box::new(move |states: &mut States| state.clear(states)));
        Ok(state)
    }

    /// Declares a state with a map for each key.
    ///
    /// # Errors
    /// As for a value.
    pub fn map_state<K: Key, V: Record>(&mut self, name: &str) -> Result<MapState<K, V>> {
        self.map_state_of(name, self.parts.ttl.clone())
    }

    /// A map state whose entries expire individually.
    ///
    /// # Errors
    /// As for a value.
    pub fn map_state_with_ttl<K: Key, V: Record>(
        &mut self,
        name: &str,
        ttl: Duration,
    ) -> Result<MapState<K, V>> {
        self.map_state_of(name, Some(StateTtlConfig::new(ttl)))
    }

    fn map_state_of<K: Key, V: Record>(
        &mut self,
        name: &str,
        ttl: Option<StateTtlConfig>,
    ) -> Result<MapState<K, V>> {
        let state = match ttl {
            Some(ttl) => self.runtime.map_state_with_ttl(name, &ttl)?,
            None => self.runtime.map_state(name)?,
        };
        self.parts.clear.push(Box::new(move |states: &mut States| state.clear(states)));
        Ok(state)
    }
}
