//! Counts the kernel's errors by number, so that each becomes a gap with its actual cause.

use std::collections::BTreeMap;
use std::io;

use rustix::io::Errno;

use super::rights;
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::rights::Capabilities;

/// Error counts of one kind of read.
#[derive(Debug, Default)]
pub(crate) struct Refusals(BTreeMap<i32, RefusedCount>);

#[derive(Debug)]
struct RefusedCount {
    count: u64,
    example: Option<String>,
}

impl Refusals {
    /// Counts an error; `example` names what could not be read and is called only for the first error of each number.
    pub(crate) fn note(&mut self, errno: Errno, example: impl FnOnce() -> Option<String>) {
        let entry = self.0.entry(errno.raw_os_error());
        entry.and_modify(|refused| refused.count += 1).or_insert_with(|| RefusedCount { count: 1, example: example() });
    }

    /// Adds the counts of another thread.
    pub(crate) fn extend(&mut self, other: Self) {
        for (errno, refused) in other.0 {
            let entry = self.0.entry(errno);
            entry.and_modify(|known| known.count += refused.count).or_insert(refused);
        }
    }

    /// Total number of errors.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().map(|refused| refused.count).sum()
    }

    /// One gap for each error number. `needed` are the capabilities that would have permitted a refused read.
    pub(crate) fn gaps(self, kind: GapKind, needed: Capabilities) -> Gaps {
        self.gaps_by(kind, |errno| remedy(errno, needed))
    }

    /// One gap for each error number, with the remedy that `remedy` returns.
    pub(crate) fn gaps_by(self, kind: GapKind, remedy: impl Fn(Errno) -> Remedy) -> Gaps {
        let mut gaps = Gaps::default();
        for (errno, RefusedCount { count, example }) in self.0 {
            let errno = Errno::from_raw_os_error(errno);
            gaps.add(Gap { kind, why: cause(errno), count, example, remedy: remedy(errno) });
        }
        gaps
    }
}

/// Whether the error means that the object no longer exists, so that nothing is missing.
pub(crate) fn is_gone(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::SRCH)
}

/// Whether the error means that permission is denied.
pub(crate) fn is_denied(errno: Errno) -> bool {
    matches!(errno, Errno::PERM | Errno::ACCESS)
}

/// Whether the error means that this process, or the host, has no descriptor or memory left.
pub(crate) fn is_short(errno: Errno) -> bool {
    matches!(errno, Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS)
}

/// Error number of an I/O error; EIO if it has none.
pub(crate) fn errno_of(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Text of the error for a gap.
pub(crate) fn cause(errno: Errno) -> String {
    if is_denied(errno) { "permission denied".to_owned() } else { io::Error::from(errno).to_string() }
}

/// Remedy for an error; `needed` are the capabilities that grant permission.
pub(crate) fn remedy(errno: Errno, needed: Capabilities) -> Remedy {
    match errno {
        errno if is_denied(errno) => rights::remedy(needed),
        Errno::MFILE => Remedy::Do("raise the limit of open files (ulimit -Hn)"),
        Errno::NFILE => Remedy::Do("raise fs.file-max: this host has no file left to open"),
        Errno::NOMEM | Errno::NOBUFS => Remedy::Do("free memory, or raise this process's memory limit"),
        _ => Remedy::Do("take the snapshot again"),
    }
}

#[cfg(test)]
mod tests {
    use super::Refusals;
    use crate::model::gap::{GapKind, Remedy};
    use crate::model::rights::Capabilities;
    use rustix::io::Errno;

    #[test]
    fn each_error_is_a_gap_of_its_own_with_its_reason() {
        let mut refusals = Refusals::default();
        for (errno, name) in [(Errno::MFILE, "a[1]"), (Errno::MFILE, "b[2]"), (Errno::IO, "c[3]")] {
            refusals.note(errno, || Some(name.to_owned()));
        }
        let gaps = refusals.gaps(GapKind::ProcessOwners, Capabilities::empty());
        let gaps: Vec<_> = gaps.iter().map(|gap| (gap.count, gap.example.as_deref(), gap.why.as_str())).collect();
        let expected = [
            (1, Some("c[3]"), "Input/output error (os error 5)"),
            (2, Some("a[1]"), "Too many open files (os error 24)"),
        ];
        assert_eq!(gaps, expected);
    }

    #[test]
    fn a_permission_that_no_capability_gives_has_no_remedy() {
        let mut refusals = Refusals::default();
        refusals.note(Errno::ACCESS, || None);
        let gaps = refusals.gaps(GapKind::ProcessOwners, Capabilities::empty());
        assert!(gaps.iter().all(|gap| gap.remedy == Remedy::None && gap.why == "permission denied"));
    }
}
