//! Conditions: ss's own words, words alone, and comparisons. The columns' own are in `predicate`.

use std::ops::Range;

use super::error::{Wrong, did_you_mean};
use super::host::{Host, certain, host, port};
use super::lexer::{Sign, Token, tokens};
use super::lone::Lone;
use super::parser::Parser;
use super::pattern::{MOST_REGEXES, Pattern};
use super::predicate;
use super::tree::{Condition, Device, End, Expr, Order};
use super::value::c_number;
use crate::fields::column::folded;
use crate::model::address::Side;
use crate::model::state::{StateSet, TcpState};

/// Words that are no column, with what they say: ss's, and a few more.
pub(super) const KEYWORDS: &[(&str, &str)] = &[
    ("state", "state STATE…: in one of these states; several are any of them"),
    ("exclude", "exclude STATE…: in none of these states"),
    ("src", "src ADDRESS[:PORT]: the local end; a prefix (10.0.0.0/8), *:PORT and host names too"),
    ("dst", "dst ADDRESS[:PORT]: the remote end"),
    ("sport", "sport = PORT: the local port, a number or a service of /etc/services; also != < <= > >= in"),
    ("dport", "dport = PORT: the remote port"),
    ("dev", "dev = NAME: bound to this interface; dev = 0: bound to none"),
    ("fwmark", "fwmark = MARK[/MASK]: SO_MARK, which the kernel tells to CAP_NET_ADMIN only"),
    ("cgroup", "cgroup = PATH: made in this version 2 cgroup"),
    ("autobound", "the kernel chose the local port, and it lies in ip_local_port_range"),
    ("loopback", "one of the ends is a loopback address"),
    ("owner", "owner = NAME: the same as process; owner = none: no process holds it"),
];

/// Every text holds it, so nobody means it.
const NOTHING: &str = "there is nothing to search for in these quotes";

/// How two things are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// One of the values, or none of them
    Among {
        /// None of them: `!=`, `not in`
        negated: bool,
        /// They stand in braces: `in`
        listed: bool,
    },
    /// `<` and its like
    Ordered(Order),
    /// It looks like this, or not
    Like {
        /// `!~`
        negated: bool,
    },
}

/// `=`, also where it is left out.
const EQUAL: Comparison = Comparison::Among { negated: false, listed: false };

/// `state A state B exclude C` at the beginning, as ss has it: it narrows the whole filter. Followed by `and` or `or` it is
/// a condition like any other.
pub(super) fn leading_states(parser: &mut Parser<'_>) -> Result<Option<Expr>, Wrong> {
    let is_clause = matches!(parser.peek(), Some((Token::Word(word), _)) if is_clause(parser, word));
    if !is_clause {
        return Ok(None);
    }
    let set = states(parser)?;
    Ok(Some(is(Condition::States(set))))
}

/// One condition.
pub(super) fn condition(parser: &mut Parser<'_>) -> Result<Expr, Wrong> {
    let Some((token, place)) = parser.next() else {
        return Err((parser.here(), "a condition is missing".to_owned()));
    };
    match token {
        Token::Sign(Sign::Like) => pattern(parser).map(|pattern| is(Condition::Text(pattern))),
        Token::Sign(Sign::Unlike) => pattern(parser).map(|pattern| is(Condition::Text(pattern)).negated()),
        // A regular expression stands behind a tilde, which takes it.
        Token::Sign(_) | Token::Regex(_) => {
            Err((place, "a condition should stand here, such as dport = :443 or state established".to_owned()))
        }
        Token::Quoted(text) if text.is_empty() => Err((place, NOTHING.to_owned())),
        Token::Quoted(text) => Ok(is(Condition::Text(Pattern::part(&text)))),
        Token::Word(word) => word_condition(parser, &word, place),
    }
}

