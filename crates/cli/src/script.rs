//! `flott sql`: statements from a file, from the command line, or from standard input.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use flott::sql::{Environment, parse_script};
use flott::{Error, Result};

use crate::args::SqlArgs;
use crate::client::{Client, Next};
use crate::configuration;
use crate::signals::Signals;

/// Runs the command.
pub(crate) fn run(args: &SqlArgs) -> Result<ExitCode> {
    let mut configuration = configuration::load(args)?;
    if let Some(path) = &args.restore {
        configuration.set("execution.state-recovery.path", path)?;
    }
    let environment = Environment::new(flott::connectors::builtin(), configuration)?;
    let signals = Signals::listen()?;
    let mut client = Client { environment, signals, mode: args.output, quiet: args.quiet, jobs: Vec::new() };
    if let Some(path) = &args.init {
        run_script(&mut client, &read(path)?).map_err(|error| error.context(path.display()))?;
    }
    let text = match (&args.file, &args.execute) {
        (Some(path), _) => read(path)?,
        (None, Some(text)) => text.clone(),
        (None, None) => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Error::external("cannot read standard input").with_source(error))?;
            text
        }
    };
    run_script(&mut client, &text)?;
    client.wait_for_jobs()?;
    Ok(ExitCode::SUCCESS)
}

/// Runs statements until one fails.
fn run_script(client: &mut Client, text: &str) -> Result<()> {
    for statement in parse_script(text)? {
        if client.execute(&statement)? == Next::Quit {
            break;
        }
        if client.signals.terminated() {
            break;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::external(format!("cannot read {}", path.display())).with_source(error))
}
