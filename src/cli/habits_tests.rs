//! Options of other programs, and how they are translated.

use super::{HABITS, Meaning, read};
use crate::cli::args::command;
use crate::fields::id::ColumnId;
use crate::fields::table::column_of;
use proptest::prelude::{prop, prop_assert, proptest};
use std::ffi::OsString;

/// The arguments that clap gets, and the added columns; a leading dot if no dashboard opens.
fn reads(line: &str) -> Result<String, String> {
    let mut program = command();
    program.build();
    let arguments = std::iter::once("tcpulse").chain(line.split_whitespace()).map(OsString::from);
    let (arguments, habits) = read(arguments, &program).map_err(|error| error.0)?;
    let words: Vec<_> = arguments[1..].iter().map(|argument| argument.to_string_lossy()).collect();
    let columns = if habits.columns.is_empty() { String::new() } else { format!(" +{}", names(&habits.columns)) };
    Ok(format!("{}{}{columns}", if habits.lists { "." } else { "" }, words.join(" ")))
}

fn names(columns: &[ColumnId]) -> String {
    columns.iter().map(|id| id.name()).collect::<Vec<_>>().join(",")
}

#[test]
fn harmless_spellings_of_other_tools_are_accepted() {
    const O: &str = "timer,expires";
    const E: &str = "uid,inode,cookie";
    for (line, expected) in [
        ("-tanp", ".-a"),
        ("-tlnp", ".-l"),
        ("-ant", ".-a"),
        ("-nP", "."),
        ("-n", "."),
        ("-p", "."),
        ("-tan ls", ".-a ls"),
        ("ls -tan", ".ls -a"),
        ("ls state established -tn", ".ls state established"),
        ("-t -a dport = :443", ".-a dport = :443"),
        ("-n dport = :443", ".dport = :443"),
        ("-n state established", ".state established"),
        ("-n -a", ".-a"),
        ("-plant", ".-a"),
        ("-l -tan", ".-a"),
        ("-tO4", ".-4"),
        ("-tH", ".--no-header"),
        ("--tcp --numeric --processes --all", ".--all"),
        ("-tnw", ".-w"),
        ("-wt", ".-w"),
        ("stat -tan", ".stat -a"),
        ("kill -tn dst 10.0.0.1", ".kill dst 10.0.0.1"),
        ("-to", &format!(". +{O}")),
        ("-o", &format!(". +{O}")),
        ("-o -n", &format!(". +{O}")),
        ("-o ls", &format!(".ls +{O}")),
        ("-tanop", &format!(".-a +{O}")),
        ("-o state established", &format!(".state established +{O}")),
        ("-o established", &format!(".established +{O}")),
        ("-o dport = :443", &format!(".dport = :443 +{O}")),
        ("-o idle > 10s", &format!(".idle > 10s +{O}")),
        ("-o 10.0.0.1", &format!(".10.0.0.1 +{O}")),
        ("-oe", &format!(". +{O},{E}")),
        ("-e -o state,peer", &format!(".--columns=state,peer +{E}")),
        ("--extended --timers", &format!(". +{E},{O}")),
        ("show -e inode=5", &format!(".show inode=5 +{E}")),
        ("-t -- -tanp", ".-- -tanp"),
    ] {
        assert_eq!(reads(line).as_deref(), Ok(expected), "{line}");
    }
    assert!(reads("-im").unwrap().contains("rtt,rto,snd-cwnd") && reads("-im").unwrap().contains("rmem"));
}

#[test]
fn options_of_ours_are_left_as_they_are() {
    for line in [
        "",
        "-n 20",
        "-n20",
        "-n=20",
        "--limit 20",
        "-s idle",
        "-s idle:desc",
        "-sidle",
        "-s=idle",
        "-w 2 ls",
        "-w2",
        "-w4",
        "-w 0.5",
        "-w",
        "-N web ls -a",
        "-Nweb",
        "-N 812",
        "-4 -6 -q",
        "-l",
        "-a -l",
        "ls -ostate,peer",
        "-ortt",
        "-oato",
        "-oall",
        "kill -y dst 10.0.0.1",
        "kill --max 5 --yes dst 10.0.0.1",
        "set --detect 30s pid = 1",
        "stat --by process,state",
        "--format csv",
        "--format=csv",
        "--json",
        "-h",
        "-V",
        "--help",
        "help filter",
        "config --help",
        "-- -tanp",
        "dport = :443 and idle > 10m",
        "-s colour",
        "-ocolour",
    ] {
        assert_eq!(reads(line).as_deref(), Ok(line), "{line}");
    }
    for (line, joined) in [
        ("-o state,peer", "--columns=state,peer"),
        ("-o state", "--columns=state"),
        ("-o all", "--columns=all"),
        ("-o +rtt,-idle ls", "--columns=+rtt,-idle ls"),
        ("-o -idle", "--columns=-idle"),
        ("--columns -idle,-peer", "--columns=-idle,-peer"),
        ("-ao rtt", "-a --columns=rtt"),
        ("-an 20", "-a -n 20"),
        ("-o colour", "--columns=colour"),
        ("-o dst", "--columns=dst"),
    ] {
        assert_eq!(reads(line).as_deref(), Ok(joined), "{line}");
    }
}

