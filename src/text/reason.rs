//! Writes the verdict as one sentence with the numbers, and the ways in which the connection can end.

use super::push_duration;
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Bound, Deadline, Liveness, Mechanism, Verdict};
use crate::model::row::Row;
use crate::model::socket::{Queues, Socket};
use crate::model::state::TcpState;
use crate::model::time::Millis;
use crate::model::timer::TimerKind;
use crate::model::unread::Unread;

/// Why the row has its verdict. Empty if it was not judged.
pub(crate) fn sentence(row: &Row<'_>) -> String {
    let mut out = Vec::new();
    write(&mut out, row);
    // All words are from this program, so the conversion cannot fail.
    String::from_utf8(out).unwrap_or_default()
}

/// Appends the sentence to `out`. Every row of a snapshot has one: by `format!`, they took longer than all other keys
/// of its JSON.
pub(crate) fn write(out: &mut Vec<u8>, row: &Row<'_>) {
    if let Some(mut sentence) = SentenceWriter::of(out, row) {
        sentence.judgement();
        sentence.assumption();
    }
}

/// The ways in which a connection can end, and what its program gets in each, the pending one first. Empty if there is
/// no connection, or no program any more.
pub(crate) fn endings(row: &Row<'_>) -> Vec<(&'static str, String)> {
    let socket = row.socket;
    let mut out = Vec::new();
    let Some(mut sentence) = SentenceWriter::of(&mut out, row) else { return Vec::new() };
    if socket.inode.is_none() || !socket.state.is_connection() {
        return Vec::new();
    }
    sentence.silence_ends();
    let mut endings = vec![("the peer stays silent", String::from_utf8(out).unwrap_or_default())];
    let mut may_also = |what, gets: &str| endings.push((what, gets.to_owned()));
    match socket.state {
        TcpState::SynSent => {
            may_also("the peer refuses", "ECONNREFUSED");
            may_also("ICMP reports an error", REPORTED);
        }
        TcpState::Established | TcpState::FinWait1 | TcpState::FinWait2 => {
            may_also("the peer closes", "read() returns 0");
            may_also("the peer resets it", "ECONNRESET, then EPIPE on write()");
        }
        TcpState::CloseWait => {
            may_also("the peer resets it", "EPIPE on write(); after a FIN read() goes on to return 0");
        }
        // The peer has closed, and so have we: read() returns 0, and SO_ERROR has the reset.
        _ => may_also("the peer resets it", "ECONNRESET; after a FIN read() goes on to return 0"),
    }
    if socket.state != TcpState::SynSent {
        may_also("the peer has rebooted", "as if it reset it, as soon as it receives our next packet");
    }
    may_also("an administrator destroys it", "ECONNABORTED");
    endings
}

/// Errors that ICMP leaves on a socket (`icmp_err_convert`, `icmpv6_err_convert`).
const REPORTED: &str =
    "EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, ENOPROTOOPT, EACCES, EOPNOTSUPP, EHOSTDOWN, ENONET, EPROTO";

struct SentenceWriter<'a> {
    out: &'a mut Vec<u8>,
    socket: &'a Socket,
    keepalive: &'a Keepalive,
    liveness: &'a Liveness,
}

impl<'a> SentenceWriter<'a> {
    fn of(out: &'a mut Vec<u8>, row: &Row<'a>) -> Option<Self> {
        let judged = row.judged?;
        Some(Self { out, socket: row.socket, keepalive: &judged.keepalive, liveness: &judged.liveness })
    }

    fn say(&mut self, words: &str) -> &mut Self {
        self.out.extend_from_slice(words.as_bytes());
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self
    }

    fn time(&mut self, time: Millis) -> &mut Self {
        push_duration(self.out, time);
        self
    }

    /// Writes how long the peer has been silent.
    fn silence(&mut self) -> &mut Self {
        match self.socket.idle() {
            Some(ms) => self.time(ms),
            None => self.say("an unknown time"),
        }
    }

    fn times(&mut self, count: u64) -> &mut Self {
        match count {
            1 => self.say("once"),
            2 => self.say("twice"),
            count => self.number(count).say(" times"),
        }
    }

