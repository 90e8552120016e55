//! A case of the programmable path as data: how the socket comes to be, and what is done to it and to the path, when.

use std::time::Duration;

use crate::support::frame::IcmpError;
use crate::support::path::{Breach, Family};
use crate::support::relay::Passage;

/// setsockopt(2): level, name and value.
pub(crate) type Setting = (i32, i32, i32);

/// How the socket comes to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opening {
    /// We connect to the peer
    Connected,
    /// We connect with MPTCP to a peer that does not speak it
    FallenBack,
    /// The peer connects to us, and our program accepts
    Accepted,
    /// The peer connects to us, and our program does not accept
    Queued,
    /// We connect, and nothing answers
    Connecting,
    /// The peer connects to us; `others` are further listeners at the same port
    Requested { others: Vec<Vec<Setting>> },
    /// The peer sends data with its SYN (TCP Fast Open)
    FastOpen,
}

/// What is done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Write(usize),
    /// Writes until the peer's window and our send buffer are full
    Fill,
    ShutdownWrite,
    Close,
    Set(Setting),
    Sysctl(&'static str, &'static str),
    Break(Breach),
    PeerWrite(usize),
    PeerShutdown,
    /// From now on nothing passes in either direction
    Silence,
    ToPeer(Passage),
    ToUs(Passage),
    /// Each of our packets is answered by an ICMP error, and does not arrive
    Icmp(IcmpError),
    /// Each of our packets is answered by a reset, and does not arrive
    Reset,
    /// The window that the peer's packets seem to announce
    Window(u16),
}

/// A case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) class: &'static str,
    /// Scene, family and congestion control
    pub(crate) name: String,
    pub(crate) scene: String,
    pub(crate) family: Family,
    pub(crate) protocol: i32,
    pub(crate) congestion: Option<&'static str>,
    pub(crate) opening: Opening,
    pub(crate) sysctls: Vec<(&'static str, &'static str)>,
    /// Options of our socket, or of the listener
    pub(crate) settings: Vec<Setting>,
    /// Our send buffer and the peer's window are soon full
    pub(crate) has_small_buffers: bool,
    /// An interface without carrier stands beside the path
    pub(crate) has_idle_interface: bool,
    /// What is done before the socket is opened
    pub(crate) before: Vec<Act>,
    /// What is done after, by time since the first look
    pub(crate) script: Vec<(Duration, Act)>,
    /// Time between two looks
    pub(crate) every: Duration,
    /// How long the case is watched at most
    pub(crate) watched: Duration,
    /// Whether the socket outlives that time
    pub(crate) lives: bool,
    /// Whether tcpulse has all facts as root, and has to give an exact time at least once
    pub(crate) has_exact: bool,
}

impl Case {
    pub(crate) fn new(class: &'static str, name: &str, family: Family) -> Self {
        Self {
            class,
            scene: name.to_owned(),
            name: format!("{name}, {}", if family == Family::V4 { "v4" } else { "v6" }),
            family,
            protocol: libc::IPPROTO_TCP,
            congestion: None,
            opening: Opening::Connected,
            sysctls: Vec::new(),
            settings: Vec::new(),
            has_small_buffers: false,
            has_idle_interface: false,
            before: Vec::new(),
            script: Vec::new(),
            every: Duration::from_millis(700),
            watched: Duration::from_secs(100),
            lives: false,
            has_exact: false,
        }
    }

    pub(crate) fn opening(self, opening: Opening) -> Self {
        Self { opening, ..self }
    }

    pub(crate) fn congestion(self, name: &'static str) -> Self {
        Self { name: format!("{}, {name}", self.name), congestion: Some(name), ..self }
    }

    pub(crate) fn mptcp(self) -> Self {
        Self { protocol: libc::IPPROTO_MPTCP, ..self }
    }

    pub(crate) fn sysctls(mut self, sysctls: &[(&'static str, &'static str)]) -> Self {
        self.sysctls.extend(sysctls);
        self
    }

    pub(crate) fn set(mut self, settings: impl IntoIterator<Item = Setting>) -> Self {
        self.settings.extend(settings);
        self
    }

    pub(crate) fn before(mut self, act: Act) -> Self {
        self.before.push(act);
        self
    }

    /// Adds an act to the script, in milliseconds since the first look. Times must not fall.
    pub(crate) fn at(mut self, ms: u64, act: Act) -> Self {
        self.script.push((Duration::from_millis(ms), act));
        self
    }

    pub(crate) fn small_buffers(self) -> Self {
        Self { has_small_buffers: true, ..self }.set([(libc::SOL_SOCKET, libc::SO_SNDBUF, 40_000)])
    }

    pub(crate) fn every_ms(self, ms: u64) -> Self {
        Self { every: Duration::from_millis(ms), ..self }
    }

    pub(crate) fn lives(self, seconds: u64) -> Self {
        Self { watched: Duration::from_secs(seconds), lives: true, ..self }
    }

    /// It is also in the part of the cases that runs without `TCPULSE_LAB=all`.
    pub(crate) fn always(self) -> Self {
        Self { scene: self.name.clone(), ..self }
    }

    /// The sysctls that it sets, before or later.
    pub(crate) fn needed_sysctls(&self) -> impl Iterator<Item = &'static str> {
        let acts = self.before.iter().chain(self.script.iter().map(|(_, act)| act));
        let later = acts.filter_map(|act| if let Act::Sysctl(name, _) = act { Some(*name) } else { None });
        self.sysctls.iter().map(|(name, _)| *name).chain(later)
    }

    /// Whether silence alone ends it: no ICMP error comes, and this host can send.
    pub(crate) fn is_plain(&self) -> bool {
        let mut acts = self.before.iter().chain(self.script.iter().map(|(_, act)| act));
        !acts.any(|act| matches!(act, Act::Icmp(_) | Act::Reset | Act::Break(_)))
    }

    pub(crate) fn exact(self) -> Self {
        Self { has_exact: true, ..self }
    }
}