fn word_condition(parser: &mut Parser<'_>, word: &str, place: Range<usize>) -> Result<Expr, Wrong> {
    let lower = folded(word);
    match lower.as_str() {
        "state" | "exclude" | "excl" if comparison_ahead(parser).is_none() => {
            parser.step_back();
            Ok(is(Condition::States(states(parser)?)))
        }
        "src" => end(parser, Side::Local),
        "dst" => end(parser, Side::Peer),
        "sport" => ports(parser, Side::Local),
        "dport" => ports(parser, Side::Peer),
        "dev" => device(parser),
        "fwmark" => mark(parser),
        "cgroup" if comparison_ahead(parser).is_none() => {
            Ok(is(predicate::cgroup(&value(parser, "a cgroup's path")?.0)))
        }
        "autobound" if comparison_ahead(parser).is_none() => Ok(is(Condition::Autobound)),
        "loopback" if comparison_ahead(parser).is_none() => Ok(is(Condition::Loopback)),
        "autobound" | "loopback" => {
            Err((place, format!("'{lower}' is compared with nothing: write it alone, or 'not {lower}'")))
        }
        _ => match (comparison_ahead(parser), parser.column(word).cloned()) {
            (Some(_), Some(column)) => {
                parser.unit = predicate::typed_unit(&lower, &column);
                let of = predicate::of(parser, &column);
                parser.unit = "";
                of
            }
            (Some(_), None) => Err(parser.unknown_field(word, place)),
            (None, Some(column)) => Err((place, predicate::what_to_say(&column, next_word(parser).as_deref()))),
            (None, None) => lone_word(parser, word, place),
        },
    }
}

/// A word alone: one end of a connection or both, else something to search for.
fn lone_word(parser: &mut Parser<'_>, word: &str, place: Range<usize>) -> Result<Expr, Wrong> {
    if parser.take(Sign::Arrow) {
        let local = host_condition(parser, word, place, Side::Local)?;
        let (peer, place) = value(parser, "the remote end, such as 10.0.0.9:5432")?;
        return Ok(local.and(host_condition(parser, &peer, place, Side::Peer)?));
    }
    if let Some(states) = is_state(word).then(|| state_group(word)).flatten() {
        return Ok(is(Condition::States(states)));
    }
    if let Some(host) = certain(word) {
        return Ok(from_host(parser, host.clone(), Side::Local).or(from_host(parser, host, Side::Peer)));
    }
    let next = next_word(parser);
    parser.lone.push(Lone { word: word.to_owned(), next });
    Ok(is(Condition::Text(Pattern::part(word))))
}

/// The next token, where it is a word.
fn next_word(parser: &Parser<'_>) -> Option<String> {
    match parser.peek() {
        Some((Token::Word(next) | Token::Quoted(next), _)) => Some(next.clone()),
        _ => None,
    }
}

fn is_clause(parser: &Parser<'_>, word: &str) -> bool {
    let starts = ["state", "exclude", "excl"].iter().any(|start| word.eq_ignore_ascii_case(start));
    let sign = parser.peek_second().and_then(comparison_of);
    starts && sign.is_none()
}

/// One or more `state X` and `exclude X`. As in ss the first one says what to start from: nothing, or all.
fn states(parser: &mut Parser<'_>) -> Result<StateSet, Wrong> {
    let mut set = None;
    while let Some((Token::Word(word), place)) = parser.peek().cloned() {
        if !is_clause(parser, &word) {
            break;
        }
        parser.next();
        let Some((Token::Word(name), place)) = parser.next() else {
            return Err((place, format!("a state is missing after '{word}'; {}", choose_state())));
        };
        let these = state_group(&name).ok_or_else(|| unknown_state(&name, place))?;
        set = Some(if word.eq_ignore_ascii_case("state") {
            set.unwrap_or(StateSet::NONE).union(these)
        } else {
            set.unwrap_or(StateSet::ALL).without(these)
        });
    }
    Ok(set.unwrap_or(StateSet::ALL))
}

