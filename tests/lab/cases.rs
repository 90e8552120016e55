//! Cases of the lab: each opens a connection, makes its peer vanish in one way, and states the expected predictions.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use crate::observe::Scene;
use crate::support::link::{Link, PEER, keepalive, set_options, user_timeout};
use crate::support::netns::User;
use crate::support::program::tcpulse_in;
use crate::support::sockets::fill;
use crate::support::wait::until;

pub(crate) const SOON: Duration = Duration::from_secs(10);
pub(crate) const EXACT: &[&str] = &["exact"];
pub(crate) const ANY: &[&str] = &["exact", "at_least", "at_most"];
const NEVER: &[&str] = &["never"];

/// Name of a case, and what sets it up.
pub(crate) type Case = (&'static str, fn() -> Scene);

/// Every case, with its name.
pub(crate) const ALL: &[Case] = &[
    ("keepalive, before and between the probes", keepalive_alone),
    ("keepalive, idle moved by traffic and the timer not", keepalive_moved),
    ("keepalive, user timeout shorter than the probes", keepalive_short_timeout),
    ("keepalive, user timeout longer than the probes", keepalive_long_timeout),
    ("keepalive of 20 s, where the timer wheel is coarse", keepalive_coarse),
    ("data in flight", data),
    ("data in flight, tcp_retries2 5", data_longer),
    ("data in flight, user timeout", data_user_timeout),
    ("data in flight, keepalive on", data_keepalive),
    ("zero window, silent peer", zero_window_silent),
    ("zero window, silent peer, user timeout", zero_window_user_timeout),
    ("zero window, silent peer, user timeout longer than the probes", zero_window_long_timeout),
    ("zero window, living peer", zero_window_living),
    ("SYN-SENT", syn_sent),
    ("SYN-SENT, TCP_SYNCNT 1", syn_sent_syncnt),
    ("SYN-SENT, user timeout", syn_sent_user_timeout),
    ("SYN-RECV", syn_recv),
    ("SYN-RECV, TCP_SYNCNT 3 of the listener", syn_recv_syncnt),
    ("SYN-RECV, TCP_DEFER_ACCEPT 8 of the listener", syn_recv_deferred),
    ("FIN-WAIT-1, orphan", fin_wait_1),
    ("FIN-WAIT-1, held", fin_wait_1_held),
    ("LAST-ACK, orphan", last_ack),
    ("CLOSING, orphan", closing),
    ("FIN-WAIT-2, orphan, tcp_fin_timeout 20", fin_wait_2_20),
    ("FIN-WAIT-2, orphan, tcp_fin_timeout 70", fin_wait_2_70),
    ("FIN-WAIT-2, held", fin_wait_2_held),
    ("TIME-WAIT", time_wait),
    ("CLOSE-WAIT, keepalive", close_wait_keepalive),
    ("CLOSE-WAIT", close_wait),
    ("accept queue", accept_queue),
    ("accept queue, keepalive of the listener", accept_queue_keepalive),
    ("keepalive off", nothing),
    ("wire pulled: keepalive", wire_keepalive),
    ("wire pulled: data in flight", wire_data),
    ("wire pulled: data written after", wire_data_after),
    ("wire pulled: data in flight, user timeout", wire_user_timeout),
    ("wire pulled: zero window", wire_zero_window),
    ("wire pulled: SYN-SENT", wire_syn_sent),
    ("neighbour lost: keepalive", neighbour_keepalive),
    ("neighbour lost: data in flight", neighbour_data),
];

impl Scene {
    /// Scene of a connection whose ends both stay open.
    pub(crate) fn of(link: Link, ours: &TcpStream, peer: &TcpStream) -> Self {
        let remote = SocketAddr::from((PEER, peer.local_addr().unwrap().port()));
        let keep = [ours, peer].map(|end| end.as_fd().try_clone_to_owned().unwrap());
        Self::between(link, ours.local_addr().unwrap(), remote, keep.into())
    }

    /// Scene of any socket between these two ends.
    pub(crate) fn between(link: Link, local: SocketAddr, remote: SocketAddr, keep: Vec<OwnedFd>) -> Self {
        Self {
            local,
            remote,
            keep,
            link,
            verdicts: &[],
            mechanism: "none",
            bounds: ANY,
            surely: "exact",
            every: Duration::from_millis(900),
            stays: None,
        }
    }

    pub(crate) fn says(
        self,
        verdicts: &'static [&'static str],
        mechanism: &'static str,
        bounds: &'static [&'static str],
    ) -> Self {
        Self { verdicts, mechanism, bounds, surely: bounds[0], ..self }
    }

    pub(crate) fn surely(self, surely: &'static str) -> Self {
        Self { surely, ..self }
    }

    pub(crate) fn every_ms(self, ms: u64) -> Self {
        Self { every: Duration::from_millis(ms), ..self }
    }

    pub(crate) fn stays(self, seconds: u64) -> Self {
        Self { stays: Some(Duration::from_secs(seconds)), ..self }
    }
}

