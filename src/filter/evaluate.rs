//! Whether a row matches a filter. A value that is unknown or absent matches no comparison, and so matches its
//! negation.

use std::net::{IpAddr, Ipv6Addr};

use super::non_empty::NonEmpty;
use super::pattern::Pattern;
use super::tree::{Condition, Device, End, Expr, Item, OrderSign, Prefix, Test};
use super::value::scale;
use crate::fields::column::Kind;
use crate::fields::socket::SocketColumn;
use crate::fields::value::Value;
use crate::model::address::{Endpoint, Side};
use crate::model::holder::Holder;
use crate::model::liveness::Bound;
use crate::model::namespace::Namespace;
use crate::model::needs::Needs;
use crate::model::owner::of_label;
use crate::model::row::Row;
use crate::model::socket::Socket;
use crate::model::sysctl::{Sysctl, SysctlValue};
use crate::text;

/// Evaluates by the data that is `known` of the row so far; `None` if that does not suffice.
pub(super) fn holds(expr: &Expr, row: &Row<'_>, known: Needs) -> Option<bool> {
    match expr {
        Expr::All(parts) => decided(parts, row, known, false),
        Expr::Any(parts) => decided(parts, row, known, true),
        Expr::Not(inner) => holds(inner, row, known).map(|holds| !holds),
        Expr::Is(condition) => known.contains(condition.needs()).then(|| is(condition, row)),
    }
}

/// The result, if it is the same for every row; `None` if it depends on the row.
pub(super) fn constant(expr: &Expr) -> Option<bool> {
    let any = |parts: &NonEmpty<Expr>, enough: bool| {
        let constants: Vec<_> = parts.iter().map(constant).collect();
        if constants.contains(&Some(enough)) {
            return Some(enough);
        }
        constants.iter().all(|constant| *constant == Some(!enough)).then_some(!enough)
    };
    match expr {
        Expr::All(parts) => any(parts, false),
        Expr::Any(parts) => any(parts, true),
        Expr::Not(inner) => constant(inner).map(|constant| !constant),
        Expr::Is(condition) => match condition {
            Condition::End(_, End { prefix: None, port: None })
            | Condition::Port(_, OrderSign::AtLeast, 0)
            | Condition::Port(_, OrderSign::AtMost, u16::MAX) => Some(true),
            Condition::Ports(_, ranges) => ranges.contains(&(0, u16::MAX)).then_some(true),
            _ => None,
        },
    }
}

