//! Writes a filter as text, with every parenthesis that it implies. Parsing that text yields the same filter.

use std::fmt::{self, Display, Formatter};

use super::non_empty::NonEmpty;
use super::pattern::Pattern;
use super::tree::{Condition, Device, End, Expr, Item, Test};
use super::value::measure_of;
use crate::fields::column::Kind;
use crate::fields::socket::SocketColumn;
use crate::model::address::Side;
use crate::model::state::{StateSet, TcpState};

impl Display for Expr {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(out, parts, " and "),
            Self::Any(parts) => joined(out, parts, " or "),
            Self::Not(inner) => {
                out.write_str("not ")?;
                enclosed(out, inner)
            }
            Self::Is(condition) => condition.fmt(out),
        }
    }
}

fn joined(out: &mut Formatter<'_>, parts: &NonEmpty<Expr>, joint: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.write_str(joint)?;
        }
        enclosed(out, part)?;
    }
    Ok(())
}

fn enclosed(out: &mut Formatter<'_>, expr: &Expr) -> fmt::Result {
    match expr {
        Expr::All(_) | Expr::Any(_) => write!(out, "({expr})"),
        Expr::Not(_) | Expr::Is(_) => expr.fmt(out),
    }
}

impl Display for Condition {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::States(set) => states(out, *set),
            Self::Family(family) => write!(out, "family = {}", family.name()),
            Self::End(side, End { prefix: None, port: Some(port) }) => write!(out, "{} = {port}", port_word(*side)),
            Self::End(side, end) => {
                write!(out, "{} = ", if *side == Side::Local { "src" } else { "dst" })?;
                end_text(out, *end)
            }
            Self::Port(side, order, port) => write!(out, "{} {} {port}", port_word(*side), order.symbol()),
            Self::Ports(side, ranges) => {
                write!(out, "{} in {{", port_word(*side))?;
                separated(
                    out,
                    ranges,
                    |out, (from, to)| {
                        if from == to { write!(out, "{from}") } else { write!(out, "{from}-{to}") }
                    },
                )?;
                out.write_str("}")
            }
            Self::Device(Device::None) => out.write_str("dev = 0"),
            Self::Device(Device::Name(name)) => write!(out, "dev = {}", Quoted(name)),
            Self::Mark { mark, mask: u32::MAX } => write!(out, "fwmark = {mark:#x}"),
            Self::Mark { mark, mask } => write!(out, "fwmark = {mark:#x}/{mask:#x}"),
            Self::Cgroup(path) => write!(out, "cgroup = {}", Quoted(path)),
            Self::Autobound => out.write_str("autobound"),
            Self::Loopback => out.write_str("loopback"),
            Self::Text(pattern) => write!(out, "~ {pattern}"),
            Self::Column(column, test) => test_text(out, column, test),
        }
    }
}

fn port_word(side: Side) -> &'static str {
    if side == Side::Local { "sport" } else { "dport" }
}

/// A set with unknown states is written by the states that it excludes, any other by those that it contains.
fn states(out: &mut Formatter<'_>, set: StateSet) -> fmt::Result {
    let these = |kept: bool| TcpState::ALL.into_iter().filter(move |state| set.contains(*state) == kept);
    let (word, names): (_, Vec<_>) = match set {
        _ if set == StateSet::ALL => return out.write_str("state all"),
        _ if set.is_empty() => return out.write_str("state close exclude close"),
        _ if set.contains(TcpState::UNHEARD_OF) => ("exclude", these(false).collect()),
        _ => ("state", these(true).collect()),
    };
    for (index, state) in names.iter().enumerate() {
        write!(out, "{}{word} {state}", if index > 0 { " " } else { "" })?;
    }
    Ok(())
}

fn end_text(out: &mut Formatter<'_>, end: End) -> fmt::Result {
    match end.prefix {
        None => out.write_str("*")?,
        Some(prefix) => {
            let is_v6 = prefix.addr.is_ipv6();
            write!(out, "{}{}", if is_v6 { "[" } else { "" }, prefix.addr)?;
            if prefix.bits != super::tree::Prefix::whole(prefix.addr).bits {
                write!(out, "/{}", prefix.bits)?;
            }
            out.write_str(if is_v6 { "]" } else { "" })?;
        }
    }
    end.port.map_or(Ok(()), |port| write!(out, ":{port}"))
}

fn test_text(out: &mut Formatter<'_>, column: &SocketColumn, test: &Test) -> fmt::Result {
    let measure = measure_of(column.unit);
    let item = |out: &mut Formatter<'_>, item: &Item| match item {
        Item::Text(word) => Quoted(word).fmt(out),
        Item::Number(number) if matches!(column.kind, Kind::Hexadecimal) => write!(out, "{number:x}"),
        Item::Number(number) => out.write_str(&measure.write(*number)),
        Item::Range(from, to) => write!(out, "{}-{}", measure.write(*from), measure.write(*to)),
        Item::Never => out.write_str("never"),
        Item::Nothing => out.write_str("none"),
    };
    out.write_str(column.name())?;
    match test {
        Test::Among(items) if items.len() == 1 => {
            out.write_str(" = ")?;
            item(out, items.last())
        }
        Test::Among(items) => {
            out.write_str(" in {")?;
            separated(out, items.iter(), item)?;
            out.write_str("}")
        }
        Test::Ordered(order, number) => write!(out, " {} {}", order.symbol(), measure.write(*number)),
        Test::Like(pattern) => write!(out, " ~ {pattern}"),
    }
}

fn separated<'a, T: 'a>(
    out: &mut Formatter<'_>,
    items: impl IntoIterator<Item = &'a T>,
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write(out, item)?;
    }
    Ok(())
}

impl Display for Pattern {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(part) => Quoted(part).fmt(out),
            Self::Regex(regex) => write!(out, "/{}/", regex.as_str().replace('/', "\\/")),
        }
    }
}

/// Text in quotes, which is never a keyword.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text in quotes, unless it can only be a word.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@%+".contains(c);
        // A dash at the beginning could be read as the option of a command.
        if !self.0.is_empty() && !self.0.starts_with('-') && self.0.chars().all(is_plain) {
            return out.write_str(self.0);
        }
        out.write_str(&quoted(self.0))
    }
}
