//! Columns of connections and listeners: those of `ls`, and the rates of counters since the previous snapshot.

use std::sync::LazyLock;

use crate::fields::column::{Column, RowKind};
use crate::fields::id::ColumnId;
use crate::fields::socket::{Get, Sockets};
use crate::fields::table::columns;
use crate::fields::value::{Unit, Value};
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::socket::Queues;
use crate::model::sysctl::Sysctl;
use crate::text::bar;
use crate::track::motion::Motion;

/// Row kind of sockets that are compared with the previous snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MovingSockets {}

/// A row of the snapshot, with the movement of its counters since the previous one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MovingRow<'a> {
    /// The row
    pub row: &'a Row<'a>,
    /// Movement of its counters
    pub motion: &'a Motion,
}

/// How a column reads its value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MovingGet {
    /// As the column of `ls` does
    Field(Get),
    /// From the row and the movement of its counters
    Moving(for<'a> fn(&MovingRow<'a>) -> Value<'a>),
}

impl RowKind for MovingSockets {
    type Of<'a> = MovingRow<'a>;
    type Get = MovingGet;

    fn value<'a>(get: MovingGet, of: &Self::Of<'a>) -> Value<'a> {
        match get {
            MovingGet::Field(get) => Sockets::value(get, of.row),
            MovingGet::Moving(get) => get(of),
        }
    }
}

/// Default columns of the listeners view: those of `ls -l`, with the queue as a bar and the drops as a rate.
pub(crate) const LISTENER_COLUMNS: &[ColumnId] = &[
    ColumnId::Local,
    ColumnId::QueueUsed,
    ColumnId::AcceptQ,
    ColumnId::Backlog,
    ColumnId::Somaxconn,
    ColumnId::Drops,
    ColumnId::DropRate,
    ColumnId::Keepalive,
    ColumnId::User,
    ColumnId::Process,
];

/// The columns that identify a socket. Each row has them, whatever columns are shown.
pub(crate) const TELLING: &[ColumnId] =
    &[ColumnId::Netns, ColumnId::State, ColumnId::Local, ColumnId::Peer, ColumnId::Process];

/// All columns of the connections view.
pub(crate) static CONNECTIONS: LazyLock<Vec<Column<MovingSockets>>> = LazyLock::new(|| {
    let mut columns = fields();
    columns.extend([
        moving(
            ColumnId::SentRate,
            60,
            "bytes that the peer acknowledged, per second since the previous snapshot",
            |of| Value::number(of.motion.sent_per_s),
        )
        .unit(Unit::BytesPerSecond),
        moving(ColumnId::RecvRate, 60, "bytes that came in order, per second since the previous snapshot", |of| {
            Value::number(of.motion.received_per_s)
        })
        .unit(Unit::BytesPerSecond),
    ]);
    columns
});

/// All columns of the listeners view.
pub(crate) static LISTENERS: LazyLock<Vec<Column<MovingSockets>>> = LazyLock::new(|| {
    let mut columns = fields();
    for column in &mut columns {
        // Lost connections matter more here than the settings of the listener.
        column.heading.importance = match column.id {
            ColumnId::Drops => 94,
            ColumnId::Backlog => 91,
            ColumnId::Keepalive => 38,
            _ => column.importance,
        };
    }
    columns.extend([
        Column::text(ColumnId::QueueUsed, 95, "how full the accept queue is", MovingGet::Moving(queue_used))
            .needs(MOVING),
        moving(ColumnId::Somaxconn, 60, "net.core.somaxconn: the most that listen() may ask for", |of| {
            Value::number(of.row.namespace.sysctls.number(Sysctl::Somaxconn))
        }),
        moving(ColumnId::DropRate, 93, "connection attempts dropped, per second since the previous snapshot", |of| {
            Value::number(of.motion.drops_per_s)
        }),
    ]);
    columns
});

const MOVING: Needs = Needs::INFO.union(Needs::MEMORY);

fn fields() -> Vec<Column<MovingSockets>> {
    let field = |column: &Column<Sockets>| Column {
        heading: column.heading,
        groups: column.groups,
        get: MovingGet::Field(column.get),
    };
    columns().map(field).collect()
}

fn moving(
    id: ColumnId,
    importance: u8,
    help: &'static str,
    get: for<'a> fn(&MovingRow<'a>) -> Value<'a>,
) -> Column<MovingSockets> {
    Column::number(id, importance, help, MovingGet::Moving(get)).needs(MOVING)
}

/// Fill of the accept queue as a bar. The queue holds one connection more than the backlog.
fn queue_used<'a>(of: &MovingRow<'a>) -> Value<'a> {
    const CELLS: usize = 8;
    match of.row.socket.queues {
        Queues::Accept { length, max: Some(max) } => Value::Word(bar(length.into(), u64::from(max) + 1, CELLS).into()),
        _ => Value::Absent,
    }
}
