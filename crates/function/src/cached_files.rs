//! Files that functions read (`registerCachedFile` in Flink): a name for a path, in the job's configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flott_types::{Error, Result};

use crate::runtime_context::RuntimeContext;

/// The option that holds them, `pipeline.cached-files`: `name:words,path:/data/words.txt;name:...`
pub const CACHED_FILES: &str = "pipeline.cached-files";

impl RuntimeContext<'_> {
    /// The path of the file with this name.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let file = std::env::temp_dir().join(format!("flott-stop-words-{}", std::process::id()));
    /// # std::fs::write(&file, "the\na\n").unwrap();
    /// #[derive(Clone, Default)]
    /// struct NoStopWords { words: Vec<String> }
    ///
    /// impl FilterFunction<String> for NoStopWords {
    ///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
    ///         let text = std::fs::read_to_string(context.cached_file("stop words")?);
    ///         self.words = text.unwrap_or_default().lines().map(String::from).collect();
    ///         Ok(())
    ///     }
    ///     fn filter(&mut self, word: &String) -> Result<bool> { Ok(!self.words.contains(word)) }
    /// }
    ///
    /// let env = StreamExecutionEnvironment::new();
    /// env.register_cached_file(&file.to_string_lossy(), "stop words");
    /// let words = env.from_collection(["a", "cat"].map(String::from)).filter_with(NoStopWords::default());
    /// assert_eq!(words.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?, ["cat"]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If no file has this name, or it does not exist.
    pub fn cached_file(&self, name: &str) -> Result<PathBuf> {
        let files = parse(self.configuration().get(CACHED_FILES).map_or("", String::as_str))?;
        let Some(path) = files.get(name) else {
            let known: Vec<&str> = files.keys().map(String::as_str).collect();
            return Err(Error::invalid(format!(
                "there is no cached file '{name}'; registered are: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            )));
        };
        if !path.exists() {
            let (subtask, path) = (self.subtask_index(), path.display());
            return Err(Error::external(format!(
                "the cached file '{name}' is not at '{path}' where subtask {subtask} runs"
            )));
        }
        Ok(path.clone())
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    for entry in text.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let parts = entry.strip_prefix("name:").and_then(|rest| rest.split_once(",path:"));
        let Some((name, path)) = parts else {
            return Err(Error::invalid(format!(
                "'{CACHED_FILES}' has '{entry}'; expected 'name:NAME,path:PATH', with ';' between files"
            )));
        };
        let path = match path.split_once("://") {
            None => path,
            Some(("file", path)) => path,
            Some((scheme, _)) => {
                return Err(Error::unsupported(format!(
                    "the cached file '{name}' in '{scheme}://'; use a path of the machine"
                )));
            }
        };
        files.insert(name.to_owned(), PathBuf::from(path));
    }
    Ok(files)
}
