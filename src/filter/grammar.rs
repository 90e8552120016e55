//! Parses tokens to a tree. As in ss, `and` (which may be left out) and `or` have the same precedence, from left to
//! right, and `not` binds the condition after it; parentheses change that.
//!
//! Open parentheses are on a stack of their own, so that no number of them can overflow the program's.

use std::ops::Range;

use super::error::Wrong;
use super::lexer::{Symbol, Token};
use super::lone::Lone;
use super::parser::Parser;
use super::tree::{Condition, Expr};
use super::words;

/// Maximum depth of parentheses: deeper than anybody writes, and shallow enough for the functions that walk the tree.
const DEEPEST: usize = 1024;

/// A parsed filter.
#[derive(Debug)]
pub(super) struct Parsed {
    /// `None` if the filter is empty
    pub(super) expr: Option<Expr>,
    /// `and` and `or` are mixed without parentheses
    pub(super) is_mixed: bool,
    /// The filter is a single `local->peer`
    pub(super) is_pair: bool,
    /// Words that are searched for as text
    pub(super) lone: Vec<Lone>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// An open level: the whole filter, or a parenthesis.
#[derive(Default)]
struct OpenParenthesis {
    /// Place of the parenthesis
    opened: Range<usize>,
    so_far: Option<Expr>,
    /// How the next condition is joined, once that was read
    joint: Option<(Joint, Range<usize>)>,
    /// A pending `not`, and whether it negates: an even number of them cancels out
    not: Option<(bool, Range<usize>)>,
    /// How the first two conditions are joined
    first_joint: Option<Joint>,
}

/// Parses all tokens.
pub(super) fn parse(mut parser: Parser<'_>) -> Result<Parsed, Wrong> {
    let mut states = words::leading_states(&mut parser)?;
    let mut frames = Frames::default();
    if parser.peek().is_some_and(|(token, _)| matches!(keyword(token), Some(Symbol::And | Symbol::Or))) {
        frames.inner.so_far = states.take();
    }
    while let Some((token, place)) = parser.peek().cloned() {
        let Some(sign @ (Symbol::Open | Symbol::Close | Symbol::And | Symbol::Or | Symbol::Not)) = keyword(&token)
        else {
            let condition = words::condition(&mut parser)?;
            frames.add(condition);
            continue;
        };
        parser.next();
        match sign {
            Symbol::Open => frames.open(place)?,
            Symbol::Close => frames.close(&place)?,
            Symbol::And => frames.join(Joint::And, place)?,
            Symbol::Or => frames.join(Joint::Or, place)?,
            _ => frames.negate(place),
        }
    }
    let is_mixed = frames.is_mixed;
    let expr = match (states, frames.finish()?) {
        (Some(states), Some(rest)) => Some(states.and(rest)),
        (states, rest) => states.or(rest),
    };
    // ss's `inet:` restricts the whole query, wherever it stands.
    let family = parser.family.map(|family| Expr::Is(Condition::Family(family)));
    let expr = match (family, expr) {
        (Some(family), Some(expr)) => Some(family.and(expr)),
        (_, expr) => expr,
    };
    Ok(Parsed { expr, is_mixed, is_pair: parser.is_pair(), lone: parser.lone })
}

/// All open levels: the innermost one, and those around it.
#[derive(Default)]
struct Frames {
    inner: OpenParenthesis,
    outer: Vec<OpenParenthesis>,
    is_mixed: bool,
}

impl Frames {
    /// `(`
    fn open(&mut self, place: Range<usize>) -> Result<(), Wrong> {
        if self.outer.len() >= DEEPEST {
            return Err((place, format!("more than {DEEPEST} parentheses are open here")));
        }
        let inner = OpenParenthesis { opened: place, ..OpenParenthesis::default() };
        self.outer.push(std::mem::replace(&mut self.inner, inner));
        Ok(())
    }

    /// `)`
    fn close(&mut self, place: &Range<usize>) -> Result<(), Wrong> {
        let Some(outer) = self.outer.pop() else {
            return Err((place.clone(), "no parenthesis is open here".to_owned()));
        };
        let inner = std::mem::replace(&mut self.inner, outer);
        if let Some(condition) = close(inner, place)? {
            self.add(condition);
        }
        Ok(())
    }

    /// `and`, `or`
    fn join(&mut self, joint: Joint, place: Range<usize>) -> Result<(), Wrong> {
        let frame = &mut self.inner;
        if frame.so_far.is_none() || frame.joint.is_some() || frame.not.is_some() {
            let word = if joint == Joint::And { "and" } else { "or" };
            return Err((place, format!("a condition is missing before '{word}'")));
        }
        frame.joint = Some((joint, place));
        Ok(())
    }

    /// `not`
    fn negate(&mut self, place: Range<usize>) {
        let negates = self.inner.not.as_ref().is_none_or(|(negates, _)| !negates);
        self.inner.not = Some((negates, place));
    }

    /// Joins a condition to those before it.
    fn add(&mut self, condition: Expr) {
        let frame = &mut self.inner;
        let negates = frame.not.take().is_some_and(|(negates, _)| negates);
        let condition = if negates { condition.negated() } else { condition };
        let Some(so_far) = frame.so_far.take() else {
            frame.so_far = Some(condition);
            return;
        };
        let joint = frame.joint.take().map_or(Joint::And, |(joint, _)| joint);
        self.is_mixed |= *frame.first_joint.get_or_insert(joint) != joint;
        frame.so_far = Some(match joint {
            Joint::And => so_far.and(condition),
            Joint::Or => so_far.or(condition),
        });
    }

    /// Returns the whole filter.
    fn finish(self) -> Result<Option<Expr>, Wrong> {
        if !self.outer.is_empty() {
            return Err((self.inner.opened, "this parenthesis is not closed".to_owned()));
        }
        finish(self.inner)
    }
}

/// Contents of a parenthesis that ends at `place`.
fn close(frame: OpenParenthesis, place: &Range<usize>) -> Result<Option<Expr>, Wrong> {
    let opened = frame.opened.start;
    match finish(frame)? {
        None => Err((opened..place.end, "there is no condition in these parentheses".to_owned())),
        inner => Ok(inner),
    }
}

fn finish(frame: OpenParenthesis) -> Result<Option<Expr>, Wrong> {
    match (frame.joint, frame.not) {
        (_, Some((_, place))) => Err((place, "a condition is missing after 'not'".to_owned())),
        (Some((Joint::And, place)), _) => Err((place, "a condition is missing after 'and'".to_owned())),
        (Some((Joint::Or, place)), _) => Err((place, "a condition is missing after 'or'".to_owned())),
        (None, None) => Ok(frame.so_far),
    }
}

/// The symbol that a token is or stands for.
fn keyword(token: &Token) -> Option<Symbol> {
    match token {
        Token::Symbol(sign) => Some(*sign),
        Token::Word(word) if word.eq_ignore_ascii_case("and") => Some(Symbol::And),
        Token::Word(word) if word.eq_ignore_ascii_case("or") => Some(Symbol::Or),
        Token::Word(word) if word.eq_ignore_ascii_case("not") => Some(Symbol::Not),
        _ => None,
    }
}
