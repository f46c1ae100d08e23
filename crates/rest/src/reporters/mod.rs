//! Reporters of metrics, under Flink's keys: `metrics.reporters` and `metrics.reporter.NAME.*`.
//!
//! ```text
//! DispatcherGateway --samples--> Sample --> prometheus: a page that is scraped
//!                                       --> statsd:     packets of UDP, at an interval
//!                                       --> log:        lines of the log, at an interval
//! ```
//!
//! In Flink each process reports its own metrics. Here the JobManager asks its TaskManagers, as its REST server
//! does, and reports for all: one address to scrape, and nothing to configure at TaskManagers.

mod identifiers;
mod log;
mod prometheus;
mod samples;
mod statsd;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use flott_cluster::client_messages::DispatcherGateway;
use flott_runtime::options::Reader;
use flott_types::{Clock, Error, Result};

use self::identifiers::Formats;
use self::prometheus::Prometheus;
use self::samples::Source;

const REPORTERS: &str = "metrics.reporters";
/// What Flink's classes are here.
const PROMETHEUS: &str = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory";
const STATSD: &str = "org.apache.flink.metrics.statsd.StatsDReporterFactory";
const SLF4J: &str = "org.apache.flink.metrics.slf4j.Slf4jReporterFactory";

/// Reporters that run. Dropping them ends them.
#[derive(Default)]
pub struct Reporters {
    pages: Vec<Prometheus>,
    pushing: Vec<(Sender<()>, JoinHandle<()>)>,
}

/// Something that is told all metrics at an interval.
trait Pushes: Send + 'static {
    fn push(&mut self, samples: &[samples::Sample]);
}

impl Reporters {
    /// Starts those that a configuration names.
    ///
    /// # Errors
    /// If one does not exist, or a value cannot work, or a port is taken.
    pub fn start(
        configuration: &BTreeMap<String, String>,
        gateway: Arc<dyn DispatcherGateway>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let read = Reader(configuration);
        let mut reporters = Reporters::default();
        let formats = Formats::parse(&read);
        let source = Source::new(gateway, clock);
        for name in names(configuration) {
            let key = |what: &str| format!("metrics.reporter.{name}.{what}");
            let class = read.text(&key("factory.class")).unwrap_or_default();
            match class {
                PROMETHEUS => {
                    let port = key("port");
                    let ports = read.text(&port).unwrap_or("9249");
                    let ports = range(ports)
                        .ok_or_else(|| read.wrong(&port, "a port or a range of ports such as '9249-9260'"))?;
                    let host = read.text(&key("host")).filter(|host| !host.is_empty()).unwrap_or("localhost");
                    reporters.pages.push(Prometheus::start(&port, host, ports, source.clone())?);
                }
                STATSD => {
                    let (host, port) =
                        (read.text(&key("host")).unwrap_or("localhost"), read.number(&key("port"))?);
                    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(8125);
                    let statsd = statsd::StatsD::new(host, port, formats.clone())?;
                    reporters.push(&name, interval(&read, &name)?, source.clone(), statsd)?;
                }
                SLF4J => {
                    let log = log::Log::new(formats.clone());
                    reporters.push(&name, interval(&read, &name)?, source.clone(), log)?;
                }
                "" => {
                    return Err(Error::invalid(format!(
                        "'{REPORTERS}' names '{name}', and '{}' is missing",
                        key("factory.class")
                    )));
                }
                other => {
                    return Err(Error::unsupported(format!(
                        "'{}': '{other}'; there are {PROMETHEUS}, {STATSD} and {SLF4J}",
                        key("factory.class")
                    )));
                }
            }
        }
        Ok(reporters)
    }

    /// Where pages are scraped.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.pages.iter().map(Prometheus::address)
    }

    fn push(&mut self, name: &str, every: Duration, source: Source, mut to: impl Pushes) -> Result<()> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name(format!("metrics {name}")).spawn(move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                match source.samples() {
                    Ok(samples) => to.push(&samples),
                    Err(error) => tracing::debug!(%error, "no metrics are reported"),
                }
            }
        });
        let failed =
            |error| Error::external("there is no thread for a reporter of metrics").with_source(error);
        self.pushing.push((stop, thread.map_err(failed)?));
        Ok(())
    }
}

impl Drop for Reporters {
    fn drop(&mut self) {
        for (stop, thread) in self.pushing.drain(..) {
            drop(stop);
            // One that panicked has been told of.
            _ = thread.join();
        }
    }
}

/// Those that are named, or all that are configured.
fn names(configuration: &BTreeMap<String, String>) -> Vec<String> {
    if let Some(named) = configuration.get(REPORTERS).filter(|named| !named.trim().is_empty()) {
        let named = named.trim().trim_matches(['[', ']']).split([',', ';']);
        return named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    }
    let configured = configuration.keys().filter_map(|key| {
        let (name, what) = key.strip_prefix("metrics.reporter.")?.split_once('.')?;
        (what == "factory.class").then(|| name.to_owned())
    });
    configured.collect()
}

fn interval(read: &Reader<'_>, name: &str) -> Result<Duration> {
    let key = format!("metrics.reporter.{name}.interval");
    match read.duration(&key)?.unwrap_or(10_000) {
        millis if millis >= 10 => Ok(Duration::from_millis(millis.unsigned_abs())),
        _ => Err(read.wrong(&key, "at least '10 ms'")),
    }
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reporters_are_those_that_are_named_or_all_that_there_are() {
        let configuration = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let both = [("metrics.reporter.a.factory.class", "x"), ("metrics.reporter.b.factory.class", "y")];
        assert_eq!(names(&configuration(&both)), ["a", "b"]);
        assert_eq!(names(&configuration(&[both[0], both[1], (REPORTERS, "b")])), ["b"]);
        assert_eq!(names(&configuration(&[])), [""; 0]);
        assert_eq!(range("9249-9260"), Some(9249..=9260));
        assert_eq!(range("many"), None);
    }
}
