//! Rows that wait for their owners to be looked for.

use rustc_hash::FxHashSet;

use crate::collect::visit::Rows;
use crate::model::address::Family;
use crate::model::ids::Inode;
use crate::model::namespace::Namespace;
use crate::model::socket::Socket;

/// One of them.
pub(super) struct Waiting<'a> {
    pub(super) namespace: &'a Namespace,
    /// Number of the source that it came from
    pub(super) source: usize,
    pub(super) socket: Socket,
}

/// The inodes of those that are still open, as far as their sources can say.
pub(super) fn still_there(rows: &[&Waiting<'_>], sources: &mut [Rows]) -> FxHashSet<Inode> {
    let mut there = FxHashSet::default();
    let mut last_read = None;
    for row in rows {
        match sources.get_mut(row.source) {
            Some(Rows::Diag(kernel)) => {
                let is_open = kernel.is_open(&row.socket);
                there.extend(row.socket.inode.filter(|_| is_open));
            }
            // The whole file is read, once.
            Some(Rows::Proc(files)) if last_read != Some(row.source) => {
                last_read = Some(row.source);
                for family in Family::ALL {
                    let note = |socket: &Socket| {
                        there.extend(socket.inode);
                        Ok::<(), std::convert::Infallible>(())
                    };
                    // What cannot be read any more is not said to be there.
                    let _ = files.read(family, row.namespace.id, note);
                }
            }
            Some(Rows::Later(found, source)) => {
                // It was closed when it had been read. What cannot be opened any more is not said to be there.
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