/// Result of several parts. One part that is `enough` decides; else all of them have to be known.
fn decided(parts: &NonEmpty<Expr>, row: &Row<'_>, known: Needs, enough: bool) -> Option<bool> {
    let mut result = Some(!enough);
    for part in parts.iter() {
        match holds(part, row, known) {
            Some(holds) if holds == enough => return Some(enough),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

fn is(condition: &Condition, row: &Row<'_>) -> bool {
    let socket = row.socket;
    match condition {
        Condition::States(states) => states.contains(socket.state),
        Condition::Family(family) => socket.family == *family,
        Condition::End(side, end) => is_end(at(socket, *side), *end),
        Condition::Port(side, order, port) => order.holds(&at(socket, *side).port, port),
        Condition::Ports(side, ranges) => {
            let port = at(socket, *side).port;
            ranges.iter().any(|(from, to)| (*from..=*to).contains(&port))
        }
        Condition::Device(Device::None) => socket.interface.is_none(),
        Condition::Device(Device::Name(name)) => {
            socket.interface.is_some_and(|index| interfaces(row.namespace, name).any(|wanted| wanted == index))
        }
        Condition::Mark { mark, mask } => socket.attributes.class.mark.is_some_and(|known| known & mask == *mark),
        Condition::Cgroup(path) => row.cgroup == Some(path),
        Condition::Autobound => is_ephemeral(row),
        Condition::Loopback => {
            [Side::Local, Side::Peer].map(|side| at(socket, side).addr.to_canonical().is_loopback()).contains(&true)
        }
        Condition::Text(pattern) => is_found(pattern, row),
        Condition::Column(column, test) => passes(column, test, row),
    }
}

fn at(socket: &Socket, side: Side) -> Endpoint {
    match side {
        Side::Local => socket.local,
        Side::Peer => socket.remote,
    }
}

fn is_end(at: Endpoint, end: End) -> bool {
    end.port.is_none_or(|port| port == at.port) && end.prefix.is_none_or(|prefix| is_below(at.addr, prefix))
}

/// Compares as the kernel does (`inet_diag_bc_run`): an IPv4 prefix also matches IPv4-mapped addresses, an IPv6 prefix
/// matches addresses of IPv6 sockets only.
fn is_below(addr: IpAddr, prefix: Prefix) -> bool {
    match (addr, prefix.addr) {
        (IpAddr::V4(addr), IpAddr::V4(wanted)) => same_bits_v4(addr.into(), wanted.into(), prefix.bits),
        (IpAddr::V6(addr), IpAddr::V4(wanted)) => {
            addr.to_ipv4_mapped().is_some_and(|addr| same_bits_v4(addr.into(), wanted.into(), prefix.bits))
        }
        (IpAddr::V6(addr), IpAddr::V6(wanted)) => same_bits_v6(addr, wanted, prefix.bits),
        (IpAddr::V4(_), IpAddr::V6(_)) => false,
    }
}

fn same_bits_v4(one: u32, other: u32, bits: u8) -> bool {
    (one ^ other).leading_zeros() >= bits.into()
}

fn same_bits_v6(one: Ipv6Addr, other: Ipv6Addr, bits: u8) -> bool {
    (u128::from(one) ^ u128::from(other)).leading_zeros() >= bits.into()
}

/// Interface indexes that a name can stand for in a namespace: that of the interface with this name and, if the name is
/// a number, the number itself.
pub(super) fn interfaces<'a>(namespace: &'a Namespace, name: &'a str) -> impl Iterator<Item = u32> + 'a {
    let named = namespace.interfaces.iter().filter(move |(_, known)| known == name).map(|(index, _)| *index);
    named.chain(name.parse())
}

/// Whether the local port is ephemeral. The kernel does not report whether it chose the port or the program did; ss
/// decides by the range too.
fn is_ephemeral(row: &Row<'_>) -> bool {
    match row.namespace.sysctls.get(Sysctl::LocalPortRange) {
        Some(SysctlValue::Numbers(range)) => {
            matches!(range[..], [from, to] if (from..=to).contains(&row.socket.local.port.into()))
        }
        _ => false,
    }
}

fn is_found(pattern: &Pattern, row: &Row<'_>) -> bool {
    let in_end = |end: Endpoint, device| end.port != 0 && pattern.is_in(&text::endpoint(end.addr, device, end.port));
    let in_process = || {
        row.holder.owners().into_iter().flat_map(|owners| owners.processes()).any(|process| {
            pattern.is_in(&format!("{}[{}]", process.comm, process.pid))
                || process.unit.as_deref().is_some_and(|unit| pattern.is_in(unit))
        })
    };
    in_end(row.socket.local, row.interface) || in_end(row.socket.remote, row.interface) || in_process()
}

fn passes(column: &SocketColumn, test: &Test, row: &Row<'_>) -> bool {
    match test {
        Test::Among(items) => items.iter().any(|item| has(column, item, row)),
        Test::Ordered(order, wanted) => {
            column.any(row, |value| number(&value, column).is_some_and(|number| order.holds(&number, wanted)))
        }
        Test::Like(pattern) => {
            let is_in = |value: Value<'_>| match &value {
                Value::Absent => false,
                Value::Name(name) => pattern.is_in(name),
                value => pattern.is_in(&value.plain()),
            };
            // A cell shows a process by its label, in which the name may be escaped.
            column.any_cell(row, is_in) || column.any(row, is_in)
        }
    }
}

fn has(column: &SocketColumn, item: &Item, row: &Row<'_>) -> bool {
    let any_number = |is: &dyn Fn(u64) -> bool| column.any(row, |value| number(&value, column).is_some_and(is));
    match item {
        Item::Number(wanted) => any_number(&|number| number == *wanted),
        Item::Range(from, to) => any_number(&|number| (*from..=*to).contains(&number)),
        Item::Never => column.any(row, |value| matches!(value, Value::Bounded { bound: Bound::Never, .. })),
        Item::Nothing => is_settled(column, row.holder) && !column.any(row, |value| !is_absent(&value)),
        Item::Text(wanted) => match column.kind {
            Kind::Word(_) => is_text(&column.word_of(row), wanted),
            Kind::Short(stands_for) => {
                column.any(row, |value| matches!(value, Value::Name(name) if stands_for(wanted, &name)))
            }
            // A process in the form of a cell: nginx[812].
            _ if wanted.ends_with(']') && column.any_cell(row, |value| is_shown(&value, wanted)) => true,
            _ => column.any(row, |value| is_text(&value, wanted)),
        },
    }
}

fn is_text(value: &Value<'_>, wanted: &str) -> bool {
    match value {
        Value::Name(name) => name == wanted,
        Value::State(state) => state.word() == wanted,
        Value::Verdict(verdict) => verdict.name() == wanted,
        Value::Word(word) => word == wanted,
        Value::Time(_) => value.plain() == wanted,
        _ => false,
    }
}

/// Whether a cell shows `wanted`, or would show it if names of processes were not escaped.
fn is_shown(value: &Value<'_>, wanted: &str) -> bool {
    let is_label = |text: &str| of_label(text).is_some_and(|(comm, pid)| format!("{comm}[{pid}]") == wanted);
    is_text(value, wanted) || matches!(value, Value::Name(name) if name.contains('\\') && is_label(name))
}

/// Whether the lack of an owner is certain, for columns that depend on owners.
fn is_settled(column: &SocketColumn, holder: Holder<'_>) -> bool {
    !(matches!(holder, Holder::Hidden) && column.needs.contains(Needs::OWNERS))
}

fn is_absent(value: &Value<'_>) -> bool {
    match value {
        Value::Absent => true,
        Value::Bounded { ms: None, bound } => *bound != Bound::Never,
        _ => false,
    }
}

/// A value in the smallest unit of its kind. Never is later than any time.
fn number(value: &Value<'_>, column: &SocketColumn) -> Option<u64> {
    match value {
        Value::Number(number) | Value::Bounded { ms: Some(number), .. } => {
            Some(number.saturating_mul(scale(column.unit)))
        }
        Value::Bounded { ms: None, bound: Bound::Never } => Some(u64::MAX),
        Value::Word(digits) if matches!(column.kind, Kind::Hexadecimal) => u64::from_str_radix(digits, 16).ok(),
        _ => None,
    }
}
