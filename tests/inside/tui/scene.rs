//! Test scene: snapshots of made-up sockets, and keys.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use crate::filter::Names;
use crate::model::address::{Cookie, Endpoint, Family, NetnsId};
use crate::model::counters::{Counters, SockStat};
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::holder::Holder;
use crate::model::ids::{Fd, Inode, Pid};
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Bound, Deadline, Liveness, Mechanism, Verdict};
use crate::model::namespace::{Namespace, Source};
use crate::model::owner::{Holding, OpenDescriptors, OwnerTable, Process};
use crate::model::routes::Routes;
use crate::model::row::{Judged, Row};
use crate::model::snapshot::{Head, Host, Sink, Summary, Tail};
use crate::model::socket::{Attributes, Queues, Socket, SocketId};
use crate::model::state::TcpState;
use crate::model::sysctl::{Format, SysctlValue, Sysctls};
use crate::model::time::Millis;
use crate::model::timer::Timer;
use crate::track::frame::{Frame, FrameBuilder};
use crate::track::query::Query;
use crate::track::tracker::{DestroyEvent, Tracker};
use crate::track::views::View;
use crate::tui::action::{Effect, Event};
use crate::tui::state::{Setup, State};
use crate::tui::update::update;
use crate::tui::view::draw;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

pub(crate) struct NoNames;

impl Names for NoNames {}

/// One made-up socket.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) cookie: u64,
    pub(crate) netns: u64,
    pub(crate) state: TcpState,
    pub(crate) verdict: Verdict,
    pub(crate) local: u16,
    pub(crate) remote: (u8, u16),
    pub(crate) pid: u32,
}

pub(crate) const fn made(cookie: u64, state: TcpState, verdict: Verdict) -> Made {
    Made { cookie, netns: 1, state, verdict, local: 40_000 + cookie as u16, remote: (5, 5432), pid: 812 }
}

pub(crate) const BUSY: [Made; 7] = [
    made(1, TcpState::Established, Verdict::Active),
    made(2, TcpState::CloseWait, Verdict::PeerClosed),
    made(3, TcpState::Established, Verdict::Probing),
    Made { pid: 0, ..made(4, TcpState::TimeWait, Verdict::TimeWait) },
    Made { local: 443, remote: (0, 0), pid: 900, ..made(5, TcpState::Listen, Verdict::Listening) },
    Made { local: 443, remote: (77, 51_000), pid: 900, ..made(6, TcpState::Established, Verdict::Unguarded) },
    Made { local: 443, remote: (77, 51_001), pid: 900, ..made(7, TcpState::Established, Verdict::Guarded) },
];

pub(crate) fn namespace(id: u64) -> Namespace {
    let sysctls = Sysctls::read_with(|spec| match spec.format {
        Format::Number => spec.default.parse().ok().map(SysctlValue::Number),
        Format::Numbers => {
            let numbers: Result<Vec<_>, _> = spec.default.split(' ').map(str::parse).collect();
            numbers.ok().map(SysctlValue::Numbers)
        }
        Format::Text => Some(SysctlValue::Text(String::new())),
    });
    Namespace {
        id: NetnsId(id),
        name: ["", "host", "web", "db"].get(id as usize).map_or_else(|| id.to_string(), |name| (*name).to_owned()),
        source: Source::SockDiag,
        sysctls,
        sockstat: SockStat::default(),
        counters: Counters {
            tcp: vec![("ActiveOpens".to_owned(), 100)],
            tcp_ext: vec![("ListenDrops".to_owned(), 3), ("TCPKeepAlive".to_owned(), 7)],
        },
        routes: Routes::default(),
        hides_mptcp: false,
        interfaces: Vec::new(),
    }
}

/// A process that calls itself as sockets without a process are called.
pub(crate) const IMPOSTOR: u32 = 666;

fn process(pid: u32) -> Process {
    let comm = match pid {
        812 => "api",
        IMPOSTOR => "(minisocket)",
        _ => "nginx",
    };
    Process {
        pid: Pid(pid),
        label: format!("{comm}[{pid}]"),
        comm: comm.to_owned(),
        exe: None,
        uid: Some(0),
        user: None,
        cgroup: None,
        unit: Some("web.service".to_owned()),
        container: None,
        descriptors: Some(OpenDescriptors { open: 900, limit: Some(1024) }),
    }
}

/// The dashboard, with the worker's tracker.
pub(crate) struct Scene {
    pub(crate) state: State,
    pub(crate) tracker: Tracker,
    pub(crate) at: Duration,
    pub(crate) namespaces: u64,
    pub(crate) gaps: Gaps,
    pub(crate) destroy_events: Vec<DestroyEvent>,
}

impl Scene {
    /// Scene before the first snapshot.
    pub(crate) fn new(size: (u16, u16)) -> Self {
        let wanted = Query::new(View::Connections);
        let state = State::new(wanted, Vec::new(), Duration::from_secs(1), size, Setup::default());
        Self {
            state,
            tracker: Tracker::new(|_| "12:00:00.000".to_owned()),
            at: Duration::ZERO,
            namespaces: 1,
            gaps: Gaps::default(),
            destroy_events: Vec::new(),
        }
    }

    /// Scene after a snapshot of a busy host.
    pub(crate) fn busy(size: (u16, u16)) -> Self {
        let mut scene = Self::new(size);
        scene.look(&BUSY);
        scene
    }

