//! A request as handlers see it, and what they answer.

use std::collections::BTreeMap;

use flott_types::{CheckpointId, ErrorKind, JobId, SubtaskIndex, VertexId};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What was asked: the parts of the path in braces, the query, the body.
#[derive(Default)]
pub(crate) struct Request {
    pub path: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// A good answer.
pub(crate) enum Answer {
    /// 200
    Ok(Value),
    /// 202: it has begun.
    Accepted(Value),
    /// 200, and no JSON.
    Text(String),
}

/// A bad one: the status and what was wrong.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub message: String,
}

pub(crate) type Answered<T = Answer> = Result<T, Refusal>;

impl Refusal {
    pub fn bad(message: impl Into<String>) -> Self {
        Refusal { status: 400, message: message.into() }
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Refusal { status: 404, message: message.into() }
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Refusal { status: 403, message: message.into() }
    }

    pub fn wrong_method() -> Self {
        Refusal { status: 405, message: "Method not allowed for this path.".to_owned() }
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Refusal { status: 409, message: message.into() }
    }
}

impl From<flott_types::Error> for Refusal {
    fn from(error: flott_types::Error) -> Self {
        let status = if error.kind() == ErrorKind::Invalid { 400 } else { 500 };
        Refusal { status, message: error.to_string() }
    }
}

/// A vertex's id as Flink writes one.
pub(crate) fn vertex(text: &str) -> Option<VertexId> {
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
    // A number that no vertex has is a vertex that does not exist, and not a wrong request.
    Some(VertexId(u32::try_from(number).unwrap_or(u32::MAX)))
}

impl Request {
    /// A part of the path.
    fn part<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Answered<T> {
        let text = self.path.get(name).map_or("", String::as_str);
        parse(text).ok_or_else(|| {
            Refusal::bad(format!(
                "Bad request, could not parse parameters: Cannot resolve path parameter ({name}) from value \"{text}\"."
            ))
        })
    }

    pub fn job(&self) -> Answered<JobId> {
        self.part("jobid", |text| text.parse().ok())
    }

    pub fn application(&self) -> Answered<JobId> {
        self.part("applicationid", |text| text.parse().ok())
    }

    pub fn vertex(&self) -> Answered<VertexId> {
        self.part("vertexid", vertex)
    }

    pub fn subtask(&self) -> Answered<SubtaskIndex> {
        self.part("subtaskindex", |text| text.parse().ok().map(SubtaskIndex))
    }

    pub fn attempt(&self) -> Answered<u64> {
        self.part("attempt", |text| text.parse().ok())
    }

    pub fn checkpoint(&self) -> Answered<CheckpointId> {
        self.part("checkpointid", |text| text.parse().ok().map(CheckpointId))
    }

    pub fn trigger(&self) -> Answered<u64> {
        self.part("triggerid", |text| {
            let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
            Some(u64::try_from(number).unwrap_or(u64::MAX))
        })
    }

    /// What stands for a session or an operation: a UUID, as it was told.
    pub fn handle(&self, name: &str) -> Answered<u128> {
        self.part(name, |text| {
            let digits: String = text.split('-').collect();
            u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)
        })
    }

    pub fn token(&self) -> Answered<u64> {
        self.part("token", |text| text.parse().ok())
    }

    pub fn task_manager(&self) -> &str {
        self.path.get("taskmanagerid").map_or("", String::as_str)
    }

    /// The id of a program.
    pub fn artifact(&self) -> &str {
        self.path.get("jarid").map_or("", String::as_str)
    }

    /// The comma-separated values of a query parameter.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.query.get(name).map(|values| values.split(',').filter(|value| !value.is_empty()).collect())
    }

    /// The body; an empty one is an empty object.
    pub fn body<T: DeserializeOwned>(&self) -> Answered<T> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body)
            .map_err(|error| Refusal::bad(format!("Request did not match expected format: {error}.")))
    }
}