    /// Writes a number of things; `one` is the singular.
    fn of_them(&mut self, count: u64, one: &str) -> &mut Self {
        self.number(count).say(one).say(if count == 1 { "" } else { "s" })
    }

    /// Writes what happens, and when.
    fn ends(&mut self, what: &str) {
        self.ends_or(what, "no timer would end it");
    }

    fn ends_or(&mut self, what: &str, never: &str) {
        let deadline = self.liveness.deadline;
        match (deadline.after, deadline.bound) {
            (Some(ms), Bound::Exact) => self.say(what).say(" in ").time(ms),
            (Some(ms), Bound::AtMost) => self.say(what).say(" within ").time(ms),
            (Some(ms), Bound::AtLeast) => self.say(what).say(" in ").time(ms).say(" or later"),
            _ => self.say(never),
        };
    }

    /// Adds the likely time, if only a bound is certain.
    fn assumption(&mut self) {
        if let Some(ms) = self.liveness.likely {
            self.say(" (most likely in ").time(ms).say(")");
        }
    }

    fn judgement(&mut self) {
        let Deadline { bound, mechanism, .. } = self.liveness.deadline;
        let is_told = !matches!(self.socket.timer.kind, TimerKind::Unknown(_) | TimerKind::NotTold);
        if is_told && (bound, mechanism) == (Bound::AtLeast, Mechanism::None) {
            let is = if self.socket.is_mptcp() { "a subflow" } else { "perhaps a subflow, which root would see," };
            self.say(is)
                .say(" of an MPTCP connection; if its program has closed that, MPTCP ends it within a minute, ");
            self.say("by a timer that cannot be read");
            self.assumption();
        } else {
            self.verdict();
        }
    }

    fn verdict(&mut self) {
        let (timer, probes, retransmits) =
            (self.socket.timer.kind, self.socket.probes_out(), self.socket.retransmits());
        match self.liveness.verdict {
            Verdict::Active => {
                self.say("heard from the peer ").silence().say(" ago; ");
                self.ends_or("a dead peer would be noticed", "a dead peer would never be noticed");
            }
            Verdict::Guarded if timer != TimerKind::Keepalive => {
                self.say("quiet for ").silence().say(", and data is on its way; retransmission ");
                self.ends("would notice a dead peer");
            }
            Verdict::Guarded => self.guarded(),
            Verdict::Unguarded => {
                self.say("quiet for ").silence();
                self.say("; keepalive is off and nothing is in flight, so a dead peer would never be noticed");
            }
            Verdict::Unknown => {
                let because = self.keepalive.unknown_because.unwrap_or(Unread::UnknownState).reason();
                self.say("quiet for ").silence().say("; whether keepalive is on is not known: ").say(because);
            }
            Verdict::Probing => self.probing(),
            Verdict::Retransmitting if timer == TimerKind::ZeroWindowProbe => {
                self.say("data could not be sent ").times(probes);
                self.say(": this host has no carrier, route or neighbour towards the peer; ").ends("given up");
            }
            Verdict::Retransmitting => {
                self.say("data retransmitted ").times(retransmits).say(" without an answer; peer silent for ");
                self.silence().say("; ").ends("given up");
            }
            Verdict::Stalled => self.stalled(),
            Verdict::SilentWindow => {
                self.of_them(probes, " zero-window probe").say(" unanswered; peer silent for ");
                self.silence().say("; ").ends("given up");
            }
            Verdict::Connecting => {
                self.say("no answer to our SYN yet").again(retransmits).say("; ").ends("given up");
            }
            Verdict::Handshaking => {
                self.say("answered with a SYN-ACK").again(retransmits);
                self.say("; waits for the peer's ACK, or for its data where the listener defers; ").ends("given up");
            }
            Verdict::Unaccepted => {
                self.say("established, and waits for the program to accept it; ");
                self.ends_or("a dead peer would be noticed", "a dead peer would never be noticed");
            }
            Verdict::PeerClosed => self.peer_closed(),
            Verdict::HalfClosed => {
                self.say("our program shut down writing and keeps the socket; it waits for the peer's FIN; ");
                self.ends_or("given up", "no timer would end that");
            }
            Verdict::Closing => self.closing(),
            Verdict::TimeWait => self.say("over; the port ").ends("is free"),
            Verdict::Listening => self.listening(),
            Verdict::Bound => drop(self.say("bound to a port, neither listening nor connected")),
        }
    }

