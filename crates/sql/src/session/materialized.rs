//! Materialized tables: tables that follow a query.
//!
//! The session keeps what a table is, in its catalog, and plans the jobs; the caller runs them as [`MaterializedWork`] says and
//! tells the session what became of them. So what the catalog has is what somebody else finds who opens it later: the query, and
//! the job that runs or the savepoint that the next one starts from.

use std::sync::Arc;

use flott_sql_parser::ast::{
    AlterMaterializedTable, AlterMaterializedTableOperation, CreateMaterializedTable, DropRelation, Expr,
    ExprKind, Insert, IntervalValue, Literal, ObjectName, QueryText, RefreshMode, TimeUnit,
};
use flott_sql_parser::{Position, parse_query};
use flott_types::{Error, Result};

use super::{Outcome, PlannedJob, Session};
use crate::catalog::{
    CatalogObject, Freshness, FreshnessUnit, Materialized, MaterializedMode, MaterializedStatus, ObjectPath,
    Table,
};

/// What the caller does for a materialized table.
#[derive(Clone, Debug)]
pub struct MaterializedWork {
    /// The table.
    pub path: ObjectPath,
    /// Its jobs.
    pub step: MaterializedStep,
}

/// What becomes of the jobs of a materialized table.
#[derive(Clone, Debug)]
pub enum MaterializedStep {
    /// A job starts. [`Session::materialized_is`] gets its id, or [`Session::materialized_failed`] the table as it was.
    Start {
        /// The job that goes on.
        job: Box<PlannedJob>,
        /// The savepoint that it starts from.
        from: Option<String>,
        /// The job that it replaces, which is stopped before.
        replaces: Option<String>,
        /// The job that it goes on from, which must have ended.
        ended: Option<String>,
        /// What the catalog says while the job is being started.
        was: MaterializedStatus,
        /// The table as it was; `None` if it is new.
        before: Option<Arc<Table>>,
    },
    /// The job stops with a savepoint, which [`Session::materialized_is`] gets.
    Suspend {
        /// The job that goes on.
        job: Option<String>,
    },
    /// The job is cancelled, and then the table is dropped by [`Session::materialized_dropped`].
    Drop {
        /// The job that still runs.
        job: Option<String>,
    },
}

impl Session {
    /// CREATE [OR ALTER] MATERIALIZED TABLE
    pub(super) fn create_materialized(&mut self, create: &CreateMaterializedTable) -> Result<Outcome> {
        let CreateMaterializedTable { or_alter, table: parts, freshness, refresh_mode } = create;
        let path = self.path(&parts.name)?;
        self.catalogs.database(&path.catalog, &path.database)?;
        let Some(query) = &parts.query else { return Err(Error::internal("the parser demands a query")) };
        match self.catalogs.permanent(&path)? {
            Some(CatalogObject::Table(table)) if *or_alter && table.materialized.is_some() => {
                return self.follow_another(&path, &table, query);
            }
            Some(_) if *or_alter => {
                return Err(Error::invalid(format!(
                    "Table {} is not a materialized table. Only materialized table support create or alter operation.",
                    path.plain()
                )));
            }
            Some(_) => return Err(super::create::taken(&path)),
            None => {}
        }
        let freshness = freshness.as_ref().map(freshness_of).transpose()?;
        let (freshness, mode) = how_fresh(freshness, *refresh_mode)?;
        if mode == MaterializedMode::Full {
            return Err(no_refresh("a materialized table in full refresh mode"));
        }
        let source = self.bound(&query.query)?;
        let mut table = self.ctas_table(parts, self.resolved_table(parts)?, &source)?;
        check_partition_fields(&table)?;
        table.materialized = Some(Materialized {
            query: query.text.clone(),
            catalog: self.catalogs.current_catalog.clone(),
            database: self.catalogs.current_database.clone(),
            freshness,
            mode,
            status: MaterializedStatus::Initializing,
        });
        self.start(path, table, None, None, None)
    }

