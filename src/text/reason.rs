//! The verdict as one plain sentence with the numbers, and how the connection can end.

use std::fmt::Write;

use super::duration;
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Bound, Liveness, Mechanism, Verdict};
use crate::model::row::Row;
use crate::model::socket::{Queues, Socket};
use crate::model::state::TcpState;
use crate::model::timer::TimerKind;

/// Why the row has its verdict. Empty where it was not judged.
pub fn sentence(row: &Row<'_>) -> String {
    let Some(judged) = row.judged else { return String::new() };
    let telling = Telling { socket: row.socket, keepalive: &judged.keepalive, liveness: &judged.liveness };
    let mut sentence = telling.verdict();
    telling.assumption(&mut sentence);
    sentence
}

/// The ways in which a connection can end, and what its program gets in each: the one that is on its way first.
/// Empty for what is no connection, or has no program any more.
pub fn endings(row: &Row<'_>) -> Vec<(&'static str, String)> {
    let socket = row.socket;
    let Some(judged) = row.judged.filter(|_| socket.inode.is_some() && socket.state.is_connection()) else {
        return Vec::new();
    };
    let telling = Telling { socket, keepalive: &judged.keepalive, liveness: &judged.liveness };
    let mut endings = vec![("the peer stays silent", telling.silence_ends())];
    match socket.state {
        TcpState::SynSent => endings.push(("the peer refuses", "ECONNREFUSED".to_owned())),
        TcpState::Established | TcpState::FinWait1 | TcpState::FinWait2 => {
            endings.push(("the peer closes", "read() returns 0".to_owned()));
            endings.push(("the peer resets it", "ECONNRESET, then EPIPE on write()".to_owned()));
        }
        _ => {
            endings.push(("the peer resets it", "EPIPE on write(); after a FIN read() goes on to return 0".to_owned()));
        }
    }
    endings.push(("an administrator destroys it", "ECONNABORTED".to_owned()));
    endings
}

struct Telling<'a> {
    socket: &'a Socket,
    keepalive: &'a Keepalive,
    liveness: &'a Liveness,
}