/// A state, or one of ss's groups of states.
pub(super) fn state_group(name: &str) -> Option<StateSet> {
    let name = folded(name);
    let of = |keep: fn(TcpState) -> bool| Some(StateSet::matching(true, keep));
    match name.as_str() {
        "all" => Some(StateSet::ALL),
        "connected" => of(TcpState::is_connection),
        "synchronized" => of(|state| state.is_connection() && state != TcpState::SynSent),
        "bucket" => Some(StateSet::minisockets()),
        "big" => Some(StateSet::minisockets().complement()),
        "listening" => Some(StateSet::listeners()),
        "closed" | "unconnected" => Some(StateSet::NONE.with(TcpState::Close)),
        "syn-rcv" => Some(StateSet::NONE.with(TcpState::SynRecv)),
        "estab" => Some(StateSet::NONE.with(TcpState::Established)),
        name => {
            let found = TcpState::ALL.into_iter().find(|state| state.name() == Some(name));
            found.map(|state| StateSet::NONE.with(state))
        }
    }
}

/// Words for several states at once.
const GROUPS: [&str; 5] = ["all", "connected", "synchronized", "bucket", "big"];

/// Whether a word alone is a state: the names are, those of groups could be anything.
pub fn is_state(word: &str) -> bool {
    state_group(word).is_some() && !GROUPS.iter().any(|group| word.eq_ignore_ascii_case(group))
}

/// Whether a word begins or joins conditions, and is no field.
pub fn is_keyword(word: &str) -> bool {
    let word = folded(word);
    KEYWORDS.iter().map(|(keyword, _)| *keyword).chain(["excl", "and", "or", "not"]).any(|keyword| keyword == word)
}

/// Whether a comparison stands at the beginning of a text: `= 5`, `>10s`, `in {1, 2}`.
pub fn begins_with_comparison(text: &str) -> bool {
    tokens(text).is_ok_and(|tokens| tokens.first().is_some_and(|(token, _)| comparison_of(token).is_some()))
}

/// Every word that stands for states.
pub(super) fn state_words() -> impl Iterator<Item = &'static str> {
    let names = TcpState::ALL.into_iter().filter_map(TcpState::name);
    names.chain(["listening", "closed", "unconnected"]).chain(GROUPS)
}

fn choose_state() -> String {
    format!("choose from: {}", state_words().collect::<Vec<_>>().join(", "))
}

/// The error for a word that is no state.
pub(super) fn unknown_state(name: &str, place: Range<usize>) -> Wrong {
    let near = did_you_mean(name, state_words());
    let help = if near.is_empty() { format!("; {}", choose_state()) } else { near };
    (place, format!("unknown state '{name}'{help}"))
}

/// `src` and `dst`, and columns that are ends.
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
            predicate::like(parser, if side == Side::Local { "local" } else { "peer" }, negated)
        }
    }
}

