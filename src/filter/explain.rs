//! Explains for `--explain-filter` what the kernel decides and what is decided here.

use super::bytecode::is_kernels;
use super::push;
use super::tree::{Condition, Expr};
use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::state::{StateSet, TcpState};

/// Words for the data that a filter needs.
const COSTS: [(Needs, &str); 9] = [
    (Needs::INFO, "tcp_info"),
    (Needs::MEMORY, "socket memory"),
    (Needs::CONGESTION, "congestion control"),
    (Needs::CLASS, "type of service and marks"),
    (Needs::CGROUP, "paths of cgroups"),
    (Needs::USER, "names of users"),
    (Needs::OWNERS, "the processes that hold the sockets"),
    (Needs::SYSCTLS, "sysctls"),
    (Needs::LIVENESS, "keepalive and deadline, for which options are read from descriptors"),
];

/// A few lines, each with a title.
pub(super) fn explain(expr: Option<&Expr>, needs: Needs, states: StateSet, families: &[Family]) -> String {
    let Some(expr) = expr else { return "no filter: every row matches\n".to_owned() };
    let states = push::states(expr).intersection(states);
    let kernel = push::kernel_part(expr, &is_kernels);
    let mut here = Vec::new();
    let top: Vec<_> = if let Expr::All(parts) = expr { parts.iter().collect() } else { vec![expr] };
    for part in top.iter().copied().filter(|part| !is_decided(part)) {
        here.push(if matches!(part, Expr::Any(_)) && top.len() > 1 { format!("({part})") } else { part.to_string() });
    }
    let asked: Vec<_> = COSTS.iter().filter(|(need, _)| needs.contains(*need)).map(|(_, words)| *words).collect();
    let left = push::families(expr).into_iter().filter(|family| families.contains(family));
    let families: Vec<_> = left.map(Family::name).collect();
    let none = |text: String, instead: &str| if text.is_empty() { instead.to_owned() } else { text };
    let lines = [
        ("read as", expr.to_string()),
        ("asked of the kernel", String::new()),
        ("  states", none(list_states(states), "none: no socket can match")),
        ("  families", none(families.join(", "), "none: no socket can match")),
        ("  bytecode", kernel.map_or("none".to_owned(), |kernel| kernel.to_string())),
        ("decided here", none(here.join(" and "), "nothing more; the whole filter is checked again on each row")),
        ("looked up for it", none(asked.join(", "), "nothing")),
    ];
    lines.iter().map(|(title, text)| format!("{title:<20} {text}").trim_end().to_owned() + "\n").collect()
}

/// Whether the kernel's answer decides this part.
fn is_decided(part: &Expr) -> bool {
    let mut kernels = true;
    part.each(&mut |condition, _| kernels &= is_kernels(condition));
    let is_mask = matches!(part, Expr::Is(Condition::States(_) | Condition::Family(_)));
    kernels || is_mask
}

fn list_states(states: StateSet) -> String {
    if states.contains(TcpState::UNHEARD_OF) && TcpState::ALL.into_iter().all(|state| states.contains(state)) {
        return "all".to_owned();
    }
    let names: Vec<_> =
        TcpState::ALL.into_iter().filter(|state| states.contains(*state)).filter_map(TcpState::name).collect();
    names.join(", ")
}
