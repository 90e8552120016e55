//! The query language: which rows are meant. ss's grammar, and comparisons with every column of the field table.
//!
//! Text is taken apart by `lexer`, understood by `grammar`, `words` and `predicate`, and kept as a `tree`; `evaluate` asks
//! it of a row, `push` and `bytecode` say what of it the kernel can decide, `print` writes it. Pure: names of services
//! and hosts are looked up by whoever calls.

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
pub(crate) use complete::completions;
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

/// Which rows are meant. The default means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    expr: Option<Expr>,
    needs: Option<Needs>,
    is_mixed: bool,
    /// It is one pair of ends: `local->peer`
    is_pair: bool,
    /// Words that are searched for as text
    lone: Vec<Lone>,
}

/// Two filters are equal if they ask the same in the same order, however they were typed.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
    }
}

impl Filter {
    /// Reads a filter. Empty text means every row.
    ///
    /// # Errors
    /// It cannot be understood; the error shows where and says what would be right.
    pub fn parse(text: &str, names: &dyn Names) -> Result<Self, FilterError> {
        let parsed = lexer::tokens(text).and_then(|tokens| grammar::parse(parser::Parser::new(text, tokens, names)));
        let grammar::Parsed { expr, is_mixed, is_pair, lone } =
            parsed.map_err(|wrong| FilterError::new(text, wrong))?;
        Ok(Self { needs: expr.as_ref().map(needs), expr, is_mixed, is_pair, lone })
    }

    /// The other way round, where it is one pair of ends: `peer->local`.
    pub fn turned(&self) -> Option<Self> {
        let expr = self.expr.as_ref().filter(|_| self.is_pair)?;
        Some(Self { expr: Some(expr.turned()), ..self.clone() })
    }

    /// How words alone were read, and what was probably meant, for a filter that matched nothing in `states`; `None`
    /// where it does not depend on such a word.
    pub fn advice(&self, states: StateSet) -> Option<String> {
        lone::advice(self.expr.as_ref()?, &self.lone, states)
    }

    /// Why the filter may not mean what it says: a word that is searched for as text names a field.
    pub fn doubt(&self) -> Option<String> {
        lone::doubt(&self.lone)
    }

    /// Whether every row is meant.
    pub fn is_everything(&self) -> bool {
        self.expr.is_none()
    }

    /// Whether it lets every row through although it says something, such as `dst *`.
    pub fn is_always_true(&self) -> bool {
        self.expr.as_ref().is_none_or(|expr| evaluate::constant(expr) == Some(true))
    }

    /// Whether `and` and `or` stand beside each other without parentheses: not everybody reads that as ss does.
    pub fn is_mixed(&self) -> bool {
        self.is_mixed
    }

    /// What has to be asked for to decide it.
    pub fn needs(&self) -> Needs {
        self.needs.unwrap_or(Needs::empty())
    }

    /// Whether the row is meant.
    pub fn matches(&self, row: &Row<'_>) -> bool {
        self.decide(row, Needs::all()).unwrap_or(true)
    }

    /// The same as far as it can be said from what is `known` of the row so far; `None` where that is not enough.
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

    /// Whether it asks for states outside of `usual`, so that those are to be looked at too: it names one, or it can match
    /// no other.
    pub fn asks_beyond(&self, usual: StateSet) -> bool {
        let Some(expr) = &self.expr else { return false };
        let mut named = false;
        expr.each(&mut |condition, negated| {
            let states = push::condition_states(condition, negated);
            // What may be in any state asks for none, unless it says so.
            let says = matches!(condition, Condition::States(_)) || states != StateSet::ALL;
            named |= says && !negated && !states.without(usual).is_empty();
        });
        named || self.states().intersection(usual).is_empty()
    }

    /// Whether it asks for marks, which the kernel tells to some only.
    pub fn asks_marks(&self) -> bool {
        self.asks(|condition| match condition {
            Condition::Mark { .. } => true,
            Condition::Column(column, _) => column.id == ColumnId::Mark,
            _ => false,
        })
    }

    /// Whether it asks for what only sock_diag tells, and /proc/net/tcp does not.
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

    /// What to send to the kernel, so that it leaves out rows that cannot match.
    pub fn bytecode(&self, terms: &Terms<'_>) -> Bytecode {
        let part = self.expr.as_ref().and_then(|expr| push::kernel_part(expr, &|condition| terms.decides(condition)));
        part.map_or(Bytecode::Everything, |part| bytecode::compile(&part, terms))
    }

    /// What goes to the kernel and what stays, in words; `states` and `families` are those that are looked at.
    pub fn explain(&self, states: StateSet, families: &[Family]) -> String {
        explain::explain(self.expr.as_ref(), self.needs(), states, families)
    }
}

/// As it was understood, with every parenthesis.
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
