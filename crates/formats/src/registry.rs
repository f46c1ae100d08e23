//! A client of a schema registry: schemas by their ids, and ids of schemas under a subject.
//!
//! It speaks the HTTP interface of Confluent's registry, which Karapace and Apicurio have too, and blocks: a
//! task waits for a schema that it has never seen, and then has it for good, because what an id stands for
//! never changes. There may be several addresses; the next one is asked when one does not answer.

mod options;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flott_types::{Clock, Error, ErrorKind, FastMap, Result, SystemClock};
use parking_lot::Mutex;
use serde_json::{Value, json};

pub(crate) use options::{
    BASIC_AUTH, BASIC_AUTH_USER, BEARER_AUTH, BEARER_TOKEN, KEYSTORE, KEYSTORE_PASSWORD, SCHEMA, SUBJECT,
    TRUSTSTORE, TRUSTSTORE_PASSWORD, URL,
};

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The addresses are asked so often, all together.
const ATTEMPTS: usize = 3;

/// An id that the registry did not have is not asked for again so soon: each record with it would wait for an
/// answer. Somebody may still register it.
const ABSENCE: Duration = Duration::from_secs(30);
/// So many of them are remembered: damaged messages may have any number for an id.
const ABSENT_IDS: usize = 1_000;

/// What a registry answers, with status 404, if it has no schema of an id. A server that is none, or one behind another
/// path, answers with 404 too.
const NO_SUCH_SCHEMA: i64 = 40_403;

/// So much of what a registry says of an error is told.
const TOLD: usize = 300;

const JSON: &str = "application/vnd.schemaregistry.v1+json";

/// One registry.
pub(crate) struct Registry {
    agent: ureq::Agent,
    /// Without a slash at the end.
    urls: Vec<String>,
    /// The header of each request.
    authorization: Option<String>,
    known: Mutex<Known>,
    clock: SystemClock,
}

/// What was learnt.
#[derive(Default)]
struct Known {
    schemas: FastMap<u32, Arc<str>>,
    /// What was said of ids that there were none of, and when.
    absent: FastMap<u32, (Duration, Arc<str>)>,
    ids: FastMap<(String, String), u32>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Clone)]
pub(crate) enum Credentials {
    None,
    /// A name and a password with a colon between.
    Basic(String),
    Bearer(String),
}

