//! From tokens to a tree. As in ss, `and` (which may be left out) and `or` bind alike, from left to right, and `not`
//! binds what follows it; parentheses say it otherwise.
//!
//! Parentheses are kept on a stack of our own, so that no number of them can exhaust the program's.

use std::ops::Range;

use super::error::{Wrong, did_you_mean, short};
use super::host::Names;
use super::lexer::{Sign, Token};
use super::lone::Lone;
use super::tree::{Condition, Expr};
use super::words;
use crate::fields::column::Column;
use crate::fields::synonyms::meant;
use crate::fields::table::columns;
use crate::model::address::Family;

/// Deeper than anybody writes, and shallow enough for everything that walks the tree.
const DEEPEST: usize = 1024;

/// What was understood.
#[derive(Debug)]
pub(super) struct Parsed {
    /// `None` where nothing was asked
    pub(super) expr: Option<Expr>,
    /// `and` and `or` stand beside each other without parentheses
    pub(super) is_mixed: bool,
    /// It is `local->peer` and nothing else
    pub(super) is_pair: bool,
    /// Words that are searched for as text
    pub(super) lone: Vec<Lone>,
}

/// Reads tokens.
pub(super) struct Parser<'a> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    pub(super) names: &'a dyn Names,
    columns: Vec<Column>,
    pub(super) family: Option<Family>,
    pub(super) lone: Vec<Lone>,
    /// How many regular expressions there are so far
    pub(super) regexes: usize,
    is_mixed: bool,
    /// What bare numbers are counted in, behind a field that was typed with its unit: `idle_ms > 5000`
    pub(super) unit: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// What is open: the whole filter, or a parenthesis.
