//! Messages for people, on standard error.

use std::io::{IsTerminal, Write};

/// Standard error, with or without colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    colored: bool,
    quiet: bool,
}

impl Console {
    /// Colours are for terminals. A quiet console prints only warnings and errors.
    pub fn new(quiet: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Console { colored: wanted && std::io::stderr().is_terminal(), quiet }
    }

    /// Whether colours are used.
    pub fn colored(self) -> bool {
        self.colored
    }

    /// Whether only warnings and errors are printed.
    pub fn quiet(self) -> bool {
        self.quiet
    }

    /// A success.
    pub fn info(self, text: &str) {
        if !self.quiet {
            self.line("", &format!("[INFO] {text}"));
        }
    }

    /// A warning.
    pub fn warn(self, text: &str) {
        self.line("\x1b[33m", &format!("[WARN] {text}"));
    }

    /// An error.
    pub fn error(self, text: &str) {
        self.line("\x1b[31m", &format!("[ERROR] {text}"));
    }

    /// Text as it is.
    pub fn plain(self, text: &str) {
        self.line("", text);
    }

    /// Standard error may be closed: that is no reason to fail.
    fn line(self, color: &str, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = match self.colored && !color.is_empty() {
            true => writeln!(err, "{color}{text}\x1b[0m"),
            false => writeln!(err, "{text}"),
        };
    }
}
