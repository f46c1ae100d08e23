//! What processes tell of themselves: the JobManager and its TaskManagers, each asked the same.

use flott_cluster::client_messages::{ClientAnswer, ClientRequest};
use flott_cluster::inspection::{LogName, ProcessAnswer, ProcessQuestion, Processes, ThreadInfo, Usage};
use serde_json::json;

use crate::cluster::{Cluster, unexpected};
use crate::metrics::{self, Metrics};
use crate::request::{Answer, Answered, Refusal, Request};
use crate::tasks::task_manager_id;

/// No more of a log is told than this many bytes: its end.
const LONGEST_LOG: u64 = 16 << 20;

pub(crate) fn job_manager_metrics(cluster: &Cluster, request: &Request) -> Answered {
    let mut all = metrics::of_slots(cluster)?;
    for usage in usages(cluster, Processes::JobManager)? {
        all.extend(of_process(&usage));
    }
    Ok(metrics::named(request, &all))
}

/// As in Flink, one that is not there has no metrics.
pub(crate) fn task_manager_metrics(cluster: &Cluster, request: &Request) -> Answered {
    let all: Metrics = match the_task_manager(cluster, request)? {
        Some(of) => usages(cluster, of)?.iter().flat_map(of_process).collect(),
        None => Metrics::new(),
    };
    Ok(metrics::named(request, &all))
}

/// Numbers put together over TaskManagers.
pub(crate) fn all_task_managers_metrics(cluster: &Cluster, request: &Request) -> Answered {
    let wanted = request.list("taskmanagers");
    let answers = ask(cluster, Processes::TaskManagers, ProcessQuestion::Usage)?.into_iter();
    let all: Vec<Metrics> = answers
        .filter_map(|(id, answer)| {
            let id = task_manager_id(id?);
            let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted.contains(&id.as_str()));
            match answer {
                ProcessAnswer::Usage(usage) if is_wanted => Some(of_process(&usage)),
                _ => None,
            }
        })
        .collect();
    metrics::put_together(request, all.iter())
}

pub(crate) fn job_manager_threads(cluster: &Cluster, _: &Request) -> Answered {
    threads(cluster, Processes::JobManager)
}

pub(crate) fn task_manager_threads(cluster: &Cluster, request: &Request) -> Answered {
    threads(cluster, task_manager(cluster, request)?)
}

fn threads(cluster: &Cluster, of: Processes) -> Answered {
    let ProcessAnswer::Threads(threads) = ask_one(cluster, of, ProcessQuestion::Threads)? else {
        return Err(strange());
    };
    let infos = threads
        .iter()
        .map(|thread| json!({ "threadName": thread.name, "stringifiedThreadInfo": stringified(thread) }));
    Ok(Answer::Ok(json!({ "threadInfos": infos.collect::<Vec<_>>() })))
}

/// As Java writes a thread; where it waits in the kernel stands in the place of its stack.
fn stringified(thread: &ThreadInfo) -> String {
    let ThreadInfo { number, name, state, waits_in, cpu } = thread;
    let place = waits_in.as_ref().map(|place| format!("\tat kernel.{place}\n")).unwrap_or_default();
    format!("\"{name}\" Id={number} {state}\n{place}\tcpu {} ms\n\n", cpu.as_millis())
}

pub(crate) fn job_manager_logs(cluster: &Cluster, _: &Request) -> Answered {
    logs(cluster, Processes::JobManager)
}

pub(crate) fn task_manager_logs(cluster: &Cluster, request: &Request) -> Answered {
    logs(cluster, task_manager(cluster, request)?)
}

fn logs(cluster: &Cluster, of: Processes) -> Answered {
    let ProcessAnswer::Logs(files) = ask_one(cluster, of, ProcessQuestion::Logs)? else {
        return Err(strange());
    };
    let files =
        files.iter().map(|file| json!({ "name": file.name, "size": file.size, "mtime": file.modified }));
    Ok(Answer::Ok(json!({ "logs": files.collect::<Vec<_>>() })))
}

pub(crate) fn job_manager_log(cluster: &Cluster, _: &Request) -> Answered {
    log(cluster, Processes::JobManager, LogName::Log)
}

pub(crate) fn job_manager_stdout(cluster: &Cluster, _: &Request) -> Answered {
    log(cluster, Processes::JobManager, LogName::Stdout)
}

pub(crate) fn job_manager_file(cluster: &Cluster, request: &Request) -> Answered {
    log(cluster, Processes::JobManager, file(request))
}

