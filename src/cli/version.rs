//! `--version`, and with `--verbose` what of this kernel the program can use as this user.

use std::fmt::Write;

use crate::collect::confine::is_filtered;
use crate::collect::error::Refusal;
use crate::collect::host::host;
use crate::collect::interfaces::{Interface, Lack};
use crate::model::rights::Capabilities;

/// Version and commit in one line.
pub(super) fn line() -> String {
    format!("tcpulse {} ({})\n", env!("CARGO_PKG_VERSION"), env!("TCPULSE_COMMIT"))
}

/// The line, how it was built, and each interface of the kernel.
pub(super) fn report() -> String {
    let mut text = line();
    let linked = if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" };
    let checks = if cfg!(debug_assertions) { "debug" } else { "release" };
    let target = format!("{}-linux, {checks}, {linked}", std::env::consts::ARCH);
    put(&mut text, "built", &target);
    put(&mut text, "kernel", &host().kernel);
    for interface in Interface::ALL {
        let (name, purpose) = name(interface);
        let state = match interface.lacks() {
            None => "yes".to_owned(),
            Some(lack) => format!("no: {}; so {purpose}", in_words(&lack)),
        };
        put(&mut text, name, &state);
    }
    let filtered = if is_filtered() { "yes" } else { "no: so commands that only read are not held to that" };
    put(&mut text, "seccomp", filtered);
    put(&mut text, "Landlock", "not used: it would hide the processes of others");
    put(&mut text, "BPF", "not used by this version");
    text
}

fn put(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name:<15}{value}");
}

/// Name of an interface, and what is not to be had without it.
fn name(interface: Interface) -> (&'static str, &'static str) {
    match interface {
        Interface::SockDiag => ("sock_diag", "rows come from /proc/net/tcp, without tcp_info"),
        Interface::Destroy => ("SOCK_DESTROY", "kill is refused"),
        Interface::DestroyEvents => ("destroy events", "connections that end between two snapshots are not seen"),
        Interface::PidfdGetfd => ("pidfd_getfd", "options are inferred, and set is refused"),
        Interface::OthersDescriptors => ("owners", "processes and options of other users are not seen"),
        Interface::Namespaces => ("namespaces", "only the network namespace of this process is read"),
    }
}

fn in_words(lack: &Lack) -> String {
    match lack {
        Lack::Refused(Refusal::Request(errno)) => std::io::Error::from_raw_os_error(errno.0).to_string(),
        Lack::Refused(Refusal::Socket(error) | Refusal::Transport(error)) | Lack::System(error) => error.to_string(),
        Lack::NotBuilt(option) => format!("this kernel was built without {option}"),
        Lack::Capabilities(missing) => format!("this process lacks {}", names(*missing)),
        Lack::Unavailable => "this kernel does not offer it".to_owned(),
    }
}

fn names(capabilities: Capabilities) -> String {
    capabilities.names().collect::<Vec<_>>().join(" and ")
}
