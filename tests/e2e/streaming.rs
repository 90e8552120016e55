//! Memory does not grow with the number of sockets.

use std::net::{TcpListener, TcpStream};

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{command_in, peak_kib};
use crate::support::sockets::pair;

#[test]
fn a_json_snapshot_of_ten_times_the_sockets_takes_no_more_memory() {
    if !is_root("a_json_snapshot_of_ten_times_the_sockets_takes_no_more_memory") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let more =
        |count: usize| netns.run(|| (0..count).map(|_| pair(&listener)).collect::<Vec<(TcpStream, TcpStream)>>());
    let peak = || {
        let mut command = command_in(&netns, User::Root);
        peak_kib(command.args(["--json", "-q", "--no-processes", "-N", "current"]))
    };
    let few = more(300);
    let with_few = peak();
    let many = more(2700);
    let with_many = peak();
    // Buffers fill up only once; 5,400 rows of 2 KB in memory would take 11,000 KiB.
    assert!(with_many < with_few + 3000, "{with_few} KiB for 600 sockets, {with_many} KiB for 6,000");
    drop((few, many));
}