pub(crate) const RETRIES: &[(&str, &str)] = &[("ipv4/tcp_retries2", "3"), ("ipv4/tcp_orphan_retries", "2")];

/// A connection with these options; its peer is still there.
pub(crate) fn connected(sysctls: &[(&str, &str)], options: &[(i32, i32, i32)]) -> (Link, TcpStream, TcpStream) {
    let link = Link::new(sysctls);
    let (ours, peer) = link.connection();
    set_options(&ours, options);
    (link, ours, peer)
}

fn with_keepalive(options: &[(i32, i32, i32)]) -> Scene {
    let (link, ours, peer) = connected(&[], options);
    link.black_hole();
    Scene::of(link, &ours, &peer).every_ms(600)
}

fn keepalive_alone() -> Scene {
    with_keepalive(&keepalive(1, 1, 3)).says(&["active", "probing"], "keepalive", EXACT)
}

fn keepalive_moved() -> Scene {
    let (link, ours, peer) = connected(&[], &keepalive(3, 1, 2));
    // The peer sends data after half of the timer's time.
    let probe = ours.try_clone().unwrap();
    probe.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    assert!((&probe).read(&mut [0]).is_err(), "nothing to read yet");
    (&peer).write_all(b"x").unwrap();
    probe.set_read_timeout(Some(SOON)).unwrap();
    (&probe).read_exact(&mut [0]).unwrap();
    link.black_hole();
    Scene::of(link, &ours, &peer).every_ms(700).says(&["active", "probing"], "keepalive", EXACT)
}

fn keepalive_short_timeout() -> Scene {
    let options = [keepalive(1, 1, 6), vec![user_timeout(2500)]].concat();
    with_keepalive(&options).says(&["active", "probing"], "user-timeout", EXACT)
}

fn keepalive_long_timeout() -> Scene {
    let options = [keepalive(1, 1, 2), vec![user_timeout(5000)]].concat();
    with_keepalive(&options).says(&["active", "probing"], "user-timeout", EXACT)
}

fn keepalive_coarse() -> Scene {
    with_keepalive(&keepalive(20, 2, 3)).every_ms(4000).says(&["active"], "keepalive", &["at_least", "exact"])
}

/// A connection that sends data after its peer has vanished.
fn with_data(sysctls: &[(&str, &str)], options: &[(i32, i32, i32)]) -> Scene {
    let (link, ours, peer) = connected(sysctls, options);
    link.black_hole();
    (&ours).write_all(b"anybody there?").unwrap();
    Scene::of(link, &ours, &peer).every_ms(250)
}

fn data() -> Scene {
    with_data(RETRIES, &[]).says(&["active", "retransmitting"], "retransmission", EXACT)
}

fn data_longer() -> Scene {
    with_data(&[("ipv4/tcp_retries2", "5")], &[]).every_ms(1500).says(
        &["retransmitting"],
        "retransmission",
        &["exact", "at_least"],
    )
}

fn data_user_timeout() -> Scene {
    with_data(RETRIES, &[user_timeout(4000)]).every_ms(500).says(&["retransmitting"], "user-timeout", EXACT)
}

fn data_keepalive() -> Scene {
    with_data(RETRIES, &keepalive(1, 1, 2)).every_ms(500).says(&["retransmitting"], "retransmission", EXACT)
}

