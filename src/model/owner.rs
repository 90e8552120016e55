//! Processes that hold a socket, by their descriptors.

use std::borrow::Cow;

use super::ids::{Fd, Inode, Pid};

/// A process that holds at least one socket. Its text is untrusted: sanitise it before printing it to a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Process id in the namespace of the /proc that was read
    pub pid: Pid,
    /// /proc/PID/comm, bytes that are no UTF-8 replaced by U+FFFD
    pub comm: String,
    /// `comm[pid]`, made by `label` once, since every row contains it
    pub label: String,
    /// Target of /proc/PID/exe; `None` without the right to read it
    pub exe: Option<String>,
    /// Real user id
    pub uid: Option<u32>,
    /// Name of that user
    pub user: Option<String>,
    /// Path of its cgroup: version 2, else the systemd hierarchy of version 1
    pub cgroup: Option<String>,
    /// systemd unit that the cgroup path names
    pub unit: Option<String>,
    /// Container id that the cgroup path names, 64 hexadecimal digits
    pub container: Option<String>,
    /// Its open descriptors, if they were requested
    pub descriptors: Option<OpenDescriptors>,
}

impl Process {
    /// Creates a process with only its name and id known.
    pub fn named(comm: &str, pid: Pid) -> Self {
        Self {
            pid,
            comm: comm.to_owned(),
            label: label(comm, pid),
            exe: None,
            uid: None,
            user: None,
            cgroup: None,
            unit: None,
            container: None,
            descriptors: None,
        }
    }
}

/// `comm[pid]`. Separators are escaped in the name, so that a process named `sshd[1],x` looks neither like two
/// processes nor like process 1: `sshd\x5b1\x5d\x2cx[77]`.
pub(crate) fn label(comm: &str, pid: Pid) -> String {
    format!("{}[{pid}]", escaped(comm, &STRUCTURE))
}

/// Name and pid of a label.
pub(crate) fn of_label(label: &str) -> Option<(String, Pid)> {
    let (name, pid) = label.strip_suffix(']')?.rsplit_once('[')?;
    let unescape = |name: String, character: &char| name.replace(&escape(*character), &character.to_string());
    Some((STRUCTURE.iter().fold(name.to_owned(), unescape), pid.parse().ok()?))
}

/// Separators of the parts of a label, and of labels in tables and in CSV; and the backslash, so that no name looks
/// like another name that was escaped.
const STRUCTURE: [char; 6] = ['[', ']', ',', ';', '"', '\\'];

/// The name with these characters written as `\x2c`.
pub(crate) fn escaped<'a>(name: &'a str, characters: &[char]) -> Cow<'a, str> {
    if !name.contains(characters) {
        return Cow::Borrowed(name);
    }
    let escape = |c: char| if characters.contains(&c) { escape(c) } else { c.to_string() };
    Cow::Owned(name.chars().map(escape).collect())
}

fn escape(character: char) -> String {
    format!("\\x{:02x}", character as u32)
}

/// Number and limit of open descriptors of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenDescriptors {
    /// Open descriptors of any kind
    pub open: u64,
    /// `RLIMIT_NOFILE`; `None` if it is unlimited or may not be read
    pub limit: Option<u64>,
}

/// One descriptor of one process that refers to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// Inode of the socket
    pub inode: Inode,
    /// Index in the processes of the [`OwnerTable`]
    pub process: u32,
    /// The descriptor
    pub fd: Fd,
}

/// Every descriptor of every readable process that refers to a socket.
#[derive(Debug, Default)]
pub struct OwnerTable {
    processes: Vec<Process>,
    /// Sorted by inode
    holdings: Vec<Holding>,
    index: Index,
    hidden_processes: u64,
}

/// Index of the sorted holdings by inode. Sockets come in the order of the kernel's hash, so each look-up misses the
/// CPU cache: here at one bucket and one holding, in a hash table of start positions at three places.
#[derive(Debug, Default)]
struct Index {
    /// The lowest inode
    lowest: u32,
    /// Number of low bits in which the inodes of one bucket may differ
    shift: u32,
    /// Position of each bucket's first holding, then the end of the last bucket
    starts: Vec<u32>,
}

impl Index {
    /// Builds the index of `holdings`, which are sorted by inode, with about one bucket for each of them.
    fn new(holdings: &[Holding]) -> Self {
        let (Some(first), Some(last)) = (holdings.first(), holdings.last()) else { return Self::default() };
        let span = u64::from(last.inode.0 - first.inode.0) + 1;
        let shift = (span / holdings.len() as u64).max(1).ilog2();
        let mut index = Self { lowest: first.inode.0, shift, starts: Vec::new() };
        let buckets = index.bucket(last.inode).map_or(0, |last| last + 1);
        index.starts.reserve(buckets + 1);
        for (at, holding) in holdings.iter().enumerate() {
            let bucket = index.bucket(holding.inode).unwrap_or(0);
            if index.starts.len() <= bucket {
                index.starts.resize(bucket + 1, at as u32);
            }
        }
        index.starts.push(holdings.len() as u32);
        index
    }

    fn bucket(&self, inode: Inode) -> Option<usize> {
        inode.0.checked_sub(self.lowest).map(|above| (above >> self.shift) as usize)
    }

