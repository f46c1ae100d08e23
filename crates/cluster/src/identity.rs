//! The identity of a job: a key that stays the same when the job is started again.
//!
//! A user sets it with `pipeline.job-key` or `pipeline.name`; for a program it is the name under which it
//! executes. A statement without a name is identified by what it means: the tables that it writes to, their
//! locations, and what feeds them (the lineage of a sink covers the whole query). A query whose rows only go
//! to the client cannot be continued, and has no key.

use std::collections::BTreeMap;
use std::path::absolute;

use flott_checkpoint::manifest::Checksum;
use flott_plan::{JobGraph, Node, OperatorSpec, TableSpec};
use flott_state::store::{Ends, Meaning, Search};
use flott_types::{JobKey, OperatorUid};

/// Of our own: Flink has no such thing, since its jobs are found by their ids.
const KEY: &str = "pipeline.job-key";
const NAME: &str = "pipeline.name";

/// Which job it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// `None` for a query that nobody continues.
    pub key: Option<JobKey>,
    /// A person has given it that name.
    pub named: bool,
    /// Where it reads and writes.
    pub meaning: Meaning,
    /// Its operators.
    pub uids: Vec<OperatorUid>,
}

impl Identity {
    /// Of this job.
    pub fn of(graph: &JobGraph) -> Self {
        let nodes =
            || graph.vertices.iter().flat_map(|vertex| &vertex.operators).map(|chained| &chained.node);
        let is_program = nodes().any(|node| {
            let source = matches!(&node.spec, OperatorSpec::Source(spec) if is_of_program(&spec.table));
            let sink = matches!(&node.spec, OperatorSpec::Sink(spec) if is_of_program(&spec.table));
            source || sink || matches!(&node.spec, OperatorSpec::Function { .. })
        });
        let mut meaning = Meaning::default();
        let mut sinks: Vec<String> = Vec::new();
        for node in nodes().filter(|_| !is_program) {
            if let OperatorSpec::Source(spec) = &node.spec {
                meaning.reads.push(ends(&spec.table));
            }
            if let OperatorSpec::Sink(spec) = &node.spec {
                let ends = ends(&spec.table);
                let place = ends.place.as_deref().unwrap_or_default();
                sinks.push(format!("{}\n{place}\n{}\n", ends.table, known_by(node)));
                meaning.writes.push(ends);
            }
        }
        for ends in [&mut meaning.reads, &mut meaning.writes] {
            ends.sort();
            ends.dedup();
        }
        let given = [KEY, NAME].iter().find_map(|key| text(&graph.configuration, key));
        let named = given.is_some() || is_program;
        let key = match given {
            // A name stands for the statements that write; a query beside them is none of them.
            Some(name) if is_program || !sinks.is_empty() => Some(name.to_owned()),
            None if is_program => Some(graph.name.clone()),
            None if !sinks.is_empty() => {
                sinks.sort();
                Some(format!("{} {}", graph.name, Checksum::of(sinks.concat().as_bytes())))
            }
            _ => None,
        };
        Identity {
            key: key.filter(|key| !key.is_empty()).map(JobKey),
            named,
            meaning,
            uids: nodes().map(|node| node.uid.clone()).collect(),
        }
    }

    /// As the store looks for it.
    pub(crate) fn search<'a>(&'a self, key: &'a JobKey) -> Search<'a> {
        Search { key, named: self.named, meaning: &self.meaning, uids: &self.uids }
    }
}

/// What a sink and everything upstream computes.
fn known_by(node: &Node) -> &str {
    match node.lineage.whole.as_str() {
        "" => &node.uid.0,
        whole => whole,
    }
}

fn text<'a>(configuration: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    configuration.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// The tables of programs are their sources and sinks by number, which say nothing.
fn is_of_program(table: &TableSpec) -> bool {
    table.connector == "program"
}

fn ends(table: &TableSpec) -> Ends {
    let option = |key: &str| table.options.get(key).map(String::as_str);
    let place = match (option("path"), option("hostname"), option("port")) {
        // The same relative path means another place in another working directory.
        (Some(path), _, _) if !path.contains(':') => {
            Some(absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string()))
        }
        (Some(url), _, _) => Some(url.to_owned()),
        (None, Some(host), port) => Some(format!("{host}:{}", port.unwrap_or_default())),
        (None, None, _) => None,
    };
    Ends { table: table.name.clone(), place }
}
