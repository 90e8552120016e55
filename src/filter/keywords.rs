//! Words that are no columns: those of ss, and a few more.

use crate::fields::column::folded;

/// Words that are no columns, each with its help.
pub(super) const KEYWORDS: &[(&str, &str)] = &[
    ("state", "state STATE…: in one of these states; several are any of them"),
    ("exclude", "exclude STATE…: in none of these states"),
    ("src", "src ADDRESS[:PORT]: the local end; a prefix (10.0.0.0/8), *:PORT and host names too"),
    ("dst", "dst ADDRESS[:PORT]: the remote end"),
    ("sport", "sport = PORT: the local port, a number or a service of /etc/services; also != < <= > >= in"),
    ("dport", "dport = PORT: the remote port"),
    ("dev", "dev = NAME: bound to this interface; dev = 0: bound to none"),
    ("fwmark", "fwmark = MARK[/MASK]: SO_MARK; needs CAP_NET_ADMIN"),
    ("cgroup", "cgroup = PATH: made in this version 2 cgroup"),
    ("autobound", "the kernel chose the local port, and it lies in ip_local_port_range"),
    ("loopback", "one of the ends is a loopback address"),
    ("owner", "owner = NAME: the same as process; owner = none: no process holds it"),
];

/// Whether a word begins or joins conditions, and is no field.
pub(crate) fn is_keyword(word: &str) -> bool {
    let word = folded(word);
    KEYWORDS.iter().map(|(keyword, _)| *keyword).chain(["excl", "and", "or", "not"]).any(|keyword| keyword == word)
}
