//! Where the configuration comes from: a file, then `-D`.

use std::path::Path;

use flott::Result;
use flott::configuration::Load;
use flott::types::Configuration;

use crate::console::Console;

/// The configuration that a session or a process starts from.
pub(crate) fn load(file: Option<&Path>, define: &[String], console: Console) -> Result<Configuration> {
    let mut load = Load::new(file)?;
    for define in define {
        load.define(define)?;
    }
    load.notes.iter().for_each(|warning| console.warn(warning));
    Ok(load.configuration)
}
