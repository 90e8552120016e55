//! Colours of the tables. Colour never carries meaning alone: each coloured cell also has a word.

use anstyle::{AnsiColor, Style};

use crate::fields::tone::Tone;

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Styles {
    on: bool,
}

impl Styles {
    /// The caller decides `on` by the flag, `NO_COLOR` and the terminal.
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    /// Style of column titles.
    pub(crate) fn title(self) -> Style {
        self.or_plain(Style::new().bold())
    }

    /// Style of totals and other words around the data.
    pub(crate) fn muted(self) -> Style {
        self.or_plain(Style::new().dimmed())
    }

    /// Style of a cell with this tone.
    pub(crate) fn cell(self, tone: Tone) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        self.or_plain(match tone {
            Tone::Plain => Style::new(),
            Tone::Alarm => colour(AnsiColor::Red).bold(),
            Tone::Warning => colour(AnsiColor::Yellow),
            Tone::Waiting => colour(AnsiColor::Yellow).bold(),
            Tone::Passing => colour(AnsiColor::Magenta),
            Tone::Well => colour(AnsiColor::Green),
            Tone::Listening => colour(AnsiColor::Cyan),
            Tone::Muted => Style::new().dimmed(),
        })
    }

    fn or_plain(self, style: Style) -> Style {
        if self.on { style } else { Style::new() }
    }
}