    /// ALTER MATERIALIZED TABLE
    pub(super) fn alter_materialized(&mut self, alter: &AlterMaterializedTable) -> Result<Outcome> {
        let path = self.path(&alter.name)?;
        let (table, materialized) = self.materialized(&path)?;
        let work = |step| {
            let work = MaterializedWork { path: path.clone(), step };
            Ok(Outcome::Materialized(Box::new(work)))
        };
        match (&alter.operation, &materialized.status) {
            (AlterMaterializedTableOperation::Suspend, MaterializedStatus::Activated { job }) => {
                work(MaterializedStep::Suspend { job: job.clone() })
            }
            (AlterMaterializedTableOperation::Suspend, MaterializedStatus::Suspended { .. }) => Err(
                Error::invalid(format!("Materialized table {path} refresh job has already been suspended.")),
            ),
            (AlterMaterializedTableOperation::Suspend, _) => {
                Err(Error::invalid(format!("Materialized table {path} has no job to suspend.")))
            }
            (
                AlterMaterializedTableOperation::Resume { options },
                MaterializedStatus::Suspended { savepoint },
            ) => {
                let mut resumed = Table::clone(&table);
                resumed.options.extend(super::create::options_map(options));
                self.start(path, resumed, savepoint.clone(), Some(table), None)
            }
            // Whether it has ended, only who runs jobs can say.
            (
                AlterMaterializedTableOperation::Resume { options },
                MaterializedStatus::Activated { job: Some(job) },
            ) => {
                let mut resumed = Table::clone(&table);
                resumed.options.extend(super::create::options_map(options));
                self.start(path, resumed, Some("latest".to_owned()), Some(table), Some(job.clone()))
            }
            (AlterMaterializedTableOperation::Resume { .. }, _) => Err(Error::invalid(format!(
                "Materialized table {path} refresh job has already been resumed."
            ))),
            (AlterMaterializedTableOperation::Refresh { partition }, _) => {
                let columns: Vec<&str> = partition.iter().map(|value| value.column.value.as_str()).collect();
                if let Some(other) =
                    columns.iter().find(|column| !table.partition_keys.iter().any(|key| key == *column))
                {
                    return Err(Error::invalid(format!(
                        "The column '{other}' of PARTITION is no partition column of {path}, at {}",
                        alter.position
                    )));
                }
                Err(no_refresh("REFRESH"))
            }
            (AlterMaterializedTableOperation::As(query), _) => self.follow_another(&path, &table, query),
        }
    }

    /// DROP MATERIALIZED TABLE
    pub(super) fn drop_materialized(&mut self, drop: &DropRelation) -> Result<Outcome> {
        let path = self.path(&drop.name)?;
        match self.materialized(&path) {
            Ok((_, Materialized { status, .. })) => {
                let job = match status {
                    MaterializedStatus::Activated { job } => job,
                    _ => None,
                };
                let work = MaterializedWork { path, step: MaterializedStep::Drop { job } };
                Ok(Outcome::Materialized(Box::new(work)))
            }
            Err(_) if drop.if_exists => Ok(Outcome::Done),
            Err(error) => Err(error),
        }
    }

    /// What runs for a table has changed, from what it `was`.
    ///
    /// # Errors
    /// If the table is gone, another session has changed what runs, or its catalog cannot be changed.
    pub fn materialized_is(
        &mut self,
        path: &ObjectPath,
        was: &MaterializedStatus,
        status: MaterializedStatus,
    ) -> Result<()> {
        let (table, materialized) = self.materialized(path)?;
        if materialized.status != *was {
            return Err(Error::invalid(format!(
                "Another session has resumed, suspended or altered the materialized table {path} at this moment."
            )));
        }
        let materialized = Some(Materialized { status, ..materialized });
        let table = Table { materialized, ..Table::clone(&table) };
        self.catalogs.put(path, CatalogObject::Table(Arc::new(table)))
    }

