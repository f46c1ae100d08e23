//! Names with their scopes, for reporters that have no labels: `metrics.scope.*`.

use flott_runtime::options::Reader;

use super::samples::{Sample, Scope};

/// How the scopes are written.
#[derive(Clone, Debug)]
pub(super) struct Formats {
    job_manager: String,
    task_manager: String,
    job: String,
    task: String,
    operator: String,
    delimiter: String,
}

impl Formats {
    pub fn parse(read: &Reader<'_>) -> Self {
        let text = |key: &str, default: &str| {
            read.text(key).filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
        };
        let job = text("metrics.scope.jm-job", "<host>.jobmanager.<job_name>");
        Formats {
            job_manager: text("metrics.scope.jm", "<host>.jobmanager"),
            task_manager: text("metrics.scope.tm", "<host>.taskmanager.<tm_id>"),
            // The newer of its two keys comes first.
            job: text("metrics.scope.jm.job", &job),
            task: text(
                "metrics.scope.task",
                "<host>.taskmanager.<tm_id>.<job_name>.<task_name>.<subtask_index>",
            ),
            operator: text(
                "metrics.scope.operator",
                "<host>.taskmanager.<tm_id>.<job_name>.<operator_name>.<subtask_index>",
            ),
            delimiter: text("metrics.scope.delimiter", "."),
        }
    }

    /// The whole name of a metric; `filter` makes the values of variables harmless.
    pub fn identifier(&self, sample: &Sample, filter: impl Fn(&str) -> String) -> String {
        let format = match sample.scope {
            Scope::JobManager => &self.job_manager,
            Scope::TaskManager => &self.task_manager,
            Scope::Job => &self.job,
            Scope::Task => &self.task,
            Scope::Operator => &self.operator,
        };
        let parts = format.split('.').map(|part| {
            let variable = part.strip_prefix('<').and_then(|part| part.strip_suffix('>'));
            let value = variable.and_then(|name| {
                let found = sample.variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| filter(value))
            });
            value.unwrap_or_else(|| part.to_owned())
        });
        let mut parts: Vec<String> = parts.collect();
        parts.push(filter(&sample.name));
        parts.join(&self.delimiter)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn scopes_are_written_as_the_configuration_says() {
        let sample = |scope| Sample {
            scope,
            variables: [("host", "h".to_owned()), ("tm_id", "t".to_owned()), ("job_name", "a b".to_owned())]
                .into(),
            name: "numRecordsIn".to_owned(),
            value: 1.0,
        };
        let harmless = |text: &str| text.replace(' ', "_");
        let configuration = BTreeMap::from([
            ("metrics.scope.task".to_owned(), "tasks.<tm_id>.<nothing>".to_owned()),
            ("metrics.scope.delimiter".to_owned(), "/".to_owned()),
        ]);
        let formats = Formats::parse(&Reader(&configuration));
        assert_eq!(formats.identifier(&sample(Scope::Task), harmless), "tasks/t/<nothing>/numRecordsIn");
        let formats = Formats::parse(&Reader(&BTreeMap::new()));
        assert_eq!(formats.identifier(&sample(Scope::Job), harmless), "h.jobmanager.a_b.numRecordsIn");
    }
}
