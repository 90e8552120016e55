//! tcpulse with more rights than its caller: what it permits to whom, and what it logs.

use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::support::host::{Host, Rights, can_set_capabilities};
use crate::support::is_root;
use crate::support::netns::{NOBODY, Netns, User};
use crate::support::processes::Sleeper;
use crate::support::program::Run;
use crate::support::sockets::{connection, option};
use crate::support::terminal::Session;

const CAPABILITIES: Rights = Rights::Capabilities("cap_net_admin,cap_sys_ptrace,cap_dac_read_search");

fn journal(host: &Host) -> UnixDatagram {
    let journal = UnixDatagram::bind(host.log()).unwrap();
    std::fs::set_permissions(host.log(), std::fs::Permissions::from_mode(0o666)).unwrap();
    journal.set_nonblocking(true).unwrap();
    journal
}

fn lines(journal: &UnixDatagram) -> Vec<String> {
    let mut line = [0; 4096];
    let lines = std::iter::from_fn(|| journal.recv(&mut line).ok().map(|length| line[..length].to_vec()));
    lines.map(|line| String::from_utf8(line).unwrap()).collect()
}

fn run(mut command: Command, arguments: &[&str]) -> Run {
    command.args(arguments).args(["-N", "current", "-q"]).output().unwrap().into()
}

fn has_keepalive(socket: &TcpStream) -> bool {
    option(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE) != 0
}

#[test]
fn rights_of_the_file_change_nothing_unless_root_allows_it_and_never_unseen() {
    const TEST: &str = "rights_of_the_file_change_nothing_unless_root_allows_it_and_never_unseen";
    if !is_root(TEST) {
        return;
    }
    for rights in [CAPABILITIES, Rights::SetUserId] {
        if rights == CAPABILITIES && !can_set_capabilities(TEST) {
            continue;
        }
        let (netns, host) = (Netns::new(), Host::new());
        let journal = journal(&host);
        let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
        let src = client.local_addr().unwrap().to_string();
        let tcpulse = |arguments: &[&str]| run(host.command(&netns, rights), arguments);
        let set = ["set", "keepalive=on", "src", &src, "--include-self", "--yes"];
        let kill = ["kill", "src", &src, "--include-self", "--yes"];
        let refused = |policy: &str, words: &str| {
            for command in [&set[..], &kill[..], &["kill", "src", &src, "--dry-run"]] {
                let run = tcpulse(command);
                assert_eq!((run.code == Some(0), run.stdout.as_str()), (false, ""), "{policy}: {}", run.stderr);
                assert!(run.stderr.contains(words), "{policy}: {}", run.stderr);
            }
            assert!(!has_keepalive(&client) && lines(&journal).is_empty(), "{policy}");
        };
        // Reading is permitted: the rights are for that.
        let listed = tcpulse(&["ls", "src", &src, "--no-header"]);
        assert_eq!((listed.code, listed.stdout.lines().count()), (Some(0), 1), "{}", listed.stderr);
        refused("none", "was started in secure-execution mode (set-user-ID, file capabilities");
        let path = host.policy("allow-secure-set = true\nallow-secure-kill = true\n");
        chown(&path, Some(NOBODY), None).unwrap();
        refused("nobody's", "policy.toml is not root's alone");
        chown(&path, Some(0), None).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
        refused("a group's", "policy.toml is not root's alone");
        host.policy("allow-secure-set = true\nallow-secure-kil = true\n");
        refused("misspelt", "unknown field `allow-secure-kil`, expected one of");
        std::fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        refused("a FIFO", "it is a FIFO");
        std::fs::remove_file(&path).unwrap();
        host.policy("allow-secure-set = true\n");
        std::fs::set_permissions(host.etc("tcpulse"), std::fs::Permissions::from_mode(0o777)).unwrap();
        refused("in anybody's directory", "/etc/tcpulse is not root's alone");
        std::fs::set_permissions(host.etc("tcpulse"), std::fs::Permissions::from_mode(0o755)).unwrap();

        let silent = tcpulse(&[&set[..], &["--no-log"]].concat());
        assert_eq!(silent.code, Some(2), "{}", silent.stderr);
        assert!(silent.stderr.contains("only the host's root may change sockets without a note"), "{}", silent.stderr);
        assert!(!has_keepalive(&client));
        let done = tcpulse(&set);
        assert_eq!(done.code, Some(0), "{rights:?} {}", done.stderr);
        assert!(has_keepalive(&client));
        let noted = lines(&journal);
        let euid = if rights == Rights::SetUserId { 0 } else { NOBODY };
        assert_eq!(noted.len(), 2, "{noted:?}");
        for line in noted {
            for field in [&*format!(" uid=\"{NOBODY}\" euid=\"{euid}\" "), " sudo_uid=\"none\" ", " socket_uid=\"0\" "]
            {
                assert!(line.contains(field), "{field}: {line}");
            }
        }
        let killed = tcpulse(&kill);
        assert!(killed.code == Some(1) && killed.stderr.contains("allow-secure-kill = true"), "{}", killed.stderr);
        host.policy("allow-secure-kill = true\n");
        assert_eq!(tcpulse(&kill).code, Some(0));
    }
}