    /// A job of a table could not be started: the table is again what it was, or is not there; unless another session has
    /// changed since what runs.
    ///
    /// # Errors
    /// If its catalog cannot be changed.
    pub fn materialized_failed(
        &mut self,
        path: &ObjectPath,
        was: &MaterializedStatus,
        before: Option<Arc<Table>>,
    ) -> Result<()> {
        if self.materialized(path).is_ok_and(|(_, materialized)| materialized.status != *was) {
            return Ok(());
        }
        match before {
            Some(table) => self.catalogs.put(path, CatalogObject::Table(table)),
            None => self.catalogs.remove(path).map(|_| ()),
        }
    }

    /// The jobs of a table have ended, and it goes.
    ///
    /// # Errors
    /// If its catalog cannot be changed.
    pub fn materialized_dropped(&mut self, path: &ObjectPath) -> Result<()> {
        self.catalogs.remove(path).map(|_| ())
    }

    fn materialized(&self, path: &ObjectPath) -> Result<(Arc<Table>, Materialized)> {
        if let Some(CatalogObject::Table(table)) = self.catalogs.permanent(path)?
            && let Some(materialized) = table.materialized.clone()
        {
            return Ok((table, materialized));
        }
        Err(Error::invalid(format!("Materialized Table with identifier '{}' does not exist.", path.plain())))
    }

    /// ALTER MATERIALIZED TABLE .. AS: columns may come behind those that are there.
    fn follow_another(
        &mut self,
        path: &ObjectPath,
        table: &Arc<Table>,
        query: &QueryText,
    ) -> Result<Outcome> {
        let Some(materialized) = &table.materialized else {
            return Err(Error::internal("a materialized table follows a query"));
        };
        let source = self.bound(&query.query)?;
        let mut changed = Table::clone(table);
        let known =
            table.columns.iter().filter(|column| source.fields.iter().any(|field| field.name == column.name));
        if known.count() < table.columns.len() {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            return Err(Error::invalid(format!(
                "Failed to modify query because drop column is unsupported. When modifying a query, you can only append new \
                 columns at the end of original schema. The original schema has the columns {}",
                names.join(", ")
            )));
        }
        for field in &source.fields {
            match table.column(&field.name) {
                None => changed.columns.push(crate::catalog::TableColumn {
                    name: field.name.clone(),
                    kind: crate::catalog::TableColumnKind::Physical,
                    ty: field.ty.clone().with_nullable(true),
                    comment: None,
                }),
                Some(column) if column.ty.kind != field.ty.kind => {
                    return Err(Error::invalid(format!(
                        "When modifying the query of a materialized table, currently only support appending columns at the end \
                         of original schema: '{}' is {}, and {} in the query",
                        field.name, column.ty, field.ty
                    )));
                }
                Some(_) => {}
            }
        }
        let status = materialized.status.clone();
        changed.materialized = Some(Materialized {
            query: query.text.clone(),
            catalog: self.catalogs.current_catalog.clone(),
            database: self.catalogs.current_database.clone(),
            // The savepoint of another query is not continued from.
            status: match &status {
                MaterializedStatus::Suspended { .. } => MaterializedStatus::Suspended { savepoint: None },
                status => status.clone(),
            },
            ..materialized.clone()
        });
        match status {
            MaterializedStatus::Suspended { .. } => {
                self.catalogs.put(path, CatalogObject::Table(Arc::new(changed)))?;
                Ok(Outcome::Done)
            }
            _ => self.start(path.clone(), changed, None, Some(table.clone()), None),
        }
    }

