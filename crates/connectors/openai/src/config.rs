//! What WITH says.

use flott_connector::options::{Required, WithDefault};
use flott_connector::{AnyOption, Options, TableOption};
use flott_types::Result;
use serde_json::{Map, Value, json};

const ENDPOINT: TableOption<String, Required> = TableOption::text(
    "endpoint",
    "the whole URL: it ends with `/chat/completions` or `/embeddings`, which says what is asked for",
)
.required();
const API_KEY: TableOption<String, Required> = TableOption::text("api-key", "the secret key").required();
const MODEL: TableOption<String, Required> =
    TableOption::text("model", "the name of the model at the service").required();
const SYSTEM_PROMPT: TableOption<String, WithDefault> =
    TableOption::text("system-prompt", "what a chat is told before the row")
        .or("You are a helpful assistant.");
const TEMPERATURE: TableOption<f64> = number("temperature", "how random a chat answers, from 0 on");
const TOP_P: TableOption<f64> = number("top-p", "among how probable words a chat chooses, from 0 to 1");
const STOP: TableOption<String> = TableOption::text("stop", "texts at which a chat stops, between commas");
const MAX_TOKENS: TableOption<u64> =
    TableOption::number("max-tokens", 1, i64::MAX as u64, "how many tokens an answer of a chat may have");
const PRESENCE_PENALTY: TableOption<f64> =
    number("presence-penalty", "how much a chat avoids words that it has used, from -2 to 2");
const CHOICES: TableOption<u64> =
    TableOption::number("n", 1, 128, "how many answers a chat gives: each becomes a row");
const SEED: TableOption<i64> = TableOption::parsed(
    "seed",
    "number",
    "a whole number",
    |text| text.parse().ok(),
    "with the same seed a chat answers the same as far as the service can",
);
const RESPONSE_FORMAT: TableOption<&'static str> = TableOption::word(
    "response-format",
    &[("text", "text"), ("json_object", "json_object")],
    "the form of a chat's answer",
)
.in_any_case();
const DIMENSION: TableOption<u64> =
    TableOption::number("dimension", 1, i32::MAX as u64, "how many numbers an embedding has");
const ERRORS: TableOption<Strategy, WithDefault> = TableOption::word(
    "error-handling-strategy",
    &[("retry", Strategy::Retry), ("failover", Strategy::Failover), ("ignore", Strategy::Ignore)],
    "what is done when a request fails: it is made again, the job fails, or the row has no answer",
)
.in_any_case()
.or("retry");
const RETRIES: TableOption<u32, WithDefault> =
    TableOption::number32("retry-num", 0, u32::MAX, "how often a request is made again").or("100");
const FALLBACK: TableOption<Strategy, WithDefault> = TableOption::word(
    "retry-fallback-strategy",
    &[("failover", Strategy::Failover), ("ignore", Strategy::Ignore)],
    "what is done when all attempts have failed",
)
.in_any_case()
.or("failover");
const CONTEXT_SIZE: TableOption<String> = TableOption::refused(
    "max-context-size",
    "texts are sent whole: cut them with SUBSTR",
    "how many tokens a text may have",
);
const OVERFLOW: TableOption<String> =
    TableOption::text("context-overflow-action", "what is done with a text that is too long")
        .without_effect("it goes with 'max-context-size'");

pub(crate) static OPTIONS: &[&dyn AnyOption] = &[
    &ENDPOINT,
    &API_KEY,
    &MODEL,
    &SYSTEM_PROMPT,
    &TEMPERATURE,
    &TOP_P,
    &STOP,
    &MAX_TOKENS,
    &PRESENCE_PENALTY,
    &CHOICES,
    &SEED,
    &RESPONSE_FORMAT,
    &DIMENSION,
    &ERRORS,
    &RETRIES,
    &FALLBACK,
    &CONTEXT_SIZE,
    &OVERFLOW,
];

const fn number(key: &'static str, description: &'static str) -> TableOption<f64> {
    TableOption::parsed(
        key,
        "number",
        "a number",
        |text| text.parse().ok().filter(|number: &f64| number.is_finite()),
        description,
    )
}

/// What is done when a request fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategy {
    Retry,
    Failover,
    Ignore,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    Chat,
    Embedding,
}

/// A model of a service. It is never shown: it has the key.
pub(crate) struct Config {
    pub task: Task,
    pub endpoint: String,
    pub key: String,
    /// The request without the row.
    pub request: Map<String, Value>,
    pub system_prompt: String,
    /// How often a failed request is made again.
    pub retries: u32,
    /// A request that has failed for good leaves its row without an answer.
    pub ignores: bool,
}

impl Config {
    pub fn read(options: &Options<'_>) -> Result<Self> {
        let endpoint = options.get(&ENDPOINT)?;
        let path = endpoint.trim_end_matches('/').to_ascii_lowercase();
        let task = if path.ends_with("/chat/completions") {
            Task::Chat
        } else if path.ends_with("/embeddings") {
            Task::Embedding
        } else {
            return Err(options.wrong(&ENDPOINT, "a URL that ends with '/chat/completions' or '/embeddings'"));
        };
        let mut request = Map::new();
        request.insert("model".to_owned(), json!(options.get(&MODEL)?));
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                request.insert(key.to_owned(), value);
            }
        };
        match task {
            Task::Chat => {
                set("temperature", options.get(&TEMPERATURE)?.map(Value::from));
                set("top_p", options.get(&TOP_P)?.map(Value::from));
                set("stop", options.get(&STOP)?.map(|stop| stop.split(',').collect::<Vec<_>>().into()));
                set("max_tokens", options.get(&MAX_TOKENS)?.map(Value::from));
                set("presence_penalty", options.get(&PRESENCE_PENALTY)?.map(Value::from));
                set("n", options.get(&CHOICES)?.map(Value::from));
                set("seed", options.get(&SEED)?.map(Value::from));
                let format = options.get(&RESPONSE_FORMAT)?;
                set("response_format", format.map(|format| json!({ "type": format })));
            }
            Task::Embedding => set("dimensions", options.get(&DIMENSION)?.map(Value::from)),
        }
        let strategy = options.get(&ERRORS)?;
        let (retries, last) = match strategy {
            Strategy::Retry => (options.get(&RETRIES)?, options.get(&FALLBACK)?),
            strategy => (0, strategy),
        };
        Ok(Config {
            task,
            endpoint,
            key: options.get(&API_KEY)?,
            request,
            system_prompt: options.get(&SYSTEM_PROMPT)?,
            retries,
            ignores: last == Strategy::Ignore,
        })
    }
}
