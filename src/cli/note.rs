//! A line of the journal: `key="value"` after `key="value"`, so that programs read it, and so that no name of a process and no
//! filter can look like another field or another line.

use std::fmt::Write;

use crate::collect::caller::{self, Caller};
use crate::model::address::Endpoint;
use crate::model::ids::Pid;
use crate::model::socket::{Socket, SocketId};
use crate::text::{endpoint, printable};

/// Bytes of a value that others chose, as it is written: the whole line stays within the 2048 that a syslogd takes.
const LONGEST_VALUE: usize = 240;
/// Bytes of the filter, which comes last, as it is written.
const LONGEST_FILTER: usize = 480;

/// Who makes the changes.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) uid: u32,
    euid: u32,
    login_uid: Option<u32>,
    /// Of the environment, where only the host's root can have put it
    sudo_uid: Option<u32>,
    terminal: Option<String>,
    /// The user ids are those of a user namespace
    is_mapped: bool,
}

impl Who {
    pub(super) fn of(caller: &Caller) -> Self {
        let of_environment = || std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
        let sudo_uid = caller.is_root().then(of_environment).flatten();
        let (login_uid, terminal) = (caller::login_uid(), caller::terminal());
        Self { uid: caller.uid, euid: caller.euid, login_uid, sudo_uid, terminal, is_mapped: !caller.is_of_host }
    }
}

/// What happened, or is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteEvent {
    /// It is about to be tried
    Intent,
    /// It was done
    Done,
    /// It was not, or not all of it
    Failed,
    /// There was nothing left to do it to
    Gone,
}

/// One line.
#[derive(Debug)]
pub(super) struct Note<'a> {
    pub(super) event: NoteEvent,
    /// `kill` or `set`
    pub(super) command: &'a str,
    /// Whether it was chosen in the dashboard, and not by a filter
    pub(super) in_dashboard: bool,
    pub(super) socket: &'a Socket,
    /// Processes that hold the socket, by name
    pub(super) owner: &'a str,
    /// Process ids of the holders
    pub(super) pids: Vec<Pid>,
    /// What is to be set
    pub(super) what: Option<String>,
    /// Values before
    pub(super) old: String,
    /// Values after, or as they are to be
    pub(super) new: String,
    /// Why it was not done
    pub(super) why: Option<String>,
    pub(super) filter: &'a str,
}

impl Note<'_> {
    /// What is short and not chosen by others comes first: a journal that cuts lines cuts the filter.
    pub(super) fn line(&self, who: &Who) -> String {
        let SocketId { netns, cookie } = self.socket.id;
        let number = |number: Option<u32>| number.map_or("none".to_owned(), |number| number.to_string());
        let mut line = NoteLine::default();
        line.add(
            "event",
            match self.event {
                NoteEvent::Intent => "intent",
                NoteEvent::Done => "done",
                NoteEvent::Failed => "failed",
                NoteEvent::Gone => "gone",
            },
        );
        line.add("command", self.command);
        line.add("via", if self.in_dashboard { "dashboard" } else { "command line" });
        line.add("uid", &who.uid.to_string());
        line.add("euid", &who.euid.to_string());
        if who.is_mapped {
            line.add("uids", "of a user namespace");
        }
        line.add("loginuid", &number(who.login_uid));
        line.add("sudo_uid", &number(who.sudo_uid));
        line.add("tty", who.terminal.as_deref().unwrap_or("none"));
        line.add("netns", &netns.0.to_string());
        line.add("cookie", &cookie.map_or("none".to_owned(), |cookie| format!("{:x}", cookie.0)));
        let end = |end: Endpoint| endpoint(end.addr, None, end.port);
        line.add("local", &end(self.socket.local));
        line.add("peer", &end(self.socket.remote));
        line.add("socket_uid", &number(self.socket.uid));
        let pids: Vec<_> = self.pids.iter().map(ToString::to_string).collect();
        line.add("pids", &pids.join(","));
        line.add("owner", self.owner);
        if let Some(what) = &self.what {
            line.add("set", what);
        }
        line.add("old", &self.old);
        line.add("new", &self.new);
        if let Some(why) = &self.why {
            line.add("why", why);
        }
        line.add_up_to(LONGEST_FILTER, "filter", self.filter);
        line.0
    }
}

/// A line that is being written.
#[derive(Default)]
struct NoteLine(String);

impl NoteLine {
    fn add(&mut self, key: &str, value: &str) {
        self.add_up_to(LONGEST_VALUE, key, value);
    }

    /// `key="value"`: quotes and backslashes of the value after a backslash, control characters as everywhere else.
    fn add_up_to(&mut self, most: usize, key: &str, value: &str) {
        let between = if self.0.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{between}{key}=\"");
        let start = self.0.len();
        let mut one = [0; 4];
        for character in value.chars() {
            let before = self.0.len();
            match character {
                '"' | '\\' => self.0.extend(['\\', character]),
                // A backslash in front of an escaped character is ours alone: those of the value are doubled.
                other => self.0.push_str(&printable(other.encode_utf8(&mut one))),
            }
            if self.0.len() - start > most {
                self.0.truncate(before);
                self.0.push('…');
                break;
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_VALUE, NoteLine};

    fn field(value: &str) -> String {
        let mut line = NoteLine::default();
        line.add("owner", value);
        line.0
    }

    #[test]
    fn no_value_can_end_itself_or_begin_a_line() {
        assert_eq!(field("nginx[812]"), r#"owner="nginx[812]""#);
        assert_eq!(field(r#"x" uid="0"#), r#"owner="x\" uid=\"0""#);
        assert_eq!(field(r#"x\" uid="0"#), r#"owner="x\\\" uid=\"0""#);
        assert_eq!(field("a\nb\x1b[m\u{202e}\\n"), r#"owner="a\nb\x1b[m\u{202e}\\n""#);
    }

    #[test]
    fn a_long_value_is_cut_between_characters_and_still_ends() {
        for value in ["\"".repeat(5000), "\u{1b}".repeat(5000), "日".repeat(5000)] {
            let field = field(&value);
            assert!(field.len() <= LONGEST_VALUE + 20 && field.ends_with("…\""), "{field}");
        }
    }
}