    /// Puts a table into its catalog and plans the job that follows its query.
    fn start(
        &mut self,
        path: ObjectPath,
        table: Table,
        from: Option<String>,
        before: Option<Arc<Table>>,
        ended: Option<String>,
    ) -> Result<Outcome> {
        let Some(materialized) = table.materialized.clone() else {
            return Err(Error::internal("a materialized table follows a query"));
        };
        if self.catalogs.temporary.contains_key(&path) {
            return Err(Error::invalid(format!(
                "There is a temporary table or view {path}, which would get the rows: drop it first."
            )));
        }
        let was = materialized.status.clone();
        let replaces = match before.as_ref().and_then(|table| table.materialized.as_ref()) {
            Some(Materialized { status: MaterializedStatus::Activated { job }, .. }) if ended.is_none() => {
                job.clone()
            }
            _ => None,
        };
        if before.as_deref() != Some(&table) {
            self.catalogs.put(&path, CatalogObject::Table(Arc::new(table)))?;
        }
        // The catalog of another system may know tables only.
        if !self.catalogs.permanent(&path)?.is_some_and(|kept| kept.is_materialized()) {
            self.materialized_failed(&path, &was, before)?;
            return Err(Error::unsupported(format!(
                "the catalog '{}' keeps no materialized tables",
                path.catalog
            )));
        }
        match self.job_for(&path, &materialized) {
            Ok(job) => {
                let step = MaterializedStep::Start { job: Box::new(job), from, replaces, ended, was, before };
                Ok(Outcome::Materialized(Box::new(MaterializedWork { path, step })))
            }
            Err(error) => {
                self.materialized_failed(&path, &was, before)?;
                Err(error)
            }
        }
    }

    /// The job that follows the query.
    fn job_for(&mut self, path: &ObjectPath, materialized: &Materialized) -> Result<PlannedJob> {
        let kept = (
            self.configuration.clone(),
            std::mem::replace(&mut self.catalogs.current_catalog, materialized.catalog.clone()),
            std::mem::replace(&mut self.catalogs.current_database, materialized.database.clone()),
        );
        let planned = (|| {
            self.configuration.set_any("execution.runtime-mode", "STREAMING")?;
            let query = parse_query(&materialized.query)?;
            let source = self.bound(&query)?;
            let name = |name: &str| flott_sql_parser::ast::Ident::new(name.to_owned(), Position::START);
            let insert = Insert {
                position: Position::START,
                overwrite: false,
                target: ObjectName(vec![name(&path.catalog), name(&path.database), name(&path.object)]),
                hints: Vec::new(),
                partition: Vec::new(),
                columns: source.fields.iter().map(|field| name(&field.name)).collect(),
                source: query,
                on_conflict: None,
            };
            self.insert_bound(&insert, source)
        })();
        (self.configuration, self.catalogs.current_catalog, self.catalogs.current_database) = kept;
        match planned? {
            Outcome::Insert(mut job) => {
                job.graph.name = format!("Materialized_table_{path}_continuous_refresh_job");
                Ok(*job)
            }
            _ => Err(Error::internal("an INSERT is a job")),
        }
    }
}

/// What CREATE OR REPLACE TABLE cannot replace.
pub(super) fn not_replaced(path: &ObjectPath, object: &CatalogObject) -> Error {
    Error::invalid(match object.is_view() {
        true => format!("{path} is a view, and only a table can be replaced."),
        false => {
            format!("{path} is a materialized table, which has a job: DROP MATERIALIZED TABLE it first.")
        }
    })
}

/// There is no clock that writes a table again and again.
fn no_refresh(what: &str) -> Error {
    Error::unsupported(format!(
        "{what}: tables are not written anew at regular times. INSERT OVERWRITE writes an ordinary table anew, at the times that you \
         choose; a table that follows its query all the time has REFRESH_MODE = CONTINUOUS"
    ))
}