pub(crate) fn task_manager_log(cluster: &Cluster, request: &Request) -> Answered {
    log(cluster, task_manager(cluster, request)?, LogName::Log)
}

pub(crate) fn task_manager_stdout(cluster: &Cluster, request: &Request) -> Answered {
    log(cluster, task_manager(cluster, request)?, LogName::Stdout)
}

pub(crate) fn task_manager_file(cluster: &Cluster, request: &Request) -> Answered {
    log(cluster, task_manager(cluster, request)?, file(request))
}

fn file(request: &Request) -> LogName {
    LogName::Named(request.path.get("filename").cloned().unwrap_or_default())
}

/// A file, piece by piece.
fn log(cluster: &Cluster, of: Processes, name: LogName) -> Answered {
    let (mut text, mut from) = (String::new(), 0);
    loop {
        let piece = match ask_one(cluster, of, ProcessQuestion::Log(name.clone(), from))? {
            ProcessAnswer::Log(Some(piece)) => piece,
            ProcessAnswer::Log(None) => return Err(no_file(&name)),
            _ => return Err(strange()),
        };
        if from == 0 && piece.size > LONGEST_LOG {
            from = piece.size - LONGEST_LOG;
            continue;
        }
        // One that goes on being written ends where it ended when it was asked for, or soon after.
        let is_last = piece.next >= piece.size || text.len() as u64 >= LONGEST_LOG;
        (text, from) = (text + &piece.text, piece.next);
        if is_last {
            return Ok(Answer::Text(text));
        }
    }
}

fn no_file(name: &LogName) -> Refusal {
    match name {
        LogName::Named(_) => Refusal::not_found("This file does not exist in the log of the process."),
        LogName::Log | LogName::Stdout => Refusal::not_found(
            "This process does not write to a file; its standard error and output go elsewhere, to a terminal or a service.",
        ),
    }
}

/// The TaskManager that a request names.
fn task_manager(cluster: &Cluster, request: &Request) -> Answered<Processes> {
    let id = request.task_manager();
    let missing = || Refusal::not_found(format!("Could not find TaskExecutor {id}"));
    the_task_manager(cluster, request)?.ok_or_else(missing)
}

fn the_task_manager(cluster: &Cluster, request: &Request) -> Answered<Option<Processes>> {
    let id = request.task_manager();
    let members = cluster.task_managers()?;
    let found = members.iter().find(|info| task_manager_id(info.id) == id);
    Ok(found.map(|info| Processes::TaskManager(info.id)))
}

type Told = Vec<(Option<flott_checkpoint::resources::TaskManagerId>, ProcessAnswer)>;

fn ask(cluster: &Cluster, of: Processes, question: ProcessQuestion) -> Answered<Told> {
    match cluster.call(ClientRequest::Inspect { of, question })? {
        ClientAnswer::Inspected(answers) => Ok(answers),
        other => Err(unexpected(&other)),
    }
}

fn ask_one(cluster: &Cluster, of: Processes, question: ProcessQuestion) -> Answered<ProcessAnswer> {
    let answer = ask(cluster, of, question)?.pop();
    let silent = || Refusal { status: 503, message: "The process does not answer.".to_owned() };
    answer.map(|(_, answer)| answer).ok_or_else(silent)
}

/// What processes use; one that does not answer is left out.
pub(crate) fn usages(cluster: &Cluster, of: Processes) -> Answered<Vec<Usage>> {
    let usages =
        ask(cluster, of, ProcessQuestion::Usage)?.into_iter().filter_map(|(_, answer)| match answer {
            ProcessAnswer::Usage(usage) => Some(usage),
            _ => None,
        });
    Ok(usages.collect())
}

fn strange() -> Refusal {
    Refusal { status: 500, message: "the process sent the wrong kind of answer".to_owned() }
}

/// What a process uses, under Flink's names: in the place of the JVM's heap stands the memory of the process.
pub(crate) fn of_process(usage: &Usage) -> Metrics {
    [
        ("Status.JVM.CPU.Load", usage.cpu_load.to_string()),
        ("Status.JVM.CPU.Time", usage.cpu.as_nanos().to_string()),
        ("Status.JVM.FileDescriptor.Open", usage.open_files.to_string()),
        ("Status.JVM.Memory.Heap.Used", usage.resident.to_string()),
        ("Status.JVM.Threads.Count", usage.threads.to_string()),
        ("Status.Flink.Memory.Managed.Used", usage.state.to_string()),
        ("System.Memory.Available", usage.machine_free.to_string()),
        ("System.Memory.Total", usage.machine_memory.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
