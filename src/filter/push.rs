//! The part of a filter that the kernel can apply, so that it sends fewer rows: states, families, and conditions that
//! have an operation. The kernel may send too many rows but never too few, except for `autobound`, of which it knows
//! more than a row does. Every row is checked again with the whole filter.

use super::non_empty::NonEmpty;
use super::tree::{Condition, Expr, Item, Test};
use crate::fields::id::ColumnId;
use crate::fields::socket::SocketColumn;
use crate::model::address::Family;
use crate::model::liveness::Verdict;
use crate::model::state::{StateSet, TcpState};

/// The states that a matching socket can be in.
pub(super) fn states(expr: &Expr) -> StateSet {
    fold(expr, false, &Fold { and: StateSet::intersection, or: StateSet::union, of: &condition_states })
}

/// The families that a matching socket can be of.
pub(super) fn families(expr: &Expr) -> Vec<Family> {
    let of = |condition: &Condition, negated: bool| match condition {
        Condition::Family(family) => Family::ALL.map(|each| (each == *family) != negated),
        // An IPv4 prefix also matches IPv6 sockets with IPv4 peers.
        Condition::End(_, end) if !negated && end.prefix.is_some_and(|prefix| prefix.addr.is_ipv6()) => {
            Family::ALL.map(|each| each == Family::Ipv6)
        }
        _ => [true; 2],
    };
    let and = |one: [bool; 2], other: [bool; 2]| [one[0] && other[0], one[1] && other[1]];
    let or = |one: [bool; 2], other: [bool; 2]| [one[0] || other[0], one[1] || other[1]];
    let kept = fold(expr, false, &Fold { and, or, of: &of });
    std::iter::zip(Family::ALL, kept).filter_map(|(family, kept)| kept.then_some(family)).collect()
}

/// The part that the kernel can decide, with `not` only before conditions; `None` if it can decide nothing.
pub(super) fn kernel_part(expr: &Expr, decides: &dyn Fn(&Condition) -> bool) -> Option<Expr> {
    let of = |condition: &Condition, negated: bool| {
        let condition = decides(condition).then(|| Expr::Is(condition.clone()))?;
        Some(if negated { condition.negated() } else { condition })
    };
    // A condition that the kernel cannot decide counts as true.
    let and = |one: Option<Expr>, other: Option<Expr>| match (one, other) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    };
    let or = |one: Option<Expr>, other: Option<Expr>| Some(one?.or(other?));
    fold(expr, false, &Fold { and, or, of: &of })
}

/// How to combine the parts of a filter into a property of the whole.
struct Fold<'a, T, And, Or> {
    and: And,
    or: Or,
    of: &'a dyn Fn(&Condition, bool) -> T,
}

/// Folds an expression. A `not` is moved down to the conditions, which exchanges `and` and `or`.
fn fold<T>(expr: &Expr, negated: bool, by: &Fold<'_, T, impl Fn(T, T) -> T, impl Fn(T, T) -> T>) -> T {
    let parts = match expr {
        Expr::Not(inner) => return fold(inner, !negated, by),
        Expr::Is(condition) => return (by.of)(condition, negated),
        Expr::All(parts) | Expr::Any(parts) => parts,
    };
    let all = matches!(expr, Expr::All(_)) != negated;
    let folded = parts.map(|part| fold(part, negated, by));
    if all { folded.reduce(&by.and) } else { folded.reduce(&by.or) }
}

/// The states in which a condition can hold; negated, those in which it can fail.
pub(super) fn condition_states(condition: &Condition, negated: bool) -> StateSet {
    match condition {
        Condition::States(set) if negated => set.complement(),
        Condition::States(set) => *set,
        Condition::Column(column, Test::Among(items)) if !negated => column_states(column, items),
        Condition::Column(column, Test::Ordered(..)) if !negated && is_listeners(column) => StateSet::listeners(),
        _ => StateSet::ALL,
    }
}

fn is_listeners(column: &SocketColumn) -> bool {
    matches!(column.id, ColumnId::AcceptQ | ColumnId::Backlog)
}

/// States in which a comparison with a column can hold: some columns and verdicts imply states.
fn column_states(column: &SocketColumn, items: &NonEmpty<Item>) -> StateSet {
    if is_listeners(column) && !items.iter().any(|item| *item == Item::Nothing) {
        return StateSet::listeners();
    }
    if column.id != ColumnId::Verdict {
        return StateSet::ALL;
    }
    let states = items.map(|item| match item {
        Item::Text(word) if word == Verdict::Listening.name() => StateSet::listeners(),
        Item::Text(word) if word == Verdict::Bound.name() => {
            StateSet::NONE.with(TcpState::BoundInactive).with(TcpState::Close)
        }
        _ => StateSet::ALL,
    });
    states.reduce(StateSet::union)
}