impl Registry {
    pub(crate) fn new(urls: Vec<String>, credentials: &Credentials) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let authorization = match credentials {
            Credentials::None => None,
            Credentials::Basic(user) => Some(format!("Basic {}", STANDARD.encode(user))),
            Credentials::Bearer(token) => Some(format!("Bearer {token}")),
        };
        Registry { agent, urls, authorization, known: Mutex::default(), clock: SystemClock::new() }
    }

    /// The schema of an id.
    ///
    /// # Errors
    /// Of the data, if the registry has none of this id; else if it cannot be asked.
    pub(crate) fn schema(&self, id: u32) -> Result<Arc<str>> {
        let now = Duration::from_nanos(self.clock.nanos());
        {
            let known = self.known.lock();
            if let Some(schema) = known.schemas.get(&id) {
                return Ok(schema.clone());
            }
            if let Some((at, said)) = known.absent.get(&id)
                && now < *at + ABSENCE
            {
                return Err(Error::data(said.to_string()));
            }
        }
        let what = format!("the schema {id}");
        let answer = match self.ask(&what, &format!("/schemas/ids/{id}"), None) {
            Ok(answer) => answer,
            Err(error) => {
                if error.kind() == ErrorKind::Data {
                    let mut known = self.known.lock();
                    if known.absent.len() >= ABSENT_IDS {
                        known.absent.clear();
                    }
                    known.absent.insert(id, (now, error.message().into()));
                }
                return Err(error);
            }
        };
        let schema = answer.get("schema").and_then(Value::as_str);
        let schema: Arc<str> = schema.ok_or_else(|| not_understood(&what, &answer))?.into();
        self.known.lock().schemas.insert(id, schema.clone());
        Ok(schema)
    }

    /// Registers a schema under a subject, if it is not there, and returns its id.
    pub(crate) fn register(&self, subject: &str, schema: &str) -> Result<u32> {
        let key = (subject.to_owned(), schema.to_owned());
        if let Some(id) = self.known.lock().ids.get(&key) {
            return Ok(*id);
        }
        let what = format!("the schema of the subject '{subject}'");
        let path = format!("/subjects/{}/versions", escaped(subject));
        let answer = self.ask(&what, &path, Some(&json!({ "schema": schema })))?;
        let id = answer.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| not_understood(&what, &answer))?;
        self.known.lock().ids.insert(key, id);
        Ok(id)
    }

    fn ask(&self, what: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut why: Option<Error> = None;
        for url in self.urls.iter().cycle().take(ATTEMPTS.max(self.urls.len())) {
            match self.ask_at(&format!("{url}{path}"), body) {
                Ok(answer) => return Ok(answer),
                Err((error, again)) => {
                    let error = error.context(format_args!("schema registry: {what}"));
                    if !again {
                        return Err(error);
                    }
                    // What one does not have, another one that cannot be asked may have.
                    if error.kind() != ErrorKind::Data || why.is_none() {
                        why = Some(error);
                    }
                }
            }
        }
        Err(why.unwrap_or_else(|| Error::invalid("a schema registry without an address")))
    }

    /// Asks once. With an error, whether another address or attempt may help.
    fn ask_at(&self, url: &str, body: Option<&Value>) -> Result<Value, (Error, bool)> {
        let failed = |error: &dyn fmt::Display| Error::external(format!("{url}: {error}"));
        let sent = match body {
            None => {
                let request = self.agent.get(url).header("accept", JSON);
                match &self.authorization {
                    Some(who) => request.header("authorization", who).call(),
                    None => request.call(),
                }
            }
            Some(body) => {
                let request = self.agent.post(url).header("accept", JSON).header("content-type", JSON);
                match &self.authorization {
                    Some(who) => request.header("authorization", who).send(body.to_string()),
                    None => request.send(body.to_string()),
                }
            }
        };
        let mut response = match sent {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
                return Err((failed(&error), false));
            }
            Err(error) => return Err((failed(&error), true)),
        };
        let status = response.status();
        let text = response.body_mut().read_to_string().map_err(|error| (failed(&error), true))?;
        if !status.is_success() {
            let again = status.as_u16() == 429 || status.is_server_error();
            let said: String = text.trim().chars().take(TOLD).collect();
            let error = failed(&format_args!("{status}: {said}"));
            let is_absent = status.as_u16() == 404 && code_of(&text) == Some(NO_SUCH_SCHEMA);
            return Err(match is_absent {
                // Registries of one group learn of a schema one after the other.
                true => (Error::data(error.message()), true),
                false => (error, again),
            });
        }
        serde_json::from_str(&text)
            .map_err(|error| (failed(&format_args!("the answer is no JSON: {error}")), false))
    }
}

/// The number of an error in the registry's answer.
fn code_of(answer: &str) -> Option<i64> {
    serde_json::from_str::<Value>(answer).ok()?.get("error_code")?.as_i64()
}

fn not_understood(what: &str, answer: &Value) -> Error {
    let said: String = answer.to_string().chars().take(TOLD).collect();
    Error::external(format!("schema registry: {what}: the answer is not understood: {said}"))
}

/// A name as a part of a path.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_part_of_a_path() {
        assert_eq!(escaped("a.b-value"), "a.b-value");
        assert_eq!(escaped("ä/b"), "%C3%A4%2Fb");
    }

    #[test]
    fn secrets_are_not_shown() {
        let registry = Registry::new(vec!["http://x".into()], &Credentials::Basic("me:pass".into()));
        assert_eq!(format!("{registry:?}"), "Registry { urls: [\"http://x\"], .. }");
    }
}
