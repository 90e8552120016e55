//! The query language: which rows match. It has ss's grammar, and comparisons with every column of the field table.
//!
//! `lexer` splits the text; `grammar`, `words` and `predicate` parse it to a `tree`; `evaluate` applies that to a row,
//! `push` and `bytecode` extract what the kernel can decide, `print` writes it. Pure: the caller looks up names of
//! services and hosts.

mod bytecode;
mod complete;
mod ends;
mod error;
mod evaluate;
mod explain;
mod grammar;
mod help;
mod host;
mod keywords;
mod lexer;
mod lone;
mod non_empty;
mod operands;
mod parser;
mod pattern;
mod predicate;
mod print;
mod push;
mod states;
mod tree;
mod value;
mod words;

use std::fmt;

pub(crate) use bytecode::{Bytecode, Dialect, Terms};
pub(crate) use complete::{compared_at_end, completions};
pub use error::FilterError;
pub(crate) use help::help;
pub use host::{Names, NoNames};
pub(crate) use keywords::is_keyword;
pub(crate) use lone::as_filter;
pub(crate) use operands::begins_with_comparison;
pub(crate) use print::quoted;
pub(crate) use states::is_state;

use crate::fields::id::ColumnId;
use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::state::StateSet;
use lone::Lone;
use tree::{Condition, Expr};

/// A filter of rows. The default matches all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    expr: Option<Expr>,
    needs: Option<Needs>,
    is_mixed: bool,
    /// It is a single pair of ends: `local->peer`
    is_pair: bool,
    /// Words that are searched for as text
    lone: Vec<Lone>,
}

/// Two filters are equal if they have the same conditions in the same order, however they were typed.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
    }
}

impl Filter {
    /// Parses a filter. Empty text matches every row.
    ///
    /// # Errors
    /// The text cannot be parsed; the error shows where, and what would be right.
    pub fn parse(text: &str, names: &dyn Names) -> Result<Self, FilterError> {
        let parsed = lexer::tokens(text).and_then(|tokens| grammar::parse(parser::Parser::new(text, tokens, names)));
        let grammar::Parsed { expr, is_mixed, is_pair, lone } =
            parsed.map_err(|wrong| FilterError::new(text, wrong))?;
        Ok(Self { needs: expr.as_ref().map(needs), expr, is_mixed, is_pair, lone })
    }

    /// For a filter `local->peer`, the filter `peer->local`; `None` for any other filter.
    pub fn turned(&self) -> Option<Self> {
        let expr = self.expr.as_ref().filter(|_| self.is_pair)?;
        Some(Self { expr: Some(expr.turned()), ..self.clone() })
    }

    /// How lone words were read, and what was probably meant, for a filter that matched nothing in `states`; `None` if
    /// the result depends on none of them.
    pub fn advice(&self, states: StateSet) -> Option<String> {
        lone::advice(self.expr.as_ref()?, &self.lone, states)
    }

    /// Warning that the filter may not mean what was intended: a word that is searched for as text names a field.
    pub fn doubt(&self) -> Option<String> {
        lone::doubt(&self.lone)
    }

    /// Whether the filter is empty, and so matches every row.
    pub fn is_everything(&self) -> bool {
        self.expr.is_none()
    }

    /// Whether the filter matches every row although it has conditions, such as `dst *`.
    pub fn is_always_true(&self) -> bool {
        self.expr.as_ref().is_none_or(|expr| evaluate::constant(expr) == Some(true))
    }

    /// Whether `and` and `or` are mixed without parentheses, which not everybody reads as ss does.
    pub fn is_mixed(&self) -> bool {
        self.is_mixed
    }

    /// Data of a row that the filter needs.
    pub fn needs(&self) -> Needs {
        self.needs.unwrap_or(Needs::empty())
    }

    /// Whether the row matches.
    pub fn matches(&self, row: &Row<'_>) -> bool {
        self.decide(row, Needs::all()).unwrap_or(true)
    }

    /// Whether the row matches, by the data that is `known` of it so far; `None` if that does not suffice.
    pub fn decide(&self, row: &Row<'_>, known: Needs) -> Option<bool> {
        self.expr.as_ref().map_or(Some(true), |expr| evaluate::holds(expr, row, known))
    }

    /// The states that a matching socket can be in.
    pub fn states(&self) -> StateSet {
        self.expr.as_ref().map_or(StateSet::ALL, push::states)
    }

    /// The families that a matching socket can be of.
    pub fn families(&self) -> Vec<Family> {
        self.expr.as_ref().map_or(Family::ALL.to_vec(), push::families)
    }

    /// Whether the filter needs states outside of `usual`, so that those have to be dumped too: it names one, or it can
    /// match no others.
    pub fn asks_beyond(&self, usual: StateSet) -> bool {
        let Some(expr) = &self.expr else { return false };
        let mut named = false;
        expr.each(&mut |condition, negated| {
            let states = push::condition_states(condition, negated);
            // A condition that can hold in any state asks for none, unless it is a condition on states.
            let says = matches!(condition, Condition::States(_)) || states != StateSet::ALL;
            named |= says && !negated && !states.without(usual).is_empty();
        });
        named || self.states().intersection(usual).is_empty()
    }

    /// Whether the filter needs marks, which the kernel reports only with `CAP_NET_ADMIN`.
    pub fn asks_marks(&self) -> bool {
        self.asks(|condition| match condition {
            Condition::Mark { .. } => true,
            Condition::Column(column, _) => column.id == ColumnId::Mark,
            _ => false,
        })
    }

    /// Whether the filter needs data that sock_diag reports and /proc/net/tcp does not.
    pub fn asks_details(&self) -> bool {
        let details = Needs::INFO | Needs::MEMORY | Needs::CONGESTION | Needs::CLASS | Needs::CGROUP;
        self.asks(|condition| match condition {
            Condition::Device(_) => true,
            Condition::Column(column, _) if column.id == ColumnId::Cookie => true,
            condition => condition.needs().intersects(details),
        })
    }

    fn asks(&self, is: impl Fn(&Condition) -> bool) -> bool {
        let mut asks = false;
        if let Some(expr) = &self.expr {
            expr.each(&mut |condition, _| asks |= is(condition));
        }
        asks
    }

    /// Bytecode for the kernel, so that it leaves out rows that cannot match.
    pub fn bytecode(&self, terms: &Terms<'_>) -> Bytecode {
        let part = self.expr.as_ref().and_then(|expr| push::kernel_part(expr, &|condition| terms.decides(condition)));
        part.map_or(Bytecode::Everything, |part| bytecode::compile(&part, terms))
    }

    /// What the kernel decides and what is decided here, in words; `states` and `families` are those to be dumped.
    pub fn explain(&self, states: StateSet, families: &[Family]) -> String {
        explain::explain(self.expr.as_ref(), self.needs(), states, families)
    }
}

/// The filter as it was parsed, with every parenthesis.
impl fmt::Display for Filter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| expr.fmt(out))
    }
}

fn needs(expr: &Expr) -> Needs {
    let mut needs = Needs::empty();
    expr.each(&mut |condition, _| needs |= condition.needs());
    needs
}
