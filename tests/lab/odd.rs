//! Cases in which an option, or this host itself, makes the kernel end a connection at other times than usual.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

use serde_json::Value;

use crate::cases::{ANY, Case, EXACT, RETRIES, SOON, closed, connected, connecting, requested, shut_window};
use crate::observe::Scene;
use crate::support::link::{Link, OURS, PEER, keepalive, set_options, user_timeout};
use crate::support::netns::User;
use crate::support::program::tcpulse_in;
use crate::support::sockets::{bind, listen, socket};
use crate::support::wait::until;

const BOUND: &[&str] = &["at_least"];
/// Not in libc.
const SO_MAX_PACING_RATE: i32 = 47;
const TCP_RTO_MAX_MS: i32 = 44;

/// Every case, with its name.
pub(crate) const ALL: &[Case] = &[
    ("zero window, peer answered, then vanished", stalled),
    ("SYN-RECV, TCP_RTO_MAX_MS 1000 of the listener", request_rto_max),
    ("SYN-RECV, two listeners with TCP_SYNCNT 1 and 3", request_reuseport),
    ("SYN-RECV, TCP_SYNCNT as tcp_syn_retries", request_syncnt_as_sysctl),
    ("FIN-WAIT-1, orphan, user timeout longer than the retries", orphan_long_timeout),
    ("FIN-WAIT-1, orphan, user timeout shorter than the retries", orphan_short_timeout),
    ("FIN-WAIT-1, orphan, zero window", orphan_zero_window),
    ("FIN-WAIT-1, orphan, TCP_RTO_MAX_MS 1000", orphan_rto_max),
    ("data in flight, paced at 5 kB/s", paced),
    ("data in flight, paced at 20 kB/s, more to send", paced_more),
    ("data in flight, paced at 5 kB/s, user timeout", paced_user_timeout),
    ("data in flight, thin stream", thin),
    ("data in flight, route deleted, user timeout", no_route),
    ("data in flight, route prohibited, user timeout", prohibited),
    ("data in flight, interface down, user timeout", interface_down),
    ("data in flight, our address removed, user timeout", no_address),
    ("data in flight, route deleted", no_route_retries),
    ("data written after the route was deleted", written_without_route),
    ("keepalive, full queue, user timeout", full_queue_keepalive),
    ("SYN-SENT, full queue", full_queue_syn),
    ("data in flight, full queue", full_queue_data),
    ("keepalive, no route", keepalive_without_route),
];

fn json(link: &Link, local_port: u16) -> Option<Value> {
    let document = tcpulse_in(&link.ours, User::Root, &["--json", "-q", "-N", "current"]).json();
    let rows = document["connections"].as_array()?;
    rows.iter().find(|row| row["local"]["port"] == local_port && row["remote"]["port"] != 0).cloned()
}

/// Waits until a field of tcp_info is at least this high.
fn until_counted(link: &Link, ours: &TcpStream, field: &str, least: u64) {
    let port = ours.local_addr().unwrap().port();
    until(field, SOON, || (json(link, port)?["tcp_info"][field].as_u64()? >= least).then_some(()));
}

fn stalled() -> Scene {
    let (link, ours, peer) = shut_window(&[("ipv4/tcp_retries2", "4")], &[]);
    until_counted(&link, &ours, "backoff", 2);
    link.black_hole();
    Scene::of(link, &ours, &peer).every_ms(500).says(&["silent-window"], "window-probe", &["at_least", "exact"])
}

fn request(scene: Scene) -> Scene {
    scene.says(&["handshaking"], "synack-retries", &["at_most"])
}

fn request_rto_max() -> Scene {
    let options = [(libc::IPPROTO_TCP, TCP_RTO_MAX_MS, 1000)];
    request(requested(&[("ipv4/tcp_synack_retries", "2"), ("ipv4/tcp_rto_max_ms", "1000")], &options, false))
}

fn request_syncnt_as_sysctl() -> Scene {
    let options = [(libc::IPPROTO_TCP, libc::TCP_SYNCNT, 3)];
    request(requested(&[("ipv4/tcp_synack_retries", "1"), ("ipv4/tcp_syn_retries", "3")], &options, false))
}

