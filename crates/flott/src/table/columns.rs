//! The Table API: other columns of the same rows.

use flott_types::{Error, Result};

use super::relational::{checked, collected};
use super::{Expression, Table, col};

impl Table {
    /// Other names of the first columns (`as`).
    ///
    /// # Errors
    /// If there are more names than columns.
    pub fn alias<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Result<Table> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let own = self.names();
        if names.len() > own.len() {
            return Err(Error::invalid(format!(
                "alias: there are {} names and {} columns",
                names.len(),
                own.len()
            )));
        }
        let rest = own[names.len()..].iter().map(|name| col(name));
        let named = own.iter().zip(names).map(|(own, name)| col(own).alias(&name));
        self.select(named.chain(rest).collect::<Vec<_>>())
    }

    /// All columns and further ones.
    ///
    /// # Errors
    /// If one of that name is there already.
    pub fn add_columns<E: Into<Expression>>(&self, fields: impl IntoIterator<Item = E>) -> Result<Table> {
        let fields = checked(collected(fields), "add_columns")?;
        let own = self.names();
        for field in &fields {
            if let Some(name) = field.name().filter(|name| own.iter().any(|own| own == name)) {
                return Err(Error::invalid(format!("add_columns: there is a column '{name}' already")));
            }
        }
        self.select(own.iter().map(|name| col(name)).chain(fields).collect::<Vec<_>>())
    }

    /// All columns and further ones, which replace those of their names.
    ///
    /// # Errors
    /// If one has no name.
    pub fn add_or_replace_columns<E: Into<Expression>>(
        &self,
        fields: impl IntoIterator<Item = E>,
    ) -> Result<Table> {
        let mut columns: Vec<(String, Expression)> =
            self.names().into_iter().map(|name| (name.clone(), col(&name))).collect();
        for field in checked(collected(fields), "add_or_replace_columns")? {
            let Some(name) = field.name().map(str::to_owned) else {
                return Err(Error::invalid(format!("add_or_replace_columns: {field} has no name")));
            };
            match columns.iter_mut().find(|(own, _)| *own == name) {
                Some(column) => column.1 = field,
                None => columns.push((name, field)),
            }
        }
        self.select(columns.into_iter().map(|(_, column)| column).collect::<Vec<_>>())
    }

    /// Other names of some columns: `[col("a").alias("b")]`.
    ///
    /// # Errors
    /// If there is no such column, or one has no new name.
    pub fn rename_columns<E: Into<Expression>>(&self, fields: impl IntoIterator<Item = E>) -> Result<Table> {
        let mut columns: Vec<Expression> = self.names().iter().map(|name| col(name)).collect();
        for field in checked(collected(fields), "rename_columns")? {
            let renamed = columns.iter_mut().find(|column| column.as_column() == field.as_column());
            match renamed.filter(|_| field.as_column().is_some() && field.names.len() == 1) {
                Some(column) => *column = field,
                None => return Err(Error::invalid(format!("rename_columns: {field} renames no column"))),
            }
        }
        self.select(columns)
    }

    /// Without some columns.
    ///
    /// # Errors
    /// If there is no such column, or none is left.
    pub fn drop_columns<E: Into<Expression>>(&self, fields: impl IntoIterator<Item = E>) -> Result<Table> {
        let mut names = self.names();
        for field in checked(collected(fields), "drop_columns")? {
            let at = names.iter().position(|name| field.as_column() == Some(name));
            match at {
                Some(at) => drop(names.remove(at)),
                None => return Err(Error::invalid(format!("drop_columns: there is no column {field}"))),
            }
        }
        self.select(names.iter().map(|name| col(name)).collect::<Vec<_>>())
    }
}
