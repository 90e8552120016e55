//! Rows that wait for a scan to find their owners.

use rustc_hash::FxHashSet;

use crate::collect::visit::Rows;
use crate::model::address::Family;
use crate::model::ids::Inode;
use crate::model::namespace::Namespace;
use crate::model::socket::Socket;

/// A row that waits for its owner.
pub(super) struct Waiting<'a> {
    pub(super) namespace: &'a Namespace,
    /// Number of the source that the row came from
    pub(super) source: usize,
    pub(super) socket: Socket,
}

/// Inodes of the waiting sockets that are still open, as far as their sources report it.
pub(super) fn still_there(rows: &[&Waiting<'_>], sources: &mut [Rows]) -> FxHashSet<Inode> {
    let mut there = FxHashSet::default();
    let mut last_read = None;
    for row in rows {
        match sources.get_mut(row.source) {
            Some(Rows::Diag(kernel)) => {
                let is_open = kernel.is_open(&row.socket);
                there.extend(row.socket.inode.filter(|_| is_open));
            }
            // The whole file is read, once for each source.
            Some(Rows::Proc(files)) if last_read != Some(row.source) => {
                last_read = Some(row.source);
                for family in Family::ALL {
                    let note = |socket: &Socket| {
                        there.extend(socket.inode);
                        Ok::<(), std::convert::Infallible>(())
                    };
                    // A socket that can no longer be read does not count as open.
                    let _ = files.read(family, row.namespace.id, note);
                }
            }
            Some(Rows::Later(found, source)) => {
                // The source was closed after the dump. If it cannot be opened again, its sockets do not count as open.
                if let Ok(mut opened) = Rows::open(found, *source) {
                    let row = Waiting { source: 0, namespace: row.namespace, socket: row.socket.clone() };
                    there.extend(still_there(&[&row], std::slice::from_mut(&mut opened)));
                }
            }
            Some(Rows::Proc(_) | Rows::None) | None => {}
        }
    }
    there
}
