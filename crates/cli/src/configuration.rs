//! Where the configuration comes from: a file, then `-D`.

use flott::Result;
use flott::configuration::Load;
use flott::types::Configuration;

use crate::args::SqlArgs;
use crate::console::Console;

/// The configuration that a session starts from.
pub(crate) fn load(args: &SqlArgs, console: Console) -> Result<Configuration> {
    let mut load = Load::new(args.config.as_deref())?;
    for define in &args.define {
        load.define(define)?;
    }
    load.notes.iter().for_each(|warning| console.warn(warning));
    Ok(load.configuration)
}
