//! Comparisons with columns. The column table decides which values a column can be compared with.

use std::ops::Range;

use super::ends::{device, end, ports};
use super::error::{Wrong, short};
use super::keywords::is_keyword;
use super::lexer::Token;
use super::non_empty::NonEmpty;
use super::operands::{Comparison, Operand, any_of, comparison, is, like, operands, unless, value};
use super::parser::Parser;
use super::states::{state_group, unknown_state};
use super::tree::{Condition, Expr, Item, OrderSign, Test};
use super::value::{item, measure_of};
use crate::fields::column::{Kind, folded};
use crate::fields::id::ColumnId;
use crate::fields::socket::SocketColumn;
use crate::fields::table::column_of;
use crate::fields::value::Unit;
use crate::model::address::Family;
use crate::text::near::{did_you_mean, one_of};
use crate::text::quantity::{Measure, is_size_unit, number};

/// Parses the comparison that follows a column's name.
pub(super) fn of(parser: &mut Parser<'_>, column: &'static SocketColumn) -> Result<Expr, Wrong> {
    match (column.kind, column.id) {
        (Kind::Port(side), _) => return ports(parser, side),
        (Kind::End(side), _) => return end(parser, side),
        (Kind::Address(side), _) => return end(parser, side).and_then(|expr| refuse_port(parser, column, expr)),
        (_, ColumnId::Interface) => return device(parser),
        _ => {}
    }
    match comparison(parser) {
        Comparison::Among { negated, listed } => {
            let operands = operands(parser, listed, &what(column))?;
            if column.kind.is_number() {
                refuse_lone_unit(parser, measure_of(column.unit), operands.last())?;
            }
            among(column, operands).map(|among| unless(negated, among))
        }
        Comparison::Ordered(order) => ordered(parser, column, order),
        Comparison::Like { negated } => like(parser, column.id, negated),
    }
}

/// Unit that a column's name was typed with, as its numbers are typed; empty if it was typed without.
pub(super) fn typed_unit(typed: &str, column: &SocketColumn) -> &'static str {
    match column.unit {
        _ if typed == column.name() => "",
        Unit::Millis => "ms",
        Unit::Micros => "us",
        Unit::Seconds => "s",
        Unit::Bytes | Unit::BytesPerSecond => "B",
        Unit::None | Unit::Tenths => "",
    }
}

/// Error for a column that stands alone, or before another word.
pub(super) fn what_to_say(column: &SocketColumn, next: Option<&str>) -> String {
    let name = column.name();
    let is_value = |next: &&str| !is_keyword(next);
    let such_as = next.filter(is_value).map_or_else(|| example(column), |next| format!("= {}", short(next)));
    format!("'{name}' is a field; add a comparison, such as {name} {such_as} (to search for the word: ~ {name})")
}

/// Example of a comparison that makes sense for the column.
pub(super) fn example(column: &SocketColumn) -> String {
    match column.kind {
        Kind::Word(words) => format!("= {}", words().first().unwrap_or(&"…")),
        Kind::Flag => "= 1".to_owned(),
        Kind::Number => match measure_of(column.unit) {
            Measure::Count => "> 1".to_owned(),
            Measure::Time if column.unit == Unit::Micros => "> 50ms".to_owned(),
            Measure::Time => "> 10s".to_owned(),
            // These count segments rather than buffers.
            Measure::Size if matches!(column.id, ColumnId::Info(_)) => "> 1K".to_owned(),
            Measure::Size => "> 64K".to_owned(),
            Measure::Rate => "> 1M".to_owned(),
        },
        Kind::Deadline => "< 1m".to_owned(),
        Kind::Hexadecimal => "= 1a2b".to_owned(),
        Kind::End(_) => "= 10.0.0.5:443".to_owned(),
        Kind::Address(_) => "= 10.0.0.0/8".to_owned(),
        Kind::Port(_) => "= 443".to_owned(),
        Kind::Text | Kind::Short(_) => "= NAME".to_owned(),
    }
}

/// What to type for a missing value.
fn what(column: &SocketColumn) -> String {
    match column.kind {
        Kind::Word(words) => one_of(&words()),
        Kind::Number | Kind::Flag => measure_of(column.unit).examples().to_owned(),
        Kind::Deadline => format!("{}, or never", Measure::Time.examples()),
        Kind::Hexadecimal => "a number in hexadecimal, such as 1a2b".to_owned(),
        _ => format!("{} {}", column.name(), example(column)),
    }
}

fn refuse_port(parser: &Parser<'_>, column: &SocketColumn, expr: Expr) -> Result<Expr, Wrong> {
    let mut port = None;
    expr.each(&mut |condition, _| {
        if let Condition::End(_, end) = condition {
            port = port.or(end.port);
        }
    });
    match port {
        Some(port) => Err((
            parser.last_place(),
            format!("'{}' is an address without a port; leave out the :{port}", column.name()),
        )),
        None => Ok(expr),
    }
}

