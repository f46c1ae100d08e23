//! One request: text in, answers out.

use flott_types::{Error, Result};
use serde_json::{Value, json};

use crate::config::{Config, Task};

/// Why a request has no answer.
pub(crate) struct Failure {
    pub error: Error,
    /// Another attempt may help.
    pub again: bool,
    /// How long the service wants to be left alone, in milliseconds.
    pub pause: Option<u64>,
}

/// A service that wants to be left alone for longer is asked again after this, in milliseconds.
const LONGEST_PAUSE: u64 = 60_000;

/// So much of what a service says of an error is told.
const TOLD: usize = 500;

impl Config {
    /// What is sent for a text.
    pub fn body(&self, text: &str) -> Value {
        let mut request = self.request.clone();
        match self.task {
            Task::Chat => {
                let messages = json!([
                    { "role": "system", "content": self.system_prompt },
                    { "role": "user", "content": text },
                ]);
                request.insert("messages".to_owned(), messages);
            }
            Task::Embedding => {
                request.insert("input".to_owned(), json!(text));
            }
        }
        Value::Object(request)
    }

    /// Asks once.
    pub fn ask(&self, agent: &ureq::Agent, text: &str) -> Result<Value, Failure> {
        let failed = |message: String, again: bool, pause: Option<u64>| Failure {
            error: Error::external(self.masked(&format!("{}: {message}", self.endpoint))),
            again,
            pause,
        };
        let request = agent
            .post(&self.endpoint)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        let mut response = match request.send(self.body(text).to_string()) {
            Ok(response) => response,
            // The URL or a header is no such thing: it never will be.
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
                return Err(failed(error.to_string(), false, None));
            }
            Err(error) => return Err(failed(error.to_string(), true, None)),
        };
        let status = response.status();
        let pause = response.headers().get("retry-after").and_then(|seconds| seconds.to_str().ok());
        let pause = pause
            .and_then(|seconds| seconds.trim().parse::<u64>().ok())
            .map(|seconds| seconds.saturating_mul(1_000).min(LONGEST_PAUSE));
        let text =
            response.body_mut().read_to_string().map_err(|error| failed(error.to_string(), true, None))?;
        if !status.is_success() {
            let again = matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error();
            let said: String = text.trim().chars().take(TOLD).collect();
            return Err(failed(format!("{status}: {said}"), again, pause));
        }
        serde_json::from_str(&text)
            .map_err(|error| failed(format!("the answer is no JSON: {error}"), false, None))
    }

    /// A message without the key.
    fn masked(&self, message: &str) -> String {
        if self.key.is_empty() { message.to_owned() } else { message.replace(&self.key, "******") }
    }
}
