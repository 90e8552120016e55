//! Runs tcpulse as a user would.

use std::process::{Command, Output};

use serde_json::Value;

use super::netns::{Netns, User};

/// The built binary.
pub const TCPULSE: &str = env!("CARGO_BIN_EXE_tcpulse");

/// Result of a run.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }
}

impl Run {
    /// stdout as JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Runs tcpulse with these arguments in the host's namespace.
pub fn tcpulse(arguments: &[&str]) -> Run {
    plain(&mut Command::new(TCPULSE)).args(arguments).output().unwrap().into()
}

/// Runs tcpulse in a namespace, as a user.
pub fn tcpulse_in(netns: &Netns, user: User, arguments: &[&str]) -> Run {
    command_in(netns, user).args(arguments).output().unwrap().into()
}

/// Command that runs tcpulse in a namespace. nobody may not be able to reach the build directory, so the binary is run
/// through a descriptor.
pub fn command_in(netns: &Netns, user: User) -> Command {
    let mut command = netns.command(&executable(), user);
    plain(&mut command);
    command
}

/// A path to the binary that every user can follow.
fn executable() -> String {
    use nix::fcntl::{FcntlArg, fcntl};
    use std::sync::OnceLock;
    static OPENED: OnceLock<i32> = OnceLock::new();
    let fd = OPENED.get_or_init(|| {
        let file = std::fs::File::open(TCPULSE).unwrap();
        // Without O_CLOEXEC, so that the child can execute the binary through it; it is never closed.
        fcntl(&file, FcntlArg::F_DUPFD(500)).unwrap()
    });
    format!("/proc/self/fd/{fd}")
}

fn plain(command: &mut Command) -> &mut Command {
    command.env_remove("COLUMNS").env_remove("NO_COLOR").env("TERM", "xterm")
}

/// Peak memory so far of a running process, in KiB.
pub fn high_water_kib(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok()).unwrap()
}

/// Runs the command, discards its output, and returns its peak memory in KiB.
///
/// It does not use wait4's ru_maxrss, which includes the memory of the test process at the fork. The kernel's mark in
/// /proc is read before each part of the output, while the program waits because the pipe is full.
pub fn peak_kib(command: &mut Command) -> u64 {
    use std::io::Read;
    use std::process::Stdio;
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut output = child.stdout.take().unwrap();
    let (mut peak, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(mark.unwrap_or(0));
        if output.read(&mut buffer).unwrap() == 0 {
            break;
        }
    }
    assert!(child.wait().unwrap().success());
    peak
}

/// Every column of `ls`, as its help lists them.
pub fn columns() -> Vec<String> {
    let help = tcpulse(&["ls", "--help"]).stdout;
    let listed = help.lines().skip_while(|line| *line != "Columns:").skip(1).take_while(|line| line.starts_with("  "));
    // A line without a second column continues the line before.
    let names = listed.filter(|line| line.trim_start().contains("  ") || line.len() > 27 + "  ".len());
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
