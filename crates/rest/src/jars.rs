//! Programs: `/jars` and below. Flink's are files of Java; ours are executables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request as HttpRequest};
use axum::http::Response;
use flott_cluster::client_messages::{ClientAnswer, ClientRequest};
use flott_cluster::programs::{Artifact, Piece, ProgramAnswer, ProgramRequest, RunProgram};
use flott_runtime::FailureKind;
use serde::Deserialize;
use serde_json::json;

use crate::cluster::{Cluster, unexpected};
use crate::request::{Answer, Answered, Refusal, Request};
use crate::server::{Names, refused, response};

/// The path of uploads, whose body is read as it comes.
pub(crate) const UPLOAD: &str = "/jars/upload";

/// How much is passed on at once.
const PIECE: usize = 4 << 20;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RunRequest {
    program_args_list: Option<Vec<String>>,
    parallelism: Option<u32>,
    savepoint_path: Option<String>,
    allow_non_restored_state: Option<bool>,
    claim_mode: Option<String>,
    /// Of Java: a client may say that it has none.
    entry_class: Option<String>,
    job_id: Option<String>,
    #[serde(default)]
    flink_configuration: BTreeMap<String, String>,
}

/// Whether programs can be uploaded.
pub(crate) fn are_taken(cluster: &Cluster) -> bool {
    matches!(ask(cluster, ProgramRequest::List), Ok(ProgramAnswer::Artifacts(_)))
}

pub(crate) fn list(cluster: &Cluster, _: &Request) -> Answered {
    let files = match ask(cluster, ProgramRequest::List) {
        Ok(ProgramAnswer::Artifacts(all)) => all,
        Ok(other) => return Err(strange(&other)),
        // A cluster without programs has none.
        Err(refusal) if refusal.status == 501 => Vec::new(),
        Err(refusal) => return Err(refusal),
    };
    let file = |Artifact { id, name, uploaded, .. }: Artifact| json!({ "id": id, "name": name, "uploaded": uploaded, "entry": [] });
    Ok(Answer::Ok(json!({ "address": "", "files": files.into_iter().map(file).collect::<Vec<_>>() })))
}

pub(crate) fn delete(cluster: &Cluster, request: &Request) -> Answered {
    match ask(cluster, ProgramRequest::Delete { id: request.artifact().to_owned() })? {
        ProgramAnswer::Deleted => Ok(Answer::Ok(json!({}))),
        ProgramAnswer::Unknown => Err(missing(request)),
        other => Err(strange(&other)),
    }
}

pub(crate) fn run(cluster: &Cluster, request: &Request) -> Answered {
    let asked: RunRequest = request.body()?;
    let mut configuration = asked.flink_configuration;
    for (name, value) in [("entryClass", &asked.entry_class), ("jobId", &asked.job_id)] {
        if value.as_ref().is_some_and(|text| !text.is_empty()) {
            return Err(Refusal::bad(format!("'{name}' is not supported: a program is an executable.")));
        }
    }
    if asked.claim_mode.as_deref().is_some_and(|mode| !mode.is_empty() && mode != "NO_CLAIM") {
        return Err(Refusal::bad(
            "'claimMode' is NO_CLAIM: a snapshot that a job starts from stays its owner's.",
        ));
    }
    let query = |name: &str| request.query.get(name).cloned();
    let parallelism = asked.parallelism.map(|number| number.to_string()).or_else(|| query("parallelism"));
    let savepoint = asked.savepoint_path.or_else(|| query("savepointPath"));
    let allowed = asked.allow_non_restored_state.map(|flag| flag.to_string());
    for (key, value) in [
        ("parallelism.default", parallelism),
        ("execution.state-recovery.path", savepoint),
        (
            "execution.state-recovery.ignore-unclaimed-state",
            allowed.or_else(|| query("allowNonRestoredState")),
        ),
    ] {
        configuration.extend(value.map(|value| (key.to_owned(), value)));
    }
    let of_query = || query("programArg").map(|all| all.split(',').map(str::to_owned).collect());
    let arguments = asked.program_args_list.or_else(of_query).unwrap_or_default();
    let run = RunProgram { id: request.artifact().to_owned(), arguments, configuration };
    match ask(cluster, ProgramRequest::Run(run))? {
        ProgramAnswer::Runs(job) => Ok(Answer::Ok(json!({ "jobid": job.to_string() }))),
        ProgramAnswer::Unknown => Err(missing(request)),
        other => Err(strange(&other)),
    }
}

