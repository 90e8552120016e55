//! Columns of connections and listeners: those of `ls`, and how the counters have moved since the snapshot before.

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

/// Sockets as successive snapshots show them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MovingSockets {}

/// A row of the snapshot, and how it has moved since the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MovingRow<'a> {
    /// The row
    pub row: &'a Row<'a>,
    /// How it has moved
    pub motion: &'a Motion,
}

/// How a column takes its value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MovingGet {
    /// As a column of `ls` does
    Field(Get),
    /// From the row and how it has moved
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

/// What the view of listeners shows: the columns of `ls -l`, with the queue as a bar and the drops as a rate.
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

/// The columns that say which socket a row is, whatever columns are shown.
pub(crate) const TELLING: &[ColumnId] =
    &[ColumnId::Netns, ColumnId::State, ColumnId::Local, ColumnId::Peer, ColumnId::Process];

/// Columns of connections.
pub(crate) static CONNECTIONS: LazyLock<Vec<Column<MovingSockets>>> = LazyLock::new(|| {
    let mut columns = fields();
    columns.extend([
        moving(ColumnId::SentRate, 60, "bytes that the peer acknowledged, per second since the last look", |of| {
            Value::number(of.motion.sent_per_s)
        })
        .unit(Unit::BytesPerSecond),
        moving(ColumnId::RecvRate, 60, "bytes that came in order, per second since the last look", |of| {
            Value::number(of.motion.received_per_s)
        })
        .unit(Unit::BytesPerSecond),
    ]);
    columns
});

/// Columns of listeners.
pub(crate) static LISTENERS: LazyLock<Vec<Column<MovingSockets>>> = LazyLock::new(|| {
    let mut columns = fields();
    for column in &mut columns {
        // Connections that are lost matter more here than how the listener is set.
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
        moving(ColumnId::DropRate, 93, "connection attempts dropped, per second since the last look", |of| {
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

/// One more than the backlog fits.
fn queue_used<'a>(of: &MovingRow<'a>) -> Value<'a> {
    const CELLS: usize = 8;
    match of.row.socket.queues {
        Queues::Accept { length, max: Some(max) } => Value::Word(bar(length.into(), u64::from(max) + 1, CELLS).into()),
        _ => Value::Absent,
    }
}