/// `sport` and `dport`, and columns that are ports.
pub(super) fn ports(parser: &mut Parser<'_>, side: Side) -> Result<Expr, Wrong> {
    const WHAT: &str = "a port, such as 443, :443 or https";
    match comparison(parser) {
        Comparison::Among { negated, listed } => {
            let is_list = listed || parser.is_at(Sign::OpenList);
            let operands = operands(parser, listed, WHAT)?;
            let ports = if is_list { port_list(parser, operands, side) } else { one_port(parser, operands, side) };
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

fn one_port(parser: &mut Parser<'_>, operands: Vec<Operand>, side: Side) -> Result<Expr, Wrong> {
    any_of(operands, |text, place| {
        let port = any_port(parser, text, &place)?;
        Ok(is(Condition::End(side, End { prefix: None, port })))
    })
}

/// Ports and ranges of ports. The name of a service may hold a dash too.
fn port_list(parser: &mut Parser<'_>, operands: Vec<Operand>, side: Side) -> Result<Expr, Wrong> {
    let mut ranges = Vec::new();
    for (text, place) in operands {
        let parts = text.split_once('-').filter(|(from, to)| !from.is_empty() && !to.is_empty());
        let range = match (any_port(parser, &text, &place), parts) {
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

/// `dev`, and the column of interfaces.
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
        Comparison::Like { negated } => predicate::like(parser, "interface", negated),
    }
}

fn mark(parser: &mut Parser<'_>) -> Result<Expr, Wrong> {
    const WHAT: &str = "a mark, such as 1 or 0x10/0xff";
    let Comparison::Among { negated, listed } = comparison(parser) else {
        let help = "a mark is compared with = or !=, under a mask where only some bits count: fwmark = 0x10/0xff";
        return Err((parser.last_place(), help.to_owned()));
    };
    // As scanf(3) reads it, and so ss: a sign is allowed.
    let number = |text: &str| match text.strip_prefix('-') {
        Some(text) => c_number(text).map(u32::wrapping_neg),
        None => c_number(text),
    };
    let any = any_of(operands(parser, listed, WHAT)?, |text, place| {
        let (bits, under) = text.split_once('/').map_or((text, None), |(bits, under)| (bits, Some(under)));
        let mark = number(bits).zip(under.map_or(Some(u32::MAX), number));
        let mark = mark.map(|(mark, mask)| is(Condition::Mark { mark, mask }));
        mark.ok_or_else(|| (place, format!("'{text}' is not {WHAT}")))
    });
    any.map(|any| unless(negated, any))
}

fn host_condition(parser: &mut Parser<'_>, text: &str, place: Range<usize>, side: Side) -> Result<Expr, Wrong> {
    let host = host(text, parser.names).map_err(|why| (place, why))?;
    Ok(from_host(parser, host, side))
}

fn from_host(parser: &mut Parser<'_>, host: Host, side: Side) -> Expr {
    parser.family = host.family.or(parser.family);
    let mut ends = host.ends.into_iter().map(|end| is(Condition::End(side, end)));
    let first = ends.next().unwrap_or(is(Condition::End(side, End::default())));
    let any = ends.fold(first, Expr::or);
    match host.device {
        Some(device) => any.and(is(Condition::Device(Device::Name(device)))),
        None => any,
    }
}

/// A value with its place.
pub(super) type Operand = (String, Range<usize>);

/// What a value is compared with: one, or a list in braces of which one is enough.
pub(super) fn operands(parser: &mut Parser<'_>, listed: bool, what: &str) -> Result<Vec<Operand>, Wrong> {
    if listed || parser.is_at(Sign::OpenList) { values(parser, what) } else { Ok(vec![value(parser, what)?]) }
}

/// A condition for each, one of which has to hold.
pub(super) fn any_of(
    operands: Vec<Operand>,
    mut one: impl FnMut(&str, Range<usize>) -> Result<Expr, Wrong>,
) -> Result<Expr, Wrong> {
    let mut any: Option<Expr> = None;
    for (text, place) in operands {
        let next = one(&text, place)?;
        any = Some(match any {
            Some(any) => any.or(next),
            None => next,
        });
    }
    // Whoever reads operands reads at least one.
    Ok(any.unwrap_or(Expr::Any(Vec::new())))
}

/// A list in braces.
fn values(parser: &mut Parser<'_>, what: &str) -> Result<Vec<Operand>, Wrong> {
    let opened = parser.here();
    if !parser.take(Sign::OpenList) {
        let help = "a list stands in braces, quoted for the shell: 'dport in {80, 443, 8000-8999}'";
        return Err((parser.here(), help.to_owned()));
    }
    let mut values = Vec::new();
    loop {
        if parser.take(Sign::CloseList) {
            break;
        }
        if goes_beyond_list(parser) {
            return Err((opened, "this brace is open and never closed; a list is written {80, 443}".to_owned()));
        }
        values.push(value(parser, what)?);
        parser.take(Sign::Comma);
    }
    if values.is_empty() {
        Err((parser.last_place(), format!("the list is empty; it takes {what}")))
    } else {
        Ok(values)
    }
}

/// Whether what comes next cannot stand in a list.
fn goes_beyond_list(parser: &Parser<'_>) -> bool {
    match parser.peek() {
        None | Some((Token::Regex(_), _)) => true,
        Some((Token::Sign(sign), _)) => *sign != Sign::Comma,
        Some((Token::Word(word), _)) => ["and", "or", "not"].iter().any(|joint| word.eq_ignore_ascii_case(joint)),
        Some((Token::Quoted(_), _)) => false,
    }
}

/// The next value.
pub(super) fn value(parser: &mut Parser<'_>, what: &str) -> Result<Operand, Wrong> {
    match parser.peek().cloned() {
        Some((Token::Word(text) | Token::Quoted(text), place)) => {
            parser.next();
            Ok((predicate::with_unit(text, parser.unit), place))
        }
        _ => Err((parser.here(), format!("a value is missing here: {what}"))),
    }
}

/// What is to be searched for.
pub(super) fn pattern(parser: &mut Parser<'_>) -> Result<Pattern, Wrong> {
    if let Some((Token::Regex(text), place)) = parser.peek().cloned() {
        parser.next();
        parser.regexes += 1;
        if parser.regexes > MOST_REGEXES {
            let help = "one is enough for several: ~ /a|b/";
            return Err((place, format!("more than {MOST_REGEXES} regular expressions in a filter; {help}")));
        }
        return Pattern::regex(&text).map_err(|why| (place, why));
    }
    let (text, place) = value(parser, "a part of a name, or /a regular expression/")?;
    if text.is_empty() { Err((place, NOTHING.to_owned())) } else { Ok(Pattern::part(&text)) }
}

/// Takes a comparison; `=` where there is none.
pub(super) fn comparison(parser: &mut Parser<'_>) -> Comparison {
    let Some(found) = comparison_ahead(parser) else { return EQUAL };
    parser.next();
    if found == (Comparison::Among { negated: true, listed: true }) {
        parser.next();
    }
    found
}

fn comparison_ahead(parser: &Parser<'_>) -> Option<Comparison> {
    let (token, _) = parser.peek()?;
    let negates = match token {
        Token::Sign(Sign::Not) => true,
        Token::Word(word) => word.eq_ignore_ascii_case("not"),
        _ => false,
    };
    if negates {
        let is_in =
            parser.peek_second().and_then(comparison_of) == Some(Comparison::Among { negated: false, listed: true });
        return is_in.then_some(Comparison::Among { negated: true, listed: true });
    }
    comparison_of(token)
}

fn comparison_of(token: &Token) -> Option<Comparison> {
    let among = |negated, listed| Some(Comparison::Among { negated, listed });
    match token {
        Token::Sign(sign) => match sign {
            Sign::Equal => among(false, false),
            Sign::NotEqual => among(true, false),
            Sign::Below => Some(Comparison::Ordered(Order::Below)),
            Sign::AtMost => Some(Comparison::Ordered(Order::AtMost)),
            Sign::AtLeast => Some(Comparison::Ordered(Order::AtLeast)),
            Sign::Above => Some(Comparison::Ordered(Order::Above)),
            Sign::Like => Some(Comparison::Like { negated: false }),
            Sign::Unlike => Some(Comparison::Like { negated: true }),
            _ => None,
        },
        Token::Word(word) => match word.to_ascii_lowercase().as_str() {
            "eq" => among(false, false),
            "ne" | "neq" => among(true, false),
            "in" => among(false, true),
            "lt" => Some(Comparison::Ordered(Order::Below)),
            "le" | "leq" => Some(Comparison::Ordered(Order::AtMost)),
            "ge" | "geq" => Some(Comparison::Ordered(Order::AtLeast)),
            "gt" => Some(Comparison::Ordered(Order::Above)),
            _ => None,
        },
        Token::Quoted(_) | Token::Regex(_) => None,
    }
}

/// Negated, where it is to be.
pub(super) fn unless(negated: bool, expr: Expr) -> Expr {
    if negated { expr.negated() } else { expr }
}

pub(super) fn is(condition: Condition) -> Expr {
    Expr::Is(condition)
}