#[derive(Default)]
struct Frame {
    /// Where the parenthesis is
    opened: Range<usize>,
    so_far: Option<Expr>,
    /// What was said last: how the next condition is joined
    joint: Option<(Joint, Range<usize>)>,
    /// A `not` that waits for its condition, and whether an even number of them cancelled out
    not: Option<(bool, Range<usize>)>,
    /// How the first two conditions are joined
    first_joint: Option<Joint>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, tokens: Vec<(Token, Range<usize>)>, names: &'a dyn Names) -> Self {
        let columns = columns().collect();
        Self {
            end: text.len(),
            tokens,
            at: 0,
            names,
            columns,
            family: None,
            lone: Vec::new(),
            regexes: 0,
            is_mixed: false,
            unit: "",
        }
    }

    /// Reads all of it.
    pub(super) fn parse(mut self) -> Result<Parsed, Wrong> {
        let mut states = words::leading_states(&mut self)?;
        let mut frames = vec![Frame::default()];
        if self.peek().is_some_and(|(token, _)| matches!(keyword(token), Some(Sign::And | Sign::Or))) {
            frames[0].so_far = states.take();
        }
        while let Some((token, place)) = self.peek().cloned() {
            let depth = frames.len();
            // One frame is the whole filter's, and only that one is never taken off.
            let Some(frame) = frames.last_mut() else { break };
            match keyword(&token) {
                Some(Sign::Open) => {
                    self.at += 1;
                    if depth > DEEPEST {
                        return Err((place, format!("more than {DEEPEST} parentheses are open here")));
                    }
                    frames.push(Frame { opened: place, ..Frame::default() });
                }
                Some(Sign::Close) => {
                    self.at += 1;
                    if depth == 1 {
                        return Err((place, "no parenthesis is open here".to_owned()));
                    }
                    let inner = frames.pop().map(|frame| close(frame, &place)).transpose()?.flatten();
                    if let (Some(outer), Some(inner)) = (frames.last_mut(), inner) {
                        self.join(outer, inner);
                    }
                }
                Some(sign @ (Sign::And | Sign::Or)) => {
                    self.at += 1;
                    let joint = if sign == Sign::And { Joint::And } else { Joint::Or };
                    if frame.so_far.is_none() || frame.joint.is_some() || frame.not.is_some() {
                        return Err((
                            place.clone(),
                            format!(
                                "a condition is missing before '{}'",
                                if joint == Joint::And { "and" } else { "or" }
                            ),
                        ));
                    }
                    frame.joint = Some((joint, place));
                }
                Some(Sign::Not) => {
                    self.at += 1;
                    let negates = frame.not.as_ref().is_none_or(|(negates, _)| !negates);
                    frame.not = Some((negates, place));
                }
                _ => {
                    let condition = words::condition(&mut self)?;
                    self.join(frame, condition);
                }
            }
        }
        let end = self.end..self.end;
        let rest = match frames.pop() {
            Some(frame) if frames.is_empty() => finish(frame)?,
            Some(frame) => return Err((frame.opened, "this parenthesis is not closed".to_owned())),
            None => return Err((end, "a condition is missing".to_owned())),
        };
        let expr = match (states, rest) {
            (Some(states), Some(rest)) => Some(states.and(rest)),
            (states, rest) => states.or(rest),
        };
        // ss's `inet:` narrows the whole query, wherever it stands.
        let family = self.family.map(|family| Expr::Is(Condition::Family(family)));
        let expr = match (family, expr) {
            (Some(family), Some(expr)) => Some(family.and(expr)),
            (_, expr) => expr,
        };
        let is_pair = matches!(&self.tokens[..], [_, (Token::Sign(Sign::Arrow), _), _]);
        Ok(Parsed { expr, is_mixed: self.is_mixed, is_pair, lone: self.lone })
    }

    /// Adds a condition to what came before it.
    fn join(&mut self, frame: &mut Frame, condition: Expr) {
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

    /// The next token.
    pub(super) fn peek(&self) -> Option<&(Token, Range<usize>)> {
        self.tokens.get(self.at)
    }

    /// The one after it.
    pub(super) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1).map(|(token, _)| token)
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Option<(Token, Range<usize>)> {
        let next = self.peek().cloned();
        self.at += usize::from(next.is_some());
        next
    }

    /// Takes the next token if it is this sign.
    pub(super) fn take(&mut self, sign: Sign) -> bool {
        let is_it = self.is_at(sign);
        self.at += usize::from(is_it);
        is_it
    }

    /// Whether the next token is this sign.
    pub(super) fn is_at(&self, sign: Sign) -> bool {
        self.peek().is_some_and(|(token, _)| *token == Token::Sign(sign))
    }

    /// Gives the last token back.
    pub(super) fn step_back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Where something is missing: at the next token, or at the end.
    pub(super) fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |(_, place)| place.clone())
    }

    /// Where the last token taken is.
    pub(super) fn last_place(&self) -> Range<usize> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0..0, |(_, place)| place.clone())
    }

    /// The column of that name; ss's own words and other names for columns are the caller's.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        let name = if name.eq_ignore_ascii_case("owner") { "process" } else { name };
        self.columns.iter().find(|column| column.is_called(name))
    }

    /// A field that nobody knows.
    pub(super) fn unknown_field(&self, name: &str, place: Range<usize>) -> Wrong {
        let known =
            self.columns.iter().map(|column| &*column.name).chain(words::KEYWORDS.iter().map(|(word, _)| *word));
        let near = match meant(name) {
            [] => did_you_mean(name, known),
            fields => format!("; did you mean '{}'?", fields.join("' or '")),
        };
        let help = match name.to_ascii_lowercase().as_str() {
            "port" => "; write sport or dport, or :443 for either end",
            "addr" | "address" | "ip" | "host" => "; write src or dst, or the address alone for either end",
            _ if near.is_empty() => "; tcpulse help filter lists the fields",
            _ => &near,
        };
        (place, format!("unknown field '{}'{help}", short(name)))
    }
}

/// What is inside a parenthesis that ends at `place`.
fn close(frame: Frame, place: &Range<usize>) -> Result<Option<Expr>, Wrong> {
    let opened = frame.opened.start;
    match finish(frame)? {
        None => Err((opened..place.end, "there is no condition in these parentheses".to_owned())),
        inner => Ok(inner),
    }
}

fn finish(frame: Frame) -> Result<Option<Expr>, Wrong> {
    match (frame.joint, frame.not) {
        (_, Some((_, place))) => Err((place, "a condition is missing after 'not'".to_owned())),
        (Some((Joint::And, place)), _) => Err((place, "a condition is missing after 'and'".to_owned())),
        (Some((Joint::Or, place)), _) => Err((place, "a condition is missing after 'or'".to_owned())),
        (None, None) => Ok(frame.so_far),
    }
}

/// The sign that a token is or stands for.
fn keyword(token: &Token) -> Option<Sign> {
    match token {
        Token::Sign(sign) => Some(*sign),
        Token::Word(word) if word.eq_ignore_ascii_case("and") => Some(Sign::And),
        Token::Word(word) if word.eq_ignore_ascii_case("or") => Some(Sign::Or),
        Token::Word(word) if word.eq_ignore_ascii_case("not") => Some(Sign::Not),
        _ => None,
    }
}
