//! `SOCK_DESTROY`: the kernel aborts the connection (`tcp_abort`). The peer gets a RST, the owner's next call returns
//! ECONNABORTED; the owner's descriptor stays open until the owner closes it.

use std::convert::Infallible;
use std::io;

use rustc_hash::{FxHashMap, FxHashSet};

use super::target::Target;
use crate::collect::diag::DiagSocket;
use crate::collect::discovery::{self, NetnsChoice};
use crate::collect::error::{CollectError, Refusal};
use crate::collect::request::DumpRequest;
use crate::collect::rights;
use crate::collect::visit::diag_in;
use crate::model::address::{Cookie, NetnsId};
use crate::model::gap::Remedy;
use crate::model::needs::Needs;
use crate::model::rights::Capabilities;
use crate::model::socket::Socket;
use crate::model::state::{StateSet, TcpState};

/// Why a socket was not destroyed. Each message includes a remedy if there is one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDestroyed {
    /// It closed between listing and now
    #[error("gone already")]
    Gone,
    /// EPERM
    #[error("not permitted: this user lacks CAP_NET_ADMIN in the user namespace that its network namespace belongs to{}", .0.after_cause())]
    Forbidden(Remedy),
    /// EOPNOTSUPP
    #[error("this kernel was built without CONFIG_INET_DIAG_DESTROY; close it in its program instead")]
    NotBuilt,
    /// EOPNOTSUPP for a minisocket, before Linux 6.5
    #[error("this kernel cannot destroy a socket in {0}; it ends by itself")]
    NotInThisState(TcpState),
    /// EINVAL
    #[error("the kernel does not destroy the listener of an MPTCP socket; close it in its program instead")]
    MptcpListener,
    /// The kernel looks sockets up by address and port, and finds another one or none
    #[error(
        "the kernel does not find it by its addresses: it is only bound, or shares its port with another listener (SO_REUSEPORT); \
         close it in its program instead"
    )]
    NotFound,
    /// It came from /proc/net/tcp
    #[error("/proc/net/tcp has no cookie to identify it by; sock_diag has")]
    NoCookie,
    /// Its network namespace can no longer be entered
    #[error("its network namespace cannot be entered any more")]
    NoNamespace,
    /// Anything else
    #[error("{0}")]
    Failed(Refusal),
}

/// sock_diag sockets, one in each namespace with targets; `None` if it cannot be entered.
#[derive(Debug)]
pub(crate) struct Destroyer {
    sockets: FxHashMap<NetnsId, Option<DiagSocket>>,
}

impl Destroyer {
    /// Opens a socket in each namespace of a target, but only in namespaces that `choice` includes.
    ///
    /// # Errors
    /// The namespaces cannot be listed.
    pub(crate) fn open<'a>(
        choice: &NetnsChoice,
        targets: impl IntoIterator<Item = &'a Target>,
    ) -> Result<Self, CollectError> {
        let (found, _) = discovery::find(choice)?;
        let wanted: FxHashSet<_> = targets.into_iter().map(|target| target.socket.id.netns).collect();
        let mut sockets = FxHashMap::default();
        for namespace in found.iter().filter(|namespace| wanted.contains(&namespace.id)) {
            match diag_in(namespace) {
                // The namespace is gone, and its sockets with it.
                Err(CollectError::Ended(_)) => {}
                opened => drop(sockets.insert(namespace.id, opened.ok())),
            }
        }
        Ok(Self { sockets })
    }

    /// Destroys the socket with the target's cookie.
    ///
    /// # Errors
    /// The socket still exists, or was already gone.
    pub(crate) fn destroy(&mut self, target: &Target) -> Result<(), NotDestroyed> {
        let socket = &target.socket;
        let cookie = socket.id.cookie.ok_or(NotDestroyed::NoCookie)?;
        let kernel = self.sockets.get_mut(&socket.id.netns).ok_or(NotDestroyed::Gone)?;
        let kernel = kernel.as_mut().ok_or(NotDestroyed::NoNamespace)?;
        let Err(refusal) = kernel.destroy(socket, cookie) else { return Ok(()) };
        let kind = match &refusal {
            Refusal::Request(errno) => io::Error::from_raw_os_error(errno.0).kind(),
            Refusal::Socket(_) | Refusal::Transport(_) => io::ErrorKind::Other,
        };
        Err(match kind {
            io::ErrorKind::PermissionDenied => NotDestroyed::Forbidden(rights::remedy(Capabilities::NET_ADMIN)),
            io::ErrorKind::Unsupported if socket.is_minisocket() => NotDestroyed::NotInThisState(socket.state),
            io::ErrorKind::Unsupported => NotDestroyed::NotBuilt,
            io::ErrorKind::InvalidInput if is_mptcp_listener(socket) => NotDestroyed::MptcpListener,
            io::ErrorKind::NotFound if is_there(kernel, target, cookie) => NotDestroyed::NotFound,
            io::ErrorKind::NotFound => NotDestroyed::Gone,
            _ => NotDestroyed::Failed(refusal),
        })
    }
}

fn is_mptcp_listener(socket: &Socket) -> bool {
    let ulp = socket.attributes.ulp.as_ref();
    socket.state == TcpState::Listen && ulp.is_some_and(|ulp| ulp.name.as_str() == "mptcp")
}

/// Whether a dump still shows the socket.
fn is_there(kernel: &mut DiagSocket, target: &Target, cookie: Cookie) -> bool {
    let states = StateSet::NONE.with(target.socket.state);
    let (family, needs) = (Some(target.socket.family), Needs::empty());
    let dump = DumpRequest { family, states, needs, bytecode: &[], in_parallel: false };
    let mut found = false;
    // If the dump fails, the socket counts as gone.
    let _ = kernel.dump(dump, |socket| {
        found |= socket.id.cookie == Some(cookie);
        Ok::<(), Infallible>(())
    });
    found
}
