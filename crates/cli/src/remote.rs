//! `flott list`, `cancel`, `stop` and `savepoint`: what Flink's command line does with jobs of a cluster.

use std::io::{BufWriter, Write};

use chrono::DateTime;
use flott::Error;
use flott::cluster::{ClusterClient, JobClient, JobStatus};

use crate::args::{ClusterArgs, JobCommand};
use crate::configuration;
use crate::console::Console;
use crate::stop::{Result, Stop};

/// The length of a line in Flink's lists.
const WIDTH: usize = 62;

/// Runs the command.
pub(crate) fn run(command: &JobCommand, console: Console) -> Result<()> {
    let connect = |args: &ClusterArgs| {
        let configuration = configuration::load(args.config.as_deref(), &args.define, console)?;
        Ok::<_, Stop>(flott::processes::connect(&args.pass.access(args.cluster.clone()), &configuration)?)
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    match command {
        JobCommand::List { all, cluster } => list(&connect(cluster)?, *all, &mut out)?,
        JobCommand::Cancel { job, cluster } => {
            let client = client(&connect(cluster)?, job)?;
            writeln!(out, "Cancelling job {job}.")?;
            client.try_cancel()?;
            writeln!(out, "Cancelled job {job}.")?;
        }
        JobCommand::Stop { job, savepoint_path, drain, cluster } => {
            let client = client(&connect(cluster)?, job)?;
            writeln!(out, "Suspending job \"{job}\" with a CANONICAL savepoint.")?;
            out.flush()?;
            let path = client.stop_with_savepoint(savepoint_path.as_deref(), *drain)?;
            writeln!(out, "Savepoint completed. Path: {path}")?;
        }
        JobCommand::Savepoint { dispose: Some(path), cluster, .. } => {
            connect(cluster)?.dispose_savepoint(path)?;
            writeln!(out, "Savepoint '{path}' disposed.")?;
        }
        JobCommand::Savepoint { job, folder, dispose: None, cluster } => {
            let job = job.as_deref().unwrap_or_default();
            let client = client(&connect(cluster)?, job)?;
            writeln!(out, "Triggering savepoint for job {job}.")?;
            out.flush()?;
            let path = client.trigger_savepoint(folder.as_deref())?;
            writeln!(out, "Savepoint completed. Path: {path}")?;
            writeln!(out, "A script can go on from it: flott sql -f SCRIPT --restore {path}")?;
        }
    }
    Ok(out.flush()?)
}

fn client(cluster: &ClusterClient, job: &str) -> Result<JobClient> {
    let found = match job.parse() {
        Ok(id) => cluster.client(id)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Error::invalid(format!("there is no job '{job}'; `flott list` names them")).into())
}

fn list(cluster: &ClusterClient, all: bool, out: &mut impl Write) -> Result<()> {
    let jobs = cluster.jobs()?;
    let waiting = |status: JobStatus| matches!(status, JobStatus::Initializing | JobStatus::Created);
    type Holds = fn(JobStatus, fn(JobStatus) -> bool) -> bool;
    let sections: [(&str, &str, Holds); 3] = [
        ("Running/Restarting Jobs", "No running jobs.", |status, waiting| {
            !status.is_terminal() && !waiting(status)
        }),
        ("Scheduled Jobs", "No scheduled jobs.", |status, waiting| waiting(status)),
        ("Terminated Jobs", "No terminated jobs.", |status, _| status.is_terminal()),
    ];
    for (title, none, holds) in sections.into_iter().take(if all { 3 } else { 2 }) {
        let mut section = jobs.iter().filter(|(_, _, status)| holds(*status, waiting)).peekable();
        if section.peek().is_none() {
            writeln!(out, "{none}")?;
            continue;
        }
        writeln!(out, "{:-^WIDTH$}", format!(" {title} "))?;
        for (id, name, status) in section {
            let started =
                cluster.client(*id)?.and_then(|job| job.info().timestamps.first().map(|(_, at)| *at));
            let started = started.and_then(DateTime::from_timestamp_millis);
            let started = started.map(|at| at.format("%d.%m.%Y %H:%M:%S").to_string()).unwrap_or_default();
            writeln!(out, "{started} : {id} : {name} ({status})")?;
        }
        writeln!(out, "{}", "-".repeat(WIDTH))?;
    }
    Ok(())
}
