//! The table of a query that does not end: redrawn twice a second, on a screen of its own.

use std::io::{Write, stdout};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use flott::cluster::{JobClient, NextRows, ResultStream};
use flott::sql::PlannedJob;
use flott::types::{Clock, SystemClock};

use crate::client::{Client, TICK};
use crate::output::{Grid, Materialized, each_row, shown};
use crate::stop::{Result, Stop};

/// The table is redrawn after this many milliseconds.
const EVERY: i64 = 500;
/// Lines of the screen that are no rows: the title and the table's frame.
const FRAME: usize = 6;

/// Shows a result until it ends or the user has seen enough. What was there last is written to the shell's
/// screen if the query came to its end.
pub(crate) fn show(
    client: &Client,
    job: &JobClient,
    results: &ResultStream,
    planned: &PlannedJob,
) -> Result<()> {
    let clock = SystemClock::new();
    let zone = client.zone();
    let style = client.style();
    let mut rows = Materialized::new(style.max_rows);
    let mut screen = Screen::enter()?;
    let mut view = View { from_end: 0, width: style.width, name: job.name().to_owned() };
    let mut drawn_at = i64::MIN;
    let ended = loop {
        match results.next_within(TICK) {
            Ok(NextRows::Rows(batch)) => each_row(batch, &planned.schema, zone, |kind, cells| {
                rows.apply(kind, shown(cells, style.null).collect());
                Ok(())
            })?,
            Ok(NextRows::NotYet) => {}
            Ok(NextRows::End) => break Ok(true),
            Err(error) => break Err(error),
        }
        if client.signals.terminated() {
            return Err(Stop::Terminated);
        }
        let key = next_key()?;
        if client.signals.interrupted() || key.is_some_and(leaves) {
            break Ok(false);
        }
        let moved = key.is_some_and(|key| view.scroll(key, rows.len()));
        let now = clock.now();
        if moved || now.saturating_sub(drawn_at) >= EVERY {
            drawn_at = now;
            screen.draw(&view.text(Grid::new(&planned.schema), &rows))?;
        }
    };
    drop(screen);
    match ended {
        Ok(true) => Ok(Grid::new(&planned.schema).draw(&mut stdout().lock(), &rows, style.width)?),
        Ok(false) => {
            job.cancel();
            client.console.info("Query terminated.");
            Ok(())
        }
        Err(error) => Err(client.failure(job, error)),
    }
}

fn next_key() -> Result<Option<KeyEvent>> {
    if !poll(Duration::ZERO)? {
        return Ok(None);
    }
    match read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => Ok(Some(key)),
        _ => Ok(None),
    }
}

fn leaves(key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Char('c' | 'd') => key.modifiers.contains(KeyModifiers::CONTROL),
        KeyCode::Char('q' | 'Q') | KeyCode::Esc => true,
        _ => false,
    }
}

/// Which part of the table is shown.
struct View {
    /// Rows below the lowest one shown.
    from_end: usize,
    width: usize,
    name: String,
}

impl View {
    /// Moves; says whether the key means a movement.
    fn scroll(&mut self, key: KeyEvent, rows: usize) -> bool {
        let page = usize::from(size().map_or(24, |(_, height)| height)).saturating_sub(FRAME).max(1);
        let top = rows.saturating_sub(page);
        self.from_end = match key.code {
            KeyCode::Up => self.from_end + 1,
            KeyCode::Down => self.from_end.saturating_sub(1),
            KeyCode::PageUp => self.from_end + page,
            KeyCode::PageDown => self.from_end.saturating_sub(page),
            KeyCode::Home => top,
            KeyCode::End => 0,
            _ => return false,
        }
        .min(top);
        true
    }

    /// The screen's text.
    fn text(&self, mut grid: Grid, rows: &Materialized) -> Vec<u8> {
        let page = usize::from(size().map_or(24, |(_, height)| height)).saturating_sub(FRAME).max(1);
        let end = rows.len() - self.from_end.min(rows.len());
        let start = end.saturating_sub(page);
        let part = || rows.iter().skip(start).take(end - start);
        let mut text = Vec::new();
        let title = format!(
            "{}: rows {} to {} of {}    Q ends the query, arrows and pages scroll",
            self.name,
            (start + 1).min(end),
            end,
            rows.len()
        );
        // Writing to memory does not fail.
        let _ = writeln!(text, "{title}");
        grid.fit(part(), self.width);
        let _ = grid.head(&mut text);
        for row in part() {
            let _ = grid.line(&mut text, row);
        }
        let _ = grid.rule(&mut text);
        text
    }
}

/// The alternate screen in raw mode; dropping it brings the shell's screen back.
struct Screen;

impl Screen {
    fn enter() -> std::io::Result<Self> {
        enable_raw_mode()?;
        let screen = Screen;
        execute!(stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// Writes over what is there, line by line, so that nothing flickers.
    fn draw(&mut self, text: &[u8]) -> std::io::Result<()> {
        let (width, height) = size()?;
        let text = String::from_utf8_lossy(text);
        let mut out = stdout().lock();
        for (row, line) in (0..height).zip(text.lines()) {
            let line: String = line.chars().take(usize::from(width)).collect();
            queue!(out, MoveTo(0, row), Clear(ClearType::CurrentLine))?;
            out.write_all(line.as_bytes())?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is nobody to tell if the terminal is gone.
        let _ = execute!(stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}
