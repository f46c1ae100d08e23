//! `flott sql`: the shell, or statements from a file, from the command line, or from standard input.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use flott::sql::ast::Statement;
use flott::sql::{Environment, Position, split_script};
use flott::types::SystemClock;
use flott::{Error, ErrorKind};
use flott_rest::{Rest, RestOptions};

use crate::args::SqlArgs;
use crate::client::{Client, Next};
use crate::configuration;
use crate::console::Console;
use crate::shell;
use crate::signals::Signals;
use crate::stop::{Result, Stop};

/// A script and where it comes from.
struct Script {
    /// The file; empty for the command line.
    name: String,
    text: String,
}

/// Runs the command.
pub(crate) fn run(args: &SqlArgs, console: Console) -> Result<()> {
    let init = args.init.as_deref().map(read).transpose()?;
    let script = match (&args.file, &args.execute) {
        (Some(path), _) => Some(read(path)?),
        (None, Some(text)) => Some(Script { name: String::new(), text: text.clone() }),
        (None, None) if std::io::stdin().is_terminal() => None,
        (None, None) => Some(read_standard_input()?),
    };
    if args.restore.is_some() {
        check_restore(init.iter().chain(&script), script.is_some())?;
    }
    let configuration = configuration::load(args, console)?;
    let signals = Signals::listen()?;
    let settings = configuration.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let environment = Environment::new(flott::connectors::builtin(), configuration)?;
    let rest = serve(&settings, &environment, console)?;
    let mut client = Client {
        environment,
        _rest: rest,
        signals,
        console,
        mode: args.output,
        interactive: script.is_none(),
        restore: args.restore.clone(),
        jobs: Vec::new(),
    };
    let ended = run_all(&mut client, init, script);
    client.signals.leave();
    ended
}

/// The REST server, if the configuration names a port. A port that is taken does not keep statements from
/// running.
fn serve(
    settings: &BTreeMap<String, String>,
    environment: &Environment,
    console: Console,
) -> Result<Option<Rest>> {
    let Some(options) = RestOptions::parse(settings, Arc::new(SystemClock::new()))? else { return Ok(None) };
    match Rest::start(options, environment.cluster.dispatcher()) {
        Ok(rest) => {
            console.info(&format!("REST: http://{}", rest.address()));
            Ok(Some(rest))
        }
        Err(error) => {
            console.warn(error.message());
            Ok(None)
        }
    }
}

fn run_all(client: &mut Client, init: Option<Script>, script: Option<Script>) -> Result<()> {
    if let Some(init) = init {
        run_script(client, &init)?;
    }
    match script {
        None => shell::run(client),
        Some(script) => {
            run_script(client, &script)?;
            client.wait_for_jobs()
        }
    }
}

/// Runs statements until one fails. A mistake further down does not keep those before it from running.
fn run_script(client: &mut Client, script: &Script) -> Result<()> {
    let statements = split_script(&script.text);
    if statements.is_empty() {
        let name = if script.name.is_empty() { "the script" } else { &script.name };
        client.console.info(&format!("{name} has no statements."));
    }
    for statement in statements {
        client.check_signals()?;
        let outcome = statement
            .parse()
            .map_err(|error| Stop::Failed(error.into()))
            .and_then(|parsed| client.execute(&parsed));
        match outcome {
            Ok(Next::Continue) => {}
            Ok(Next::Quit) => break,
            Err(stop) => return Err(place(script, statement.position, stop)),
        }
    }
    Ok(())
}

/// Names the file, and the statement unless the message names a place itself.
fn place(script: &Script, position: Position, stop: Stop) -> Stop {
    let exact = matches!(&stop, Stop::Failed(error) if error.message().contains(", column "));
    let of_statement = !exact && (!script.name.is_empty() || position != Position::START);
    let place = match (script.name.is_empty(), of_statement) {
        (true, true) => position.to_string(),
        (false, true) => format!("{}, {position}", script.name),
        (_, false) => script.name.clone(),
    };
    stop.at(&place)
}

/// A snapshot belongs to one job.
fn check_restore<'a>(scripts: impl Iterator<Item = &'a Script>, is_script: bool) -> Result<()> {
    let refuse =
        |reason: &str| Err(Stop::Failed(Error::new(ErrorKind::Invalid, format!("--restore {reason}"))));
    if !is_script {
        return refuse("needs a script (-f or -e); in the shell, SET 'execution.state-recovery.path'");
    }
    let writes =
        |statement: &Statement| matches!(statement, Statement::Insert(_) | Statement::StatementSet(_));
    let parsed = scripts.flat_map(|script| split_script(&script.text)).filter_map(|text| text.parse().ok());
    match parsed.filter(|parsed| writes(&parsed.statement)).count() {
        1 => Ok(()),
        0 => refuse("needs a script with an INSERT or a statement set; this one has none"),
        n => refuse(&format!(
            "needs a script with one job; this one has {n}: put the INSERTs into one EXECUTE STATEMENT SET, or into separate scripts"
        )),
    }
}

fn read(path: &Path) -> Result<Script> {
    let bytes = std::fs::read(path)
        .map_err(|error| Error::external(format!("cannot read {}", path.display())).with_source(error))?;
    script(path.display().to_string(), bytes)
}

fn read_standard_input() -> Result<Script> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| Error::external("cannot read standard input").with_source(error))?;
    script("standard input".to_owned(), bytes)
}

fn script(name: String, bytes: Vec<u8>) -> Result<Script> {
    match String::from_utf8(bytes) {
        Ok(text) => {
            Ok(Script { text: text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), name })
        }
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(Error::invalid(format!("{name} is not UTF-8 text: see line {line}")).into())
        }
    }
}
