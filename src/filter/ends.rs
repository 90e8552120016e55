//! Conditions on the ends of a connection: addresses, ports, and the interface that the local end is bound to.

use std::ops::Range;

use super::error::Wrong;
use super::host::{HostPattern, host, port};
use super::lexer::Symbol;
use super::non_empty::NonEmpty;
use super::operands::{Comparison, Operand, any_of, comparison, is, like, operands, unless, value};
use super::parser::Parser;
use super::tree::{Condition, Device, End, Expr};
use super::value::c_number;
use crate::fields::id::ColumnId;
use crate::model::address::Side;

/// Condition on an end: `src`, `dst`, and columns of ends.
pub(super) fn end(parser: &mut Parser<'_>, side: Side) -> Result<Expr, Wrong> {
    const WHAT: &str = "an address, such as 10.0.0.5, 10.0.0.0/8:443 or [::1]:80";
    match comparison(parser) {
        Comparison::Among { negated, listed } => {
            let any = any_of(operands(parser, listed, WHAT)?, |text, place| host_condition(parser, text, place, side));
            any.map(|any| unless(negated, any))
        }
        Comparison::Ordered(order) => Err((
            parser.last_place(),
            format!("addresses have no order; compare the port: {} {} 1024", port_word(side), order.symbol()),
        )),
        Comparison::Like { negated } => {
            like(parser, if side == Side::Local { ColumnId::Local } else { ColumnId::Peer }, negated)
        }
    }
}

/// Condition on a port: `sport`, `dport`, and columns of ports.
pub(super) fn ports(parser: &mut Parser<'_>, side: Side) -> Result<Expr, Wrong> {
    const WHAT: &str = "a port, such as 443, :443 or https";
    match comparison(parser) {
        Comparison::Among { negated, listed } => {
            let is_list = listed || parser.is_at(Symbol::OpenList);
            let operands = operands(parser, listed, WHAT)?;
            let ports = if is_list { port_list(parser, &operands, side) } else { one_port(parser, operands, side) };
            ports.map(|ports| unless(negated, ports))
        }
        Comparison::Ordered(order) => {
            let (text, place) = value(parser, WHAT)?;
            let port = any_port(parser, &text, &place)?;
            let port = port.ok_or_else(|| (place, format!("'{text}' is every port; {} needs one", order.symbol())))?;
            Ok(is(Condition::Port(side, order, port)))
        }
        Comparison::Like { .. } => {
            Err((parser.last_place(), format!("a port is a number; write {} in {{80, 8000-8999}}", port_word(side))))
        }
    }
}

fn port_word(side: Side) -> &'static str {
    match side {
        Side::Local => "sport",
        Side::Peer => "dport",
    }
}

fn any_port(parser: &mut Parser<'_>, text: &str, place: &Range<usize>) -> Result<Option<u16>, Wrong> {
    let (port, family) = port(text, parser.names).map_err(|why| (place.clone(), why))?;
    parser.family = family.or(parser.family);
    Ok(port)
}

fn one_port(parser: &mut Parser<'_>, operands: NonEmpty<Operand>, side: Side) -> Result<Expr, Wrong> {
    any_of(operands, |text, place| {
        let port = any_port(parser, text, &place)?;
        Ok(is(Condition::End(side, End { prefix: None, port })))
    })
}

/// Condition on a list of ports and port ranges. The name of a service may contain a dash too.
fn port_list(parser: &mut Parser<'_>, operands: &NonEmpty<Operand>, side: Side) -> Result<Expr, Wrong> {
    let mut ranges = Vec::new();
    for (text, place) in operands.iter() {
        let place = place.clone();
        let parts = text.split_once('-').filter(|(from, to)| !from.is_empty() && !to.is_empty());
        let range = match (any_port(parser, text, &place), parts) {
            (Ok(Some(port)), _) => (port, port),
            (Ok(None), _) => (0, u16::MAX),
            (Err(wrong), None) => return Err(wrong),
            (Err(_), Some((from, to))) => {
                let no_end = |end: &str| (place.clone(), format!("'{end}' is no end of a range"));
                let from = any_port(parser, from, &place)?.ok_or_else(|| no_end(from))?;
                (from, any_port(parser, to, &place)?.ok_or_else(|| no_end(to))?)
            }
        };
        if range.0 > range.1 {
            return Err((place, format!("the range '{text}' is empty: {} is less than {}", range.1, range.0)));
        }
        ranges.push(range);
    }
    Ok(is(Condition::Ports(side, ranges)))
}

/// Condition on the interface: `dev`, and its column.
pub(super) fn device(parser: &mut Parser<'_>) -> Result<Expr, Wrong> {
    match comparison(parser) {
        Comparison::Among { negated, listed } => {
            let any = any_of(operands(parser, listed, "an interface, such as eth0")?, |text, _| {
                let is_none = text.eq_ignore_ascii_case("none") || c_number(text) == Some(0);
                Ok(is(Condition::Device(if is_none { Device::None } else { Device::Name(text.to_owned()) })))
            });
            any.map(|any| unless(negated, any))
        }
        Comparison::Ordered(_) => Err((parser.last_place(), "interfaces have no order; write dev = eth0".to_owned())),
        Comparison::Like { negated } => like(parser, ColumnId::Interface, negated),
    }
}

pub(super) fn host_condition(
    parser: &mut Parser<'_>,
    text: &str,
    place: Range<usize>,
    side: Side,
) -> Result<Expr, Wrong> {
    let host = host(text, parser.names).map_err(|why| (place, why))?;
    Ok(from_host(parser, host, side))
}

pub(super) fn from_host(parser: &mut Parser<'_>, host: HostPattern, side: Side) -> Expr {
    parser.family = host.family.or(parser.family);
    let mut ends = host.ends.into_iter().map(|end| is(Condition::End(side, end)));
    let first = ends.next().unwrap_or(is(Condition::End(side, End::default())));
    let any = ends.fold(first, Expr::or);
    match host.device {
        Some(device) => any.and(is(Condition::Device(Device::Name(device)))),
        None => any,
    }
}