    /// Range of the holdings that can have this inode.
    fn range(&self, inode: Inode) -> std::ops::Range<usize> {
        let bounds =
            self.bucket(inode).and_then(|bucket| Some((self.starts.get(bucket)?, self.starts.get(bucket + 1)?)));
        bounds.map_or(0..0, |(start, end)| *start as usize..*end as usize)
    }
}

impl OwnerTable {
    /// Takes `holdings` in any order; `hidden_processes` counts processes whose descriptors could not be read.
    pub fn new(processes: Vec<Process>, mut holdings: Vec<Holding>, hidden_processes: u64) -> Self {
        holdings.sort_unstable();
        Self { index: Index::new(&holdings), processes, holdings, hidden_processes }
    }

    /// All owners of the socket with this inode.
    pub fn of(&self, inode: Inode) -> Owners<'_> {
        self.owners(self.held(inode))
    }

    /// Reference to the owners of the socket with this inode, for [`OwnerTable::owners`]. Valid only for this table.
    pub fn held(&self, inode: Inode) -> Held {
        let range = self.index.range(inode);
        let bucket = self.holdings.get(range.clone()).unwrap_or_default();
        let skipped = bucket.partition_point(|holding| holding.inode < inode);
        let all = bucket.get(skipped..).unwrap_or_default();
        let count = all.iter().take_while(|holding| holding.inode == inode).count();
        let start = (range.start + skipped) as u32;
        Held { first: all.first().filter(|_| count > 0).copied(), start, count: count as u32 }
    }

    /// The owners behind a reference of [`OwnerTable::held`].
    pub fn owners(&self, Held { first, start, count }: Held) -> Owners<'_> {
        let (start, count) = (start as usize, count as usize);
        let rest = if count > 1 { self.holdings.get(start + 1..start + count) } else { None };
        Owners { first, rest: rest.unwrap_or_default(), processes: &self.processes }
    }

    /// Number of processes whose descriptors could not be read.
    pub fn hidden_processes(&self) -> u64 {
        self.hidden_processes
    }
}

/// Reference to the owners of a socket, to be stored with the socket. Nearly all sockets have one owner, which is
/// stored inline: fetching it from the table took a sixteenth of a snapshot with 100,000 sockets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    first: Option<Holding>,
    /// Position of the first holding, and number of holdings
    start: u32,
    count: u32,
}

/// Owners of one socket.
#[derive(Debug, Clone, Copy)]
pub struct Owners<'a> {
    first: Option<Holding>,
    rest: &'a [Holding],
    processes: &'a [Process],
}

impl<'a> Owners<'a> {
    /// Whether no descriptor refers to the socket.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Process and descriptor of each owner, ordered by process, then descriptor.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Process, Fd)> + use<'a> {
        let processes = self.processes;
        let holdings = self.first.into_iter().chain(self.rest.iter().copied());
        holdings.filter_map(move |holding| Some((processes.get(holding.process as usize)?, holding.fd)))
    }

    /// Each process once, however many descriptors it has for the socket.
    pub fn processes(&self) -> impl Iterator<Item = &'a Process> + use<'a> {
        let mut last = None;
        self.iter().map(|(process, _)| process).filter(move |process| last.replace(process.pid) != Some(process.pid))
    }
}

#[cfg(test)]
mod tests {
    use super::{Holding, OwnerTable, label, of_label};
    use crate::model::ids::{Fd, Inode, Pid};
    use proptest::prelude::{any, prop, prop_oneof, proptest};

    proptest! {
        /// For inodes close together or far apart, the index finds the same holdings as a linear search.
        #[test]
        fn the_index_finds_every_holding(
            inodes in prop::collection::vec(prop_oneof![0..50_u32, any::<u32>(), u32::MAX - 20..=u32::MAX], 0..200),
            asked in prop::collection::vec(prop_oneof![0..60_u32, any::<u32>()], 0..50),
        ) {
            let holding = |(fd, inode): (usize, &u32)| Holding { inode: Inode(*inode), process: 0, fd: Fd(fd as u32) };
            let holdings: Vec<_> = inodes.iter().enumerate().map(holding).collect();
            let table = OwnerTable::new(Vec::new(), holdings.clone(), 0);
            for inode in inodes.iter().chain(&asked) {
                let expected = holdings.iter().filter(|holding| holding.inode == Inode(*inode));
                let held = table.held(Inode(*inode));
                assert_eq!(held.first, expected.clone().min().copied());
                assert_eq!(held.count as usize, expected.count());
            }
        }
    }

    #[test]
    fn a_process_name_cannot_imitate_two_processes_or_another_pid() {
        assert_eq!(label("nginx: worker", Pid(12)), "nginx: worker[12]");
        assert_eq!(label("sshd[1],x", Pid(77)), "sshd\\x5b1\\x5d\\x2cx[77]");
        assert_eq!(label("\\x5b", Pid(1)), "\\x5cx5b[1]");
    }

    #[test]
    fn a_label_is_read_back() {
        for comm in ["nginx", "sshd[1],x", "a;b\"c", "\\x5b", "\\", "[", "", "a\\x5cx2c,]"] {
            assert_eq!(of_label(&label(comm, Pid(9))), Some((comm.to_owned(), Pid(9))), "{comm}");
        }
        assert_eq!(of_label("(kernel)"), None);
    }
}
