//! `set` against races between the list and the change: the socket closes, its descriptor is reused.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{KeepAlive, TcpKeepIdle};
use nix::unistd::dup3;

use super::support::netns::Netns;
use super::support::root::is_root;
use super::support::sockets::pair;
use crate::act::keepalive::{NotChanged, Setter};
use crate::act::target::Target;
use crate::collect::discovery::NetnsChoice;
use crate::collect::visit::SourceChoice;
use crate::inspect::{Request, inspect};
use crate::model::change::KeepaliveChange;
use crate::model::ids::{Fd, Pid};
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::snapshot::Sink;

/// The targets that match a filter, as `set` lists them.
struct Targets(Vec<Target>);

impl Sink for Targets {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.0.push(Target::of(row));
        Ok(())
    }
}

fn target(netns: &Netns, socket: &TcpStream) -> Target {
    let (source, needs) = (SourceChoice::SockDiag, Needs::OWNERS);
    let request = Request { source, needs, ..Request::new(NetnsChoice::Current) };
    let mut targets = Targets(Vec::new());
    netns.run(|| inspect(&request, None, &mut targets, &|| false)).unwrap();
    let local = socket.local_addr().unwrap();
    let is_it = |target: &Target| target.socket.local.port == local.port() && target.socket.remote.port != 0;
    targets.0.into_iter().find(is_it).unwrap()
}

#[test]
fn a_socket_that_closed_meanwhile_is_gone() {
    if !is_root("a_socket_that_closed_meanwhile_is_gone") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let (client, _server) = netns.run(|| pair(&listener));
    let target = target(&netns, &client);
    drop(client);
    let change = KeepaliveChange { enabled: Some(true), ..KeepaliveChange::default() };
    let result = Setter::default().set(&target, &change);
    assert!(matches!(result, Err(NotChanged::Gone)), "{result:?}");
}

#[test]
fn a_descriptor_that_was_given_to_another_socket_never_gets_its_settings() {
    const RACES: u32 = 10_000;
    if !is_root("a_descriptor_that_was_given_to_another_socket_never_gets_its_settings") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let (meant, _one) = netns.run(|| pair(&listener));
    let (other, _two) = netns.run(|| pair(&listener));
    // One descriptor number refers to either socket in turn, as fast as a thread can change it.
    let place = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let number = u32::try_from(place.as_raw_fd()).unwrap();
    let mut target = target(&netns, &meant);
    target.holders = vec![(Pid(std::process::id()), Fd(number))];
    let stop = AtomicBool::new(false);
    // Counted, not asserted: a panic in here would leave the other thread running for ever.
    let (mut hits, mut misses, mut wrong) = (0, 0, 0);
    std::thread::scope(|scope| {
        let swap = scope.spawn(|| {
            let mut place = place;
            while !stop.load(Ordering::Relaxed) {
                for socket in [&meant, &other] {
                    dup3(socket.as_fd(), &mut place, OFlag::O_CLOEXEC).unwrap();
                }
            }
        });
        let mut setter = Setter::default();
        let end = Instant::now() + Duration::from_secs(60);
        for race in 0.. {
            let change = KeepaliveChange { idle_s: Some(100 + race % 1000), ..KeepaliveChange::default() };
            match setter.set(&target, &change) {
                Ok(changed) if Some(changed.after.keepalive.idle_s) == change.idle_s => hits += 1,
                Err(NotChanged::Gone) => misses += 1,
                Ok(_) | Err(_) => wrong += 1,
            }
            if (race >= RACES && hits > 0 && misses > 0) || Instant::now() > end {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        swap.join().unwrap();
    });
    assert!(hits > 0 && misses > 0 && hits + misses >= RACES, "{hits} hits, {misses} misses");
    assert_eq!(wrong, 0);
    let untouched = (getsockopt(&other, KeepAlive).unwrap(), getsockopt(&other, TcpKeepIdle).unwrap());
    assert_eq!(untouched, (false, 7200));
}
