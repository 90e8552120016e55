//! What could not be seen. A gap is counted, shown once, and says what would close it.

use std::borrow::Cow;

use super::rights::Capabilities;

/// What a gap hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// Sockets that the dump should have brought: a socket that is missing may still be there
    Sockets,
    /// Network namespaces that could not be entered or read
    Namespaces,
    /// Namespaces of processes that could not be looked at
    NamespacesOfProcesses,
    /// Rows came from /proc/net/tcp, which holds less
    SocketDetails,
    /// Bound sockets, which /proc/net/tcp does not list
    BoundSockets,
    /// Processes whose descriptors could not be read
    ProcessOwners,
    /// Processes that /proc does not list
    ProcessList,
    /// Processes outside this pid namespace
    OuterProcesses,
    /// Owners of sockets that were opened during the snapshot
    NewOwners,
    /// Options of sockets, read from descriptors
    SocketOptions,
    /// `SO_MARK`
    Marks,
    /// Details that a filter compares and /proc/net/tcp does not have
    FilterDetails,
    /// Values of /proc/sys/net
    Sysctls,
    /// Gauges and counters of /proc/net
    Counters,
    /// Names of interfaces
    Interfaces,
    /// Routes, carriers and neighbours
    Routes,
    /// Connections that came and went between two snapshots
    ShortConnections,
}

impl GapKind {
    /// What is missing, in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sockets => "sockets",
            Self::Namespaces => "namespaces",
            Self::NamespacesOfProcesses => "namespaces of processes",
            Self::SocketDetails => "socket details",
            Self::BoundSockets => "bound sockets",
            Self::ProcessOwners => "process owners",
            Self::ProcessList => "process list",
            Self::OuterProcesses => "processes outside this pid namespace",
            Self::NewOwners => "owners of new sockets",
            Self::SocketOptions => "socket options",
            Self::Marks => "marks",
            Self::FilterDetails => "details that the filter asks for",
            Self::Sysctls => "sysctls",
            Self::Counters => "kernel counters",
            Self::Interfaces => "interface names",
            Self::Routes => "routes and neighbours",
            Self::ShortConnections => "connections between two snapshots",
        }
    }
}

/// What the user can do about a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing helps from here: the kernel refuses it to every right that this process could be given
    None,
    /// These capabilities are missing
    Grant {
        /// Those that this process lacks
        missing: Capabilities,
        /// It has user id 0, so that "run as root" would not help
        is_root: bool,
    },
    /// Something else, as a phrase in the imperative
    Do(&'static str),
}

impl Remedy {
    /// "run as root or grant CAP_SYS_PTRACE"; `None` where nothing helps.
    pub fn phrase(self) -> Option<Cow<'static, str>> {
        match self {
            Self::None => None,
            Self::Do(phrase) => Some(Cow::Borrowed(phrase)),
            Self::Grant { missing, is_root } => {
                let names = missing.names().collect::<Vec<_>>().join(" and ");
                let root = if is_root { "" } else { "run as root or " };
                Some(Cow::Owned(format!("{root}grant {names}")))
            }
        }
    }

    /// The phrase after a cause: "; run as root"; nothing where nothing helps.
    pub fn after_cause(self) -> String {
        self.phrase().map(|phrase| format!("; {phrase}")).unwrap_or_default()
    }
}

/// One kind of blindness of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What is missing
    pub kind: GapKind,
    /// The cause, as a phrase
    pub why: String,
    /// How many things are affected, in the unit that the kind names
    pub count: u64,
    /// One of them, where it has a name: `init[1]`
    pub example: Option<String>,
    /// What the user can do about it
    pub remedy: Remedy,
}

impl Gap {
    /// A gap of one thing without a name.
    pub fn new(kind: GapKind, why: impl Into<String>, remedy: Remedy) -> Self {
        Self { kind, why: why.into(), count: 1, example: None, remedy }
    }

    /// The same for so many things.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// "permission denied, such as `init[1]`; run as root": the cause, an example, and the remedy where there is one.
    pub fn explained(&self) -> String {
        format!("{}{}", self.cause(), self.remedy.after_cause())
    }

    /// "permission denied, such as `init[1]`".
    pub fn cause(&self) -> String {
        match (&self.example, self.count) {
            (None, _) => self.why.clone(),
            (Some(example), 1) => format!("{}: {example}", self.why),
            (Some(example), _) => format!("{}, such as {example}", self.why),
        }
    }

    /// "12 process owners"; without the number where it is 1, which often says no more than that there is something.
    pub fn counted(&self) -> String {
        if self.count == 1 { self.kind.name().to_owned() } else { format!("{} {}", self.count, self.kind.name()) }
    }
}

/// The gaps of a snapshot, one entry for each cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds `gap`, or its count to the entry of the same kind and cause.
    pub fn add(&mut self, gap: Gap) {
        match self.same(&gap) {
            Some(known) => known.count += gap.count,
            None => self.0.push(gap),
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        for gap in other.0 {
            self.add(gap);
        }
    }

    /// Takes in what a second look at the same things could not see: the larger count of each cause, not the sum.
    pub fn merge(&mut self, other: Self) {
        for gap in other.0 {
            match self.same(&gap) {
                Some(known) => known.count = known.count.max(gap.count),
                None => self.0.push(gap),
            }
        }
    }

    fn same(&mut self, gap: &Gap) -> Option<&mut Gap> {
        self.0.iter_mut().find(|known| known.kind == gap.kind && known.why == gap.why)
    }

    /// In the order in which they were met.
    pub fn iter(&self) -> std::slice::Iter<'_, Gap> {
        self.0.iter()
    }

    /// Whether everything could be seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Gaps {
    type Item = &'a Gap;
    type IntoIter = std::slice::Iter<'a, Gap>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