/// The peer connects to a port of two listeners, and which of them got the SYN is the kernel's choice.
fn request_reuseport() -> Scene {
    let link = Link::new(&[("ipv4/tcp_synack_retries", "1")]);
    let listener = |port: u16, syncnt| {
        link.ours.run(|| {
            let socket = socket(libc::AF_INET, libc::IPPROTO_TCP, 0);
            set_options(
                &socket,
                &[(libc::SOL_SOCKET, libc::SO_REUSEPORT, 1), (libc::IPPROTO_TCP, libc::TCP_SYNCNT, syncnt)],
            );
            bind(&socket, SocketAddr::from((OURS, port)));
            listen(socket, 16)
        })
    };
    let one = listener(0, 1);
    let address = one.local_addr().unwrap();
    let other = listener(address.port(), 3);
    link.peer_hears(false);
    let peer = link.peer_connects(address);
    let remote = TcpStream::from(peer.try_clone().unwrap()).local_addr().unwrap();
    until("the SYN has come", SOON, || json(&link, address.port()));
    link.black_hole();
    request(Scene::between(link, address, remote, vec![one.into(), other.into(), peer]).every_ms(1200))
}

fn orphan(sysctls: &[(&str, &str)], options: &[(i32, i32, i32)]) -> Scene {
    let (link, ours, peer) = connected(sysctls, options);
    link.black_hole();
    let scene = Scene::of(link, &ours, &peer).every_ms(250);
    closed(scene, ours).says(&["closing"], "orphan-retries", BOUND)
}

fn orphan_long_timeout() -> Scene {
    orphan(RETRIES, &[user_timeout(8000)])
}

fn orphan_short_timeout() -> Scene {
    orphan(&[("ipv4/tcp_orphan_retries", "5")], &[user_timeout(1500)])
}

fn orphan_rto_max() -> Scene {
    orphan(&[("ipv4/tcp_orphan_retries", "4")], &[(libc::IPPROTO_TCP, TCP_RTO_MAX_MS, 1000)])
}

fn orphan_zero_window() -> Scene {
    let (link, ours, peer) = shut_window(&[("ipv4/tcp_orphan_retries", "4")], &[user_timeout(9000)]);
    link.black_hole();
    let scene = Scene::of(link, &ours, &peer).every_ms(250);
    closed(scene, ours).says(&["closing"], "window-probe", BOUND)
}

/// A connection that has sent more than the ten segments that are never paced, and sends these bytes into a black hole.
fn paced_at(rate: i32, bytes: usize, options: &[(i32, i32, i32)]) -> Scene {
    let (link, ours, peer) = connected(RETRIES, options);
    set_options(&ours, &[(libc::SOL_SOCKET, SO_MAX_PACING_RATE, rate)]);
    for _ in 0..12 {
        (&ours).write_all(&[0; 40]).unwrap();
        (&peer).read_exact(&mut [0; 40]).unwrap();
    }
    let port = ours.local_addr().unwrap().port();
    until("all is acknowledged", SOON, || (json(&link, port)?["tcp_info"]["unacked"] == 0).then_some(()));
    link.black_hole();
    (&ours).write_all(&vec![0; bytes]).unwrap();
    Scene::of(link, &ours, &peer).every_ms(250)
}

fn paced() -> Scene {
    paced_at(5_000, 4_000, &[]).says(&["active", "retransmitting"], "retransmission", ANY)
}

fn paced_more() -> Scene {
    paced_at(20_000, 60_000, &[]).says(&["active", "retransmitting"], "retransmission", ANY)
}

fn paced_user_timeout() -> Scene {
    paced_at(5_000, 8_000, &[user_timeout(4000)]).says(&["active", "retransmitting"], "user-timeout", ANY)
}

