//! Where the configuration comes from: a file, then `-D`.

use std::path::{Path, PathBuf};

use flott::types::Configuration;
use flott::types::config::{Effect, option};
use flott::{Error, Result};
use serde_yaml_ng::Value;

use crate::args::SqlArgs;

/// The configuration that a session starts from.
pub(crate) fn load(args: &SqlArgs) -> Result<Configuration> {
    let mut configuration = Configuration::default();
    let default = std::env::var_os("FLOTT_CONF_DIR").map(|dir| PathBuf::from(dir).join("config.yaml"));
    let file = args.config.clone().or_else(|| default.filter(|path| path.exists()));
    if let Some(path) = file {
        read_file(&path, &mut configuration)
            .map_err(|error| error.context(format!("configuration file {}", path.display())))?;
    }
    for define in &args.define {
        let Some((key, value)) = define.split_once('=') else {
            return Err(Error::invalid(format!("-D takes KEY=VALUE, not '{define}'")));
        };
        set(&mut configuration, key.trim(), value.trim())?;
    }
    Ok(configuration)
}

/// Sets a key, and says so when it has no effect here.
fn set(configuration: &mut Configuration, key: &str, value: &str) -> Result<()> {
    configuration.set(key, value)?;
    let known = option(key)?;
    if known.effect == Effect::Accepted {
        tracing::warn!("option '{key}' has no effect: {}", known.description);
    }
    Ok(())
}

fn read_file(path: &Path, configuration: &mut Configuration) -> Result<()> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::external("cannot be read").with_source(error))?;
    let yaml: Value =
        serde_yaml_ng::from_str(&text).map_err(|error| Error::invalid("is no YAML").with_source(error))?;
    flatten(String::new(), &yaml, configuration)
}

/// Nested keys and dotted keys mean the same.
fn flatten(prefix: String, value: &Value, configuration: &mut Configuration) -> Result<()> {
    match value {
        Value::Null => Ok(()),
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let Some(key) = key.as_str() else {
                    return Err(Error::invalid(format!("a key below '{prefix}' is no text")));
                };
                let path = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
                flatten(path, value, configuration)?;
            }
            Ok(())
        }
        Value::String(text) => set(configuration, &prefix, text),
        Value::Bool(truth) => set(configuration, &prefix, &truth.to_string()),
        Value::Number(number) => set(configuration, &prefix, &number.to_string()),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            set(configuration, &prefix, &items.join(";"))
        }
        Value::Tagged(_) => Err(Error::invalid(format!("the value of '{prefix}' has a YAML tag"))),
    }
}