/// A connection whose peer does not read until its window is shut.
pub(crate) fn shut_window(sysctls: &[(&str, &str)], options: &[(i32, i32, i32)]) -> (Link, TcpStream, TcpStream) {
    let (link, ours, peer) = connected(sysctls, options);
    until("the window is shut", SOON, || {
        // A full send buffer may empty before the peer's is full.
        fill(&ours);
        (timer_of(&link, &ours) == "zero-window-probe").then_some(())
    });
    (link, ours, peer)
}

fn timer_of(link: &Link, ours: &TcpStream) -> String {
    let arguments = ["ls", "-q", "-N", "current", "--no-processes", "--no-header", "-o", "local-port,timer"];
    let listed = tcpulse_in(&link.ours, User::Root, &arguments).stdout;
    let port = ours.local_addr().unwrap().port().to_string();
    listed.lines().find_map(|line| line.trim().strip_prefix(&port)).unwrap_or_default().trim().to_owned()
}

fn zero_window_silent() -> Scene {
    let (link, ours, peer) = shut_window(RETRIES, &[]);
    link.black_hole();
    // Just after the window was shut or a probe was sent, the peer may still be alive.
    Scene::of(link, &ours, &peer).every_ms(300).says(&["silent-window"], "window-probe", &["exact", "at_least"])
}

fn zero_window_user_timeout() -> Scene {
    let (link, ours, peer) = shut_window(&[], &[user_timeout(3000)]);
    link.black_hole();
    Scene::of(link, &ours, &peer).every_ms(400).says(&["silent-window"], "user-timeout", ANY).surely("at_most")
}

fn zero_window_long_timeout() -> Scene {
    let (link, ours, peer) = shut_window(RETRIES, &[user_timeout(20_000)]);
    link.black_hole();
    let bounds = &["at_most", "exact", "at_least"];
    Scene::of(link, &ours, &peer).every_ms(400).says(&["silent-window"], "window-probe", bounds)
}

fn zero_window_living() -> Scene {
    let (link, ours, peer) = shut_window(RETRIES, &[]);
    until("a probe was answered", SOON, || {
        let json = tcpulse_in(&link.ours, User::Root, &["--json", "-q", "-N", "current"]).json();
        let port = ours.local_addr().unwrap().port();
        let rows = json["connections"].as_array().unwrap();
        let row = rows.iter().find(|row| row["local"]["port"] == port)?;
        (row["tcp_info"]["backoff"].as_u64()? > 0).then_some(())
    });
    Scene::of(link, &ours, &peer).every_ms(700).says(&["stalled"], "window-probe", &["at_least"]).stays(12)
}

/// A SYN to a peer that has vanished.
pub(crate) fn connecting(sysctls: &[(&str, &str)], options: &[(i32, i32, i32)], vanish: fn(&Link)) -> Scene {
    let link = Link::new(&[]);
    // Linux before 6.5 has no tcp_syn_linear_timeouts.
    for (name, value) in sysctls.iter().filter(|(name, _)| link.ours.has_sysctl(name)) {
        link.ours.sysctl(name, value);
    }
    vanish(&link);
    let remote = SocketAddr::from((PEER, 9));
    let ours = link.ours.run(|| {
        let socket = crate::support::sockets::socket(libc::AF_INET, libc::IPPROTO_TCP, libc::SOCK_NONBLOCK);
        set_options(&socket, options);
        let address = nix::sys::socket::SockaddrStorage::from(remote);
        let result = nix::sys::socket::connect(std::os::fd::AsRawFd::as_raw_fd(&socket), &address);
        assert_eq!(result, Err(nix::errno::Errno::EINPROGRESS));
        TcpStream::from(socket)
    });
    let local = ours.local_addr().unwrap();
    let scene = Scene::between(link, local, remote, vec![ours.into()]);
    scene.every_ms(700).says(&["connecting"], "syn-retries", EXACT)
}

const SYN: &[(&str, &str)] = &[("ipv4/tcp_syn_retries", "2"), ("ipv4/tcp_syn_linear_timeouts", "1")];

fn syn_sent() -> Scene {
    connecting(SYN, &[], Link::black_hole)
}

fn syn_sent_syncnt() -> Scene {
    connecting(&[], &[(libc::IPPROTO_TCP, libc::TCP_SYNCNT, 1)], Link::black_hole)
}

