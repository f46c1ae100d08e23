//! The provider, and who asks.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use flott_batch::arrow_type;
use flott_connector::lookup::{
    AsyncLookup, Found, Lookup, LookupContext, LookupFuture, LookupTable, ModelProvider,
};
use flott_connector::{Manual, Options};
use flott_plan::LookupSpec;
use flott_types::panics::caught;
use flott_types::{Error, LogicalType, Result, TypeKind};
use futures::channel::oneshot;
use serde_json::Value;

use crate::answer::{self, Read};
use crate::config::{Config, OPTIONS, Task};
use crate::request::Failure;
use crate::workers::{Shared, Workers};

/// The pause before the first further attempt, in milliseconds; it doubles up to [`LONGEST`].
const SHORTEST: u64 = 500;
const LONGEST: u64 = 8_000;
/// An exchange that takes longer has failed. The operator has a limit of its own for all attempts.
const EXCHANGE: Duration = Duration::from_secs(600);

/// `openai`
#[derive(Clone, Copy, Default, Debug)]
pub struct OpenAiProvider;

impl ModelProvider for OpenAiProvider {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn manual(&self) -> Manual {
        Manual {
            summary: "Models of services that speak OpenAI's protocol: chats and embeddings.",
            details: "\
A chat takes one STRING and gives one STRING; an embedding takes one STRING and gives one ARRAY<FLOAT>.
A row whose text is NULL is not asked about and has no answer.
Requests that fail in the network, with the status 408, 409, 429 or from 500 on, are made again, after pauses of half a second to eight seconds, or as long as the service says.",
            example: "CREATE MODEL sentiment INPUT (text STRING) OUTPUT (label STRING) WITH (
  'provider' = 'openai',
  'endpoint' = 'https://api.openai.com/v1/chat/completions',
  'api-key' = '...',
  'model' = 'gpt-4o-mini',
  'system-prompt' = 'Classify the text as positive, negative or neutral. Answer with that word only.'
);",
            options: OPTIONS,
        }
    }

    fn predict(&self, spec: &LookupSpec, options: &Options<'_>) -> Result<Arc<dyn LookupTable>> {
        let config = Config::read(options)?;
        let (input, output): (Vec<_>, Vec<_>) =
            spec.table.schema.columns.iter().enumerate().partition(|(at, _)| spec.keys.contains(at));
        let answer = match config.task {
            Task::Chat => TypeKind::STRING.nullable(),
            Task::Embedding => TypeKind::Array(Box::new(TypeKind::Float.nullable())).nullable(),
        };
        for (columns, what, ty) in [(input, "input", TypeKind::STRING.nullable()), (output, "output", answer)]
        {
            let [(_, column)] = columns.as_slice() else {
                return Err(Error::invalid(format!(
                    "Model should have exactly one {what} physical column, but actually has {} physical columns \
                     (model {})",
                    columns.len(),
                    spec.table.name
                )));
            };
            if !same(&column.ty, &ty) {
                return Err(Error::invalid(format!(
                    "{what} column {} should be {}, but is a {} (model {})",
                    column.name, ty.kind, column.ty.kind, spec.table.name
                )));
            }
        }
        let columns = spec.projection.iter().filter_map(|at| spec.table.schema.columns.get(*at));
        let columns = columns.map(|column| (column.name.as_str(), &column.ty));
        let input = spec.projection.iter().map(|at| spec.keys.contains(at)).collect();
        let read = Arc::new(Read { schema: arrow_type::schema(columns), input });
        Ok(Arc::new(Model { config: Arc::new(config), read }))
    }
}

/// Whether a type is the one that is wanted, or that without NULLs.
fn same(ty: &LogicalType, wanted: &LogicalType) -> bool {
    match (&ty.kind, &wanted.kind) {
        (TypeKind::Array(ty), TypeKind::Array(wanted)) => same(ty, wanted),
        (ty, wanted) => ty == wanted,
    }
}

/// A model, as it is asked.
struct Model {
    config: Arc<Config>,
    read: Arc<Read>,
}

impl LookupTable for Model {
    fn lookup(&self, _: LookupContext) -> Result<Lookup> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(EXCHANGE))
            .build()
            .into();
        let asking = Asking { config: self.config.clone(), read: self.read.clone(), agent };
        Ok(Lookup::Async(Box::new(Asker { asking: Arc::new(asking), workers: Workers::new() })))
    }

    fn is_async(&self) -> bool {
        true
    }
}

struct Asker {
    asking: Arc<Asking>,
    workers: Workers,
}

struct Asking {
    config: Arc<Config>,
    read: Arc<Read>,
    agent: ureq::Agent,
}

impl AsyncLookup for Asker {
    fn lookup(&mut self, keys: RecordBatch) -> LookupFuture {
        let (told, answer) = oneshot::channel();
        let asking = self.asking.clone();
        let started = self.workers.run(move |shared| {
            // Who asked may have gone.
            let _ = told.send(caught(|| asking.all(&keys, shared)));
        });
        Box::pin(async move {
            started?;
            answer.await.map_err(|_| Error::cancelled())?
        })
    }
}

impl Asking {
    /// The answers to these rows, one after the other.
    fn all(&self, keys: &RecordBatch, shared: &Shared) -> Result<Found> {
        let texts = keys.column(0).as_string::<i32>();
        let mut rows: Vec<RecordBatch> = Vec::with_capacity(texts.len());
        let mut numbers = Vec::with_capacity(texts.len());
        for (number, text) in (0..).zip(texts) {
            let text = text.unwrap_or_default();
            let answers = match self.one(text, shared) {
                Ok(answer) => vec![answer],
                Err(error) if self.config.ignores => {
                    tracing::warn!("a row has no answer of a model: {error}");
                    Vec::new()
                }
                Err(error) => return Err(error),
            };
            let found = answer::found(self.config.task, text, &answers, &self.read)?;
            numbers.extend(std::iter::repeat_n(number, found.rows().num_rows()));
            rows.push(found.rows().clone());
        }
        let rows = arrow::compute::concat_batches(&self.read.schema, &rows)
            .map_err(|error| Error::internal("answers of a model do not fit").with_source(error))?;
        Found::new(rows, numbers)
    }

    /// The answer to a text, after as many attempts as it takes and are allowed.
    fn one(&self, text: &str, shared: &Shared) -> Result<Value> {
        let mut wait = SHORTEST;
        let mut left = self.config.retries;
        loop {
            match self.config.ask(&self.agent, text) {
                Ok(answer) => return Ok(answer),
                Err(Failure { error, again, pause }) => {
                    if !again || left == 0 {
                        return Err(error);
                    }
                    left -= 1;
                    tracing::debug!("a model is asked again: {error}");
                    if !shared.pause(Duration::from_millis(pause.unwrap_or(wait))) {
                        return Err(Error::cancelled());
                    }
                    wait = (wait * 2).min(LONGEST);
                }
            }
        }
    }
}