fn thin() -> Scene {
    let (link, ours, peer) = connected(&[("ipv4/tcp_retries2", "5")], &[]);
    set_options(&ours, &[(libc::IPPROTO_TCP, libc::TCP_THIN_LINEAR_TIMEOUTS, 1)]);
    // BBR never counts as thin.
    nix::sys::socket::setsockopt(&ours.as_fd(), nix::sys::socket::sockopt::TcpCongestion, &"cubic".into()).unwrap();
    link.black_hole();
    (&ours).write_all(b"anybody there?").unwrap();
    Scene::of(link, &ours, &peer).every_ms(400).says(&["retransmitting"], "retransmission", ANY)
}

/// Data is in flight to a peer that has vanished; then something on this host fails every send.
fn failing(options: &[(i32, i32, i32)], fail: fn(&Link)) -> Scene {
    let (link, ours, peer) = connected(RETRIES, options);
    link.black_hole();
    (&ours).write_all(b"anybody there?").unwrap();
    (&ours).write_all(b"hello?").unwrap();
    fail(&link);
    until_counted(&link, &ours, "retransmits", 1);
    Scene::of(link, &ours, &peer).every_ms(300).says(&["retransmitting"], "user-timeout", ANY).surely("at_least")
}

fn delete_route(link: &Link) {
    link.ours.ip("route del 198.18.0.0/24");
}

fn no_route() -> Scene {
    failing(&[user_timeout(4000)], delete_route)
}

fn prohibited() -> Scene {
    failing(&[user_timeout(4000)], |link| link.ours.ip(&format!("route add prohibit {PEER}/32")))
}

fn interface_down() -> Scene {
    failing(&[user_timeout(4000)], |link| link.ours.ip("link set wire down"))
}

fn no_address() -> Scene {
    failing(&[user_timeout(4000)], |link| link.ours.ip(&format!("addr del {OURS}/24 dev wire")))
}

fn no_route_retries() -> Scene {
    failing(&[], delete_route).says(&["retransmitting"], "retransmission", ANY).surely("at_least")
}

fn written_without_route() -> Scene {
    let (link, ours, peer) = connected(RETRIES, &[]);
    delete_route(&link);
    (&ours).write_all(b"anybody there?").unwrap();
    Scene::of(link, &ours, &peer).every_ms(250).says(&[], "window-probe", BOUND)
}

/// Replaces the wire's queue by one that refuses every packet.
fn refuse(link: &Link) {
    let tc = link.ours.command("tc", User::Root).args("qdisc add dev wire root pfifo limit 0".split(' ')).output();
    let tc = tc.unwrap();
    assert!(tc.status.success(), "{}", String::from_utf8_lossy(&tc.stderr));
}

fn full_queue_keepalive() -> Scene {
    let options = [keepalive(1, 1, 3), vec![user_timeout(5000)]].concat();
    let (link, ours, peer) = connected(&[], &options);
    link.black_hole();
    until_counted(&link, &ours, "probes", 1);
    refuse(&link);
    // The probe that is due was refused, and the next one is due half a second later.
    let port = ours.local_addr().unwrap().port();
    until("a probe is overdue", SOON, || {
        (json(&link, port)?["tcp_info"]["last_ack_recv_ms"].as_u64()? > 2600).then_some(())
    });
    Scene::of(link, &ours, &peer).every_ms(300).says(&["probing"], "user-timeout", BOUND)
}

fn full_queue_syn() -> Scene {
    let sysctls = [("ipv4/tcp_syn_retries", "5"), ("ipv4/tcp_syn_linear_timeouts", "1")];
    let scene = connecting(&sysctls, &[], refuse);
    let port = scene.local.port();
    let retried = || json(&scene.link, port)?["tcp_info"]["retransmits"].as_u64();
    until("a SYN was retransmitted", SOON, || (retried()? > 0).then_some(()));
    scene.every_ms(300).says(&["connecting"], "syn-retries", BOUND)
}

fn full_queue_data() -> Scene {
    failing(&[user_timeout(4000)], refuse)
}

fn keepalive_without_route() -> Scene {
    let (link, ours, peer) = connected(&[], &keepalive(1, 1, 4));
    delete_route(&link);
    Scene::of(link, &ours, &peer).every_ms(500).says(&["probing"], "keepalive", EXACT)
}
