//! The command line of a program: options that every program has, and the program's own.
//!
//! ```
//! use flott::args::Args;
//! use flott::prelude::*;
//!
//! # fn main() -> Result<()> {
//! let args = Args::new("Counts the words of lines that come over a socket.").option("port", "9999", "the server's port");
//! # let args = args.try_parse_from(["--port", "7777", "-D", "pipeline.name=words", "--parallelism", "2"])?.unwrap();
//! # /*
//! let args = args.parse();
//! # */
//! let port: u16 = args.get("port")?;
//! let env = args.environment();
//! # assert_eq!((port, env.parallelism()?), (7777, 2));
//! # Ok(())
//! # }
//! ```
//!
//! | | |
//! |---|---|
//! | `-D KEY=VALUE` | a configuration key; overrides `config.yaml` |
//! | `--config FILE` | the configuration file; by default `config.yaml` in the folder that `FLOTT_CONF_DIR` names |
//! | `--parallelism N` | `parallelism.default` |
//! | `--restore latest` | continue from the newest snapshot of this program below `execution.checkpointing.dir`; start from the beginning if there is none yet |
//! | `--restore PATH` | continue from this checkpoint or savepoint |
//! | `--role jobmanager`, `--role taskmanager` | be one of [several processes](flott_datastream::StreamExecutionEnvironment::execute) of this program |
//! | `--help` | list the options |

use std::path::Path;
use std::str::FromStr;

use flott_datastream::StreamExecutionEnvironment;
use flott_datastream::configuration::Load;
use flott_types::config::nearest;
use flott_types::{Configuration, Error, Result};

use crate::restore::RESTORE_PATH;

/// The options of a program's command line.
#[derive(Clone, Debug)]
pub struct Args {
    about: String,
    options: Vec<OwnOption>,
}

#[derive(Clone, Debug)]
struct OwnOption {
    name: String,
    value: String,
    help: String,
}

/// The parsed command line of a program.
#[derive(Clone, Debug)]
pub struct Given {
    configuration: Configuration,
    options: Vec<OwnOption>,
    positional: Vec<String>,
}

impl Args {
    /// A program that does this, with the options that every program has.
    pub fn new(about: &str) -> Self {
        Args { about: about.to_owned(), options: Vec::new() }
    }

    /// Adds the option `--name VALUE`.
    #[must_use]
    pub fn option(mut self, name: &str, default: &str, help: &str) -> Self {
        let (name, value, help) = (name.to_owned(), default.to_owned(), help.to_owned());
        self.options.push(OwnOption { name, value, help });
        self
    }

    /// Reads the command line. If it is wrong, the error is printed and the process exits with status 2;
    /// `--help` prints the help and exits with 0.
    pub fn parse(self) -> Given {
        let help = self.help();
        match self.try_parse_from(std::env::args().skip(1)) {
            Ok(Some(given)) => given,
            Ok(None) => {
                println!("{help}");
                std::process::exit(0);
            }
            Err(error) => {
                eprintln!("{error}\nTry --help.");
                std::process::exit(2);
            }
        }
    }