fn syn_sent_user_timeout() -> Scene {
    connecting(&[], &[user_timeout(3500)], Link::black_hole).says(&["connecting"], "user-timeout", EXACT)
}

fn syn_recv() -> Scene {
    requested(&[("ipv4/tcp_synack_retries", "2")], &[], false).says(&["handshaking"], "synack-retries", &["at_most"])
}

fn syn_recv_syncnt() -> Scene {
    let options = [(libc::IPPROTO_TCP, libc::TCP_SYNCNT, 3)];
    let scene = requested(&[("ipv4/tcp_synack_retries", "1")], &options, false);
    scene.says(&["handshaking"], "synack-retries", &["at_most"])
}

/// A request that the peer confirms at once, while the listener waits for data that never arrives.
fn syn_recv_deferred() -> Scene {
    let options = [(libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 8)];
    let scene = requested(&[("ipv4/tcp_synack_retries", "1")], &options, true);
    scene.says(&["handshaking"], "synack-retries", &["at_least"])
}

/// A SYN to a listener of ours; the peer vanishes before or after it receives our SYN-ACK.
pub(crate) fn requested(sysctls: &[(&str, &str)], options: &[(i32, i32, i32)], peer_hears: bool) -> Scene {
    let link = Link::new(sysctls);
    let listener = link.listener(options);
    link.peer_hears(peer_hears);
    let peer = link.peer_connects(listener.local_addr().unwrap());
    let remote = TcpStream::from(peer.try_clone().unwrap()).local_addr().unwrap();
    until("the SYN has come", SOON, || {
        let arguments = ["stat", "-q", "-N", "current", "--no-header", "--by", "state"];
        let stat = tcpulse_in(&link.ours, User::Root, &arguments).stdout;
        stat.lines().any(|line| line.starts_with("syn-recv") && !line.ends_with(" 0")).then_some(())
    });
    link.black_hole();
    let local = listener.local_addr().unwrap();
    Scene::between(link, local, remote, vec![listener.into(), peer]).every_ms(1200)
}

/// Closes our end; the scene keeps only the peer's.
pub(crate) fn closed(scene: Scene, ours: TcpStream) -> Scene {
    let Scene { mut keep, .. } = scene;
    keep.remove(0);
    ours.shutdown(Shutdown::Write).unwrap();
    drop(ours);
    Scene { keep, ..scene }
}

fn fin_wait_1() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[]);
    link.black_hole();
    let scene = Scene::of(link, &ours, &peer).every_ms(250);
    closed(scene, ours).says(&["closing"], "orphan-retries", &["at_least"])
}

fn fin_wait_1_held() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[]);
    link.black_hole();
    ours.shutdown(Shutdown::Write).unwrap();
    Scene::of(link, &ours, &peer).every_ms(500).says(&["closing"], "retransmission", EXACT)
}

/// A connection that the peer has closed.
fn closed_by_peer(sysctls: &[(&str, &str)], options: &[(i32, i32, i32)]) -> (Link, TcpStream, TcpStream) {
    let (link, ours, peer) = connected(sysctls, options);
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&ours).read(&mut [0]).unwrap(), 0);
    (link, ours, peer)
}

fn last_ack() -> Scene {
    let (link, ours, peer) = closed_by_peer(RETRIES, &[]);
    link.black_hole();
    let scene = Scene::of(link, &ours, &peer).every_ms(250);
    closed(scene, ours).says(&["closing"], "orphan-retries", &["at_least"])
}

fn closing() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[]);
    link.peer_hears(false);
    let scene = Scene::of(link, &ours, &peer).every_ms(250);
    let scene = closed(scene, ours);
    peer.shutdown(Shutdown::Write).unwrap();
    scene.link.we_hear(false);
    scene.says(&["closing"], "orphan-retries", &["at_least"])
}

fn fin_wait_2(seconds: &str) -> Scene {
    let (link, ours, peer) = connected(&[("ipv4/tcp_fin_timeout", seconds)], &[]);
    let scene = Scene::of(link, &ours, &peer).every_ms(3000);
    closed(scene, ours).says(&["closing"], "fin-timeout", &["at_least", "exact"])
}

fn fin_wait_2_20() -> Scene {
    fin_wait_2("20")
}

fn fin_wait_2_70() -> Scene {
    fin_wait_2("70")
}