impl Telling<'_> {
    fn verdict(&self) -> String {
        match self.liveness.verdict {
            Verdict::Active => format!(
                "heard from the peer {} ago; {}",
                self.silence(),
                self.ends_or("a dead peer would be noticed", "a dead peer would never be noticed")
            ),
            Verdict::Guarded if self.socket.timer.kind != TimerKind::Keepalive => {
                format!("quiet for {}, and data is on its way; {}", self.silence(), self.noticed("retransmission"))
            }
            Verdict::Guarded => format!("quiet for {}; {}", self.silence(), self.noticed("keepalive")),
            Verdict::Unguarded => format!(
                "quiet for {}; keepalive is off and nothing is in flight, so a dead peer would never be noticed",
                self.silence()
            ),
            Verdict::Unknown => format!(
                "quiet for {}; whether keepalive is on is not known: {}",
                self.silence(),
                self.keepalive.unknown_because.unwrap_or("its state is not one this program knows")
            ),
            Verdict::Probing => self.probing(),
            Verdict::Retransmitting if self.socket.timer.kind == TimerKind::ZeroWindowProbe => format!(
                "data could not be sent {}: this host has no carrier, route or neighbour towards the peer; {}",
                times(self.socket.probes_out()),
                self.ends("given up")
            ),
            Verdict::Retransmitting => format!(
                "data retransmitted {} without an answer; peer silent for {}; {}",
                times(self.socket.retransmits()),
                self.silence(),
                self.ends("given up")
            ),
            Verdict::Stalled => self.stalled(),
            Verdict::SilentWindow => format!(
                "{} zero-window probe{} unanswered; peer silent for {}; {}",
                self.socket.probes_out(),
                plural(self.socket.probes_out()),
                self.silence(),
                self.ends("given up")
            ),
            Verdict::Connecting => {
                format!("no answer to our SYN yet{}; {}", again(self.socket.retransmits()), self.ends("given up"))
            }
            Verdict::Handshaking => format!(
                "answered with a SYN-ACK{}; waits for the peer's ACK, or for its data where the listener defers; {}",
                again(self.socket.timer.count.into()),
                self.ends("given up")
            ),
            Verdict::Unaccepted => format!(
                "established, and waits for the program to accept it; {}",
                self.ends_or("a dead peer would be noticed", "a dead peer would never be noticed")
            ),
            Verdict::PeerClosed => self.peer_closed(),
            Verdict::HalfClosed => format!(
                "our program shut down writing and keeps the socket; it waits for the peer's FIN; {}",
                self.ends_or("given up", "no timer would end that")
            ),
            Verdict::Closing => self.closing(),
            Verdict::TimeWait => format!("over; the port {}", self.ends("is free")),
            Verdict::Listening => match self.socket.queues {
                Queues::Accept { length, max: Some(max) } => {
                    format!("listens; {length} of {} connections wait to be accepted", u64::from(max) + 1)
                }
                Queues::Accept { length, .. } => format!("listens; {length} connections wait to be accepted"),
                Queues::Bytes { .. } | Queues::None => "listens".to_owned(),
            },
            Verdict::Bound => "bound to a port, neither listening nor connected".to_owned(),
        }
    }

    fn probing(&self) -> String {
        let unanswered = self.socket.probes_out();
        let of = match (self.keepalive.probes, self.keepalive.user_timeout_ms) {
            (Some(probes), Some(0)) => format!("{unanswered} of {probes} keepalive probes"),
            _ => format!("{unanswered} keepalive probe{}", plural(unanswered)),
        };
        format!("{of} unanswered; peer silent for {}; {}", self.silence(), self.ends("reset"))
    }

    fn stalled(&self) -> String {
        let waits = match self.socket.queues {
            Queues::Bytes { send, .. } => format!("{send} bytes wait"),
            Queues::Accept { .. } | Queues::None => "data waits".to_owned(),
        };
        let end = match self.liveness.deadline.bound {
            Bound::Never => "a peer that keeps answering can hold this for ever".to_owned(),
            _ => self.ends("if it falls silent, given up"),
        };
        format!("the peer is there and reads nothing: its window is zero and {waits}; {end}")
    }

    fn peer_closed(&self) -> String {
        let age = self.socket.idle_ms().map(|age| format!(" at least {} ago", duration(age)));
        if self.socket.inode.is_none() {
            let age = age.unwrap_or_default();
            return format!("the peer closed{age}, before our program accepted it; it waits in the accept queue");
        }
        let mut text = format!(
            "the peer closed{}; our program has not, and keeps the descriptor until it does",
            age.unwrap_or_default()
        );
        if self.liveness.deadline.bound != Bound::Never {
            // Writing to a String cannot fail.
            let _ = write!(text, "; the kernel {}", self.ends("gives up the connection"));
        }
        text
    }

    fn closing(&self) -> String {
        let waits = match (self.socket.state, self.socket.timer.kind) {
            (TcpState::FinWait2, _) => "our side has closed and waits for the peer's FIN".to_owned(),
            (_, TimerKind::ZeroWindowProbe) => {
                "our side has closed, and what it sent waits for the peer's window to open".to_owned()
            }
            _ => match self.socket.retransmits() {
                0 => "our side has closed and waits for the peer to confirm".to_owned(),
                count => {
                    format!("our side has closed; its FIN or data was retransmitted {} without an answer", times(count))
                }
            },
        };
        format!("{waits}; {}", self.ends("given up"))
    }

    /// What comes of it if nothing more is heard.
    fn silence_ends(&self) -> String {
        let deadline = self.liveness.deadline;
        if deadline.bound == Bound::Never {
            return "nothing, for ever: no timer would end it".to_owned();
        }
        // What ICMP said of the path is kept by the kernel, which does not show it.
        let error = match deadline.mechanism {
            Mechanism::Keepalive | Mechanism::UserTimeout => "ETIMEDOUT",
            _ => "ETIMEDOUT; EHOSTUNREACH or ENETUNREACH if ICMP said so meanwhile",
        };
        self.ends(&format!("{error},"))
    }

    /// "keepalive (60s/10s/6) would notice a dead peer in 1m 54s"
    fn noticed(&self, by: &str) -> String {
        let values = super::keepalive::summary(self.keepalive).filter(|text| by == "keepalive" && text != "on?");
        let values = values.map(|text| format!(" ({text})")).unwrap_or_default();
        format!("{by}{values} {}", self.ends("would notice a dead peer"))
    }

    /// What happens, and when.
    fn ends(&self, what: &str) -> String {
        self.ends_or(what, "no timer would end it")
    }

    fn ends_or(&self, what: &str, never: &str) -> String {
        let deadline = self.liveness.deadline;
        match (deadline.ms, deadline.bound) {
            (Some(ms), Bound::Exact) => format!("{what} in {}", duration(ms)),
            (Some(ms), Bound::AtMost) => format!("{what} within {}", duration(ms)),
            (Some(ms), Bound::AtLeast) => format!("{what} in {} or later", duration(ms)),
            _ => never.to_owned(),
        }
    }

    /// What is likely where the options could not be read.
    fn assumption(&self, sentence: &mut String) {
        let Some(ms) = self.liveness.assumed_ms.filter(|ms| Some(*ms) > self.liveness.deadline.ms) else { return };
        // Writing to a String cannot fail.
        let _ = write!(sentence, " (in {} if what is not known is as the namespace's sysctls have it)", duration(ms));
    }

    fn silence(&self) -> String {
        self.socket.idle_ms().map_or_else(|| "an unknown time".to_owned(), duration)
    }
}

fn again(count: u64) -> String {
    if count == 0 { String::new() } else { format!(", retransmitted {}", times(count)) }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