fn missing(request: &Request) -> Refusal {
    Refusal::not_found(format!("Jar file {} does not exist", request.artifact()))
}

fn ask(cluster: &Cluster, request: ProgramRequest) -> Answered<ProgramAnswer> {
    match cluster.call(ClientRequest::Program(request))? {
        ClientAnswer::Program(ProgramAnswer::Refused(failure)) => {
            let status = match failure.kind {
                FailureKind::Invalid => 400,
                FailureKind::Unsupported => 501,
                _ => 500,
            };
            Err(Refusal { status, message: failure.message })
        }
        ClientAnswer::Program(answer) => Ok(answer),
        // A history server.
        ClientAnswer::Refused(failure) => Err(Refusal { status: 501, message: failure.message }),
        other => Err(unexpected(&other)),
    }
}

fn strange(answer: &ProgramAnswer) -> Refusal {
    unexpected(&ClientAnswer::Program(answer.clone()))
}

/// Takes an upload as it comes.
pub(crate) async fn upload(cluster: Arc<Cluster>, names: Arc<Names>, request: HttpRequest) -> Response<Body> {
    match uploaded(cluster, &names, request).await {
        Ok(Artifact { id, .. }) => response(200, &json!({ "filename": id, "status": "success" })),
        Err(refusal) => refused(&refusal),
    }
}

async fn uploaded(cluster: Arc<Cluster>, names: &Names, request: HttpRequest) -> Answered<Artifact> {
    names.check(&request)?;
    let wrong = |error: MultipartError| Refusal::bad(format!("Bad request: {}", error.body_text()));
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|error| Refusal::bad(format!("Bad request: {}", error.body_text())))?;
    let one = || Refusal::bad("Exactly 1 file must be sent, in the field 'jarfile'.");
    let mut field = form.next_field().await.map_err(wrong)?.ok_or_else(one)?;
    let name = field.file_name().ok_or_else(one)?.to_owned();
    let upload = name_of_upload(&cluster);
    let (mut at, mut piece) = (0, Vec::new());
    while let Some(chunk) = field.chunk().await.map_err(wrong)? {
        if !piece.is_empty() && piece.len() + chunk.len() > PIECE {
            let sent = std::mem::take(&mut piece);
            let length = sent.len() as u64;
            send(&cluster, (&upload, &name), at, sent, false).await?;
            at += length;
        }
        piece.extend_from_slice(&chunk);
    }
    match send(&cluster, (&upload, &name), at, piece, true).await? {
        ProgramAnswer::Uploaded(artifact) => Ok(artifact),
        other => Err(strange(&other)),
    }
}

async fn send(
    cluster: &Arc<Cluster>,
    (upload, name): (&str, &str),
    at: u64,
    piece: Vec<u8>,
    is_last: bool,
) -> Answered<ProgramAnswer> {
    let (upload, name, piece) = (upload.to_owned(), name.to_owned(), Piece(piece));
    let (cluster, request) = (cluster.clone(), ProgramRequest::Upload { upload, name, at, piece, is_last });
    let sent = tokio::task::spawn_blocking(move || ask(&cluster, request)).await;
    sent.unwrap_or_else(|_| Err(Refusal { status: 500, message: "Internal server error.".to_owned() }))
}

/// One that no other upload has.
fn name_of_upload(cluster: &Cluster) -> String {
    static UPLOADS: AtomicU64 = AtomicU64::new(0);
    let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
    format!("rest{number}x{:x}x{:x}", std::process::id(), cluster.clock.now())
}
