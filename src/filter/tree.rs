//! A filter as it was understood: conditions, joined by and, or and not. What it is made of is normal: an `All` holds no
//! `All`, an `Any` no `Any`, each at least two, and nothing is negated twice; so equal filters are equal values.

use std::net::IpAddr;

use super::non_empty::NonEmpty;
use super::pattern::Pattern;
use crate::fields::socket::SocketColumn;
use crate::model::address::{Family, Side};
use crate::model::needs::Needs;
use crate::model::state::StateSet;

/// Conditions, joined.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// Every one holds
    All(NonEmpty<Expr>),
    /// At least one holds
    Any(NonEmpty<Expr>),
    /// It does not hold
    Not(Box<Expr>),
    /// This holds
    Is(Condition),
}

/// What can be asked of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// The state is one of these
    States(StateSet),
    /// Family of the socket
    Family(Family),
    /// Address and port of an end: ss's `src` and `dst`
    End(Side, End),
    /// The port of an end lies so to this one
    Port(Side, OrderSign, u16),
    /// The port of an end lies in one of these ranges, both ends included
    Ports(Side, Vec<(u16, u16)>),
    /// It is bound to this interface
    Device(Device),
    /// `SO_MARK`, under the mask
    Mark {
        /// What is left of it
        mark: u32,
        /// Which bits count
        mask: u32,
    },
    /// Path of its version 2 cgroup
    Cgroup(String),
    /// The kernel chose the local port
    Autobound,
    /// One of the ends is a loopback address
    Loopback,
    /// Found in its addresses, processes or units
    Text(Pattern),
    /// What a column shows
    Column(&'static SocketColumn, Test),
}

/// One end, as far as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct End {
    /// Any address where there is none
    pub(super) prefix: Option<Prefix>,
    /// Any port where there is none
    pub(super) port: Option<u16>,
}

/// Leading bits of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The address, bits beyond the prefix included
    pub(super) addr: IpAddr,
    /// How many bits count
    pub(super) bits: u8,
}

impl Prefix {
    /// The address and no other.
    pub(super) fn whole(addr: IpAddr) -> Self {
        Self { addr, bits: if addr.is_ipv4() { 32 } else { 128 } }
    }
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Device {
    /// By name; if the name is a number, also by index
    Name(String),
    /// Not bound to any: ss's `dev = 0`
    None,
}

/// How two numbers lie to each other.
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
    /// Whether `left` lies so to `right`.
    pub(super) fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::AtLeast => left >= right,
            Self::Above => left > right,
        }
    }

    /// As it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }
}

/// What a column's value is held against.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// One of these
    Among(NonEmpty<Item>),
    /// A number, in the least unit of its kind (bytes, microseconds, or a plain count)
    Ordered(OrderSign, u64),
    /// It looks like this
    Like(Pattern),
}

/// One of the values that a column may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// This word or text
    Text(String),
    /// This number, in the least unit of its kind
    Number(u64),
    /// A number from this one to that one, both included
    Range(u64, u64),
    /// A time that never comes
    Never,
    /// Nothing at all
    Nothing,
}

impl Expr {
    /// Both hold. Normal if they are.
    pub(super) fn and(self, other: Self) -> Self {
        Self::All(gather(self, other, |expr| match expr {
            Self::All(parts) => Ok(parts),
            other => Err(other),
        }))
    }

    /// One of them holds. Normal if they are.
    pub(super) fn or(self, other: Self) -> Self {
        Self::Any(gather(self, other, |expr| match expr {
            Self::Any(parts) => Ok(parts),
            other => Err(other),
        }))
    }

    /// It does not hold. Normal if it is.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The same with the ends in each other's place.
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

    /// Hands over each condition, from left to right, and whether it stands under a `not`.
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

/// The parts of both, where they are of the kind that `parts` takes apart.
fn gather(left: Expr, right: Expr, parts: impl Fn(Expr) -> Result<NonEmpty<Expr>, Expr>) -> NonEmpty<Expr> {
    let mut all = parts(left).unwrap_or_else(NonEmpty::new);
    match parts(right) {
        Ok(more) => all.append(more),
        Err(single) => all.push(single),
    }
    all
}

impl Condition {
    /// What has to be known of a row to decide it.
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
