//! Identity of columns. Each has one name, which is typed, printed above the cells and written in the configuration;
//! the code uses the id. If several kinds of rows have a column of one name (`process` of connections, groups and
//! changes), it is one id.

use std::sync::LazyLock;

use super::value::Unit;
use crate::model::tcp_info::{FIELDS, Field};

macro_rules! column_ids {
    ($($id:ident $name:literal,)*) => {
        /// Identity of a column of any kind of rows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum ColumnId {
            $(#[doc = $name] $id,)*
            /// A field of tcp_info
            Info(Field),
        }

        impl ColumnId {
            /// Name as typed.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)*
                    Self::Info(field) => INFO.get(field as usize).map_or("", |(name, _)| name),
                }
            }
        }
    };
}

column_ids! {
    // Sockets
    State "state",
    Netns "netns",
    Family "family",
    Local "local",
    Peer "peer",
    LocalAddr "local-addr",
    LocalPort "local-port",
    PeerAddr "peer-addr",
    PeerPort "peer-port",
    Interface "interface",
    TakenAt "taken-at",
    Verdict "verdict",
    DeadIn "dead-in",
    Bound "bound",
    Mechanism "mechanism",
    Reason "reason",
    Idle "idle",
    Silent "silent",
    LastSent "last-sent",
    CloseWaitAge "close-wait-age",
    Keepalive "keepalive",
    Keepidle "keepidle",
    Keepintvl "keepintvl",
    Keepcnt "keepcnt",
    UserTimeout "user-timeout",
    KeepaliveSource "keepalive-source",
    KeepaliveUnknown "keepalive-unknown",
    Syncnt "syncnt",
    RtoMax "rto-max",
    Linger "linger",
    Linger2 "linger2",
    DeferAccept "defer-accept",
    Nodelay "nodelay",
    SndbufLocked "sndbuf-locked",
    RcvbufLocked "rcvbuf-locked",
    Timer "timer",
    Expires "expires",
    Tries "tries",
    RecvQ "recv-q",
    SendQ "send-q",
    AcceptQ "accept-q",
    Backlog "backlog",
    Drops "drops",
    Process "process",
    Pid "pid",
    Comm "comm",
    Exe "exe",
    Unit "unit",
    Container "container",
    Fd "fd",
    Holder "holder",
    User "user",
    Uid "uid",
    Inode "inode",
    Cookie "cookie",
    Cgroup "cgroup",
    Cc "cc",
    Ulp "ulp",
    Shutdown "shutdown",
    Tos "tos",
    Tclass "tclass",
    Mark "mark",
    Rcvbuf "rcvbuf",
    Sndbuf "sndbuf",
    Rmem "rmem",
    Wmem "wmem",
    // Sockets, compared with the previous snapshot
    SentRate "sent-rate",
    RecvRate "recv-rate",
    QueueUsed "queue-used",
    Somaxconn "somaxconn",
    DropRate "drop-rate",
    // Peers and processes
    Way "way",
    Conns "conns",
    Estab "estab",
    Unguarded "unguarded",
    Guarded "guarded",
    Stalled "stalled",
    CloseWait "close-wait",
    TimeWait "time-wait",
    Others "others",
    Sent "sent",
    Received "received",
    Ports "ports",
    Available "available",
    Used "used",
    TwShare "tw-share",
    From "from",
    Filter "filter",
    Listeners "listeners",
    CwGrowth "cw-growth",
    Fds "fds",
    Limit "limit",
    FdsUsed "fds-used",
    // Kernel values
    Name "name",
    Value "value",
    Rate "rate",
    MeanRate "mean-rate",
    Default "default",
    Kind "kind",
    Scope "scope",
    Meaning "meaning",
    // Changes
    Time "time",
    Event "event",
    Lifetime "lifetime",
    Why "why",
}

/// Name and unit of each field of tcp_info, derived from its key.
static INFO: LazyLock<Vec<(String, Unit)>> = LazyLock::new(|| FIELDS.iter().map(|spec| named(spec.key)).collect());

fn named(key: &str) -> (String, Unit) {
    // delivered_ce counts segments and delivered_ce_bytes bytes, so the unit has to stay in the name.
    let (name, unit) = match Unit::split(key) {
        (name, unit) if FIELDS.iter().any(|other| other.key == name && other.key != key) => (key, unit),
        (name, Unit::None) if name.starts_with("bytes_") => (name, Unit::Bytes),
        split => split,
    };
    (name.replace('_', "-"), unit)
}

/// The unit of a field of tcp_info.
pub(super) fn info_unit(field: Field) -> Unit {
    INFO.get(field as usize).map_or(Unit::None, |(_, unit)| *unit)
}
