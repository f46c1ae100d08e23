//! Colours for the line that is typed.

use flott::sql::{HighlightKind, highlight};
use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

/// Colours by what the lexer sees.
pub(super) struct SqlHighlighter;

impl Highlighter for SqlHighlighter {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut styled = StyledText::new();
        for (range, kind) in highlight(line) {
            styled.push((style(kind), line[range].to_owned()));
        }
        styled
    }
}

fn style(kind: HighlightKind) -> Style {
    match kind {
        HighlightKind::Keyword => Style::new().fg(Color::Blue).bold(),
        HighlightKind::Text => Style::new().fg(Color::Green),
        HighlightKind::Number => Style::new().fg(Color::Magenta),
        HighlightKind::Comment => Style::new().fg(Color::DarkGray),
        HighlightKind::Hint => Style::new().fg(Color::Yellow),
        HighlightKind::Name | HighlightKind::Sign | HighlightKind::Other => Style::new(),
    }
}
