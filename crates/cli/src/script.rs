//! `flott sql`: the shell, or statements from a file, from the command line, or from standard input.

use std::io::{IsTerminal, Read};
use std::path::Path;

use flott::sql::ast::Statement;
use flott::sql::{Environment, Position, split_script};
use flott::{Error, ErrorKind};

use crate::args::{RunArgs, SqlArgs};
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
    let configuration = configuration::load(args.config.as_deref(), &args.define, console)?;
    let signals = Signals::listen()?;
    let connectors = flott::connectors::builtin();
    let environment = match &args.cluster {
        Some(address) => {
            let access = args.pass.access(Some(address.clone()));
            Environment::remote(connectors, configuration, &access)?
        }
        None => {
            let mut environment = Environment::new(connectors, configuration)?;
            serve_rest(&mut environment, console)?;
            environment
        }
    };
    let mut client = Client {
        environment,
        signals,
        console,
        mode: args.output,
        interactive: script.is_none(),
        restore: args.restore.clone(),
        jobs: Vec::new(),
    };
    let ended = run_all(&mut client, init, script, !args.detached);
    client.signals.leave();
    ended
}

/// `flott run`: the script, on a cluster.
pub(crate) fn run_on_cluster(args: RunArgs, console: Console) -> Result<()> {
    let RunArgs { file: script, arguments, detached, parallelism, restore, mut cluster } = args;
    if !arguments.is_empty() {
        return Err(Error::invalid(format!(
            "{} is a script, and takes no arguments; options come before it",
            script.display()
        ))
        .into());
    }
    cluster.define.extend(parallelism.map(|parallelism| format!("parallelism.default={parallelism}")));
    let args = SqlArgs {
        file: Some(script),
        execute: None,
        init: None,
        define: cluster.define,
        config: cluster.config,
        pass: cluster.pass,
        // Without an address, that of the configuration.
        cluster: Some(cluster.cluster.unwrap_or_default()),
        detached,
        restore,
        output: None,
        quiet: false,
    };
    run(&args, console)
}

/// A port that is taken does not keep statements from running; a wrong one is an error.
fn serve_rest(environment: &mut Environment, console: Console) -> Result<()> {
    match environment.serve_rest() {
        Ok(Some(_)) => console.info(&format!("REST: {}", environment.rest_url().unwrap_or_default())),
        Ok(None) => {}
        Err(error) if error.kind() == ErrorKind::External => console.warn(error.message()),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn run_all(client: &mut Client, init: Option<Script>, script: Option<Script>, waits: bool) -> Result<()> {
    if let Some(init) = init {
        run_script(client, &init)?;
    }
    match script {
        None => shell::run(client),
        Some(script) => {
            run_script(client, &script)?;
            if waits { client.wait_for_jobs() } else { Ok(()) }
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
