//! The interactive shell.
//!
//! reedline edits the line; what it knows of SQL comes from the parser ([`highlighting`]) and from the
//! session ([`completion`]). Ctrl-C clears the line, or cancels what runs; Ctrl-D, QUIT and EXIT leave.

mod completion;
mod editor;
mod highlighting;
pub(crate) mod view;

use flott::Error;
use flott::sql::split_script;
use reedline::Signal;

use crate::client::{Client, Next};
use crate::stop::{Result, Stop};

use editor::Editor;

/// HELP
pub(crate) const HELP: &str = "\
Statements end with a semicolon and may have several lines.
  SELECT ...                          run a query; Ctrl-C (or Q in the table view) ends it
  INSERT INTO t SELECT ...            start a job in the background; SHOW JOBS lists them, STOP JOB 'id' ends one
  CREATE TABLE t (...) WITH (...)     also CREATE VIEW, DATABASE, CATALOG; ALTER, DROP
  SHOW TABLES, DESCRIBE t, EXPLAIN    what there is, and how a query would run
  SET 'key' = 'value', SET, RESET     options, for example
                                        'sql-client.execution.result-mode' = 'table', 'tableau' or 'changelog'
                                        'sql-client.verbose' = 'true'
  CLEAR, HELP, QUIT, EXIT
Keys: Tab completes, Up and Down walk through the history, Ctrl-R searches it, Ctrl-C clears the line, Ctrl-D leaves.";

/// Reads and runs statements until the user leaves.
pub(crate) fn run(client: &mut Client) -> Result<()> {
    let mut editor = Editor::new(&mut client.environment.session, &client.signals, client.console);
    let _watch = client.signals.watch_terminal();
    let cores = flott::sql::cores();
    let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
    client.console.plain(&format!(
        "Flott SQL {} on {cores}. Statements end with ';'. HELP; for help, Ctrl-D to leave.\n",
        env!("CARGO_PKG_VERSION")
    ));
    let mut warned = false;
    loop {
        client.tell_ended_jobs();
        client.check_signals()?;
        let signal = editor.read(&client.environment.session);
        client.check_signals()?;
        let signal =
            signal.map_err(|error| Error::external("cannot read from the terminal").with_source(error))?;
        let leave = match signal {
            Signal::Success(text) => {
                let leave = run_text(client, &text)?;
                warned &= leave;
                leave
            }
            Signal::CtrlD => true,
            _ => false,
        };
        if leave && may_leave(client, &mut warned) {
            return Ok(());
        }
    }
}

/// Runs what was typed; says whether to leave.
fn run_text(client: &mut Client, text: &str) -> Result<bool> {
    for statement in split_script(text) {
        client.check_signals()?;
        let outcome = statement
            .parse()
            .map_err(|error| Stop::Failed(error.into()))
            .and_then(|parsed| client.execute(&parsed));
        match outcome {
            Ok(Next::Continue) => {}
            Ok(Next::Quit) => return Ok(true),
            Err(stop @ Stop::Failed(_)) => {
                stop.tell(client.console);
                return Ok(false);
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(false)
}

/// Jobs live in this process and end with it: that is said once before.
fn may_leave(client: &Client, warned: &mut bool) -> bool {
    let names: Vec<String> =
        client.running_jobs().map(|job| format!("{} ('{}')", job.job_id(), job.name())).collect();
    if names.is_empty() || *warned || !client.environment.is_local() {
        return true;
    }
    *warned = true;
    let what = if names.len() == 1 { "A job runs and ends" } else { "Jobs run and end" };
    client
        .console
        .warn(&format!("{what} with this shell: {}. Once more to leave nevertheless.", names.join(", ")));
    false
}
