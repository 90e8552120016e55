//! The part of a filter that the kernel can decide, as `INET_DIAG_REQ_BYTECODE` (`struct inet_diag_bc_op`,
//! `include/uapi/linux/inet_diag.h`; `inet_diag_bc_run` and `inet_diag_bc_audit` in `net/ipv4/inet_diag.c`).
//!
//! Each operation has two jump distances: `yes` if it holds (here always its own length), `no` if not. Code that
//! arrives at its end matches; code that goes 4 bytes beyond it does not. So pieces are joined by moving where their
//! failures lead.

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

/// Bytes of an operation without its operands, and the distance beyond the end that a failure goes.
const OP: usize = 4;
/// Maximum length of the code, in bytes. `no` is 16 bits wide, and the kernel checks each jump by walking the code, so
/// long code is slow.
const LONGEST: usize = 32 * 1024;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const NO_PORT: i32 = -1;

/// Compiled form of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Code {
    /// It holds for every socket
    Always,
    /// It holds for no socket
    Never,
    /// The kernel decides, by this code
    Ops(Vec<u8>),
    /// The kernel could decide, but the code would be longer than is sent. Compilation stops here: each piece is copied
    /// with all that follows it, and 90,000 ports took seconds
    TooLong,
}

/// Names and abilities of the kernel that conditions are translated by.
pub struct Terms<'a> {
    /// The namespace to dump, which interface indexes belong to
    pub namespace: &'a Namespace,
    /// Looks up the id of a cgroup by its path
    pub cgroup: &'a dyn Fn(&str) -> Option<u64>,
    /// Operations that the kernel accepts
    pub dialect: Dialect,
}

/// Operations that a kernel accepts from this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// `INET_DIAG_BC_S_EQ` is known (5.10); without it, two comparisons do the same
    pub has_equal: bool,
    /// Marks can be compared, which needs `CAP_NET_ADMIN`
    pub has_mark: bool,
}

impl Terms<'_> {
    /// Whether the kernel can decide the condition.
    pub(super) fn decides(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Mark { .. } => self.dialect.has_mark,
            Condition::Cgroup(path) => (self.cgroup)(path).is_some(),
            condition => is_kernels(condition),
        }
    }
}

/// Whether the bytecode has an operation for the condition.
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

/// Bytecode to send with a dump request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bytecode {
    /// No code: every socket may match
    Everything,
    /// No request needed: no socket matches
    Nothing,
    /// This code
    Ops(Vec<u8>),
}

/// Compiles an expression that the kernel can decide completely. Code that is too long is left out.
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

/// Joined from the right, so that no piece is walked more than once for each piece before it.
fn any(codes: impl DoubleEndedIterator<Item = Code>) -> Code {
    codes.rev().fold(Code::Never, |right, left| or(left, right))
}

/// Failures of the left code lead past its jump, to where the right code begins.
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

/// Failures lead past the appended jump, which is the end: a match. Success reaches the jump, which leads beyond the
/// end.
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
    // Code that is too long for a jump is never sent.
    op(JMP, OP, u16::try_from(bytes).unwrap_or(u16::MAX))
}

/// Moves the failures of code that is about to be followed by `more` bytes: they lead beyond those too.
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

/// One operation with its operand: if it holds, the next operation follows, else the code fails.
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
        // `Terms::decides` excludes these, and paths without an id.
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

/// A comparison with a port, which is in the `no` of a second operation.
fn port_op(code: u8, port: u16) -> Code {
    single(code, &op(0, 0, port))
}
