//! Capabilities (capabilities(7)) that decide what this program is shown.

bitflags::bitflags! {
    /// A set of them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Capabilities: u8 {
        /// `CAP_SYS_PTRACE`: to see what other users' descriptors refer to, and to duplicate them
        const SYS_PTRACE = 1;
        /// `CAP_DAC_READ_SEARCH`: to open other users' directories of descriptors
        const DAC_READ_SEARCH = 1 << 1;
        /// `CAP_SYS_ADMIN`: to enter network namespaces
        const SYS_ADMIN = 1 << 2;
        /// `CAP_NET_ADMIN`: marks, to destroy sockets
        const NET_ADMIN = 1 << 3;
    }
}

impl Capabilities {
    /// Each by the kernel's name.
    pub fn names(self) -> impl Iterator<Item = String> {
        self.iter_names().map(|(name, _)| format!("CAP_{name}"))
    }
}
