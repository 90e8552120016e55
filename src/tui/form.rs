//! The form that sets keepalive of the selected or marked connections.

use std::iter;

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::editor::Editor;
use crate::diagnose::prospect::Subject;
use crate::model::change::KeepaliveChange;
use crate::model::liveness::Deadline;
use crate::model::options::SocketOptions;
use crate::model::socket::SocketId;
use crate::text::quantity::time_us;
use crate::text::setting::{Setting, detecting};

/// What the value of a line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Time within which a dead peer must be detected; the other options are derived from it
    Detect,
    /// The value of an option
    Setting(Setting),
}

/// One line of the form.
#[derive(Debug)]
pub(crate) struct Field {
    /// What it sets
    pub takes: Takes,
    /// The typed value
    pub line: Editor,
}

impl Field {
    /// Name of the setting.
    pub(crate) fn name(&self) -> &'static str {
        match self.takes {
            Takes::Detect => "detect",
            Takes::Setting(setting) => setting.name(),
        }
    }

    /// Description of the value to type.
    pub(crate) fn hint(&self) -> &'static str {
        match self.takes {
            Takes::Detect => "TIME in which to notice a dead peer",
            Takes::Setting(setting) => setting.takes(),
        }
    }
}

/// The keepalive form.
#[derive(Debug)]
pub(crate) struct Form {
    /// The sockets to change
    pub ids: Vec<SocketId>,
    /// Their number and owners
    pub whose: String,
    /// If there are several sockets: both addresses of the one whose current values are shown
    pub shown: Option<String>,
    /// The socket whose current values are shown; `None` until its detail arrives
    pub subject: Option<Subject>,
    /// The lines
    pub fields: Vec<Field>,
    /// Index of the line with the focus
    pub at: usize,
}

impl Form {
    /// Form without typed values.
    pub(crate) fn new(ids: Vec<SocketId>, whose: String) -> Self {
        let field = |takes| Field { takes, line: Editor::default() };
        let fields = iter::once(Takes::Detect).chain(Setting::ALL.map(Takes::Setting)).map(field).collect();
        Self { ids, whose, shown: None, subject: None, fields, at: 0 }
    }

    /// The line with the focus.
    pub(crate) fn line(&mut self) -> &mut Editor {
        &mut self.fields[self.at].line
    }

    /// Handles a key other than Enter and Esc.
    pub(crate) fn press(&mut self, key: KeyEvent) {
        let last = self.fields.len() - 1;
        match key.code {
            KeyCode::Up | KeyCode::BackTab => self.at = self.at.checked_sub(1).unwrap_or(last),
            KeyCode::Down | KeyCode::Tab => self.at = if self.at == last { 0 } else { self.at + 1 },
            _ => {
                self.line().press(key);
            }
        }
    }

    /// The change that the typed values request.
    ///
    /// # Errors
    /// Names the line and its error.
    pub(crate) fn change(&self) -> Result<KeepaliveChange, String> {
        let mut change = KeepaliveChange::default();
        let typed = self.fields.iter().map(|field| (field, field.line.text().trim()));
        let mut derived = KeepaliveChange::default();
        for (field, text) in typed.filter(|(_, text)| !text.is_empty()) {
            let wrong = |why: &str| format!("{} {text}: {why}", field.name());
            match field.takes {
                Takes::Detect => derived = detecting(time_us(text).map_err(|why| wrong(&why))?).map_err(wrong)?,
                Takes::Setting(setting) => drop(setting.assign(&mut change, text).map_err(|why| wrong(&why))?),
            }
        }
        if change.enabled == Some(false) && derived.enabled.is_some() {
            return Err("detect turns keepalive on; leave one of the two out".to_owned());
        }
        let change = change.or(derived);
        change.check().map_err(|wrong| wrong.to_string())?;
        if change.is_empty() { Err("no value given yet".to_owned()) } else { Ok(change) }
    }

    /// Current value of a line and the value after the change; `None` if unknown, or if the change leaves it as it is.
    pub(crate) fn now_and_then(&self, field: &Field) -> (Option<String>, Option<String>) {
        let now = self.subject.as_ref().and_then(|subject| subject.options);
        let written = |options: &SocketOptions| {
            let Takes::Setting(setting) = field.takes else { return String::new() };
            setting.shown(&options.keepalive)
        };
        let before = now.as_ref().map(written);
        let after = now.and_then(|now| self.change().ok().map(|change| written(&change.applied_to(now))));
        (before.clone(), after.filter(|after| Some(after) != before.as_ref()))
    }

    /// When the kernel would detect a dead peer: with the current options, and after the change.
    pub(crate) fn dead_in(&self) -> (Option<Deadline>, Option<Deadline>) {
        let after = |change: &KeepaliveChange| self.subject.as_ref().and_then(|subject| subject.after(change));
        (after(&KeepaliveChange::default()), self.change().ok().and_then(|change| after(&change)))
    }
}
