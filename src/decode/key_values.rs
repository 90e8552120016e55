//! Parses the two formats of /proc files that pair names with numbers. A malformed line is skipped, a name without a
//! number is absent, and nothing absent becomes 0. `procfs` rejects a whole snmp file for one missing group,
//! hence this parser.
//!
//! * snmp and netstat: `Tcp: A B C` and below it `Tcp: 1 2 3`
//! * sockstat: `TCP: inuse 5 orphan 0`

/// Names and numbers of one group, in the order of the file.
pub(crate) type Pairs = Vec<(String, i64)>;

/// The pairs of `group` in a file of line pairs. Names without a number and numbers without a name are dropped.
pub(crate) fn from_line_pairs(text: &str, group: &str) -> Pairs {
    let mut found = Pairs::new();
    let mut lines = text.lines().filter_map(|line| rest_of(line, group));
    while let (Some(names), Some(numbers)) = (lines.next(), lines.next()) {
        let numbers = numbers.split_ascii_whitespace().map(|number| number.parse().ok());
        let pairs = names.split_ascii_whitespace().zip(numbers);
        found.extend(pairs.filter_map(|(name, number)| Some((name.to_owned(), number?))));
    }
    found
}

/// The number called `name` in the line of `group` of a sockstat file.
pub(crate) fn from_inline(text: &str, group: &str, name: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| rest_of(line, group))?;
    let mut words = line.split_ascii_whitespace();
    while let Some(word) = words.next() {
        if word == name {
            return words.next()?.parse().ok();
        }
        words.next();
    }
    None
}

fn rest_of<'a>(line: &'a str, group: &str) -> Option<&'a str> {
    line.strip_prefix(group)?.strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use super::{from_inline, from_line_pairs};

    const SNMP: &str = "Ip: Forwarding\nIp: 1\nTcp: MaxConn ActiveOpens CurrEstab\nTcp: -1 7 3\n";
    const SOCKSTAT: &str = "sockets: used 8\nTCP: inuse 1 orphan 0 tw 2 alloc 1 mem 401\n";

    #[test]
    fn pairs_are_read_by_name() {
        let wanted = [("MaxConn", -1), ("ActiveOpens", 7), ("CurrEstab", 3)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(from_line_pairs(SNMP, "Tcp"), wanted);
        assert_eq!(from_line_pairs(SNMP, "UdpLite"), []);
    }

    #[test]
    fn missing_numbers_are_absent_not_zero() {
        assert_eq!(from_line_pairs("Tcp: A B C\nTcp: 1 x\n", "Tcp"), [("A".to_owned(), 1)]);
        assert_eq!(from_line_pairs("Tcp: A B C\n", "Tcp"), []);
        assert_eq!(from_inline(SOCKSTAT, "TCP", "tw"), Some(2));
        assert_eq!(from_inline(SOCKSTAT, "TCP", "2"), None);
        assert_eq!(from_inline(SOCKSTAT, "TCP6", "inuse"), None);
        assert_eq!(from_inline("TCP: inuse", "TCP", "inuse"), None);
    }
}
