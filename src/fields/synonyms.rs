//! Words of people and other programs for columns. They are not accepted as names; the error suggests the column.

use super::column::folded;
use super::id::ColumnId;
use crate::model::tcp_info::Field;

/// Words, and the columns that they may stand for.
const SYNONYMS: &[(&[&str], &[ColumnId])] = &[
    (&["remote", "foreign", "dst", "dest", "destination", "to"], &[ColumnId::Peer]),
    (&["src", "source", "from", "local-end"], &[ColumnId::Local]),
    (
        &["remote-addr", "remote-address", "remote-ip", "raddr", "foreign-address", "peer-address", "peer-ip"],
        &[ColumnId::PeerAddr],
    ),
    (&["local-address", "local-ip", "laddr"], &[ColumnId::LocalAddr]),
    (&["addr", "address", "ip", "host"], &[ColumnId::LocalAddr, ColumnId::PeerAddr]),
    (&["dport", "rport", "remote-port", "dest-port", "foreign-port"], &[ColumnId::PeerPort]),
    (&["sport", "lport", "source-port"], &[ColumnId::LocalPort]),
    (&["port"], &[ColumnId::LocalPort, ColumnId::PeerPort]),
    (&["dev", "device", "iface", "nic"], &[ColumnId::Interface]),
    (&["owner", "program", "prog", "proc", "processes", "app", "name"], &[ColumnId::Process]),
    (&["command", "cmd"], &[ColumnId::Comm]),
    (&["service"], &[ColumnId::Unit]),
    (&["username"], &[ColumnId::User]),
    (&["status"], &[ColumnId::State]),
    (&["ns", "namespace", "net"], &[ColumnId::Netns]),
    (&["ino"], &[ColumnId::Inode]),
    (&["sk"], &[ColumnId::Cookie]),
    (&["fwmark"], &[ColumnId::Mark]),
    (&["recvq", "rx", "rx-queue"], &[ColumnId::RecvQ]),
    (&["sendq", "tx", "tx-queue"], &[ColumnId::SendQ]),
    (&["queue", "queues"], &[ColumnId::RecvQ, ColumnId::SendQ]),
    (&["deadline", "dead"], &[ColumnId::DeadIn]),
    (&["age", "silence", "quiet"], &[ColumnId::Idle]),
    (&["lastsnd"], &[ColumnId::LastSent]),
    (&["lastrcv"], &[ColumnId::Info(Field::LastDataRecv)]),
    (&["lastack"], &[ColumnId::Info(Field::LastAckRecv)]),
    (&["ka"], &[ColumnId::Keepalive]),
    (&["timers"], &[ColumnId::Timer, ColumnId::Expires]),
    (&["timeout"], &[ColumnId::UserTimeout]),
    (&["cwnd"], &[ColumnId::Info(Field::SndCwnd)]),
    (&["ssthresh"], &[ColumnId::Info(Field::SndSsthresh)]),
    (&["mss"], &[ColumnId::Info(Field::SndMss)]),
    (&["mtu"], &[ColumnId::Info(Field::Pmtu)]),
    (&["window"], &[ColumnId::Info(Field::SndWnd), ColumnId::Info(Field::RcvWnd)]),
    (&["congestion"], &[ColumnId::Cc]),
    (&["retransmissions"], &[ColumnId::Info(Field::TotalRetrans)]),
    (&["skmem"], &[ColumnId::Rmem, ColumnId::Wmem]),
];

/// The columns that a word may stand for; empty if it is unknown.
pub(crate) fn meant(word: &str) -> &'static [ColumnId] {
    let word = folded(word);
    SYNONYMS.iter().find(|(words, _)| words.contains(&word.as_str())).map_or(&[], |(_, columns)| columns)
}

#[cfg(test)]
mod tests {
    use super::{SYNONYMS, meant};
    use crate::fields::id::ColumnId;
    use crate::fields::table::{column_called, column_of};

    #[test]
    fn no_synonym_is_a_column_and_each_stands_for_one() {
        for (words, columns) in SYNONYMS {
            assert!(words.iter().all(|word| column_called(word).is_none()), "{words:?}");
            assert!(columns.iter().all(|id| column_of(*id).is_some()), "{columns:?}");
        }
        assert_eq!((meant("Remote_Port"), meant("colour")), (&[ColumnId::PeerPort][..], &[][..]));
    }
}