    /// Reads these words; none if they ask for help.
    ///
    /// # Errors
    /// What is wrong with them, or with the configuration file.
    pub fn try_parse_from<S: Into<String>>(
        self,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Option<Given>> {
        let mut words = words.into_iter().map(Into::into);
        let (mut defines, mut config, mut parallelism, mut restore) = (Vec::new(), None, None, None);
        let mut role = None;
        let mut given =
            Given { configuration: Configuration::default(), options: self.options, positional: Vec::new() };
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (word.clone(), None),
            };
            let mut value = |what: &str| {
                let missing = || Error::invalid(format!("{name} takes {what}"));
                value.clone().or_else(|| words.next()).ok_or_else(missing)
            };
            match name.as_str() {
                "-h" | "--help" => return Ok(None),
                "-D" => defines.push(value("KEY=VALUE")?),
                "--config" => config = Some(value("the path of a file")?),
                "--parallelism" => parallelism = Some(value("a number")?),
                "--restore" => restore = Some(value("'latest' or the path of a snapshot")?),
                "--role" => role = Some(value("alone, jobmanager or taskmanager")?),
                "--" => given.positional.extend(words.by_ref()),
                _ if name.starts_with("-D") => defines.push(name[2..].to_owned()),
                _ if name.starts_with("--") => {
                    let known = given.options.iter_mut().find(|option| name[2..] == option.name);
                    match known {
                        Some(option) => option.value = value("a value")?,
                        None => return Err(given.unknown(&name)),
                    }
                }
                _ if name.starts_with('-') && name.len() > 1 => return Err(given.unknown(&name)),
                _ => given.positional.push(word),
            }
        }
        let mut load = Load::new(config.as_deref().map(Path::new))?;
        for define in &defines {
            load.define(define)?;
        }
        if let Some(restore) = restore {
            load.set(RESTORE_PATH, &restore)?;
        }
        if let Some(parallelism) = parallelism {
            load.set("parallelism.default", &parallelism)?;
        }
        if let Some(role) = role {
            load.set("program.role", &role)?;
        }
        load.notes.iter().for_each(|warning| eprintln!("{warning}"));
        given.configuration = load.configuration;
        Ok(Some(given))
    }

    fn help(&self) -> String {
        let name = std::env::args().next().unwrap_or_default();
        let name = Path::new(&name).file_name().map(|name| name.to_string_lossy().into_owned());
        let mut lines = vec![self.about.clone(), String::new()];
        lines.push(format!("Usage: {} [OPTIONS]", name.unwrap_or_else(|| "program".to_owned())));
        lines.push(String::new());
        let mut line = |option: String, help: &str| lines.push(format!("  {option:<24} {help}"));
        for OwnOption { name, value, help } in &self.options {
            let default = if value.is_empty() { String::new() } else { format!(" [default: {value}]") };
            line(format!("--{name} VALUE"), &format!("{help}{default}"));
        }
        line("-D KEY=VALUE".to_owned(), "set a key of the configuration");
        line(
            "--config FILE".to_owned(),
            "read this file instead of config.yaml in the folder FLOTT_CONF_DIR",
        );
        line("--parallelism N".to_owned(), "how many subtasks operators have");
        line(
            "--restore latest|PATH".to_owned(),
            "continue from a snapshot: the program's newest, or the given one",
        );
        line(
            "--role ROLE".to_owned(),
            "what this process is: alone, jobmanager, or taskmanager for a jobmanager elsewhere",
        );
        line("--help".to_owned(), "this");
        lines.join("\n")
    }
}

impl Given {
    /// An environment with this configuration, whose jobs start from the requested snapshot.
    pub fn environment(&self) -> StreamExecutionEnvironment {
        StreamExecutionEnvironment::with_configuration(self.configuration.clone())
    }

    /// The configuration that was given.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The value of one of the program's own options, its default if it was not given.
    ///
    /// # Errors
    /// If it cannot be read as this type, or the program has no such option.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T>
    where
        T::Err: std::fmt::Display,
    {
        let option = self.options.iter().find(|option| option.name == name);
        let value = &option.ok_or_else(|| self.unknown(&format!("--{name}")))?.value;
        value.parse().map_err(|error| Error::invalid(format!("--{name} is '{value}': {error}")))
    }

    /// The positional arguments, in order.
    pub fn positional(&self) -> &[String] {
        &self.positional
    }

    fn unknown(&self, word: &str) -> Error {
        let common = ["--help", "--config", "--parallelism", "--restore", "--role"].map(str::to_owned);
        let own = self.options.iter().map(|option| format!("--{}", option.name));
        let known: Vec<String> = own.chain(common).collect();
        let hint = nearest(known.iter().map(String::as_str), word);
        let hint = hint.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        Error::invalid(format!("there is no option {word}{hint}"))
    }
}
