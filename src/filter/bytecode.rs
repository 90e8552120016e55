//! What the kernel can decide, as `INET_DIAG_REQ_BYTECODE` (`struct inet_diag_bc_op`, `include/uapi/linux/inet_diag.h`;
//! `inet_diag_bc_run` and `inet_diag_bc_audit` in `net/ipv4/inet_diag.c`).
//!
//! Each operation says how far to go if it holds (`yes`, its own length here) and if not (`no`). To arrive at the end is
//! to match; to go 4 bytes beyond it is not to. So pieces are joined by moving where their failures lead.

use std::net::IpAddr;

use super::evaluate::interfaces;
use super::tree::{Condition, Device, End, Expr, OrderSign};
use crate::model::address::Side;
use crate::model::namespace::Namespace;

const JMP: u8 = 1;
const S_GE: u8 = 2;
const S_LE: u8 = 3;
const D_GE: u8 = 4;
const D_LE: u8 = 5;
const AUTO: u8 = 6;
const S_COND: u8 = 7;
const D_COND: u8 = 8;
const DEV_COND: u8 = 9;
const MARK_COND: u8 = 10;
const S_EQ: u8 = 11;
const D_EQ: u8 = 12;
const CGROUP_COND: u8 = 13;

/// Bytes of an operation without its operands, and how far beyond the end a failure goes.
const OP: usize = 4;
/// `no` is 16 bits wide. The kernel checks each jump by walking the code, so a long one takes its time.
const LONGEST: usize = 32 * 1024;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const NO_PORT: i32 = -1;

/// What an expression came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Code {
    /// It holds for every socket
    Always,
    /// It holds for none
    Never,
    /// The kernel has to look
    Ops(Vec<u8>),
    /// So would it, with more code than it is sent: not written any further, since each piece is copied with what follows it,
    /// and 90,000 ports took seconds
    TooLong,
}

/// What has to be known to name things to the kernel.
pub struct Terms<'a> {
    /// The namespace that is asked: interfaces have their numbers in it
    pub namespace: &'a Namespace,
    /// The id of a cgroup's path
    pub cgroup: &'a dyn Fn(&str) -> Option<u64>,
    /// What the kernel takes
    pub dialect: Dialect,
}

/// What a kernel takes, from whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// It knows `INET_DIAG_BC_S_EQ` (5.10): otherwise two comparisons say the same
    pub has_equal: bool,
    /// It lets marks be asked for: of `CAP_NET_ADMIN` only
    pub has_mark: bool,
}

impl Terms<'_> {
    /// Whether the kernel can decide it.
    pub(super) fn decides(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Mark { .. } => self.dialect.has_mark,
            Condition::Cgroup(path) => (self.cgroup)(path).is_some(),
            condition => is_kernels(condition),
        }
    }
}

/// Whether there is an operation for it.
pub(super) fn is_kernels(condition: &Condition) -> bool {
    match condition {
        Condition::End(..)
        | Condition::Port(..)
        | Condition::Ports(..)
        | Condition::Device(_)
        | Condition::Mark { .. }
        | Condition::Cgroup(_)
        | Condition::Autobound => true,
        Condition::States(_)
        | Condition::Family(_)
        | Condition::Loopback
        | Condition::Text(_)
        | Condition::Column(..) => false,
    }
}

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bytecode {
    /// No code: every socket may match
    Everything,
    /// No need to ask: no socket matches
    Nothing,
    /// This
    Ops(Vec<u8>),
}

/// Compiles an expression of which the kernel can decide all. One that grew too long is left out.
pub(super) fn compile(expr: &Expr, terms: &Terms<'_>) -> Bytecode {
    match code(expr, terms) {
        Code::Never => Bytecode::Nothing,
        Code::Ops(ops) if ops.len() <= LONGEST => Bytecode::Ops(ops),
        Code::Always | Code::Ops(_) | Code::TooLong => Bytecode::Everything,
    }
}

fn code(expr: &Expr, terms: &Terms<'_>) -> Code {
    match expr {
        Expr::All(parts) => parts.iter().map(|part| code(part, terms)).fold(Code::Always, and),
        Expr::Any(parts) => any(parts.iter().map(|part| code(part, terms))),
        Expr::Not(inner) => not(code(inner, terms)),
        Expr::Is(condition) => condition_code(condition, terms),
    }
}

fn and(left: Code, right: Code) -> Code {
    match (left, right) {
        (Code::Never, _) | (_, Code::Never) => Code::Never,
        (Code::Always, other) | (other, Code::Always) => other,
        (Code::TooLong, _) | (_, Code::TooLong) => Code::TooLong,
        (Code::Ops(left), Code::Ops(right)) if left.len() + right.len() > LONGEST => Code::TooLong,
        (Code::Ops(mut left), Code::Ops(right)) => {
            fail_later(&mut left, right.len());
            left.extend(right);
            Code::Ops(left)
        }
    }
}

/// From the right, so that no piece is walked more than once for each of those before it.
fn any(codes: impl DoubleEndedIterator<Item = Code>) -> Code {
    codes.rev().fold(Code::Never, |right, left| or(left, right))
}

