//! The line editor: prompt, keys, history.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use flott::completion::{self, Names};
use flott::sql::{Session, is_complete};
use parking_lot::Mutex;
use reedline::{
    Color, ColumnarMenu, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Prompt,
    PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline, ReedlineEvent, ReedlineMenu,
    Signal, ValidationResult, Validator, default_emacs_keybindings,
};

use super::completion::SqlCompleter;
use super::highlighting::SqlHighlighter;
use crate::console::Console;
use crate::signals::Signals;

const MENU: &str = "completion";
/// Lines of history that are kept.
const HISTORY: usize = 10_000;

/// Reads statements from the terminal.
pub(super) struct Editor {
    reedline: Reedline,
    names: Arc<Mutex<Names>>,
    functions: Arc<[String]>,
}

impl Editor {
    /// A new editor, with the history of earlier ones.
    pub fn new(session: &mut Session, signals: &Signals, console: Console) -> Self {
        let names = Arc::new(Mutex::new(Names::default()));
        let mut keys = default_emacs_keybindings();
        let complete = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(complete));
        keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
        // What is typed while a statement runs comes with the line ends of a terminal that is not raw.
        keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('j'), ReedlineEvent::Enter);
        let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU)));
        let mut reedline = Reedline::create()
            .with_validator(Box::new(Complete))
            .with_completer(Box::new(SqlCompleter { names: Arc::clone(&names) }))
            .with_menu(menu)
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_ansi_colors(console.colored())
            .with_break_signal(signals.wake())
            .use_bracketed_paste(true);
        if console.colored() {
            reedline = reedline.with_highlighter(Box::new(SqlHighlighter));
        }
        let history = history_file().map(|path| FileBackedHistory::with_file(HISTORY, path));
        match history {
            Some(Ok(history)) => reedline = reedline.with_history(Box::new(history)),
            Some(Err(error)) => console.warn(&format!("There is no history: {error}")),
            None => {}
        }
        Editor { reedline, names, functions: completion::functions(session) }
    }

    /// Reads until what was typed is a statement.
    pub fn read(&mut self, session: &Session) -> std::io::Result<Signal> {
        *self.names.lock() = Names::of(session, &self.functions);
        self.reedline.read_line(&SqlPrompt)
    }
}

/// `${XDG_STATE_HOME:-~/.local/state}/flott/history`
fn history_file() -> Option<PathBuf> {
    let folder = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("flott/history"))
}

/// Enter ends the input where a statement ends.
struct Complete;

impl Validator for Complete {
    fn validate(&self, text: &str) -> ValidationResult {
        match is_complete(text) {
            true => ValidationResult::Complete,
            false => ValidationResult::Incomplete,
        }
    }
}

struct SqlPrompt;

impl Prompt for SqlPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "Flott SQL".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing with ",
        };
        format!(" ({failing}'{}')> ", search.term).into()
    }

    fn get_prompt_color(&self) -> Color {
        Color::Cyan
    }
}
