//! Themes: a style for each role. No meaning depends on colour alone, so a theme without colours uses weight only.

use ratatui::style::{Color, Modifier, Style};

use crate::fields::tone::Tone;
use crate::track::line::Sign;

/// Style of each role.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Theme {
    /// Name in the configuration
    pub name: &'static str,
    /// Titles of columns and sections
    pub title: Style,
    /// Text around the data
    pub muted: Style,
    /// The selected row, on top of its own style
    pub selected: Style,
    /// Urgent, e.g. a silent peer
    pub alarm: Style,
    /// An alarm in the header, readable from a distance
    pub shout: Style,
    /// A state that should not last
    pub warning: Style,
    /// A healthy state
    pub well: Style,
    /// The current one of several, and marks
    pub accent: Style,
}

const PLAIN: Style = Style::new();
const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
const DIM: Style = PLAIN.add_modifier(Modifier::DIM);
const REVERSED: Style = PLAIN.add_modifier(Modifier::REVERSED);

const fn fg(number: u8) -> Style {
    PLAIN.fg(Color::Indexed(number))
}

/// Every theme, in the order of the theme key.
pub(crate) const THEMES: [Theme; 5] = [
    Theme {
        name: "dark",
        title: BOLD.fg(Color::Indexed(252)),
        muted: fg(245),
        selected: PLAIN.bg(Color::Indexed(238)).add_modifier(Modifier::BOLD),
        alarm: fg(203).add_modifier(Modifier::BOLD),
        shout: BOLD.fg(Color::Indexed(231)).bg(Color::Indexed(160)),
        warning: fg(215),
        well: fg(114),
        accent: fg(117).add_modifier(Modifier::BOLD),
    },
    Theme {
        name: "light",
        title: BOLD.fg(Color::Indexed(235)),
        muted: fg(243),
        selected: PLAIN.bg(Color::Indexed(253)).add_modifier(Modifier::BOLD),
        alarm: fg(160).add_modifier(Modifier::BOLD),
        shout: BOLD.fg(Color::Indexed(231)).bg(Color::Indexed(160)),
        warning: fg(130),
        well: fg(28),
        accent: fg(25).add_modifier(Modifier::BOLD),
    },
    Theme {
        name: "high-contrast",
        title: BOLD.fg(Color::Indexed(231)),
        muted: fg(252),
        selected: PLAIN.fg(Color::Indexed(16)).bg(Color::Indexed(231)).add_modifier(Modifier::BOLD),
        alarm: BOLD.fg(Color::Indexed(231)).bg(Color::Indexed(124)),
        shout: BOLD.fg(Color::Indexed(231)).bg(Color::Indexed(196)),
        warning: fg(226).add_modifier(Modifier::BOLD),
        well: fg(46),
        accent: BOLD.fg(Color::Indexed(16)).bg(Color::Indexed(51)),
    },
    Theme {
        name: "plain",
        title: BOLD,
        muted: DIM,
        selected: REVERSED,
        alarm: BOLD.fg(Color::Red),
        shout: BOLD.fg(Color::White).bg(Color::Red),
        warning: PLAIN.fg(Color::Yellow),
        well: PLAIN.fg(Color::Green),
        accent: BOLD.fg(Color::Cyan),
    },
    Theme {
        name: "none",
        title: BOLD,
        muted: DIM,
        selected: REVERSED,
        alarm: BOLD,
        shout: REVERSED.add_modifier(Modifier::BOLD),
        warning: PLAIN,
        well: PLAIN,
        accent: BOLD.add_modifier(Modifier::UNDERLINED),
    },
];

impl Default for Theme {
    fn default() -> Self {
        THEMES[0]
    }
}

impl Theme {
    /// The theme with this name.
    pub(crate) fn called(name: &str) -> Option<Self> {
        THEMES.into_iter().find(|theme| theme.name == name)
    }

    /// The next theme, cyclically.
    #[must_use]
    pub(crate) fn next(self) -> Self {
        let at = THEMES.iter().position(|theme| theme.name == self.name).unwrap_or(0);
        THEMES[(at + 1) % THEMES.len()]
    }

    /// Style of a row with this sign.
    pub(crate) fn sign(self, sign: Sign) -> Style {
        match sign {
            Sign::Plain => PLAIN,
            Sign::Alarm => self.alarm,
            Sign::Warning => self.warning,
            Sign::Muted => self.muted,
            Sign::Verdict(verdict) => self.tone(Tone::of_verdict(verdict)),
        }
    }

    /// Style of a row with this tone.
    pub(crate) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Alarm => self.alarm,
            Tone::Warning | Tone::Waiting => self.warning,
            Tone::Well => self.well,
            Tone::Muted => self.muted,
            Tone::Plain | Tone::Passing | Tone::Listening => PLAIN,
        }
    }
}