    fn again(&mut self, count: u64) -> &mut Self {
        if count > 0 { self.say(", retransmitted ").times(count) } else { self }
    }

    /// Example: "quiet for 5m 3s; keepalive (60s/10s/6) would notice a dead peer in 1m 54s"
    fn guarded(&mut self) {
        self.say("quiet for ").silence().say("; keepalive ");
        let is_known = self.keepalive.values.idle_s.is_some()
            || self.keepalive.values.interval_s.is_some()
            || self.keepalive.values.probes.is_some();
        if let Some(values) = super::keepalive::summary(self.keepalive).filter(|_| is_known) {
            self.say("(").say(&values).say(") ");
        }
        self.ends("would notice a dead peer");
    }

    fn probing(&mut self) {
        let unanswered = self.socket.probes_out();
        match (self.keepalive.values.probes, self.keepalive.values.user_timeout_ms) {
            (Some(probes), Some(0)) => {
                self.number(unanswered).say(" of ").number(probes.into()).say(" keepalive probes")
            }
            _ => self.of_them(unanswered, " keepalive probe"),
        };
        self.say(" unanswered; peer silent for ").silence().say("; ").ends("reset");
    }

    fn stalled(&mut self) {
        self.say("the peer is there and reads nothing: its window is zero and ");
        match self.socket.queues {
            Queues::Bytes { send, .. } => self.number(send.into()).say(" bytes wait; "),
            Queues::Accept { .. } | Queues::None => self.say("data waits; "),
        };
        self.ends_or("if it falls silent, given up", "a peer that keeps answering can hold this for ever");
    }

    fn peer_closed(&mut self) {
        self.say("the peer closed");
        if let Some(age) = self.socket.idle() {
            self.say(" at least ").time(age).say(" ago");
        }
        if self.socket.inode.is_none() {
            self.say(", before our program accepted it; it waits in the accept queue");
            return;
        }
        self.say("; our program has not, and keeps the descriptor until it does");
        if self.liveness.deadline.bound != Bound::Never {
            self.say("; the kernel ").ends("gives up the connection");
        }
    }

    fn closing(&mut self) {
        match (self.socket.state, self.socket.timer.kind, self.socket.retransmits()) {
            (TcpState::FinWait2, ..) => self.say("our side has closed and waits for the peer's FIN"),
            (_, TimerKind::ZeroWindowProbe, _) => {
                self.say("our side has closed, and what it sent waits for the peer's window to open")
            }
            (.., 0) => self.say("our side has closed and waits for the peer to confirm"),
            (.., count) => {
                self.say("our side has closed; its FIN or data was retransmitted ").times(count);
                self.say(" without an answer")
            }
        };
        self.say("; ").ends("given up");
    }

    fn listening(&mut self) {
        self.say("listens");
        if let Queues::Accept { length, max } = self.socket.queues {
            self.say("; ").number(length.into());
            if let Some(max) = max {
                self.say(" of ").number(u64::from(max) + 1);
            }
            self.say(" connections wait to be accepted");
        }
    }

    /// Writes what the program gets if the peer stays silent.
    fn silence_ends(&mut self) {
        self.ends_or("ETIMEDOUT,", "nothing, for ever: no timer would end it");
        // The kernel keeps the last error of the path, or of a send that failed, until the next ACK (`sk_err_soft`), but does
        // not report it. Whatever timer ends the connection, the program gets that error (`tcp_write_err`).
        if self.liveness.deadline.after.is_some() {
            self.say("; or what ICMP or a failed send left: ").say(REPORTED).say(", EINVAL or EPERM");
        }
    }
}
