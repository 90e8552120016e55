//! `tcpulse completions` and `tcpulse man`: what a shell offers, and pages of every command.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{TCPULSE, command_in, tcpulse};
use crate::support::skip::skip;

/// What bash offers for the last of these words, by the script that it is given.
fn offered(words: &[&str]) -> Vec<String> {
    let script = r#"
        tcpulse() { "$TCPULSE" "$@"; }
        source <("$TCPULSE" completions bash | sed "s#\"tcpulse\" --#\"$TCPULSE\" --#")
        COMP_WORDS=(tcpulse "$@"); COMP_CWORD=$#; COMP_TYPE=9
        _clap_complete_tcpulse tcpulse "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\v' "${COMPREPLY[@]}""#;
    let output =
        Command::new("bash").args(["-c", script, "bash"]).args(words).env("TCPULSE", TCPULSE).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(['\u{b}', '\n']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_columns_filters_and_values() {
    for (words, expected) in [
        (&["kern"][..], &["kernel"][..]),
        (&["ls", "verd"], &["verdict"]),
        (&["ls", "verdict", "=", "pr"], &["probing"]),
        (&["ls", "verdict = pr"], &["verdict = probing"]),
        (&["ls", "dport", "=", ":443", "and", "state", "estab"], &["established"]),
        (&["ls", "-o", "state,local-p"], &["state,local-port"]),
        (&["ls", "-o", "+user-"], &["+user-timeout"]),
        (&["ls", "--sort", "user-t"], &["user-timeout"]),
        (&["stat", "--by", "process,contai"], &["process,container"]),
        (&["set", "user-timeout=3s", "interv"], &["interval="]),
        (&["-N", "curr"], &["current"]),
        (&["help", "fil"], &["filter"]),
        (&["man", "comp"], &["completions"]),
        (&["completions", "zs"], &["zsh"]),
        (&["--format", "nd"], &["ndjson"]),
        (&["ls", "xyzzy"], &[]),
    ] {
        assert_eq!(offered(words), expected, "{words:?}");
    }
    // A column that has too many values to count by.
    assert!(!offered(&["stat", "--by", "rt"]).contains(&"rtt".to_owned()));
}

/// What the program answers when the script of fish asks it for the last of these words in a namespace.
fn answered(netns: &Netns, user: User, words: &[&str]) -> String {
    let mut command = command_in(netns, user);
    command.env("_TCPULSE_COMPLETE", "fish").args(["--", "tcpulse"]).args(words);
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_processes_and_namespaces_of_now_are_offered() {
    if !is_root("the_processes_and_namespaces_of_now_are_offered") {
        return;
    }
    let netns = Netns::new();
    let _connection = netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        (TcpStream::connect(listener.local_addr().unwrap()).unwrap(), listener)
    });
    let own = std::fs::read_to_string("/proc/self/comm").unwrap().trim().to_owned();
    for user in [User::Root, User::Nobody] {
        let processes = answered(&netns, user, &["ls", "comm", "=", ""]);
        assert_eq!(processes.lines().any(|line| line == own), user == User::Root, "{user:?}: {processes}");
        let namespaces = answered(&netns, user, &["-N", ""]);
        assert!(namespaces.lines().any(|line| line == "all"), "{user:?}: {namespaces}");
        let families = answered(&netns, user, &["ls", "verdict", "in", "{active,", "unkn"]);
        assert_eq!(families.split('\t').next().map(str::trim), Some("unknown"), "{user:?}");
    }
}

#[test]
fn each_shell_takes_its_script() {
    for shell in ["bash", "zsh", "fish"] {
        let run = tcpulse(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        assert!(run.stdout.contains("_TCPULSE_COMPLETE"), "{shell}");
        let Ok(mut child) = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
            skip(&format!("each_shell_takes_its_script, {shell}"), "this shell is not installed");
            continue;
        };
        child.stdin.take().unwrap().write_all(run.stdout.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let run = tcpulse(&["completions", "csh"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("'csh'") && run.stderr.contains("fish"), "{}", run.stderr);
}

#[test]
fn each_command_has_a_manual_page() {
    let page = |topic: &[&str]| {
        let run = tcpulse(&[&["man"], topic].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{topic:?}");
        assert!(run.stdout.contains("\n.SH NAME\n") && run.stdout.contains("\n.SH \"SEE ALSO\"\n"), "{topic:?}");
        run.stdout
    };
    let program = page(&[]);
    for command in ["ls", "show", "stat", "kernel", "set", "kill", "config", "completions", "man", "help"] {
        assert!(program.contains(&format!("tcpulse\\-{command}(1)")), "{command}");
        let text = page(&[command]);
        assert!(text.contains(&format!("tcpulse\\-{command}")), "{command}");
    }
    assert!(page(&["ls"]).contains("\n.SH COLUMNS\n"));
    assert!(page(&["filter"]).contains("\n.SH COMPARING\n"));
    let run = tcpulse(&["man", "sl"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("no manual page for 'sl'; choose filter, or one of: ls"), "{}", run.stderr);
}
