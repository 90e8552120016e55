//! Properties of stdout, read at start-up: whether it is a terminal, its size, and whether colours may be used.

use std::env;
use std::io::{self, IsTerminal};

use super::args::ColorChoice;
use crate::tui::theme::Theme;

/// Properties of stdout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    /// Columns and rows, if stdout is a terminal
    pub(super) size: Option<(u16, u16)>,
    /// `COLUMNS`, if it is a positive number
    columns: Option<usize>,
    plain: bool,
}

impl Terminal {
    /// Reads them from the kernel and the environment.
    pub(super) fn of_stdout() -> Self {
        let stdout = io::stdout();
        let size = || rustix::termios::tcgetwinsize(&stdout).map_or((0, 0), |size| (size.ws_col, size.ws_row));
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            size: stdout.is_terminal().then(size),
            columns: env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|&columns| columns > 0),
            plain: is_set("NO_COLOR") || env::var_os("TERM").is_some_and(|term| term == "dumb"),
        }
    }

    /// Size of the terminal if it can show a dashboard: stdin is a terminal too, and `TERM` is not `dumb`.
    pub(super) fn dashboard_size(&self) -> Option<(u16, u16)> {
        self.size.filter(|_| io::stdin().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb"))
    }

    /// The chosen theme, or else one that the terminal supports; without colours, `none`.
    pub(super) fn theme(&self, choice: ColorChoice, chosen: Option<Theme>) -> Theme {
        let called = |name| Theme::called(name).unwrap_or_default();
        if !self.colours(choice) {
            return called("none");
        }
        let says = |name, word: &str| env::var(name).is_ok_and(|value| value.contains(word));
        let has_many = says("TERM", "256color") || env::var_os("COLORTERM").is_some_and(|value| !value.is_empty());
        chosen.unwrap_or_else(|| if has_many { Theme::default() } else { called("plain") })
    }

    /// Whether output is limited to ASCII: the locale is not UTF-8 (variables in the order of setlocale(3)), or the
    /// terminal is the Linux console, whose font has few glyphs.
    pub(super) fn is_ascii() -> bool {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_ascii_lowercase();
        let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
        !is_utf8 || set("TERM").is_some_and(|term| term == "linux")
    }

    /// Whether stdout is a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.size.is_some()
    }

    /// Width of a line in cells: the terminal's, else `COLUMNS`; `None` for no limit.
    pub(super) fn room(&self) -> Option<usize> {
        const FALLBACK: usize = 80;
        match self.size {
            Some((columns, _)) if columns > 0 => Some(columns.into()),
            Some(_) => Some(self.columns.unwrap_or(FALLBACK)),
            None => self.columns,
        }
    }

    /// Whether to use colours: decided by the flag, else by `NO_COLOR` and a dumb terminal, else by whether stdout is a
    /// terminal.
    pub(super) fn colours(&self, choice: ColorChoice) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => self.is_terminal() && !self.plain,
        }
    }
}
