//! Capabilities (capabilities(7)) that decide what this program can read and change.

bitflags::bitflags! {
    /// A set of capabilities.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Capabilities: u8 {
        /// `CAP_SYS_PTRACE`: to read the links of other users' descriptors, and to duplicate the descriptors
        const SYS_PTRACE = 1;
        /// `CAP_DAC_READ_SEARCH`: to open other users' directories of descriptors
        const DAC_READ_SEARCH = 1 << 1;
        /// `CAP_SYS_ADMIN`: to enter network namespaces
        const SYS_ADMIN = 1 << 2;
        /// `CAP_NET_ADMIN`: to read marks, and to destroy sockets
        const NET_ADMIN = 1 << 3;
    }
}

impl Capabilities {
    /// The kernel's names of the capabilities.
    pub fn names(self) -> impl Iterator<Item = String> {
        self.iter_names().map(|(name, _)| format!("CAP_{name}"))
    }
}
