//! `flott state`: what is in a checkpoint or savepoint, whether it is whole, how two differ, and new ones made of others.

use std::io::{self, Write};

use flott::Error;
use flott::state::{
    Difference, OperatorSummary, Savepoint, SavepointWriter, StateDifference, StateSummary, differences,
};

use crate::args::StateCommand;
use crate::stop::{Result, Stop};

/// Runs a command. Two snapshots that differ are no success.
pub(crate) fn run(command: &StateCommand, out: &mut dyn Write) -> Result<()> {
    match command {
        StateCommand::Show { path, sql } => {
            let savepoint = Savepoint::open(path)?;
            if *sql { create_tables(&savepoint, out) } else { show(&savepoint, out) }?;
        }
        StateCommand::Check { path } => {
            let savepoint = Savepoint::open(path)?;
            let checked = savepoint.check()?;
            let (kind, number, url) = (savepoint.kind(), savepoint.manifest().checkpoint, savepoint.url());
            let (files, bytes) = (checked.files, size(checked.bytes));
            writeln!(out, "{kind} {number} is whole: {files} files of keyed state, {bytes} ({url})")?;
        }
        StateCommand::Edit { path, to, remove, rename, replace } => {
            let written = edit(path, to, remove, replace, rename)?;
            writeln!(out, "wrote the savepoint {written}")?;
        }
        StateCommand::Diff { first, second } => {
            let found = differences(&Savepoint::open(first)?, &Savepoint::open(second)?)?;
            tell(&found, out)?;
            if !found.is_empty() {
                return Err(Stop::Told);
            }
        }
    }
    Ok(())
}

/// A savepoint made of the state of others: removed first, then replaced, then renamed.
fn edit(path: &str, to: &str, remove: &[String], replace: &[String], rename: &[String]) -> Result<String> {
    let mut writer = SavepointWriter::from_existing(&Savepoint::open(path)?)?;
    for uid in remove {
        writer = writer.remove_operator(uid)?;
    }
    for (uid, path) in pairs("--replace", "UID=PATH", replace)? {
        writer = writer.replace_operator(&Savepoint::open(path)?, uid)?;
    }
    for (old, new) in pairs("--rename", "OLD=NEW", rename)? {
        writer = writer.rename_operator(old, new)?;
    }
    Ok(writer.write(to)?)
}

fn pairs<'t>(argument: &str, form: &str, texts: &'t [String]) -> Result<Vec<(&'t str, &'t str)>> {
    let pair = |text: &'t String| {
        let wrong = || Error::invalid(format!("'{argument} {text}': expected {form}"));
        Ok(text.split_once('=').ok_or_else(wrong)?)
    };
    texts.iter().map(pair).collect()
}

fn has_state(operator: &OperatorSummary) -> bool {
    let has_lists = operator.lists.iter().any(|list| list.entries > 0);
    !operator.states.is_empty() || has_lists || operator.coordinator_bytes > 0
}

