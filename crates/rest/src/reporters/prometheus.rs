//! Prometheus: a page of text that is scraped, with Flink's names and labels.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::ops::RangeInclusive;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use flott_types::{Error, Result};
use tokio::runtime::{Builder, Runtime};

use super::samples::{Sample, Scope, Source};

/// So many pages are made at once.
const HANDLERS: usize = 4;

/// The server of the page. Dropping it ends it.
pub(super) struct Prometheus {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Prometheus {
    pub fn start(key: &str, host: &str, mut ports: RangeInclusive<u16>, source: Source) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::external(format!("the metrics for Prometheus cannot be served ('{key}'): {error}"))
        };
        let mut last = std::io::Error::other("the range of ports is empty");
        let listener =
            ports.find_map(|port| TcpListener::bind((host, port)).map_err(|error| last = error).ok());
        let listener = listener.ok_or_else(|| failed(last))?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(HANDLERS).thread_name("prometheus").enable_io();
        let runtime = builder.build().map_err(failed)?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let page = move || {
            let source = source.clone();
            async move {
                let samples = tokio::task::spawn_blocking(move || source.samples()).await;
                match samples {
                    Ok(Ok(samples)) => {
                        let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
                        (kind, page_of(&samples)).into_response()
                    }
                    // A standby has none, and its leader does.
                    Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
                    Err(error) => {
                        tracing::error!(%error, "a page of metrics could not be made");
                        StatusCode::INTERNAL_SERVER_ERROR.into_response()
                    }
                }
            }
        };
        runtime.spawn(async move {
            let app = Router::new().route("/metrics", get(page.clone())).route("/", get(page));
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the metrics for Prometheus are no longer served");
            }
        });
        tracing::info!(%address, "metrics for Prometheus");
        Ok(Prometheus { address, runtime: Some(runtime) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Names may have letters, digits, `_` and `:`; so may the values of labels, as Flink's reporter writes them.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' }).collect()
}

/// The format of text, version 0.0.4: all samples of a name stand together.
fn page_of(samples: &[Sample]) -> String {
    let mut families: BTreeMap<String, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        let scope = match sample.scope {
            Scope::JobManager => "jobmanager",
            Scope::TaskManager => "taskmanager",
            Scope::Job => "jobmanager_job",
            Scope::Task => "taskmanager_job_task",
            Scope::Operator => "taskmanager_job_task_operator",
        };
        families.entry(format!("flink_{scope}_{}", plain(&sample.name))).or_default().push(sample);
    }
    let mut page = String::new();
    for (family, samples) in families {
        let name = samples.first().map_or("", |sample| sample.name.as_str());
        // Writing to a string does not fail.
        _ = writeln!(page, "# HELP {family} {}", name.replace(['\\', '\n'], " "));
        _ = writeln!(page, "# TYPE {family} gauge");
        for sample in samples {
            let labels: Vec<String> =
                sample.variables.iter().map(|(name, value)| format!("{name}=\"{}\"", plain(value))).collect();
            _ = writeln!(page, "{family}{{{}}} {}", labels.join(","), sample.value);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_name_stand_together() {
        let sample = |scope, name: &str, job: &str, value| Sample {
            scope,
            variables: [("host", "h".to_owned()), ("job_name", job.to_owned())].into(),
            name: name.to_owned(),
            value,
        };
        let samples = [
            sample(Scope::Task, "numRecordsIn", "a \"b\"", 3.0),
            sample(Scope::Job, "uptime", "c", 0.5),
            sample(Scope::Task, "numRecordsIn", "c", -1.0),
        ];
        assert_eq!(
            page_of(&samples),
            "# HELP flink_jobmanager_job_uptime uptime\n\
             # TYPE flink_jobmanager_job_uptime gauge\n\
             flink_jobmanager_job_uptime{host=\"h\",job_name=\"c\"} 0.5\n\
             # HELP flink_taskmanager_job_task_numRecordsIn numRecordsIn\n\
             # TYPE flink_taskmanager_job_task_numRecordsIn gauge\n\
             flink_taskmanager_job_task_numRecordsIn{host=\"h\",job_name=\"a__b_\"} 3\n\
             flink_taskmanager_job_task_numRecordsIn{host=\"h\",job_name=\"c\"} -1\n"
        );
    }
}
