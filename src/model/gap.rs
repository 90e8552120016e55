//! Gaps: data that could not be read. A gap is counted, printed once, and names its remedy.

use std::borrow::Cow;

use super::rights::Capabilities;

/// Kind of data that a gap hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// Sockets that the dump should have returned: a socket that is missing may still exist
    Sockets,
    /// Network namespaces that could not be entered or read
    Namespaces,
    /// Namespaces of processes that may not be read
    NamespacesOfProcesses,
    /// Rows from /proc/net/tcp, which has fewer details
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
    /// Details that a filter compares and that /proc/net/tcp lacks
    FilterDetails,
    /// Values of /proc/sys/net
    Sysctls,
    /// Gauges and counters of /proc/net
    Counters,
    /// Names of interfaces
    Interfaces,
    /// Routes, carriers and neighbours
    Routes,
    /// Connections that opened and closed between two snapshots
    ShortConnections,
}

impl GapKind {
    /// Name of the missing data, in the plural.
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

/// Action by which the user can close a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// No action helps: the kernel refuses the data whatever rights this process has
    None,
    /// These capabilities are missing
    Grant {
        /// Capabilities that this process lacks
        missing: Capabilities,
        /// The process has user id 0, so "run as root" would not help
        is_root: bool,
    },
    /// Something else, as a phrase in the imperative
    Do(&'static str),
}

impl Remedy {
    /// Phrase such as "run as root or grant CAP_SYS_PTRACE"; `None` if no action helps.
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

    /// The phrase as it follows a cause: "; run as root"; empty if no action helps.
    pub fn after_cause(self) -> String {
        self.phrase().map(|phrase| format!("; {phrase}")).unwrap_or_default()
    }
}

/// Data of one kind that is missing for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Kind of the missing data
    pub kind: GapKind,
    /// The cause, as a phrase
    pub why: String,
    /// Number of affected things, in the unit that the kind names
    pub count: u64,
    /// One of them, if it has a name: `init[1]`
    pub example: Option<String>,
    /// Action by which the user can close the gap
    pub remedy: Remedy,
}

impl Gap {
    /// Creates a gap of one unnamed thing.
    pub fn new(kind: GapKind, why: impl Into<String>, remedy: Remedy) -> Self {
        Self { kind, why: why.into(), count: 1, example: None, remedy }
    }

    /// The gap with this count.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// Cause, example, and the remedy if there is one: "permission denied, such as `init[1]`; run as root".
    pub fn explained(&self) -> String {
        format!("{}{}", self.cause(), self.remedy.after_cause())
    }

    /// Cause and example: "permission denied, such as `init[1]`".
    pub fn cause(&self) -> String {
        match (&self.example, self.count) {
            (None, _) => self.why.clone(),
            (Some(example), 1) => format!("{}: {example}", self.why),
            (Some(example), _) => format!("{}, such as {example}", self.why),
        }
    }

    /// Count and kind: "12 process owners". A count of 1 is omitted, since it often only means that something is missing.
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

    /// Merges the gaps of a second read of the same data: each cause keeps its larger count, not the sum.
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

    /// Gaps in the order in which they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Gap> {
        self.0.iter()
    }

    /// Whether nothing is missing.
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
