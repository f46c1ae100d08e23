//! One statement and the pages of its result.

use std::time::Duration;

use chrono_tz::Tz;
use flott_batch::text;
use flott_batch::{ChangeBatch, RowKind};
use flott_cluster::{JobClient, NextRows, ResultStream};
use flott_plan::Schema;
use flott_runtime::Failure;
use flott_types::{Error, LogicalType, Result, TypeKind};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Executed;

/// So long a page waits for rows; then it is empty, and its client asks for the next one.
const PATIENCE: Duration = Duration::from_millis(500);

/// A statement that was executed.
pub(super) struct Operation {
    /// The job that it began, if it is a query's: it ends with the operation.
    query: Option<JobClient>,
    pages: Mutex<Pages>,
}

struct Pages {
    source: Source,
    /// The number of the next page.
    next: u64,
    /// The page before it, for who asks again.
    last: Option<Page>,
    status: Status,
}

enum Source {
    /// What is left is nothing.
    Ended,
    /// A table that is there as a whole.
    Whole(Schema, Vec<Vec<Option<String>>>),
    Rows(ResultStream, Schema, Tz),
}

#[derive(Clone)]
pub(super) struct Page {
    /// `None` is the end.
    pub data: Option<Value>,
    pub columns: Vec<Value>,
    pub is_query: bool,
    pub job: Option<String>,
}

#[derive(Clone)]
enum Status {
    Running,
    Finished,
    Cancelled,
    Failed(Failure),
}

impl Operation {
    pub fn new(executed: Result<Executed>) -> Self {
        let (query, source, status) = match executed {
            Ok(Executed::Done) => {
                let ok = Schema::new([("result", TypeKind::STRING.nullable())]);
                (None, Source::Whole(ok, vec![vec![Some("OK".to_owned())]]), Status::Finished)
            }
            Ok(Executed::Table(schema, rows)) => (None, Source::Whole(schema, rows), Status::Finished),
            Ok(Executed::Job(job)) => {
                let id = Schema::new([("job id", TypeKind::STRING.nullable())]);
                (None, Source::Whole(id, vec![vec![Some(job.job_id().to_string())]]), Status::Finished)
            }
            Ok(Executed::Query { job, schema, zone }) => match job.results() {
                Some(rows) => (Some(job), Source::Rows(rows, schema, zone), Status::Running),
                None => {
                    let error = Error::internal("the query collects no rows");
                    (Some(job), Source::Ended, failed(&error))
                }
            },
            Err(error) => (None, Source::Ended, failed(&error)),
        };
        Operation { query, pages: Mutex::new(Pages { source, next: 0, last: None, status }) }
    }

    /// Flink's word for how it goes.
    pub fn status(&self) -> &'static str {
        // A page that waits for rows holds the lock; it waits because the query runs.
        let Some(pages) = self.pages.try_lock() else { return "RUNNING" };
        match pages.status {
            Status::Running => "RUNNING",
            Status::Finished => "FINISHED",
            Status::Cancelled => "CANCELED",
            Status::Failed(_) => "ERROR",
        }
    }

    /// Ends what it began, if that is a query.
    pub fn cancel(&self) {
        if let Some(job) = &self.query {
            job.cancel();
        }
        let mut pages = self.pages.lock();
        if matches!(pages.status, Status::Running) {
            pages.status = Status::Cancelled;
            // Nobody reads its rows any more.
            pages.source = Source::Ended;
        }
    }

    /// A page; `None` if it is neither the next one nor the last that was fetched.
    ///
    /// # Errors
    /// Why the statement failed.
    pub fn page(&self, number: u64) -> Result<Option<Page>> {
        let mut pages = self.pages.lock();
        if let Status::Failed(failure) = &pages.status {
            return Err(failure.to_error());
        }
        if number + 1 == pages.next {
            return Ok(pages.last.clone());
        }
        if number != pages.next {
            return Ok(None);
        }
        let job = self.query.as_ref();
        let page = match pages.fetch(job) {
            Ok(page) => page,
            Err(error) => {
                // The job knows better than its result why there is none.
                let error = job
                    .filter(|job| job.status().is_terminal())
                    .and_then(|job| job.wait().err())
                    .unwrap_or(error);
                pages.status = failed(&error);
                pages.source = Source::Ended;
                return Err(error);
            }
        };
        pages.next += 1;
        pages.last = Some(page.clone());
        Ok(Some(page))
    }
}

/// When does not matter: it is told to who asks.
fn failed(error: &Error) -> Status {
    Status::Failed(Failure::new(error, 0))
}

impl Pages {
    fn fetch(&mut self, job: Option<&JobClient>) -> Result<Page> {
        let mut page = Page {
            data: None,
            columns: self.last.as_ref().map(|page| page.columns.clone()).unwrap_or_default(),
            is_query: job.is_some(),
            job: job.map(|job| job.job_id().to_string()),
        };
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::Ended => {}
            Source::Whole(schema, rows) => {
                page.columns = columns(&schema);
                let rows =
                    rows.into_iter().map(|fields| json!({ "kind": kind(RowKind::Insert), "fields": fields }));
                page.data = Some(rows.collect());
            }
            Source::Rows(rows, schema, zone) => {
                page.columns = columns(&schema);
                page.data = match rows.next_within(PATIENCE)? {
                    NextRows::Rows(batch) => Some(changes(batch, &schema, zone)?),
                    NextRows::NotYet => Some(json!([])),
                    NextRows::End => {
                        self.status = Status::Finished;
                        return Ok(page);
                    }
                };
                self.source = Source::Rows(rows, schema, zone);
            }
        }
        Ok(page)
    }
}

fn columns(schema: &Schema) -> Vec<Value> {
    let column = |name: &str, ty: &LogicalType| {
        let kind = ty.clone().with_nullable(true).to_string();
        json!({ "name": name, "logicalType": { "type": kind, "nullable": ty.nullable }, "comment": null })
    };
    schema.columns.iter().map(|of| column(&of.name, &of.ty)).collect()
}

/// The rows of a batch, as text.
fn changes(batch: ChangeBatch, schema: &Schema, zone: Tz) -> Result<Value> {
    let batch = batch.compact()?;
    let row = |row: usize| {
        let cell = |(index, column): (usize, &flott_plan::Column)| {
            text::cell(batch.column(index).as_ref(), row, &column.ty, zone)
        };
        let fields: Vec<_> = schema.columns.iter().enumerate().map(cell).collect();
        json!({ "kind": kind(batch.kind(row)), "fields": fields })
    };
    Ok((0..batch.physical_rows()).map(row).collect())
}

/// Flink's name of a kind.
fn kind(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Insert => "INSERT",
        RowKind::UpdateBefore => "UPDATE_BEFORE",
        RowKind::UpdateAfter => "UPDATE_AFTER",
        RowKind::Delete => "DELETE",
    }
}
