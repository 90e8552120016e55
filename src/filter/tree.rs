//! A parsed filter: conditions, joined by and, or and not. Its form is normal: an `All` contains no `All`, an `Any` no
//! `Any`, each has at least two parts, and nothing is negated twice; so equal filters are equal values.

use std::net::IpAddr;

use super::non_empty::NonEmpty;
use super::pattern::Pattern;
use crate::fields::socket::SocketColumn;
use crate::model::address::{Family, Side};
use crate::model::needs::Needs;
use crate::model::state::StateSet;

/// Expression of conditions.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// Every part holds
    All(NonEmpty<Expr>),
    /// At least one part holds
    Any(NonEmpty<Expr>),
    /// The part does not hold
    Not(Box<Expr>),
    /// The condition holds
    Is(Condition),
}

/// Condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// The state is one of these
    States(StateSet),
    /// Family of the socket
    Family(Family),
    /// Address and port of an end: ss's `src` and `dst`
    End(Side, End),
    /// The port of an end, compared with this number
    Port(Side, OrderSign, u16),
    /// The port of an end lies in one of these ranges, bounds included
    Ports(Side, Vec<(u16, u16)>),
    /// The socket is bound to this interface
    Device(Device),
    /// `SO_MARK` under a mask
    Mark {
        /// Value of the bits under the mask
        mark: u32,
        /// Bits that count
        mask: u32,
    },
    /// Path of its version 2 cgroup
    Cgroup(String),
    /// The kernel chose the local port
    Autobound,
    /// One of the ends is a loopback address
    Loopback,
    /// The text is found in its addresses, processes or units
    Text(Pattern),
    /// Comparison with the value of a column
    Column(&'static SocketColumn, Test),
}

/// Address and port of one end, as far as they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct End {
    /// `None` for any address
    pub(super) prefix: Option<Prefix>,
    /// `None` for any port
    pub(super) port: Option<u16>,
}

/// Leading bits of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The address, bits beyond the prefix included
    pub(super) addr: IpAddr,
    /// Number of bits that count
    pub(super) bits: u8,
}

impl Prefix {
    /// Prefix that matches this address and no other.
    pub(super) fn whole(addr: IpAddr) -> Self {
        Self { addr, bits: if addr.is_ipv4() { 32 } else { 128 } }
    }
}

/// Interface that a socket may be bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Device {
    /// By name; if the name is a number, also by index
    Name(String),
    /// Not bound to an interface: ss's `dev = 0`
    None,
}

/// Order of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderSign {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl OrderSign {
    /// Whether `left` and `right` are in this order.
    pub(super) fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::AtLeast => left >= right,
            Self::Above => left > right,
        }
    }

    /// The operator as it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }
}

/// Comparison with the value of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// Equal to one of these
    Among(NonEmpty<Item>),
    /// In this order to a number, in the smallest unit of its kind (bytes, microseconds, or a plain count)
    Ordered(OrderSign, u64),
    /// Matches this pattern
    Like(Pattern),
}

/// A value that a column can be equal to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// This word or text
    Text(String),
    /// This number, in the smallest unit of its kind
    Number(u64),
    /// A number in this range, bounds included
    Range(u64, u64),
    /// A time that never comes
    Never,
    /// No value
    Nothing,
}

impl Expr {
    /// Both expressions hold. The result is normal if they are.
    pub(super) fn and(self, other: Self) -> Self {
        Self::All(gather(self, other, |expr| match expr {
            Self::All(parts) => Ok(parts),
            other => Err(other),
        }))
    }

    /// At least one of the expressions holds. The result is normal if they are.
    pub(super) fn or(self, other: Self) -> Self {
        Self::Any(gather(self, other, |expr| match expr {
            Self::Any(parts) => Ok(parts),
            other => Err(other),
        }))
    }

    /// The expression does not hold. The result is normal if it is.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The expression with local and remote end exchanged.
    pub(super) fn turned(&self) -> Self {
        let all = |parts: &NonEmpty<Self>| parts.map(Self::turned);
        match self {
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            Self::Not(inner) => Self::Not(Box::new(inner.turned())),
            Self::Is(Condition::End(Side::Local, end)) => Self::Is(Condition::End(Side::Peer, *end)),
            Self::Is(Condition::End(Side::Peer, end)) => Self::Is(Condition::End(Side::Local, *end)),
            Self::Is(other) => Self::Is(other.clone()),
        }
    }

    /// Calls `visit` with each condition, from left to right, and with whether it is under a `not`.
    pub(super) fn each(&self, visit: &mut impl FnMut(&Condition, bool)) {
        self.each_under(false, visit);
    }

    fn each_under(&self, negated: bool, visit: &mut impl FnMut(&Condition, bool)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each_under(negated, visit)),
            Self::Not(inner) => inner.each_under(!negated, visit),
            Self::Is(condition) => visit(condition, negated),
        }
    }
}

/// The parts of both expressions; an expression that `parts` cannot split is one part.
fn gather(left: Expr, right: Expr, parts: impl Fn(Expr) -> Result<NonEmpty<Expr>, Expr>) -> NonEmpty<Expr> {
    let mut all = parts(left).unwrap_or_else(NonEmpty::new);
    match parts(right) {
        Ok(more) => all.append(more),
        Err(single) => all.push(single),
    }
    all
}

impl Condition {
    /// Data of a row that the condition needs.
    pub(super) fn needs(&self) -> Needs {
        match self {
            Self::Mark { .. } => Needs::CLASS,
            Self::Cgroup(_) => Needs::CGROUP,
            Self::Autobound => Needs::SYSCTLS,
            Self::Text(_) => Needs::OWNERS,
            Self::Column(column, _) => column.needs,
            Self::States(_)
            | Self::Family(_)
            | Self::End(..)
            | Self::Port(..)
            | Self::Ports(..)
            | Self::Device(_)
            | Self::Loopback => Needs::empty(),
        }
    }
}
