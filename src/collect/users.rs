//! Cache of user names by uid.

use nix::unistd::{Uid, User};
use rustc_hash::FxHashMap;

/// Results of getpwuid(3), which is called once for each uid.
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: FxHashMap<u32, Option<String>>,
}

impl Users {
    /// The name, if the user database has one for `uid`.
    pub(crate) fn name(&mut self, uid: u32) -> Option<&str> {
        self.names
            .entry(uid)
            .or_insert_with(|| User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name))
            .as_deref()
    }
}
