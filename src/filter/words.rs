//! Parses conditions: ss's own words, lone words, and comparisons. Those with columns are in `predicate`.

use std::ops::Range;

use super::ends::{device, end, from_host, host_condition, ports};
use super::error::Wrong;
use super::host::certain;
use super::lexer::{Symbol, Token};
use super::lone::Lone;
use super::operands::{
    Comparison, NOTHING, any_of, comparison, comparison_ahead, comparison_of, is, operands, pattern, unless, value,
};
use super::parser::{Parser, column, unknown_field};
use super::pattern::Pattern;
use super::predicate;
use super::states::{choose_state, is_state, state_group, unknown_state};
use super::tree::{Condition, Expr};
use super::value::c_number;
use crate::fields::column::folded;
use crate::model::address::Side;
use crate::model::state::StateSet;

/// Parses `state A state B exclude C` at the beginning: as in ss, it restricts the whole filter. If `and` or `or`
/// follows, it is a condition like any other.
pub(super) fn leading_states(parser: &mut Parser<'_>) -> Result<Option<Expr>, Wrong> {
    let is_clause = matches!(parser.peek(), Some((Token::Word(word), _)) if is_clause(parser, word));
    if !is_clause {
        return Ok(None);
    }
    let set = states(parser)?;
    Ok(Some(is(Condition::States(set))))
}

/// Parses one condition.
pub(super) fn condition(parser: &mut Parser<'_>) -> Result<Expr, Wrong> {
    let Some((token, place)) = parser.next() else {
        return Err((parser.here(), "a condition is missing".to_owned()));
    };
    match token {
        Token::Symbol(Symbol::Like) => pattern(parser).map(|pattern| is(Condition::Text(pattern))),
        Token::Symbol(Symbol::Unlike) => pattern(parser).map(|pattern| is(Condition::Text(pattern)).negated()),
        // A regular expression is valid only after a tilde, which reads it.
        Token::Symbol(_) | Token::Regex(_) => {
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
        _ => match (comparison_ahead(parser), column(word)) {
            (Some(_), Some(column)) => {
                parser.unit = predicate::typed_unit(&lower, column);
                let of = predicate::of(parser, column);
                parser.unit = "";
                of
            }
            (Some(_), None) => Err(unknown_field(word, place)),
            (None, Some(column)) => Err((place, predicate::what_to_say(column, next_word(parser).as_deref()))),
            (None, None) => lone_word(parser, word, place),
        },
    }
}

/// Parses a lone word: one end of a connection or both, else text to search for.
fn lone_word(parser: &mut Parser<'_>, word: &str, place: Range<usize>) -> Result<Expr, Wrong> {
    if parser.take(Symbol::Arrow) {
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

/// The next token, if it is a word.
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

/// Parses one or more `state X` and `exclude X`. As in ss, the first one decides what the set starts from: nothing, or
/// all.
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