/// Failures of the left lead past the jump, which is where the right begins.
fn or(left: Code, right: Code) -> Code {
    match (left, right) {
        (Code::Always, _) | (_, Code::Always) => Code::Always,
        (Code::Never, other) | (other, Code::Never) => other,
        (Code::TooLong, _) | (_, Code::TooLong) => Code::TooLong,
        (Code::Ops(left), Code::Ops(right)) if left.len() + right.len() > LONGEST => Code::TooLong,
        (Code::Ops(mut left), Code::Ops(right)) => {
            left.extend(jump(OP + right.len()));
            left.extend(right);
            Code::Ops(left)
        }
    }
}

/// Failures lead past the jump, which is the end; what holds meets the jump, which fails.
fn not(code: Code) -> Code {
    match code {
        Code::Always => Code::Never,
        Code::Never => Code::Always,
        Code::TooLong => Code::TooLong,
        Code::Ops(mut ops) => {
            ops.extend(jump(2 * OP));
            Code::Ops(ops)
        }
    }
}

fn jump(bytes: usize) -> [u8; OP] {
    // What is too long for it is never sent.
    op(JMP, OP, u16::try_from(bytes).unwrap_or(u16::MAX))
}

/// Code that is about to be followed by `more` bytes: what failed goes beyond those too.
fn fail_later(ops: &mut [u8], more: usize) {
    let mut at = 0;
    while at < ops.len() {
        let no = usize::from(u16::from_ne_bytes([ops[at + 2], ops[at + 3]]));
        if no == ops.len() - at + OP {
            let later = u16::try_from(no + more).unwrap_or(u16::MAX);
            ops[at + 2..at + OP].copy_from_slice(&later.to_ne_bytes());
        }
        at += usize::from(ops[at + 1]);
    }
}

fn op(code: u8, yes: usize, no: u16) -> [u8; OP] {
    // No operation is longer than a host condition: 28 bytes.
    let [low, high] = no.to_ne_bytes();
    [code, yes as u8, low, high]
}

/// An operation with its operand: it holds and the next follows, or all fails.
fn single(code: u8, operand: &[u8]) -> Code {
    let length = OP + operand.len();
    let mut ops = op(code, length, (length + OP) as u16).to_vec();
    ops.extend_from_slice(operand);
    Code::Ops(ops)
}

fn condition_code(condition: &Condition, terms: &Terms<'_>) -> Code {
    match condition {
        Condition::End(side, end) => end_code(*side, *end, terms),
        Condition::Port(side, order, port) => match order {
            OrderSign::AtLeast => at_least(*side, *port),
            OrderSign::AtMost => at_most(*side, *port),
            OrderSign::Above => port.checked_add(1).map_or(Code::Never, |port| at_least(*side, port)),
            OrderSign::Below => port.checked_sub(1).map_or(Code::Never, |port| at_most(*side, port)),
        },
        Condition::Ports(side, ranges) => any(ranges.iter().map(|(from, to)| {
            if from == to { equal(*side, *from, terms) } else { and(at_least(*side, *from), at_most(*side, *to)) }
        })),
        Condition::Device(Device::None) => single(DEV_COND, &0_u32.to_ne_bytes()),
        Condition::Device(Device::Name(name)) => {
            let indexes: Vec<_> = interfaces(terms.namespace, name).collect();
            any(indexes.into_iter().map(|index| single(DEV_COND, &index.to_ne_bytes())))
        }
        Condition::Mark { mark, mask } => single(MARK_COND, &[mark.to_ne_bytes(), mask.to_ne_bytes()].concat()),
        Condition::Autobound => single(AUTO, &[]),
        Condition::Cgroup(path) => match (terms.cgroup)(path) {
            Some(id) => single(CGROUP_COND, &id.to_ne_bytes()),
            None => Code::Always,
        },
        // `Terms::decides` left these out, and paths without an id.
        Condition::States(_)
        | Condition::Family(_)
        | Condition::Loopback
        | Condition::Text(_)
        | Condition::Column(..) => Code::Always,
    }
}

fn end_code(side: Side, end: End, terms: &Terms<'_>) -> Code {
    let Some(prefix) = end.prefix else { return end.port.map_or(Code::Always, |port| equal(side, port, terms)) };
    // struct inet_diag_hostcond
    let (family, addr) = match prefix.addr {
        IpAddr::V4(addr) => (AF_INET, addr.octets().to_vec()),
        IpAddr::V6(addr) => (AF_INET6, addr.octets().to_vec()),
    };
    host_condition(side, family, prefix.bits, end.port, &addr)
}

fn host_condition(side: Side, family: u8, bits: u8, port: Option<u16>, addr: &[u8]) -> Code {
    let mut operand = vec![family, bits, 0, 0];
    operand.extend(port.map_or(NO_PORT, i32::from).to_ne_bytes());
    operand.extend_from_slice(addr);
    single(if side == Side::Local { S_COND } else { D_COND }, &operand)
}

fn equal(side: Side, port: u16, terms: &Terms<'_>) -> Code {
    if terms.dialect.has_equal {
        port_op(if side == Side::Local { S_EQ } else { D_EQ }, port)
    } else {
        and(at_least(side, port), at_most(side, port))
    }
}

fn at_least(side: Side, port: u16) -> Code {
    if port == 0 { Code::Always } else { port_op(if side == Side::Local { S_GE } else { D_GE }, port) }
}

fn at_most(side: Side, port: u16) -> Code {
    if port == u16::MAX { Code::Always } else { port_op(if side == Side::Local { S_LE } else { D_LE }, port) }
}

/// The port stands in the `no` of a second operation.
fn port_op(code: u8, port: u16) -> Code {
    single(code, &op(0, 0, port))
}
