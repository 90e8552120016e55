//! Roles, not colours by place; and without colours the same roles by weight alone, since no meaning is by colour only.

use ratatui::style::{Color, Modifier, Style};

use crate::model::liveness::Verdict;

/// How things look.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    has_colours: bool,
}

impl Theme {
    /// `has_colours` was decided by the caller from flag, `NO_COLOR` and terminal.
    pub fn new(has_colours: bool) -> Self {
        Self { has_colours }
    }

    /// Titles of columns and parts.
    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Words around the data.
    pub fn muted(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The selected row.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What cannot wait.
    pub fn alarm(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What should not stay as it is.
    pub fn warning(self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// What is well.
    pub fn well(self) -> Style {
        self.coloured(Color::Green)
    }

    /// A row, by what is thought of it.
    pub fn verdict(self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Probing | Verdict::Retransmitting | Verdict::SilentWindow => self.alarm(),
            Verdict::Unguarded | Verdict::PeerClosed | Verdict::HalfClosed | Verdict::Stalled => self.warning(),
            Verdict::Active => self.well(),
            Verdict::TimeWait | Verdict::Closing | Verdict::Listening | Verdict::Bound => self.muted(),
            Verdict::Guarded | Verdict::Unknown | Verdict::Connecting | Verdict::Handshaking | Verdict::Unaccepted => {
                Style::new()
            }
        }
    }

    fn coloured(self, colour: Color) -> Style {
        if self.has_colours { Style::new().fg(colour) } else { Style::new() }
    }
}
