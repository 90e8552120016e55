//! `/etc/tcpulse/policy.toml`, root's rules for the whole host: what users may do whose rights come from tcpulse's file
//! (setuid or file capabilities), and whether every change must be logged. No environment variable changes its path.

use std::io;
use std::path::Path;

use anyhow::{anyhow, bail};
use serde::Deserialize;

use super::config_file::at_line;
use super::usage::UsageError;
use crate::act::plan::Deed;
use crate::collect::caller::Caller;
use crate::collect::small_file::{self, Unreadable};

/// Path of the file.
const PATH: &str = "/etc/tcpulse/policy.toml";
const DIRECTORY: &str = "/etc/tcpulse";

/// Root's rules. Without a file, the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Policy {
    /// Users may `set` with rights of tcpulse's file
    allow_secure_set: bool,
    /// Users may `kill` with rights of tcpulse's file
    allow_secure_kill: bool,
    /// A change that cannot be logged first is refused
    pub(super) require_log: bool,
}

/// The caller's options for the journal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Logging {
    /// `--no-log`
    pub(super) none: bool,
    /// `--require-log`
    pub(super) required: bool,
}

impl Policy {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read or understood: whatever root forbids there, it would not be kept.
    pub(super) fn load() -> anyhow::Result<Self> {
        let wrong = |why: String| anyhow!("{PATH} {why}; nothing is changed until root corrects it");
        let file = match small_file::read(Path::new(PATH)) {
            Ok(file) => file,
            Err(Unreadable::Failed(error))
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Ok(Self::default());
            }
            Err(why) => return Err(wrong(format!("cannot be read: {why}"))),
        };
        let directory =
            small_file::owner(Path::new(DIRECTORY)).map_err(|why| wrong(format!("cannot be read: {why}")))?;
        for (path, owner) in [(DIRECTORY, directory), (PATH, file.owner)] {
            if !owner.is_root_alone() {
                let help = "make it root's, and writable by nobody else (chown root, chmod go-w)";
                bail!("{path} is not root's alone: {help}; nothing is changed until then");
            }
        }
        let text = String::from_utf8(file.bytes).map_err(|_| wrong("is not UTF-8 text".to_owned()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            format!("cannot be understood: {}", at_line(text, error.span(), error.message()))
        })
    }

    /// Whether the caller may do it at all.
    ///
    /// # Errors
    /// It has rights of its file, and root has not allowed that: who may, and how root allows it.
    pub(super) fn permit(self, deed: Deed, caller: &Caller) -> anyhow::Result<()> {
        let (command, setting, allowed) = match deed {
            Deed::Destroy => ("kill", "allow-secure-kill", self.allow_secure_kill),
            Deed::Set(_) => ("set", "allow-secure-set", self.allow_secure_set),
        };
        if caller.has_rights_of_file && !allowed {
            bail!(
                "{command} is refused: tcpulse was started in secure-execution mode (set-user-ID, file capabilities or a \
                 security module), which would let anybody change the sockets of others; run it as root, or let root allow it: \
                 {setting} = true in {PATH}"
            );
        }
        Ok(())
    }

    /// Whether the caller may have changes go unnoted, as `--no-log` asks.
    ///
    /// # Errors
    /// The changes are not the caller's own alone, or root wants every change noted.
    pub(super) fn permit_silence(self, logging: Logging, caller: &Caller) -> Result<(), UsageError> {
        let why = match logging.none {
            true if self.require_log => {
                "every change has to be noted on this host (require-log in /etc/tcpulse/policy.toml)"
            }
            true if caller.is_privileged && !caller.is_root() => {
                "only the host's root may change sockets without a note, and this tcpulse has more rights than the user who started it"
            }
            _ => return Ok(()),
        };
        Err(UsageError(format!("--no-log is refused: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Policy;

    #[test]
    fn nothing_is_allowed_unless_the_policy_allows_it() {
        assert_eq!(Policy::parse("").unwrap(), Policy::default());
        let policy = Policy::parse("# changed by ops\nallow-secure-set = true\nrequire-log = true\n").unwrap();
        assert_eq!((policy.allow_secure_set, policy.allow_secure_kill, policy.require_log), (true, false, true));
        for (text, said) in [
            ("allow-secure-sett = true", "expected one of `allow-secure-set`"),
            ("allow-secure-set = \"yes\"", "expected a boolean"),
            ("[allow-secure-set]", "expected a boolean"),
            ("allow-secure-set", "cannot be understood"),
            ("theme = \"dark\"", "unknown field `theme`"),
        ] {
            let wrong = Policy::parse(text).unwrap_err();
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
    }
}
