//! Help for the filter language on one page. Its fields come from the column table.

use std::fmt::Write;

use super::keywords::KEYWORDS;
use super::predicate::example;
use crate::fields::column::Kind;
use crate::fields::id::ColumnId;
use crate::fields::socket::SocketColumn;
use crate::fields::table::groups;
use crate::model::liveness::Verdict;

const GRAMMAR: &str = "\
A filter selects sockets. It may be one argument or many; quote what the shell would take: ( ) ! < > { } & |.

Joining conditions
  A and B, A && B, A & B, A B   both hold
  A or B, A || B, A | B         one of them holds
  not A, ! A                    A does not hold
  ( A or B ) and C              'and' and 'or' have equal precedence, left to right, as in ss: use parentheses
  --explain-filter              shows how a filter is read, what of it goes to the kernel, and what stays

Comparing
  = == eq, != ne neq            also 'state = time-wait', 'process != nginx'; != is 'not ='
  < lt, <= le leq, >= ge geq, > gt
  in {80, 443, 8000-8999}       one of these, numbers and times also as ranges; 'not in' is none of these
  ~ text, !~ text               contains it, upper and lower case alike
  ~ /regex/                     matches it; write \\s for a space
  = none                        it has no value: owner = none, interface = none
  \"quoted text\"                 is never a keyword; \\ takes the meaning from the next character

Values
  times                         500us, 20ms, 10s, 5m, 2h, 1d, 1h30m; 0 alone needs no unit
  sizes                         1000 (bytes), 512B, 64K, 1M, 2G (1K is 1024 bytes); of rates a second
  addresses                     10.0.0.5, 10.0.0.0/8, 10.0.0.5:443, [2001:db8::1]:443, [fe80::1%eth0], *:443, a host's name
  ports                         443, :443, https (from /etc/services)
  names of fields               in any case, with - or _

A value that is unknown or absent matches no comparison, so it matches 'not' and '!='. Of times that are only
known to be at least or at most something, that number is compared; never is later than any time.

States
  state STATE [state STATE…]    in one of these states; at the beginning it narrows all that follows, as in ss
  exclude STATE                 in none of these states
  STATE is established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, close, close-wait, last-ack, listening,
  closing, bound-inactive, or all, connected (without listeners), synchronized (connected without syn-sent),
  bucket (syn-recv and time-wait), big (all but those).
  Listeners are listed only where the filter asks for them, or with -a or -l.

Words alone
  postgres                      found in an address, a process or its systemd unit
  established, time-wait, …     the same as state established, state time-wait
  10.0.0.9, 10.0.0.9:5432, :443 one of the ends is this one
  10.0.0.5:48350->10.0.0.9:5432 this connection; quote it: the shell interprets >

";

const EXAMPLES: &str = "
Examples
  tcpulse ls state established and dport = :443 and process = nginx and idle \\> 10m
  tcpulse ls 'dport in {80, 443, 8000-8999} and not loopback'
  tcpulse ls 'verdict in {probing, retransmitting, silent-window}'     peers that do not answer
  tcpulse ls 'keepalive = off and dead-in = never and idle > 1h'       a dead peer would never be detected
  tcpulse ls 'state close-wait and close-wait-age > 10m'               sockets that a program leaks
  tcpulse ls 'accept-q > 0'                                            listeners with connections waiting
  tcpulse ls 'src 10.0.0.0/8 and send-q > 1M and rtt > 50ms'
  tcpulse stat --by process 'state time-wait or state close-wait'
  tcpulse --json 'unit = sshd.service' | jq '.connections[].remote'
";

/// The whole help page.
pub(crate) fn help() -> String {
    let mut text = GRAMMAR.to_owned();
    text.push_str("Words of ss, and more\n");
    for (word, meaning) in KEYWORDS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {word:<13} {meaning}");
    }
    text.push_str("\nFields, as ls shows them\n");
    for (title, columns) in groups() {
        let _ = writeln!(text, "  {title}");
        for column in columns {
            field(&mut text, column);
        }
    }
    text + EXAMPLES
}

fn field(text: &mut String, column: &SocketColumn) {
    let sample = format!("{} {}", column.name(), example(column));
    let _ = writeln!(text, "    {sample:<32} {}", column.help);
    if column.id == ColumnId::Verdict {
        for verdict in Verdict::ALL {
            let _ = writeln!(text, "    {:<32}   {:<15} {}", "", verdict.name(), verdict.meaning());
        }
    } else if let Kind::Word(words) = column.kind {
        for line in lines(&words(), ROOM) {
            let _ = writeln!(text, "    {:<32} {line}", "");
        }
    }
}

/// Cells for the words of a field.
const ROOM: usize = 80;

/// Words separated by commas, in lines of at most `room` cells.
fn lines(words: &[&str], room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (index, word) in words.iter().enumerate() {
        let word = if index + 1 < words.len() { format!("{word}, ") } else { (*word).to_owned() };
        match lines.last_mut() {
            Some(line) if line.len() + word.len() <= room => line.push_str(&word),
            _ => lines.push(word),
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}
