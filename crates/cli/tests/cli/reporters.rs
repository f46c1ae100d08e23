//! Reporters of metrics.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use crate::cluster::{Process, TABLES, until};
use crate::support::run_in;

const PROMETHEUS: &str =
    "-Dmetrics.reporter.prom.factory.class=org.apache.flink.metrics.prometheus.PrometheusReporterFactory";
const STATSD: &str =
    "-Dmetrics.reporter.stsd.factory.class=org.apache.flink.metrics.statsd.StatsDReporterFactory";

#[test]
fn metrics_are_scraped_and_sent_under_flinks_names() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let statsd = UdpSocket::bind("127.0.0.1:0").unwrap();
    statsd.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let port = format!("-Dmetrics.reporter.stsd.port={}", statsd.local_addr().unwrap().port());
    let args = [
        "local",
        "-Drest.port=0",
        PROMETHEUS,
        "-Dmetrics.reporter.prom.port=0",
        STATSD,
        "-Dmetrics.reporter.stsd.host=127.0.0.1",
        "-Dmetrics.reporter.stsd.interval=50 ms",
        "-Dmetrics.scope.operator=of.<job_name>.<operator_name>.<subtask_index>",
        &port,
    ];
    let (_process, told) = Process::start(folder, &args, &["Metrics: http://", "REST: "]);
    let (page, rest) = (told[0].strip_suffix("/metrics").unwrap(), &told[1]);
    let job =
        format!("{TABLES} SET 'pipeline.name' = 'measured'; INSERT INTO drain SELECT d, n FROM endless;");
    std::fs::write(folder.join("job.sql"), job).unwrap();
    let run = run_in(folder, &["run", "-d", "-m", rest, "job.sql"]);
    assert_eq!(run.code, 0, "{run:?}");
    let id = run.err.split_once("Job ID: ").unwrap().1.lines().next().unwrap();

    let scrape = || {
        let mut stream = TcpStream::connect(page).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let value = |page: &str, name: &str| -> Option<f64> {
        let line = page.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(id))?;
        line.rsplit_once(' ')?.1.parse().ok()
    };
    until(|| value(&scrape(), "flink_taskmanager_job_task_numRecordsOut") > Some(0.0));
    let page = scrape();
    assert!(page.contains("content-type: text/plain; version=0.0.4"), "{page}");
    assert!(page.contains("\nflink_jobmanager_numRunningJobs{host="), "{page}");
    for name in ["flink_jobmanager_Status_JVM_Threads_Count", "flink_taskmanager_Status_JVM_Threads_Count"] {
        let line = page.lines().find(|line| line.starts_with(&format!("{name}{{host="))).unwrap();
        assert_eq!(line.contains(",tm_id=\"taskmanager_0\"}"), name.contains("taskmanager"), "{line}");
    }
    assert_eq!(value(&page, "flink_jobmanager_job_numRestarts"), Some(0.0), "{page}");
    for name in
        ["flink_taskmanager_job_task_busyTimeMsPerSecond", "flink_taskmanager_job_task_isBackPressured"]
    {
        assert!(value(&page, name).is_some(), "{name}: {page}");
    }
    let labels =
        page.lines().find(|line| line.starts_with("flink_taskmanager_job_task_operator_numRecordsIn{"));
    for label in ["tm_id=", "job_name=\"measured\"", "task_name=", "subtask_index=\"0\"", "operator_name="] {
        assert!(labels.unwrap().contains(label), "{label}: {labels:?}");
    }
    // The same values go to StatsD, with the scope of the configuration.
    let mut packet = [0; 4096];
    until(|| {
        let length = statsd.recv(&mut packet).unwrap();
        let told = String::from_utf8_lossy(&packet[..length]);
        told.starts_with("of.measured.") && told.contains(".0.numRecordsIn:") && told.ends_with("|g")
    });
}

#[test]
fn a_reporter_that_there_is_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |option: &str| run_in(folder.path(), &["local", "-Drest.port=0", option]);
    let run = refused(
        "-Dmetrics.reporter.x.factory.class=org.apache.flink.metrics.datadog.DatadogHttpReporterFactory",
    );
    assert!(run.code == 1 && run.err.contains("'metrics.reporter.x.factory.class'"), "{run:?}");
    let run = refused("-Dmetrics.reporters=y");
    assert!(run.code == 1 && run.err.contains("'metrics.reporter.y.factory.class' is missing"), "{run:?}");
}