#[test]
fn options_of_other_programs_get_one_line_that_names_the_command() {
    for (line, part) in [
        ("-s", "'tcpulse stat'"),
        ("-s -n", "'tcpulse stat'"),
        ("-ts", "'tcpulse stat'"),
        ("--summary", "'tcpulse stat'"),
        ("-tulpn", "tcpulse shows TCP only: tcpulse -tlpn; for UDP sockets: ss -ulpn"),
        ("-u", "for UDP sockets: ss -u"),
        ("-x", "for unix sockets: ss -x"),
        ("--raw", "for raw sockets: ss --raw"),
        ("-K dst 10.0.0.1", "'tcpulse kill FILTER'"),
        ("-c", "'tcpulse ls -w'"),
        ("-r", "the dashboard shows names"),
        ("-i :443", "tcpulse ls -a 'sport = :443 or dport = :443'"),
        ("-iTCP", "tcpulse ls -a"),
        ("-i TCP:443", "tcpulse ls -a 'sport = :443 or dport = :443'"),
        ("-nPi tcp:80,443", "sport in {80,443} or dport in {80,443}"),
        ("-i 4TCP@10.0.0.1:22", "tcpulse ls -4 -a 'dst 10.0.0.1:22 or src 10.0.0.1:22'"),
        ("-iTCP -sTCP:LISTEN", "tcpulse ls 'state listen'"),
        ("-iUDP", "TCP only"),
        ("-sTCP:CLOSE_WAIT", "tcpulse ls 'state close-wait'"),
        ("-p 812", "tcpulse ls 'pid = 812'"),
        ("kill -e dst 10.0.0.1", "kill has none"),
        ("-e stat", "stat has none"),
        ("--state established", "tcpulse ls 'state established'"),
        ("--state=time-wait stat", "tcpulse ls 'state time-wait'"),
        ("--process nginx", "tcpulse ls 'process = nginx'"),
        ("--port 443", "'sport = :443 or dport = :443'"),
        ("--pid 812", "'pid = 812'"),
        ("--host 10.0.0.1", "'dst 10.0.0.1 or src 10.0.0.1'"),
        ("--dport :443", "'dport = :443'"),
        ("--remote 10.0.0.1", "'peer = 10.0.0.1'"),
        ("--idle ls", "'idle = IDLE'"),
        ("--established", "'state established'"),
        ("kill --pid 812", "tcpulse kill 'pid = 812'"),
        ("set --idle=60s dst 10.0.0.1", "tcpulse set idle=60s"),
        ("set --keepalive on dst 10.0.0.1", "tcpulse set keepalive=on"),
        ("set --pid 812 idle=60s", "tcpulse set 'pid = 812'"),
        ("--csv", "--format csv"),
        ("--no-color", "--color never"),
        ("--all-sockets", "-a lists listeners"),
        ("--listning", "did you mean '--listening'?"),
        ("--no-process", "did you mean '--no-processes'?"),
        ("--yes", "belongs to set and kill"),
        ("--by process", "belongs to stat"),
        ("-z", "unknown option '-z'; tcpulse --help lists the options"),
        ("kill -z", "tcpulse kill --help lists the options"),
        ("--frobnicate", "unknown option '--frobnicate'; tcpulse --help"),
        ("--limit -1", "'-1'"),
    ] {
        let error = reads(line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
        assert!(!error.contains('\n'), "{line}: {error}");
    }
}

#[test]
fn the_opposite_is_never_suggested() {
    let program = command();
    for option in program.get_arguments().filter_map(clap::Arg::get_long) {
        let opposite = option.strip_prefix("no-").map_or(format!("no-{option}"), str::to_owned);
        // The last letter missing, and an extra one: typical typing errors.
        for typed in [&opposite[..opposite.len() - 1], &format!("{opposite}s"), &opposite] {
            let said = reads(&format!("--{typed}")).unwrap_or_else(|error| error);
            assert!(!said.contains(&format!("'--{option}'")), "--{typed}: {said}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_is_read_or_refused_in_one_line(
        words in prop::collection::vec("-{0,2}[a-zA-Z0-9=,:+@é]{0,6}|\\PC{0,8}|ls|kill|stat|state|rtt|443", 0..6),
    ) {
        let mut program = command();
        program.build();
        let arguments = std::iter::once("tcpulse").chain(words.iter().map(String::as_str)).map(OsString::from);
        if let Err(error) = read(arguments, &program) {
            prop_assert!(!error.0.is_empty() && !error.0.contains('\n'), "{}", error.0);
        }
    }
}

#[test]
fn the_table_is_sound() {
    for (index, habit) in HABITS.iter().enumerate() {
        let others = &HABITS[index + 1..];
        assert!(
            others.iter().all(|other| other.letter != habit.letter || habit.letter.is_none()),
            "{:?}",
            habit.letter
        );
        if let Meaning::Columns(names) = habit.meaning {
            assert!(names.iter().all(|name| column_of(*name).is_some()), "{names:?}");
        }
    }
}
