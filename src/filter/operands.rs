//! Parses what a field is compared with: the operator, then one value, a list of values, or a pattern.

use std::ops::Range;

use super::error::Wrong;
use super::lexer::{Symbol, Token, tokens};
use super::non_empty::NonEmpty;
use super::parser::{Parser, unknown_field};
use super::pattern::{MOST_REGEXES, Pattern};
use super::tree::{Condition, Expr, OrderSign, Test};
use crate::fields::id::ColumnId;
use crate::fields::table::column_of;

/// Error for an empty pattern, which would match every text.
pub(super) const NOTHING: &str = "there is nothing to search for in these quotes";

/// Kind of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Equal to one of the values, or to none of them
    Among {
        /// None of them: `!=`, `not in`
        negated: bool,
        /// The values are in braces: `in`
        listed: bool,
    },
    /// `<`, `<=`, `>=` or `>`
    Ordered(OrderSign),
    /// Matches a pattern, or does not
    Like {
        /// `!~`
        negated: bool,
    },
}

/// `=`, which may be left out.
const EQUAL: Comparison = Comparison::Among { negated: false, listed: false };

/// Whether a text begins with a comparison: `= 5`, `>10s`, `in {1, 2}`.
pub(crate) fn begins_with_comparison(text: &str) -> bool {
    tokens(text).is_ok_and(|tokens| tokens.first().is_some_and(|(token, _)| comparison_of(token).is_some()))
}

/// Search for a pattern in the text of a column.
pub(super) fn like(parser: &mut Parser<'_>, id: ColumnId, negated: bool) -> Result<Expr, Wrong> {
    let column = column_of(id).ok_or_else(|| unknown_field(id.name(), parser.last_place()))?;
    // Digits in a pattern get no unit.
    parser.unit = "";
    let test = Test::Like(pattern(parser)?);
    Ok(unless(negated, is(Condition::Column(column, test))))
}

/// A value with its place.
pub(super) type Operand = (String, Range<usize>);

/// The values of a comparison: one, or a list in braces of which any may match.
pub(super) fn operands(parser: &mut Parser<'_>, listed: bool, what: &str) -> Result<NonEmpty<Operand>, Wrong> {
    if listed || parser.is_at(Symbol::OpenList) {
        values(parser, what)
    } else {
        Ok(NonEmpty::new(value(parser, what)?))
    }
}

/// Makes a condition of each value; any of them may hold.
pub(super) fn any_of(
    operands: NonEmpty<Operand>,
    mut one: impl FnMut(&str, Range<usize>) -> Result<Expr, Wrong>,
) -> Result<Expr, Wrong> {
    let conditions = operands.try_map(|(text, place)| one(&text, place))?;
    Ok(conditions.reduce(Expr::or))
}

/// Parses a list in braces.
fn values(parser: &mut Parser<'_>, what: &str) -> Result<NonEmpty<Operand>, Wrong> {
    let opened = parser.here();
    if !parser.take(Symbol::OpenList) {
        let help = "a list stands in braces, quoted for the shell: 'dport in {80, 443, 8000-8999}'";
        return Err((parser.here(), help.to_owned()));
    }
    let mut values: Option<NonEmpty<Operand>> = None;
    loop {
        if parser.take(Symbol::CloseList) {
            break;
        }
        if goes_beyond_list(parser) {
            return Err((opened, "this brace is open and never closed; a list is written {80, 443}".to_owned()));
        }
        let next = value(parser, what)?;
        match &mut values {
            Some(values) => values.push(next),
            None => values = Some(NonEmpty::new(next)),
        }
        parser.take(Symbol::Comma);
    }
    values.ok_or_else(|| (parser.last_place(), format!("the list is empty; it takes {what}")))
}

/// Whether the next token cannot be part of a list.
fn goes_beyond_list(parser: &Parser<'_>) -> bool {
    match parser.peek() {
        None | Some((Token::Regex(_), _)) => true,
        Some((Token::Symbol(sign), _)) => *sign != Symbol::Comma,
        Some((Token::Word(word), _)) => ["and", "or", "not"].iter().any(|joint| word.eq_ignore_ascii_case(joint)),
        Some((Token::Quoted(_), _)) => false,
    }
}

/// Parses the next value.
pub(super) fn value(parser: &mut Parser<'_>, what: &str) -> Result<Operand, Wrong> {
    match parser.peek().cloned() {
        Some((Token::Word(text) | Token::Quoted(text), place)) => {
            parser.next();
            Ok((with_unit(text, parser.unit), place))
        }
        _ => Err((parser.here(), format!("a value is missing here: {what}"))),
    }
}

/// Parses the pattern to search for.
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

/// Takes a comparison, or `=` if there is none.
pub(super) fn comparison(parser: &mut Parser<'_>) -> Comparison {
    let Some(found) = comparison_ahead(parser) else { return EQUAL };
    parser.next();
    if found == (Comparison::Among { negated: true, listed: true }) {
        parser.next();
    }
    found
}

pub(super) fn comparison_ahead(parser: &Parser<'_>) -> Option<Comparison> {
    let (token, _) = parser.peek()?;
    let negates = match token {
        Token::Symbol(Symbol::Not) => true,
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

pub(super) fn comparison_of(token: &Token) -> Option<Comparison> {
    let among = |negated, listed| Some(Comparison::Among { negated, listed });
    match token {
        Token::Symbol(sign) => match sign {
            Symbol::Equal => among(false, false),
            Symbol::NotEqual => among(true, false),
            Symbol::Below => Some(Comparison::Ordered(OrderSign::Below)),
            Symbol::AtMost => Some(Comparison::Ordered(OrderSign::AtMost)),
            Symbol::AtLeast => Some(Comparison::Ordered(OrderSign::AtLeast)),
            Symbol::Above => Some(Comparison::Ordered(OrderSign::Above)),
            Symbol::Like => Some(Comparison::Like { negated: false }),
            Symbol::Unlike => Some(Comparison::Like { negated: true }),
            _ => None,
        },
        Token::Word(word) => match word.to_ascii_lowercase().as_str() {
            "eq" => among(false, false),
            "ne" | "neq" => among(true, false),
            "in" => among(false, true),
            "lt" => Some(Comparison::Ordered(OrderSign::Below)),
            "le" | "leq" => Some(Comparison::Ordered(OrderSign::AtMost)),
            "ge" | "geq" => Some(Comparison::Ordered(OrderSign::AtLeast)),
            "gt" => Some(Comparison::Ordered(OrderSign::Above)),
            _ => None,
        },
        Token::Quoted(_) | Token::Regex(_) => None,
    }
}

/// The expression, negated if `negated` is set.
pub(super) fn unless(negated: bool, expr: Expr) -> Expr {
    if negated { expr.negated() } else { expr }
}

pub(super) fn is(condition: Condition) -> Expr {
    Expr::Is(condition)
}

/// A number, or a range of numbers, with `unit` added if it has none.
fn with_unit(text: String, unit: &str) -> String {
    let is_bare = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if unit.is_empty() || !text.split('-').all(is_bare) {
        return text;
    }
    text.split('-').map(|number| format!("{number}{unit}")).collect::<Vec<_>>().join("-")
}
