//! The measured commands: the lower bounds, tcpulse, and the tools that it is compared with, if they are installed.

use std::env;
use std::path::{Path, PathBuf};

use crate::bare::ATTRIBUTES;
use crate::{DUMP, SCAN};

/// Rounds of commands that take several seconds, and for which a few per cent do not matter.
const SLOW_ROUNDS: usize = 2;
const COUNT_STATES: &str = "netstat -tan | awk '/^tcp/ {++S[$NF]} END {for (a in S) print a, S[a]}'";

/// Key of a measurement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Dump,
    DumpAttributes,
    DumpInfo,
    Scan,
    Stat,
    JsonNoProcesses,
    JsonNoSockopts,
    Json,
    Ls,
    LsFiltered,
    DumpHalf,
    StatHalf,
    DumpFew,
    StatFew,
    DumpNone,
    LsNone,
    LsOwners,
    JsonPiped,
    StatNamespaces,
    Ss,
    SsAttributes,
    SsProcesses,
    Netstat,
    Somo,
    IdleDump,
    IdleStat,
    IdleJson,
}

/// A command to measure.
pub(crate) struct Job {
    pub(crate) what: What,
    pub(crate) title: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) most_rounds: usize,
}

/// Tool that is not installed.
pub(crate) struct Missing {
    pub(crate) tool: &'static str,
    pub(crate) remedy: &'static str,
}

/// Commands to measure before the load.
pub(crate) fn idle(bench: &Path) -> Vec<Job> {
    let mut jobs = vec![
        floor(What::IdleDump, "bare dump", bench, &[DUMP, "0"]),
        tcpulse(What::IdleStat, &["stat"]),
        tcpulse(What::IdleJson, &["--json"]),
    ];
    jobs.iter_mut().for_each(|job| job.title.push_str(", idle host"));
    jobs
}

/// Commands to measure under load, and missing tools. The two sides of a ratio are neighbours, so that they are
/// measured close in time.
pub(crate) fn loaded(bench: &Path) -> (Vec<Job>, Vec<Missing>) {
    let mut jobs = vec![
        floor(What::Dump, "bare dump", bench, &[DUMP, "0"]),
        tcpulse(What::Stat, &["stat"]),
        // The clients' sources are 127.0.1.1 and up: as `src` they match half of all sockets, as `dst` one of them
        // matches few.
        floor(What::DumpHalf, "bare dump, src 127.0.1.0/24", bench, &[DUMP, "0", "src", "127.0.1.0", "24"]),
        tcpulse(What::StatHalf, &["stat", "src", "127.0.1.0/24"]),
        floor(What::DumpFew, "bare dump, dst 127.0.1.1", bench, &[DUMP, "0", "dst", "127.0.1.1", "32"]),
        tcpulse(What::StatFew, &["stat", "dst", "127.0.1.1"]),
        // No socket has this address: the cost is that of the kernel's walk over its tables, which must happen only
        // once.
        floor(What::DumpNone, "bare dump, src 203.0.113.1", bench, &[DUMP, "0", "src", "203.0.113.1", "32"]),
        tcpulse(What::LsNone, &["ls", "src", "203.0.113.1"]),
        floor(What::DumpAttributes, "bare dump, attributes", bench, &[DUMP, &ATTRIBUTES.to_string()]),
        tcpulse(What::JsonNoProcesses, &["--json", "--no-processes"]),
        dump_info(bench),
        floor(What::Scan, "bare scan", bench, &[SCAN]),
        // Few sockets: their owners are found without a scan of all descriptors.
        tcpulse(What::LsOwners, &["ls", "src", "127.0.1.1", "and", "sport", "<", "32900"]),
        tcpulse(What::JsonNoSockopts, &["--json", "--no-sockopts"]),
        piped(),
        tcpulse(What::Json, &["--json"]),
        tcpulse(What::Ls, &["ls"]),
        // All rows match: this measures evaluation, without a saving from dropped rows.
        tcpulse(What::LsFiltered, &["ls", "process ~ host and rtt < 1h and not keepalive = unknown"]),
    ];
    let mut missing = Vec::new();
    match find("ss") {
        Some(ss) => jobs.extend([
            tool(What::Ss, &ss, &["-tan"]),
            tool(What::SsAttributes, &ss, &["-tanoiem"]),
            Job { most_rounds: SLOW_ROUNDS, ..tool(What::SsProcesses, &ss, &["-tanoiemp"]) },
        ]),
        None => missing.push(Missing { tool: "ss", remedy: "install iproute2" }),
    }
    match find("netstat").and(find("awk")).and(find("sh")) {
        Some(shell) => {
            let mut job = tool(What::Netstat, &shell, &["-c", COUNT_STATES]);
            // A `|` would end the table's cell.
            "`netstat -tan`, counted by awk".clone_into(&mut job.title);
            jobs.push(job);
        }
        None => missing.push(Missing { tool: "netstat with awk", remedy: "install net-tools and awk" }),
    }
    match find("somo") {
        Some(somo) => jobs.push(tool(What::Somo, &somo, &["--json"])),
        None => missing.push(Missing { tool: "somo", remedy: "cargo install somo --root target/somo" }),
    }
    (jobs, missing)
}

/// Command to measure beside many empty namespaces.
pub(crate) fn among_namespaces() -> Vec<Job> {
    let mut job = tcpulse(What::StatNamespaces, &["stat"]);
    job.title = format!("{}, {EMPTY_NAMESPACES} empty namespaces", job.title);
    vec![job]
}

/// Number of empty namespaces.
pub(crate) const EMPTY_NAMESPACES: usize = 100;

/// JSON without sockopts, through a pipe.
fn piped() -> Job {
    let command = format!("'{}' --json --no-sockopts -q | cat", tcpulse_path().display());
    let mut job = tool(What::JsonPiped, Path::new("/bin/sh"), &["-c", &command]);
    "`tcpulse --json --no-sockopts`, to cat".clone_into(&mut job.title);
    job
}

/// The dump that the dashboard requests.
pub(crate) fn dump_info(bench: &Path) -> Job {
    floor(What::DumpInfo, "bare dump, tcp_info", bench, &[DUMP, "2"])
}

fn floor(what: What, title: &str, bench: &Path, arguments: &[&str]) -> Job {
    Job { title: title.to_owned(), ..tool(what, bench, arguments) }
}

/// The built binary.
pub(crate) fn tcpulse_path() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tcpulse"))
}

fn tcpulse(what: What, arguments: &[&str]) -> Job {
    let mut job = tool(what, tcpulse_path(), arguments);
    // Messages about gaps would appear on stderr between the bench's lines.
    job.arguments.push("-q".to_owned());
    job
}

fn tool(what: What, program: &Path, arguments: &[&str]) -> Job {
    let name = program.file_name().unwrap_or_default().display();
    Job {
        what,
        title: format!("`{name} {}`", arguments.join(" ")),
        program: program.to_owned(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        most_rounds: usize::MAX,
    }
}

/// Path of a tool: on PATH, where `make bench` installs it, or where cargo installs it for the user.
fn find(tool: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/somo/bin");
    let users = env::home_dir().map(|home| home.join(".cargo/bin"));
    env::split_paths(&path).chain([ours]).chain(users).map(|directory| directory.join(tool)).find(|file| file.is_file())
}