#[test]
fn rights_of_the_file_follow_no_file_that_the_environment_names() {
    if !is_root("rights_of_the_file_follow_no_file_that_the_environment_names") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    std::fs::create_dir(host.etc("tcpulse/own")).unwrap();
    std::fs::create_dir(host.etc("tcpulse/own/tcpulse")).unwrap();
    std::fs::write(host.etc("tcpulse/own/tcpulse/config.toml"), "no = \"config\"").unwrap();
    let open = |rights| {
        let mut command = host.command(&netns, rights);
        command.env("XDG_CONFIG_HOME", "/etc/tcpulse/own").env("TZ", ":/etc/tcpulse/own").args(["-N", "current"]);
        Session::start(command)
    };
    let mut plain = open(Rights::Nobody);
    plain.expect("config.toml, line 1: unknown field `no`");
    assert_eq!(plain.end().code(), Some(2));
    let mut secure = open(Rights::SetUserId);
    secure.see("most alarming first");
    // Its file would be written with root's rights.
    secure.type_keys("e");
    secure.see("write to");
    secure.type_keys("\x15/etc/x.csv\r");
    secure.see("not written: this copy of tcpulse has rights from its file");
    secure.type_keys("q");
    assert_eq!(secure.end().code(), Some(0));
    assert!(!host.etc("x.csv").exists());
}

#[test]
fn without_rights_only_changes_of_other_users_sockets_are_noted() {
    if !is_root("without_rights_only_changes_of_other_users_sockets_are_noted") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let journal = journal(&host);
    let (listener, client, server) = connection(&netns, "127.0.0.1:0");
    std::os::unix::fs::fchown(&client, Some(NOBODY), None).unwrap();
    let _owner = Sleeper::of(User::Nobody, &netns, &[&client, &server]);
    let port = listener.local_addr().unwrap().port().to_string();
    let own = ["set", "keepalive=on", "dport", "=", &port, "--include-self", "--yes"];
    for silent in [&[][..], &["--no-log"]] {
        let run = run(host.command(&netns, Rights::Nobody), &[&own[..], silent].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
        assert_eq!(lines(&journal), [""; 0]);
    }
    assert!(has_keepalive(&client));
    for silent in [&[][..], &["--no-log"]] {
        let others = ["set", "keepalive=on", "sport", "=", &port, "state", "established", "--include-self", "--yes"];
        let run = run(host.command(&netns, Rights::Nobody), &[&others[..], silent].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(lines(&journal).len(), 2);
    }
    // Root may require that every change is logged.
    host.policy("require-log = true\n");
    let noted = run(host.command(&netns, Rights::Nobody), &own);
    assert_eq!((noted.code, lines(&journal).len()), (Some(0), 2), "{}", noted.stderr);
    let silent = run(host.command(&netns, Rights::Root), &[&own[..], &["--no-log"]].concat());
    assert!(silent.code == Some(2) && silent.stderr.contains("require-log"), "{}", silent.stderr);
    drop(journal);
    let missing = run(host.command(&netns, Rights::Nobody), &own);
    assert!(missing.code == Some(1) && missing.stderr.contains("nothing was changed: "), "{}", missing.stderr);
}