fn among(column: &'static SocketColumn, operands: NonEmpty<Operand>) -> Result<Expr, Wrong> {
    match column.id {
        ColumnId::State => any_of(operands, |text, place| {
            state_group(text).map(|set| is(Condition::States(set))).ok_or_else(|| unknown_state(text, place))
        }),
        ColumnId::Family => any_of(operands, |text, place| {
            let family = Family::ALL.into_iter().find(|family| same_word(family.name(), text));
            family.map(|family| is(Condition::Family(family))).ok_or_else(|| unknown_word(column, text, place))
        }),
        ColumnId::Cgroup => any_of(operands, |text, _| Ok(is(cgroup(text)))),
        _ => {
            let items = operands.try_map(|(text, place)| read(column, &text, place))?;
            Ok(is(Condition::Column(column, Test::Among(items))))
        }
    }
}

/// Condition on a cgroup by its path below the mount, as ss and ls show it; like ss, it also takes a path of the file
/// system.
pub(super) fn cgroup(path: &str) -> Condition {
    const MOUNTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
    let below = MOUNTS.into_iter().find_map(|mount| path.strip_prefix(mount));
    let below = below.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path);
    Condition::Cgroup(format!("/{}", below.trim_matches('/')))
}

fn read(column: &SocketColumn, text: &str, place: Range<usize>) -> Result<Item, Wrong> {
    let is_nothing = text.eq_ignore_ascii_case("none");
    match column.kind {
        Kind::Word(words) => match words().into_iter().find(|word| same_word(word, text)) {
            Some(word) => Ok(Item::Text(word.to_owned())),
            None if is_nothing => Ok(Item::Nothing),
            None => Err(unknown_word(column, text, place)),
        },
        Kind::Deadline if text.eq_ignore_ascii_case("never") => Ok(Item::Never),
        _ if is_nothing => Ok(Item::Nothing),
        Kind::Number | Kind::Flag | Kind::Deadline => item(text, measure_of(column.unit)).map_err(|why| (place, why)),
        Kind::Hexadecimal => {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            let number = (!digits.starts_with('+')).then(|| u64::from_str_radix(digits, 16).ok()).flatten();
            number.map(Item::Number).ok_or_else(|| (place, format!("'{text}' is not {}", what(column))))
        }
        _ => Ok(Item::Text(text.to_owned())),
    }
}

/// Compares a word of this program in any case, and with `_` for `-`.
fn same_word(ours: &str, typed: &str) -> bool {
    folded(ours) == folded(typed)
}

fn unknown_word(column: &SocketColumn, text: &str, place: Range<usize>) -> Wrong {
    let words = match column.kind {
        Kind::Word(words) => words(),
        _ => Vec::new(),
    };
    let near = did_you_mean(text, words.iter().copied());
    let help = if near.is_empty() { format!("; choose {}", one_of(&words)) } else { near };
    (place, format!("'{text}' is no {}{help}", column.name()))
}

fn ordered(parser: &mut Parser<'_>, column: &'static SocketColumn, order: OrderSign) -> Result<Expr, Wrong> {
    let sign = parser.last_place();
    // `timer < 10s` compares the time until the timer fires.
    let expires = (column.id == ColumnId::Timer).then(|| column_of(ColumnId::Expires)).flatten();
    let column = expires.unwrap_or(column);
    if !column.kind.is_number() {
        let help = format!("'{}' has no order; write {0} {}", column.name(), example(column));
        return Err((sign, help));
    }
    let measure = measure_of(column.unit);
    let (text, place) = value(parser, measure.examples())?;
    let number = ordered_number(column, order, &text).map_err(|why| (place.clone(), why))?;
    refuse_lone_unit(parser, measure, &(text, place))?;
    Ok(is(Condition::Column(column, Test::Ordered(order, number))))
}

/// The number that `<` and its like compare with. The words `never` and `none` have no order.
fn ordered_number(column: &SocketColumn, order: OrderSign, text: &str) -> Result<u64, String> {
    let name = column.name();
    if matches!(column.kind, Kind::Deadline) && text.eq_ignore_ascii_case("never") {
        let sign = order.symbol();
        return Err(format!(
            "'{sign} never' has no meaning: never is later than any time; write {name} = never, {name} != never, or \
             {name} {}",
            example(column)
        ));
    }
    if text.eq_ignore_ascii_case("none") {
        return Err(format!("'none' has no order; write {name} = none or {name} != none"));
    }
    number(text, measure_of(column.unit))
}

/// Error for a space before a unit: `64 K` would be 64 bytes and a search for K.
fn refuse_lone_unit(parser: &Parser<'_>, measure: Measure, (text, place): &Operand) -> Result<(), Wrong> {
    let is_size = matches!(measure, Measure::Size | Measure::Rate);
    match parser.peek() {
        Some((Token::Word(unit), after)) if is_size && is_size_unit(unit) && number(text, Measure::Count).is_ok() => {
            Err((place.start..after.end, format!("write the unit without a space: {text}{unit}")))
        }
        _ => Ok(()),
    }
}