fn show(savepoint: &Savepoint, out: &mut dyn Write) -> io::Result<()> {
    let manifest = savepoint.manifest();
    let written = chrono::DateTime::from_timestamp_millis(manifest.created_at);
    let written = written.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
    writeln!(out, "{} {} of job {}", savepoint.kind(), manifest.checkpoint, manifest.job)?;
    writeln!(out, "  at            {}", savepoint.url())?;
    writeln!(out, "  written       {written}, by Flott {}", manifest.flott_version)?;
    if let Some(key) = &manifest.key {
        writeln!(out, "  key           {key}")?;
    }
    if let Some(from) = &manifest.restored_from {
        writeln!(out, "  started from  {from}")?;
    }
    if manifest.drained {
        writeln!(out, "  all inputs had ended")?;
    }
    let operators = savepoint.operators();
    for operator in operators.iter().filter(|operator| has_state(operator)) {
        let OperatorSummary { uid, name, parallelism, max_parallelism, finished, .. } = operator;
        let ended = if *finished > 0 { format!(", {finished} of them finished") } else { String::new() };
        writeln!(out, "\n{uid}\n  {name}\n  {parallelism} subtasks{ended}, {max_parallelism} key groups")?;
        for state in &operator.states {
            let StateSummary { name, columns, rows, files, bytes } = state;
            writeln!(out, "  state {name}: {rows} rows in {files} files, {}", size(*bytes))?;
            let width = columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
            for column in columns {
                let key = if column.is_key { "  key" } else { "" };
                writeln!(out, "    {:width$}  {}{key}", column.name, column.ty)?;
            }
        }
        for list in operator.lists.iter().filter(|list| list.entries > 0) {
            writeln!(out, "  list {}: {} entries, {}", list.name, list.entries, size(list.bytes))?;
        }
        if operator.coordinator_bytes > 0 {
            writeln!(out, "  coordinator: {}", size(operator.coordinator_bytes))?;
        }
    }
    let without: Vec<&str> = operators
        .iter()
        .filter(|operator| !has_state(operator))
        .map(|operator| operator.uid.as_str())
        .collect();
    if !without.is_empty() {
        writeln!(out, "\nwithout state: {}", without.join(", "))?;
    }
    Ok(())
}

/// A table of the connector `savepoint` for each state that SQL can read.
fn create_tables(savepoint: &Savepoint, out: &mut dyn Write) -> io::Result<()> {
    let text = |text: &str| text.replace('\'', "''");
    let mut number = 0;
    for operator in savepoint.operators() {
        let lists = operator.lists.iter().filter(|list| list.entries > 0);
        let of_lists =
            lists.map(|list| (list.name.as_str(), vec!["  `entry` STRING".to_owned()], Vec::new()));
        let of_states = operator.states.iter().map(|state| {
            let (readable, others): (Vec<_>, Vec<_>) =
                state.columns.iter().partition(|column| column.is_readable);
            let column = |column: &&flott::state::StateColumn| {
                format!("  `{}` {}", column.name.replace('`', "``"), column.ty)
            };
            let others = others.iter().map(|column| format!("{} ({})", column.name, column.ty)).collect();
            (state.name.as_str(), readable.iter().map(column).collect(), others)
        });
        for (name, columns, others) in of_states.chain(of_lists) {
            number += 1;
            writeln!(out, "-- {}", operator.name)?;
            if !others.is_empty() {
                writeln!(out, "-- SQL has no type for: {}", others.join(", "))?;
            }
            writeln!(out, "CREATE TABLE state_{number} (\n{}\n) WITH (", columns.join(",\n"))?;
            writeln!(out, "  'connector' = 'savepoint',\n  'state.path' = '{}',", text(savepoint.url()))?;
            writeln!(
                out,
                "  'operator.uid' = '{}',\n  'state.name' = '{}'\n);\n",
                text(&operator.uid),
                text(name)
            )?;
        }
    }
    Ok(())
}

fn tell(found: &[Difference], out: &mut dyn Write) -> io::Result<()> {
    if found.is_empty() {
        return writeln!(out, "the states are the same");
    }
    for Difference { uid, state, what } in found {
        let state = state.as_ref().map_or(String::new(), |state| format!(", state {state}"));
        let what = match what {
            StateDifference::Gone => "only in the first".to_owned(),
            StateDifference::New => "only in the second".to_owned(),
            StateDifference::Columns { gone, new } => {
                let one = |what: &str, names: &[String]| match names {
                    [] => None,
                    names => Some(format!("{what}: {}", names.join(", "))),
                };
                let parts = [one("columns only in the first", gone), one("columns only in the second", new)];
                parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
            }
            StateDifference::Rows { gone, new, changed, same } => {
                format!(
                    "{changed} rows changed, {new} only in the second, {gone} only in the first, {same} the same"
                )
            }
            StateDifference::Entries { gone, new } => {
                format!("{gone} entries only in the first, {new} only in the second")
            }
        };
        writeln!(out, "{uid}{state}: {what}")?;
    }
    Ok(())
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
