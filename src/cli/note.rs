//! A line of the journal: `key="value"` fields that programs can parse. No name of a process and no filter can imitate
//! another field or line.

use std::fmt::Write;

use crate::collect::caller::{self, Caller};
use crate::model::address::Endpoint;
use crate::model::ids::Pid;
use crate::model::socket::{Socket, SocketId};
use crate::text::{endpoint, printable};

/// Maximum bytes of an escaped value that others control: the whole line stays within the 2048 bytes that syslogd
/// accepts.
const LONGEST_VALUE: usize = 240;
/// Maximum bytes of the escaped filter, the last field.
const LONGEST_FILTER: usize = 480;

/// Author of the changes.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) uid: u32,
    euid: u32,
    login_uid: Option<u32>,
    /// `SUDO_UID` of the environment, read only if the caller is the host's root
    sudo_uid: Option<u32>,
    terminal: Option<String>,
    /// Whether the user ids are those of a user namespace
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

/// Stage or result of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteEvent {
    /// About to be tried
    Intent,
    /// Done
    Done,
    /// Failed, perhaps in part
    Failed,
    /// The socket was already gone
    Gone,
}

/// Content of one line.
#[derive(Debug)]
pub(super) struct Note<'a> {
    pub(super) event: NoteEvent,
    /// `kill` or `set`
    pub(super) command: &'a str,
    /// Whether the socket was chosen in the dashboard rather than by a filter
    pub(super) in_dashboard: bool,
    pub(super) socket: &'a Socket,
    /// Names of the processes that hold the socket
    pub(super) owner: &'a str,
    /// Process ids of the owners
    pub(super) pids: Vec<Pid>,
    /// The options to set
    pub(super) what: Option<String>,
    /// Values before
    pub(super) old: String,
    /// Values after the change, or the intended ones
    pub(super) new: String,
    /// Why it failed
    pub(super) why: Option<String>,
    pub(super) filter: &'a str,
}

impl Note<'_> {
    /// Formats the line. Short fields that others do not control come first, so that a log daemon that truncates lines
    /// cuts the filter.
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

/// Line under construction.
#[derive(Default)]
struct NoteLine(String);

impl NoteLine {
    fn add(&mut self, key: &str, value: &str) {
        self.add_up_to(LONGEST_VALUE, key, value);
    }

    /// Appends `key="value"`. Quotes and backslashes in the value get a backslash; control characters are escaped as
    /// everywhere else.
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
                // Only an escape has a single backslash: those of the value are doubled.
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
