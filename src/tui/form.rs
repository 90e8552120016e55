//! Keepalive of the selected or marked connections, to be set.

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

/// What a line takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A time in which to notice a dead peer: it fills the others
    Detect,
    /// The value of an option
    Setting(Setting),
}

/// One line.
#[derive(Debug)]
pub(crate) struct Field {
    /// What it sets
    pub takes: Takes,
    /// What is typed
    pub line: Editor,
}

impl Field {
    /// As it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self.takes {
            Takes::Detect => "detect",
            Takes::Setting(setting) => setting.name(),
        }
    }

    /// What to type.
    pub(crate) fn hint(&self) -> &'static str {
        match self.takes {
            Takes::Detect => "TIME in which to notice a dead peer",
            Takes::Setting(setting) => setting.takes(),
        }
    }
}

/// The form.
#[derive(Debug)]
pub(crate) struct Form {
    /// Which sockets
    pub ids: Vec<SocketId>,
    /// How many, and whose
    pub whose: String,
    /// Of several: the ends of the one whose values are shown
    pub shown: Option<String>,
    /// The one whose values are shown, once they are known
    pub subject: Option<Subject>,
    /// The lines
    pub fields: Vec<Field>,
    /// The line that the keys go to
    pub at: usize,
}

impl Form {
    /// An empty one.
    pub(crate) fn new(ids: Vec<SocketId>, whose: String) -> Self {
        let field = |takes| Field { takes, line: Editor::default() };
        let fields = iter::once(Takes::Detect).chain(Setting::ALL.map(Takes::Setting)).map(field).collect();
        Self { ids, whose, shown: None, subject: None, fields, at: 0 }
    }

    /// What is typed in it now.
    pub(crate) fn line(&mut self) -> &mut Editor {
        &mut self.fields[self.at].line
    }

    /// Takes a key that is neither Enter nor Esc.
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

    /// What is to be set.
    ///
    /// # Errors
    /// Which line, and what is wrong with it.
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
        if change.is_empty() { Err("nothing is to be set yet".to_owned()) } else { Ok(change) }
    }

    /// What a line has now, and what it would have; nothing where that is not known, or stays.
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

    /// When the kernel would notice a dead peer: now, and then.
    pub(crate) fn dead_in(&self) -> (Option<Deadline>, Option<Deadline>) {
        let after = |change: &KeepaliveChange| self.subject.as_ref().and_then(|subject| subject.after(change));
        (after(&KeepaliveChange::default()), self.change().ok().and_then(|change| after(&change)))
    }
}
