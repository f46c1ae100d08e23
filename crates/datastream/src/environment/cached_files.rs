//! Files that functions read (`registerCachedFile` in Flink): how a program registers them.

use flott_function::cached_files::CACHED_FILES;
use flott_types::Error;

use super::program::StreamExecutionEnvironment;

impl StreamExecutionEnvironment {
    /// Gives a file or folder a name, by which functions find it
    /// ([`RuntimeContext::cached_file`](flott_function::runtime_context::RuntimeContext::cached_file)). The
    /// path must exist on every machine that runs tasks.
    pub fn register_cached_file(&self, path: &str, name: &str) -> &Self {
        if name.is_empty() || name.contains([',', ';', ':']) || path.contains(';') {
            self.shared.graph.fail(Error::invalid(format!(
                "the cached file '{path}' cannot have the name '{name}'; names are not empty and have no ',', ';' or ':', \
                 paths no ';'"
            )));
            return self;
        }
        let entry = format!("name:{name},path:{path}");
        let entries = match self.get(CACHED_FILES) {
            Some(others) => format!("{others};{entry}"),
            None => entry,
        };
        self.set(CACHED_FILES, entries)
    }
}
