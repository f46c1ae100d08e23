//! The definition of a message.

use std::fmt;
use std::path::Path;

use flott_types::{Error, Result};
use prost_reflect::{DescriptorPool, MessageDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// Where the definition is.
pub(super) enum Origin {
    /// It is this text.
    Text(String),
    /// In a `.proto` file or a descriptor set.
    File(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Text(_) => f.write_str("the definition"),
            Origin::File(file) => write!(f, "the file {file}"),
        }
    }
}

/// The message of this name, or of this Java class.
pub(super) fn message(origin: &Origin, name: &str) -> Result<MessageDescriptor> {
    let pool = pool(origin)?;
    if let Some(message) = pool.get_message_by_name(name) {
        return Ok(message);
    }
    if let Some(message) = pool.all_messages().find(|message| is_class(message, name)) {
        return Ok(message);
    }
    let mut names: Vec<String> = pool
        .all_messages()
        .filter(|message| !message.is_map_entry() && message.package_name() != "google.protobuf")
        .map(|message| message.full_name().to_owned())
        .collect();
    names.sort_unstable();
    Err(Error::invalid(format!("{origin} has no message '{name}'; there are: {}", names.join(", "))))
}

fn pool(origin: &Origin) -> Result<DescriptorPool> {
    let wrong =
        |error: &dyn fmt::Display| Error::invalid(format!("{origin} is not one of protobuf's: {error}"));
    let file = match origin {
        Origin::Text(text) => {
            const NAME: &str = "definition.proto";
            let mut files = ChainFileResolver::new();
            files.add(Only { name: NAME, text: text.clone() });
            files.add(GoogleFileResolver::new());
            let mut compiler = protox::Compiler::with_file_resolver(files);
            compiler.include_imports(true).open_file(NAME).map_err(|error| wrong(&error))?;
            return Ok(compiler.descriptor_pool());
        }
        Origin::File(file) => file.strip_prefix("file://").unwrap_or(file),
    };
    let path = Path::new(file);
    if path.extension().is_some_and(|ending| ending == "proto") {
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default();
        let mut compiler = protox::Compiler::new([folder]).map_err(|error| wrong(&error))?;
        compiler.include_imports(true).open_file(name).map_err(|error| wrong(&error))?;
        return Ok(compiler.descriptor_pool());
    }
    let bytes = std::fs::read(path)
        .map_err(|error| Error::external(format!("{origin} cannot be read")).with_source(error))?;
    DescriptorPool::decode(bytes.as_slice()).map_err(|error| wrong(&error))
}

/// One file, which is a text.
struct Only {
    name: &'static str,
    text: String,
}

impl FileResolver for Only {
    fn open_file(&self, name: &str) -> std::result::Result<File, protox::Error> {
        if name == self.name {
            File::from_source(name, &self.text)
        } else {
            Err(protox::Error::file_not_found(name))
        }
    }
}

/// Whether a Java class is that of a message: Flink's tables name their messages so.
fn is_class(message: &MessageDescriptor, class: &str) -> bool {
    let file = message.parent_file();
    let options = file.file_descriptor_proto().options.as_ref();
    let package = options.and_then(|options| options.java_package.as_deref()).unwrap_or(file.package_name());
    let mut name = message.name().to_owned();
    let mut outer = message.parent_message();
    while let Some(parent) = outer {
        name = format!("{}${name}", parent.name());
        outer = parent.parent_message();
    }
    let inner = match package {
        "" => Some(class),
        package => class.strip_prefix(package).and_then(|rest| rest.strip_prefix('.')),
    };
    // Without `java_multiple_files` all are in one outer class, whatever it is called.
    let is_in_outer = |(outer, rest): (&str, &str)| rest == name && !outer.contains('.');
    inner.is_some_and(|inner| inner == name || inner.split_once('$').is_some_and(is_in_outer))
}
