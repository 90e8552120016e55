//! Colours of the tables. Meaning is never by colour alone: each coloured cell says the same in words.

use anstyle::{AnsiColor, Style};

/// Whether, and how, to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Styles {
    on: bool,
}

impl Styles {
    /// `on` was decided by the caller from flag, `NO_COLOR` and terminal.
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    /// Of column titles.
    pub(crate) fn title(self) -> Style {
        self.or_plain(Style::new().bold())
    }

    /// Of totals and other words around the data.
    pub(crate) fn muted(self) -> Style {
        self.or_plain(Style::new().dimmed())
    }

    /// Of a cell, by what it says: states that wait for somebody stand out, states that pass by themselves recede.
    pub(crate) fn cell(self, text: &str) -> Style {
        self.or_plain(match text {
            "probing" | "retransmitting" | "silent-window" => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
            "unguarded" | "peer-closed" | "half-closed" | "stalled" => {
                Style::new().fg_color(Some(AnsiColor::Yellow.into()))
            }
            "active" => Style::new().fg_color(Some(AnsiColor::Green.into())),
            "close-wait" => Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold(),
            "syn-sent" | "syn-recv" | "fin-wait-1" | "last-ack" | "closing" => {
                Style::new().fg_color(Some(AnsiColor::Magenta.into()))
            }
            "listen" | "bound-inactive" => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
            "time-wait" | "fin-wait-2" | crate::text::DASH => Style::new().dimmed(),
            _ => Style::new(),
        })
    }

    fn or_plain(self, style: Style) -> Style {
        if self.on { style } else { Style::new() }
    }
}