fn fin_wait_2_held() -> Scene {
    let (link, ours, peer) = connected(&[], &[]);
    ours.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&peer).read(&mut [0]).unwrap(), 0);
    Scene::of(link, &ours, &peer).every_ms(3000).says(&["half-closed"], "none", NEVER).stays(10)
}

fn time_wait() -> Scene {
    let (link, ours, peer) = connected(&[], &[]);
    ours.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&peer).read(&mut [0]).unwrap(), 0);
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&ours).read(&mut [0]).unwrap(), 0);
    Scene::of(link, &ours, &peer).every_ms(9000).says(&["time-wait"], "time-wait", &["exact", "at_least"])
}

fn close_wait_keepalive() -> Scene {
    let (link, ours, peer) = closed_by_peer(&[], &keepalive(1, 1, 3));
    link.black_hole();
    Scene::of(link, &ours, &peer).every_ms(600).says(&["peer-closed"], "keepalive", EXACT)
}

fn close_wait() -> Scene {
    let (link, ours, peer) = closed_by_peer(&[], &[]);
    link.black_hole();
    Scene::of(link, &ours, &peer).every_ms(3000).says(&["peer-closed"], "none", NEVER).stays(10)
}

fn queued(options: &[(i32, i32, i32)]) -> Scene {
    let link = Link::new(&[]);
    let listener = link.listener(options);
    let address = listener.local_addr().unwrap();
    let peer = link.peer.run(|| TcpStream::connect(address).unwrap());
    link.black_hole();
    let remote = peer.local_addr().unwrap();
    let scene = Scene::between(link, address, remote, vec![listener.into(), peer.into()]);
    scene.every_ms(600).says(&["unaccepted"], "none", NEVER)
}

fn accept_queue() -> Scene {
    queued(&[]).stays(10)
}

fn accept_queue_keepalive() -> Scene {
    queued(&keepalive(1, 1, 3)).says(&["unaccepted"], "keepalive", &["at_least"])
}

fn nothing() -> Scene {
    let (link, ours, peer) = connected(&[], &[]);
    link.black_hole();
    Scene::of(link, &ours, &peer).every_ms(3000).says(&["active"], "none", NEVER).stays(15)
}

fn wire_keepalive() -> Scene {
    let (link, ours, peer) = connected(&[], &keepalive(1, 1, 3));
    link.cut();
    Scene::of(link, &ours, &peer).every_ms(600).says(&["probing"], "keepalive", ANY).surely("at_least")
}

fn wire_data() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[]);
    link.black_hole();
    (&ours).write_all(b"anybody there?").unwrap();
    link.cut();
    Scene::of(link, &ours, &peer).every_ms(250).says(&["retransmitting"], "retransmission", ANY).surely("at_least")
}

fn wire_data_after() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[]);
    link.cut();
    (&ours).write_all(b"anybody there?").unwrap();
    Scene::of(link, &ours, &peer).every_ms(250).says(&[], "retransmission", ANY).surely("at_least")
}

fn wire_user_timeout() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[user_timeout(4000)]);
    link.cut();
    (&ours).write_all(b"anybody there?").unwrap();
    Scene::of(link, &ours, &peer).every_ms(500).says(&[], "user-timeout", ANY).surely("at_least")
}

fn wire_zero_window() -> Scene {
    let (link, ours, peer) = shut_window(RETRIES, &[]);
    link.cut();
    Scene::of(link, &ours, &peer).every_ms(300).says(&[], "window-probe", &["at_least", "exact"])
}

fn wire_syn_sent() -> Scene {
    connecting(SYN, &[], Link::cut).says(&["connecting"], "syn-retries", ANY).surely("at_least")
}

fn neighbour_keepalive() -> Scene {
    let (link, ours, peer) = connected(&[], &keepalive(1, 1, 3));
    link.lose_neighbour();
    Scene::of(link, &ours, &peer).every_ms(600).says(&["probing"], "keepalive", ANY)
}

fn neighbour_data() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[]);
    link.lose_neighbour();
    (&ours).write_all(b"anybody there?").unwrap();
    Scene::of(link, &ours, &peer).every_ms(250).says(&[], "retransmission", ANY).surely("at_least")
}
