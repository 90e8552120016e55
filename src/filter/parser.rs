//! Reader of the tokens of a filter, with the state that parsing collects: the family, regular expressions, lone words.

use std::ops::Range;

use super::error::{Wrong, short};
use super::host::Names;
use super::keywords::KEYWORDS;
use super::lexer::{Symbol, Token};
use super::lone::Lone;
use crate::fields::socket::SocketColumn;
use crate::fields::synonyms::meant;
use crate::fields::table::{column_called, columns};
use crate::model::address::Family;
use crate::text::near::did_you_mean;

/// Token reader, with the state of parsing.
pub(super) struct Parser<'a> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    pub(super) names: &'a dyn Names,
    pub(super) family: Option<Family>,
    pub(super) lone: Vec<Lone>,
    /// Number of regular expressions so far
    pub(super) regexes: usize,
    /// Unit of bare numbers after a field that was typed with its unit: `idle_ms > 5000`
    pub(super) unit: &'static str,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, tokens: Vec<(Token, Range<usize>)>, names: &'a dyn Names) -> Self {
        Self { end: text.len(), tokens, at: 0, names, family: None, lone: Vec::new(), regexes: 0, unit: "" }
    }

    /// The next token.
    pub(super) fn peek(&self) -> Option<&(Token, Range<usize>)> {
        self.tokens.get(self.at)
    }

    /// The token after the next one.
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
    pub(super) fn take(&mut self, sign: Symbol) -> bool {
        let is_it = self.is_at(sign);
        self.at += usize::from(is_it);
        is_it
    }

    /// Whether the next token is this sign.
    pub(super) fn is_at(&self, sign: Symbol) -> bool {
        self.peek().is_some_and(|(token, _)| *token == Token::Symbol(sign))
    }

    /// Puts the last token back.
    pub(super) fn step_back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Place where something is missing: the next token, or the end.
    pub(super) fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |(_, place)| place.clone())
    }

    /// Place of the last token taken.
    pub(super) fn last_place(&self) -> Range<usize> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0..0, |(_, place)| place.clone())
    }

    /// Whether the whole text is `local->peer`.
    pub(super) fn is_pair(&self) -> bool {
        matches!(&self.tokens[..], [_, (Token::Symbol(Symbol::Arrow), _), _])
    }
}

/// The column with this name. The caller handles ss's own words and other names of columns.
pub(super) fn column(name: &str) -> Option<&'static SocketColumn> {
    let name = if name.eq_ignore_ascii_case("owner") { "process" } else { name };
    column_called(name)
}

/// Error for an unknown field.
pub(super) fn unknown_field(name: &str, place: Range<usize>) -> Wrong {
    let known = columns().map(|column| column.name()).chain(KEYWORDS.iter().map(|(word, _)| *word));
    let near = match meant(name) {
        [] => did_you_mean(name, known),
        fields => {
            let names: Vec<_> = fields.iter().map(|id| id.name()).collect();
            format!("; did you mean '{}'?", names.join("' or '"))
        }
    };
    let help = match name.to_ascii_lowercase().as_str() {
        "port" => "; write sport or dport, or :443 for either end",
        "addr" | "address" | "ip" | "host" => "; write src or dst, or the address alone for either end",
        _ if near.is_empty() => "; tcpulse help filter lists the fields",
        _ => &near,
    };
    (place, format!("unknown field '{}'{help}", short(name)))
}
