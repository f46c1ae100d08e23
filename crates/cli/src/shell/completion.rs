//! Completion of keywords, functions, option keys, and the names that the session knows, for the line editor.

use std::sync::Arc;

use flott::completion::{Names, suggest};
use parking_lot::Mutex;
use reedline::{Completer, CompletionResult, Span, Suggestion};

/// Suggests what may stand at the cursor.
pub(super) struct SqlCompleter {
    pub names: Arc<Mutex<Names>>,
}

impl Completer for SqlCompleter {
    fn complete(&mut self, line: &str, at: usize) -> CompletionResult {
        let (start, words) = suggest(&self.names.lock(), line, at);
        let span = Span { start, end: at };
        let suggestion = |value| Suggestion { value, span, ..Suggestion::default() };
        CompletionResult::fresh(words.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}