    /// Frame of a snapshot one second later.
    pub(crate) fn frame(&mut self, rows: &[Made]) -> Box<Frame> {
        self.at += Duration::from_secs(1);
        let namespaces: Vec<_> = (1..=self.namespaces).map(namespace).collect();
        let mut builder = FrameBuilder::new(self.state.query.clone(), &mut self.tracker, self.at);
        let host = Host { hostname: "web-1".to_owned(), kernel: "6.18".to_owned() };
        let head = Head { taken_at: SystemTime::UNIX_EPOCH, host, namespaces: namespaces.clone() };
        builder.head(&head).unwrap();
        for made in rows {
            push(&mut builder, &namespaces, *made);
        }
        let tail = Tail { summary: Summary::default(), gaps: self.gaps.clone(), elapsed: Duration::from_millis(2) };
        let mut frame = builder.finish(tail, std::mem::take(&mut self.destroy_events));
        frame.rest = Duration::from_secs(1);
        Box::new(frame)
    }

    /// Takes a snapshot and shows it.
    pub(crate) fn look(&mut self, rows: &[Made]) -> Vec<Effect> {
        let frame = self.frame(rows);
        self.happen(Event::Frame(frame))
    }

    pub(crate) fn happen(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = update(&mut self.state, event, &NoNames);
        effects.extend(update(&mut self.state, Event::Settled, &NoNames));
        effects
    }

    /// Sends inputs that arrive together.
    pub(crate) fn burst(&mut self, inputs: impl IntoIterator<Item = Input>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for input in inputs {
            effects.extend(update(&mut self.state, Event::Input(input), &NoNames));
        }
        effects.extend(update(&mut self.state, Event::Settled, &NoNames));
        effects
    }

    pub(crate) fn press(&mut self, code: KeyCode) -> Vec<Effect> {
        self.happen(Event::Drawn);
        self.happen(Event::Input(Input::Key(KeyEvent::new(code, KeyModifiers::NONE))))
    }

    /// Presses the keys of a text.
    pub(crate) fn keys(&mut self, text: &str) -> Vec<Effect> {
        text.chars().flat_map(|character| self.press(KeyCode::Char(character))).collect()
    }

    pub(crate) fn click(&mut self, column: u16, row: u16) -> Vec<Effect> {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.happen(Event::Input(Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })))
    }

    pub(crate) fn terminal(&self) -> Terminal<TestBackend> {
        let mut terminal =
            Terminal::new(TestBackend::new(self.state.display.size.0, self.state.display.size.1)).unwrap();
        terminal.draw(|frame| draw(&self.state, frame)).unwrap();
        terminal
    }

    pub(crate) fn drawn(&self) -> String {
        self.terminal().backend().to_string()
    }

    /// Cookies of the rows.
    pub(crate) fn rows(&self) -> Vec<u64> {
        let table = self.state.table().unwrap();
        (0..table.len()).map(|row| table.id(row).unwrap().key).collect()
    }

    /// The cookie of the selected row.
    pub(crate) fn selected(&self) -> u64 {
        self.state.cursor.selected.unwrap().key
    }
}

pub(crate) fn id(cookie: u64) -> SocketId {
    SocketId { netns: NetnsId(1), cookie: Some(Cookie(cookie)) }
}

pub(crate) fn socket(made: Made) -> Socket {
    let ten = |last, port| Endpoint { addr: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port };
    let is_listener = made.state == TcpState::Listen;
    let remote = if is_listener {
        Endpoint { addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 }
    } else {
        ten(made.remote.0, made.remote.1)
    };
    Socket {
        id: SocketId { netns: NetnsId(made.netns), cookie: Some(Cookie(made.cookie)) },
        family: Family::Ipv4,
        state: made.state,
        local: ten(9, made.local),
        remote,
        interface: None,
        uid: Some(0),
        inode: (made.pid > 0).then_some(Inode(made.cookie as u32)),
        queues: if is_listener {
            // A listener has no peer, so the unused peer port makes the number.
            Queues::Accept { length: 3 + u32::from(made.remote.1), max: Some(128) }
        } else {
            Queues::Bytes { recv: 12, send: 0 }
        },
        timer: Timer::OFF,
        attributes: Attributes::default(),
    }
}

fn push(builder: &mut FrameBuilder<'_>, namespaces: &[Namespace], made: Made) {
    let socket = socket(made);
    let bound = if made.verdict == Verdict::Unguarded { Bound::Never } else { Bound::Exact };
    let after = (bound == Bound::Exact).then_some(Millis::new(46_900));
    let deadline = Deadline { after, bound, mechanism: Mechanism::Keepalive };
    let judged = Judged {
        keepalive: Keepalive::default(),
        liveness: Liveness { verdict: made.verdict, deadline, likely: None },
        doubt: None,
    };
    let inode = socket.inode.unwrap_or(Inode(0));
    let owners = OwnerTable::new(vec![process(made.pid)], vec![Holding { inode, process: 0, fd: Fd(7) }], 0);
    let namespace = namespaces.iter().find(|namespace| namespace.id.0 == made.netns).unwrap();
    let row = Row {
        taken_at: std::time::SystemTime::UNIX_EPOCH,
        socket: &socket,
        namespace,
        interface: None,
        user: Some("root"),
        cgroup: None,
        holder: if made.pid > 0 { Holder::Processes(owners.of(inode)) } else { Holder::Minisocket },
        options: None,
        judged: Some(&judged),
    };
    builder.row(&row).unwrap();
}

/// Gaps of an unprivileged user.
pub(crate) fn forbidden() -> Gaps {
    let mut gaps = Gaps::default();
    gaps.add(
        Gap::new(
            GapKind::ProcessOwners,
            "permission denied",
            Remedy::Do("run as root or grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"),
        )
        .times(12),
    );
    gaps
}
