//! Other programs' and people's words for columns: never understood as the column, but answered with its name.

use super::column::folded;

/// A word, and the columns that it may stand for.
const SYNONYMS: &[(&[&str], &[&str])] = &[
    (&["remote", "foreign", "dst", "dest", "destination", "to"], &["peer"]),
    (&["src", "source", "from", "local-end"], &["local"]),
    (
        &["remote-addr", "remote-address", "remote-ip", "raddr", "foreign-address", "peer-address", "peer-ip"],
        &["peer-addr"],
    ),
    (&["local-address", "local-ip", "laddr"], &["local-addr"]),
    (&["addr", "address", "ip", "host"], &["local-addr", "peer-addr"]),
    (&["dport", "rport", "remote-port", "dest-port", "foreign-port"], &["peer-port"]),
    (&["sport", "lport", "source-port"], &["local-port"]),
    (&["port"], &["local-port", "peer-port"]),
    (&["dev", "device", "iface", "nic"], &["interface"]),
    (&["owner", "program", "prog", "proc", "processes", "app", "name"], &["process"]),
    (&["command", "cmd"], &["comm"]),
    (&["service"], &["unit"]),
    (&["username"], &["user"]),
    (&["status"], &["state"]),
    (&["ns", "namespace", "net"], &["netns"]),
    (&["ino"], &["inode"]),
    (&["sk"], &["cookie"]),
    (&["fwmark"], &["mark"]),
    (&["recvq", "rx", "rx-queue"], &["recv-q"]),
    (&["sendq", "tx", "tx-queue"], &["send-q"]),
    (&["queue", "queues"], &["recv-q", "send-q"]),
    (&["deadline", "dead"], &["dead-in"]),
    (&["age", "silence", "quiet"], &["idle"]),
    (&["lastsnd"], &["last-sent"]),
    (&["lastrcv"], &["last-data-recv"]),
    (&["lastack"], &["last-ack-recv"]),
    (&["ka"], &["keepalive"]),
    (&["timers"], &["timer", "expires"]),
    (&["timeout"], &["user-timeout"]),
    (&["cwnd"], &["snd-cwnd"]),
    (&["ssthresh"], &["snd-ssthresh"]),
    (&["mss"], &["snd-mss"]),
    (&["mtu"], &["pmtu"]),
    (&["window"], &["snd-wnd", "rcv-wnd"]),
    (&["congestion"], &["cc"]),
    (&["retransmissions"], &["total-retrans"]),
    (&["skmem"], &["rmem", "wmem"]),
];

/// The columns that such a word may stand for; none where it is unknown.
pub fn meant(word: &str) -> &'static [&'static str] {
    let word = folded(word);
    SYNONYMS.iter().find(|(words, _)| words.contains(&word.as_str())).map_or(&[], |(_, columns)| columns)
}

#[cfg(test)]
mod tests {
    use super::{SYNONYMS, meant};
    use crate::fields::table::column;

    #[test]
    fn no_synonym_is_a_column_and_each_stands_for_one() {
        for (words, columns) in SYNONYMS {
            assert!(words.iter().all(|word| column(word).is_none()), "{words:?}");
            assert!(columns.iter().all(|name| column(name).is_some()), "{columns:?}");
        }
        assert_eq!((meant("Remote_Port"), meant("colour")), (&["peer-port"][..], &[][..]));
    }
}
