//! Cache of user names by uid.

use rustc_hash::FxHashMap;

/// Names of users, each looked up once.
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: FxHashMap<u32, Option<String>>,
}

impl Users {
    /// The name, if the user database has one for `uid`.
    pub(crate) fn name(&mut self, uid: u32) -> Option<&str> {
        self.names.entry(uid).or_insert_with(|| look_up(uid)).as_deref()
    }
}

#[cfg(not(target_feature = "crt-static"))]
fn look_up(uid: u32) -> Option<String> {
    use nix::unistd::{Uid, User};
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
}

/// From /etc/passwd alone: getpwuid(3) would load modules of the C library that is installed, which may be another
/// version than the one that is linked in.
#[cfg(target_feature = "crt-static")]
fn look_up(uid: u32) -> Option<String> {
    let file = super::small_file::read(std::path::Path::new("/etc/passwd")).ok()?;
    String::from_utf8_lossy(&file.bytes).lines().find_map(|line| name_in(line, uid))
}

/// One line: `name:password:uid:…`.
#[cfg(any(test, target_feature = "crt-static"))]
fn name_in(line: &str, uid: u32) -> Option<String> {
    let mut fields = line.split(':');
    let (name, _password, its) = (fields.next()?, fields.next()?, fields.next()?);
    its.parse().is_ok_and(|its: u32| its == uid).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_line_of_the_user_database_names_one_user() {
        let line = "postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash";
        assert_eq!((name_in(line, 101).as_deref(), name_in(line, 104)), (Some("postgres"), None));
        assert_eq!([name_in("", 0), name_in("root", 0), name_in("a:b:c", 0)], [const { None }; 3]);
    }
}
