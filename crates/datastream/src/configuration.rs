//! Where a configuration comes from: a file, then `-D key=value`. Programs and SQL read the same sources.

use std::path::{Path, PathBuf};

use flott_cluster::programs::hosted;
use flott_types::Configuration;
use flott_types::config::note;
use flott_types::{Error, Result};
use serde_yaml_ng::Value;

/// The folder of `config.yaml`, an environment variable.
pub const CONF_DIR: &str = "FLOTT_CONF_DIR";

/// A configuration under construction; later settings win.
#[derive(Default, Debug)]
pub struct Load {
    /// The settings so far.
    pub configuration: Configuration,
    /// Notes about its keys: some of Flink's keys are accepted but have no effect here.
    pub notes: Vec<String>,
}

impl Load {
    /// The settings of the file; by default `config.yaml` in the folder that `FLOTT_CONF_DIR` names, if there
    /// is one.
    ///
    /// # Errors
    /// If the file cannot be read, or a key or value in it is wrong.
    pub fn new(file: Option<&Path>) -> Result<Self> {
        let mut load = Load::default();
        if file.is_none()
            && let Some(session) = hosted()?
        {
            // What there is in a session cluster is what it says.
            for (key, value) in session.configuration() {
                load.configuration.set(key, value)?;
            }
            return Ok(load);
        }
        let default = std::env::var_os(CONF_DIR).map(|dir| PathBuf::from(dir).join("config.yaml"));
        let file = file.map(Path::to_owned).or_else(|| default.filter(|path| path.exists()));
        if let Some(path) = file {
            load.file(&path).map_err(|error| error.context(path.display()))?;
        }
        Ok(load)
    }

    /// Applies a `-D` option.
    ///
    /// # Errors
    /// If it is not `KEY=VALUE`, or one of the two is wrong.
    pub fn define(&mut self, define: &str) -> Result<()> {
        let Some((key, value)) = define.split_once('=') else {
            return Err(Error::invalid(format!("-D takes KEY=VALUE, not '{define}'")));
        };
        self.set(key.trim(), value.trim()).map_err(|error| error.context("-D"))
    }

    /// Sets a key.
    ///
    /// # Errors
    /// If the key is unknown (the error suggests the nearest one), or the value is wrong.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.configuration.set(key, value)?;
        self.notes.extend(note(key));
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::external("cannot be read").with_source(error))?;
        let yaml: Value = serde_yaml_ng::from_str(&text)
            .map_err(|error| Error::invalid("is not YAML").with_source(error))?;
        match yaml {
            Value::Null | Value::Mapping(_) => self.flatten(String::new(), &yaml),
            _ => Err(Error::invalid("holds no keys; expected lines such as `parallelism.default: 4`")),
        }
    }

    /// Nested keys and dotted keys mean the same.
    fn flatten(&mut self, prefix: String, value: &Value) -> Result<()> {
        match value {
            Value::Null => Ok(()),
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    let Some(key) = key.as_str() else {
                        return Err(Error::invalid(format!("a key below '{prefix}' is not text")));
                    };
                    let path = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
                    self.flatten(path, value)?;
                }
                Ok(())
            }
            Value::String(text) => self.set(&prefix, text),
            Value::Bool(truth) => self.set(&prefix, &truth.to_string()),
            Value::Number(number) => self.set(&prefix, &number.to_string()),
            Value::Sequence(items) => {
                let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                let items = items.ok_or_else(|| {
                    Error::invalid(format!("'{prefix}' is a list of values that are not text"))
                })?;
                self.set(&prefix, &items.join(";"))
            }
            Value::Tagged(_) => Err(Error::invalid(format!("the value of '{prefix}' has a YAML tag"))),
        }
    }
}
