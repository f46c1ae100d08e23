//! `flott run` of a program: an executable, which runs on the cluster.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use flott::Error;
use flott::cluster::JobClient;
use flott::cluster::programs::RunProgram;
use flott::restore::RESTORE_PATH;
use flott::types::{Clock, Configuration, SystemClock};

use crate::args::RunArgs;
use crate::client::TICK;
use crate::configuration;
use crate::console::Console;
use crate::restore;
use crate::signals::Signals;
use crate::stop::{self, Stop};

/// How files of executables begin: of Linux, and of macOS.
const MAGIC: [[u8; 4]; 3] = [*b"\x7fELF", [0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];

/// Whether a file is an executable, and not a script.
pub(crate) fn is_program(file: &Path) -> bool {
    let mut begins = [0; 4];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut begins));
    read.is_ok() && MAGIC.contains(&begins)
}

/// Uploads it, runs it, and waits for its job.
pub(crate) fn run(args: &RunArgs, console: Console) -> stop::Result<()> {
    // What is set here is the program's; how to get to the cluster is in the file, too.
    let mut own = Configuration::default();
    for define in &args.cluster.define {
        let (key, value) = define
            .split_once('=')
            .ok_or_else(|| Error::invalid(format!("-D takes KEY=VALUE, not '{define}'")))?;
        own.set(key.trim(), value.trim())?;
    }
    let all = configuration::load(args.cluster.config.as_deref(), &args.cluster.define, console)?;
    let signals = Signals::listen()?;
    let access = args.cluster.pass.access(args.cluster.cluster.clone());
    let cluster = flott::processes::connect(&access, &all)?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut file = File::open(&args.file).map_err(|error| {
        Error::external(format!("cannot read {}", args.file.display())).with_source(error)
    })?;
    let artifact = cluster.upload(&name, &mut file, &upload())?;
    let ran = cluster.run_program(RunProgram {
        id: artifact.id.clone(),
        arguments: args.arguments.clone(),
        configuration: of_program(own, args),
    });
    // A program that runs has its executable; nobody else knows this one.
    if let Err(error) = cluster.delete_program(&artifact.id) {
        console.warn(&format!("the artifact {} is left on the cluster: {error}", artifact.id));
    }
    let job = ran?;
    console.info(&format!("Job has been submitted with JobID {job}"));
    let client = cluster.client(job)?;
    let client =
        client.ok_or_else(|| Error::external(format!("the cluster does not know job {job} any more")))?;
    restore::tell(&client, console);
    if args.detached { Ok(()) } else { wait(&client, &signals, console) }
}

fn of_program(own: Configuration, args: &RunArgs) -> BTreeMap<String, String> {
    // How this client gets to the cluster is no matter of the program.
    let is_of_client = |key: &str| key.starts_with("rest.") || key.starts_with("security.ssl.rest.");
    let own = own.iter().filter(|(key, _)| !is_of_client(key));
    let mut own: BTreeMap<String, String> =
        own.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if let Some(parallelism) = args.parallelism {
        own.insert("parallelism.default".to_owned(), parallelism.to_string());
    }
    if let Some(path) = &args.restore {
        own.insert(RESTORE_PATH.to_owned(), path.clone());
    }
    own
}

/// A name that no other upload has.
fn upload() -> String {
    let clock = SystemClock::new();
    format!("{:x}x{:x}x{:x}", std::process::id(), clock.now(), clock.nanos())
}

/// Waits for the end of the job. Ctrl-C cancels it.
fn wait(job: &JobClient, signals: &Signals, console: Console) -> stop::Result<()> {
    let mut cancelled = false;
    while !job.status().is_terminal() {
        job.wait_for(TICK);
        if let Some(error) = job.lost() {
            return Err(error.into());
        }
        if signals.terminated() {
            return Err(Stop::Terminated);
        }
        if signals.interrupted() {
            if cancelled {
                break;
            }
            cancelled = true;
            job.cancel();
        }
    }
    if cancelled {
        return Err(Stop::Interrupted);
    }
    job.wait()?;
    let entered = job.info().timestamps;
    let at = |entry: Option<&(_, i64)>| entry.map_or(0, |(_, at)| *at);
    let millis = at(entered.last()) - at(entered.first());
    console.info("Program execution finished");
    console.info(&format!("Job with JobID {} has finished.", job.job_id()));
    console.info(&format!(
        "Job Runtime: {} ms",
        Duration::from_millis(millis.max(0).unsigned_abs()).as_millis()
    ));
    Ok(())
}
