//! tcpulse shows what every TCP connection of a Linux host is doing, whether its peer is still there, and when the
//! kernel would notice if it were not. This is the library of the program: it takes one filtered snapshot, or
//! successive snapshots with the changes between them.
//!
//! # A snapshot
//!
//! A [`Request`] describes the rows to read, and completes its needs: a request for the verdict also reads everything
//! that decides it. A [`Sink`] receives the rows, one by one. The [`Tail`] lists what could not be read, as [`Gaps`].
//!
//! ```no_run
//! use tcpulse::{Filter, Needs, NetnsChoice, NoNames, Request, Row, Sink, inspect};
//!
//! struct Silent;
//!
//! impl Sink for Silent {
//!     fn row(&mut self, row: &Row<'_>) -> std::io::Result<()> {
//!         let verdict = row.judged.map(|judged| judged.liveness.verdict);
//!         println!("{:?} -> {:?}: {verdict:?}", row.socket.local, row.socket.remote);
//!         Ok(())
//!     }
//! }
//!
//! let filter = Filter::parse("verdict in {probing, retransmitting, silent-window}", &NoNames)?;
//! let request = Request { filter, needs: Needs::LIVENESS, ..Request::new(NetnsChoice::All) };
//! let tail = inspect(&request, None, &mut Silent, &|| false)?;
//! for gap in &tail.gaps {
//!     println!("not seen: {} of {:?}", gap.count, gap.kind);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What changes
//!
//! A [`Tracker`] compares each snapshot with the previous one, and receives its rows by a [`ChangeSink`]. A [`Cache`]
//! keeps data that need not be read again. `examples/watch.rs` prints changes, `examples/count.rs` counts states.
//!
//! The program is in `src/cli/`; ARCHITECTURE.md describes the modules and the data flow between them.

mod act;
mod cli;
mod collect;
mod decode;
mod diagnose;
mod export;
mod fields;
mod filter;
mod inspect;
mod model;
mod text;
mod track;
mod tui;

#[cfg(test)]
#[path = "../tests/inside/mod.rs"]
mod inside;

// Requests: what to read, and from where.
pub use collect::discovery::NetnsChoice;
pub use collect::error::CollectError;
pub use collect::visit::SourceChoice;
pub use filter::{Filter, FilterError, Names, NoNames};
pub use inspect::{Cache, CacheUse, InspectError, Request, count, inspect};
pub use model::needs::Needs;

// Results.
pub use model::address::{Cookie, Endpoint, Family, NetnsId};
pub use model::gap::{Gap, GapKind, Gaps, Remedy};
pub use model::holder::{Holder, HolderKind};
pub use model::keepalive::{Keepalive, KeepaliveSource, KeepaliveValues, SomeKeepaliveValues};
pub use model::liveness::{Bound, Deadline, Liveness, Mechanism, Verdict};
pub use model::namespace::Namespace;
pub use model::options::SocketOptions;
pub use model::owner::{Owners, Process};
pub use model::row::{Judged, Row};
pub use model::snapshot::{Head, Sink, Summary, Tail};
pub use model::socket::{Queues, Socket, SocketId};
pub use model::state::{StateSet, TcpState};
pub use model::tcp_info::{Field, TcpInfo};
pub use model::time::Millis;
pub use model::timer::{Timer, TimerKind};

// Changes between snapshots.
pub use track::change::{Change, What};
pub use track::closing::CloseReason;
pub use track::holders::{HeldBy, ProcessName};
pub use track::sink::ChangeSink;
pub use track::tracker::Tracker;

#[cfg(feature = "measure")]
#[doc(hidden)]
pub use cli::measure;
#[doc(hidden)]
pub use cli::{report, run};
#[cfg(fuzzing)]
#[doc(hidden)]
pub use decode::fuzz;
