//! Where the configuration comes from: a file, then `-D`.

use std::path::{Path, PathBuf};

use flott::types::Configuration;
use flott::types::config::note;
use flott::{Error, Result};
use serde_yaml_ng::Value;

use crate::args::SqlArgs;
use crate::console::Console;

/// The configuration that a session starts from.
pub(crate) fn load(args: &SqlArgs, console: Console) -> Result<Configuration> {
    let mut load = Load { configuration: Configuration::default(), console };
    let default = std::env::var_os("FLOTT_CONF_DIR").map(|dir| PathBuf::from(dir).join("config.yaml"));
    let file = args.config.clone().or_else(|| default.filter(|path| path.exists()));
    if let Some(path) = file {
        load.file(&path).map_err(|error| error.context(path.display()))?;
    }
    for define in &args.define {
        let Some((key, value)) = define.split_once('=') else {
            return Err(Error::invalid(format!("-D takes KEY=VALUE, not '{define}'")));
        };
        load.set(key.trim(), value.trim()).map_err(|error| error.context("-D"))?;
    }
    Ok(load.configuration)
}

struct Load {
    configuration: Configuration,
    console: Console,
}

impl Load {
    /// Sets a key, and says so when it has no effect here.
    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.configuration.set(key, value)?;
        if let Some(note) = note(key) {
            self.console.warn(&note);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::external("cannot be read").with_source(error))?;
        let yaml: Value = serde_yaml_ng::from_str(&text)
            .map_err(|error| Error::invalid("is no YAML").with_source(error))?;
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
                        return Err(Error::invalid(format!("a key below '{prefix}' is no text")));
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
                    Error::invalid(format!("'{prefix}' is a list of other things than text"))
                })?;
                self.set(&prefix, &items.join(";"))
            }
            Value::Tagged(_) => Err(Error::invalid(format!("the value of '{prefix}' has a YAML tag"))),
        }
    }
}
