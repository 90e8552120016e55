//! The query language: which rows are meant. ss's grammar, and comparisons with every column of the field table.
//!
//! Text is taken apart by `lexer`, understood by `parser`, `words` and `predicate`, and kept as a `tree`; `evaluate` asks
//! it of a row, `push` and `bytecode` say what of it the kernel can decide, `print` writes it. Pure: names of services
//! and hosts are looked up by whoever calls.

mod bytecode;
mod error;
mod evaluate;
mod explain;
mod help;
mod host;
mod lexer;
mod parser;
mod pattern;
mod predicate;
mod print;
mod push;
mod tree;
mod value;
mod words;

use std::fmt;

pub use bytecode::{Bytecode, Dialect, Terms};
pub use error::{FilterError, nearest};
pub use help::help;
pub use host::Names;

use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::state::StateSet;
use tree::{Condition, Expr};

/// Which rows are meant. The default means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    expr: Option<Expr>,
    needs: Option<Needs>,
    is_mixed: bool,
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
        let parsed = lexer::tokens(text).and_then(|tokens| parser::Parser::new(text, tokens, names).parse());
        let parser::Parsed { expr, is_mixed } = parsed.map_err(|wrong| FilterError::new(text, wrong))?;
        Ok(Self { needs: expr.as_ref().map(needs), expr, is_mixed })
    }

    /// Whether every row is meant.
    pub fn is_everything(&self) -> bool {
        self.expr.is_none()
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
            if let (Condition::States(set), false) = (condition, negated) {
                named |= !set.without(usual).is_empty();
            }
        });
        named || self.states().intersection(usual).is_empty()
    }

    /// Whether it asks for marks, which the kernel tells to some only.
    pub fn asks_marks(&self) -> bool {
        let mut asks = false;
        if let Some(expr) = &self.expr {
            expr.each(&mut |condition, _| asks |= matches!(condition, Condition::Mark { .. }));
        }
        asks
    }

    /// What to send to the kernel, so that it leaves out rows that cannot match.
    pub fn bytecode(&self, terms: &Terms<'_>) -> Bytecode {
        let part = self.expr.as_ref().and_then(|expr| push::kernel_part(expr, &|condition| terms.decides(condition)));
        part.map_or(Bytecode::Everything, |part| bytecode::compile(&part, terms))
    }

    /// What goes to the kernel and what stays, in words; `usual` are the states that are looked at if nothing is said.
    pub fn explain(&self, usual: StateSet) -> String {
        explain::explain(self.expr.as_ref(), self.needs(), usual)
    }
}

/// As it was understood, with every parenthesis.
impl fmt::Display for Filter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| expr.fmt(out))
    }
}

/// A time with its unit, in microseconds: `500ms`, `10s`, `1h30m`; `0` needs none.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub fn time_us(text: &str) -> Result<u64, String> {
    value::number(text, value::Measure::Time)
}

fn needs(expr: &Expr) -> Needs {
    let mut needs = Needs::empty();
    expr.each(&mut |condition, _| needs |= condition.needs());
    needs
}