/// The options `partition.fields.x...` name partition columns.
fn check_partition_fields(table: &Table) -> Result<()> {
    for key in table.options.keys() {
        let Some(column) = key.strip_prefix("partition.fields.").and_then(|rest| rest.split('.').next())
        else {
            continue;
        };
        if !table.partition_keys.iter().any(|known| known == column) {
            return Err(Error::invalid(format!(
                "Column '{column}' referenced by materialized table option '{key}' isn't a partition column. Available partition \
                 columns: [{}].",
                table.partition_keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(())
}

/// FRESHNESS = INTERVAL 'n' unit
fn freshness_of(expr: &Expr) -> Result<Freshness> {
    let wrong = |message: String| Err(Error::invalid(format!("{message}, at {}", expr.position)));
    let ExprKind::Literal(Literal::Interval(interval)) = &expr.kind else {
        return wrong(
            "MATERIALIZED TABLE only supports define interval type FRESHNESS, please refer to the materialized table document"
                .to_owned(),
        );
    };
    let unit = match (interval.qualifier.first, interval.qualifier.last, &interval.value) {
        (TimeUnit::Second, None, _) => FreshnessUnit::Second,
        (TimeUnit::Minute, None, _) => FreshnessUnit::Minute,
        (TimeUnit::Hour, None, _) => FreshnessUnit::Hour,
        (TimeUnit::Day, None, IntervalValue::Millis(_)) => FreshnessUnit::Day,
        _ => {
            return wrong(
                "Materialized table freshness only supports SECOND, MINUTE, HOUR, DAY as the time unit"
                    .to_owned(),
            );
        }
    };
    let sign = if interval.negative { "-" } else { "" };
    match interval.text.trim().parse::<u64>() {
        Ok(count) if count > 0 && !interval.negative => Ok(Freshness { count, unit }),
        _ => wrong(format!(
            "The freshness interval currently only supports positive integer type values. But was: {sign}{}",
            interval.text
        )),
    }
}

/// A table that may be further behind than these seconds is written again and again, unless REFRESH_MODE says otherwise: the default of
/// Flink's `materialized-table.refresh-mode.freshness-threshold`.
const THRESHOLD: u64 = 1_800;

/// FRESHNESS and REFRESH_MODE, of which one follows from the other where it is not written.
fn how_fresh(
    freshness: Option<Freshness>,
    mode: Option<RefreshMode>,
) -> Result<(Freshness, MaterializedMode)> {
    let mode = match (mode, freshness) {
        (Some(RefreshMode::Continuous), _) | (None, None) => MaterializedMode::Continuous,
        (Some(RefreshMode::Full), _) => MaterializedMode::Full,
        (None, Some(Freshness { count, unit })) => match count.saturating_mul(unit.seconds()) < THRESHOLD {
            true => MaterializedMode::Continuous,
            false => MaterializedMode::Full,
        },
    };
    let freshness = freshness.unwrap_or(match mode {
        MaterializedMode::Continuous => Freshness { count: 3, unit: FreshnessUnit::Minute },
        MaterializedMode::Full => Freshness { count: 1, unit: FreshnessUnit::Hour },
    });
    if mode == MaterializedMode::Full {
        regular(freshness)?;
    }
    Ok((freshness, mode))
}

/// A table in full refresh mode is written at regular times of a clock.
fn regular(Freshness { count, unit }: Freshness) -> Result<()> {
    let limit = match unit {
        FreshnessUnit::Second | FreshnessUnit::Minute => 60,
        FreshnessUnit::Hour => 24,
        FreshnessUnit::Day if count == 1 => return Ok(()),
        FreshnessUnit::Day => {
            return Err(Error::invalid(
                "In full refresh mode, freshness must be 1 when the time unit is DAY.",
            ));
        }
    };
    let word = unit.word();
    if count >= limit {
        return Err(Error::invalid(format!(
            "In full refresh mode, freshness must be less than {limit} when the time unit is {word}."
        )));
    }
    if limit % count != 0 {
        return Err(Error::invalid(format!(
            "In full refresh mode, only freshness that are factors of {limit} are currently supported when the time unit is {word}."
        )));
    }
    Ok(())
}
