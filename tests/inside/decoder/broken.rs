//! Broken bytes and broken text: no input panics.
#![allow(clippy::wildcard_imports, reason = "one test, cut in pieces by subject")]

use super::*;

/// xorshift64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Where each message begins, and where the last one ends.
pub(crate) fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let (mut found, mut at) = (vec![0], 0);
    while let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        at += (u32::from_ne_bytes(*length) as usize).next_multiple_of(4);
        found.push(at);
    }
    found
}

/// Breaks a datagram in one way.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const LIES: [u16; 12] = [0, 1, 3, 4, 5, 15, 16, 17, 71, 88, 0x7fff, 0xffff];
    const TYPES: [u16; 10] = [0, 1, 2, 3, 4, 5, 19, 20, 21, 0xffff];
    let lie = if random.below(2) == 0 { LIES[random.below(LIES.len())] } else { random.next() as u16 };
    // Headers of messages and of attributes are at multiples of 4; the first message's is at 0.
    let header = if random.below(4) == 0 { 0 } else { random.below(bytes.len() / 4) * 4 };
    let mut write = |at: usize, value: &[u8]| {
        if let Some(place) = bytes.get_mut(at..at + value.len()) {
            place.copy_from_slice(value);
        }
    };
    match random.below(6) {
        0 => bytes.truncate(random.below(bytes.len() + 1)),
        1 => (0..=random.below(8)).for_each(|_| write(random.below(1 << 11), &[random.next() as u8])),
        2 => write(header, &lie.to_ne_bytes()),
        3 => write(header, &(random.next() as u32 >> random.below(32)).to_ne_bytes()),
        4 => write(header + 4, &TYPES[random.below(TYPES.len())].to_ne_bytes()),
        _ => write(header + 2, &(random.below(32) as u16).to_ne_bytes()),
    }
}

/// Runs `work`; if it panics, fails with its input.
fn survives<R>(given: &dyn std::fmt::Debug, work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| panic!("given {given:?}"))
}

#[test]
fn a_million_broken_datagrams_cost_no_panic() {
    let captures = captures();
    let pool: Vec<_> = captures.iter().map(|capture| (capture.bytes.as_slice(), boundaries(&capture.bytes))).collect();
    let mut random = Random(0x7c90_15e5_dead_beef);
    let (mut sockets, mut refused, mut bad_frames, mut odd) = (0, 0, 0, 0);
    for _ in 0..MUTATIONS {
        let (bytes, starts) = &pool[random.below(pool.len())];
        let first = random.below(starts.len() - 1);
        let last = (first + 1 + random.below(3)).min(starts.len() - 1);
        let mut datagram = bytes[starts[first]..starts[last]].to_vec();
        (0..=random.below(3)).for_each(|_| mutate(&mut datagram, &mut random));
        let walk = survives(&datagram, || walk(&datagram));
        assert!(walk.sockets.len() * (HEADER_BYTES + BASE_BYTES) <= datagram.len(), "{datagram:?}");
        sockets += walk.sockets.len();
        refused += walk.refused;
        bad_frames += usize::from(walk.bad_frame.is_some());
        odd += walk.sockets.iter().filter(|socket| socket.attributes.odd != OddAttributes::default()).count();
    }
    eprintln!("{sockets} sockets, {odd} of them odd; {refused} messages refused, {bad_frames} bad frames");
    assert!(
        [sockets, refused, bad_frames, odd].iter().all(|&seen| seen > MUTATIONS / 100),
        "the mutations reach little"
    );
}

#[test]
fn two_hundred_thousand_broken_texts_cost_no_panic() {
    let kernel = &captures()[0].kernel;
    let [tcp, tcp6, netstat, snmp, sockstat] =
        ["tcp", "tcp6", "netstat", "snmp", "sockstat"].map(|name| proc_net(name, kernel));
    let lines: Vec<_> = tcp.lines().chain(tcp6.lines()).collect();
    let id = "3f2a9c0d".repeat(8);
    let paths = [format!("/system.slice/docker-{id}.scope"), format!("/kubepods/pod1:cri-containerd:{id}")];
    let groups = [netstat.as_str(), &snmp, &sockstat];
    let values = [
        "7200
",
        "32768	60999
",
        "8080,9000-9100
",
        "-1
",
        "18446744073709551616
",
    ];
    let mut random = Random(0x0ddb_a115_0ddb_a115);
    let mut sockets = 0;
    for round in 0..TEXT_MUTATIONS {
        let seed = match round % 4 {
            0 | 1 => random.pick(&lines),
            2 => random.pick(&groups),
            _ if round % 8 == 3 => random.pick(&values),
            _ => &paths[random.below(2)],
        };
        let text = mutated_text(seed, &mut random);
        sockets += survives(&text, || read_text(&text));
    }
    eprintln!("{sockets} sockets");
    assert!(sockets > TEXT_MUTATIONS / 100, "the mutations reach little");
}

fn mutated_text(seed: &str, random: &mut Random) -> String {
    const ODD: [&str; 10] = [
        " ",
        "
",
        ":",
        "-",
        "0",
        "F",
        "\0",
        "é",
        "99999999999999999999",
        ".scope",
    ];
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            _ => drop(bytes.splice(at..at, random.pick(&ODD).bytes())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Passes text through every decoder of text. Returns how many of the two families read it as a socket.
fn read_text(text: &str) -> usize {
    for group in ["Tcp", "TcpExt", "TCP", ""] {
        let pairs = key_values::from_line_pairs(text, group);
        assert!(pairs.len() <= text.split_ascii_whitespace().count() / 2);
        key_values::from_inline(text, group, "inuse");
    }
    for format in [Format::Number, Format::Numbers, Format::Text] {
        sysctl::decode(text, format);
    }
    assert!(cgroup::unit(text).is_none_or(|unit| text.contains(unit)));
    assert!(cgroup::container(text).is_none_or(|id| id.len() == 64));
    Family::ALL.into_iter().filter(|&family| proc_tcp::decode(text, family, NETNS).is_some()).count()
}

/// Attributes of any kind and content, some with a false length.
fn any_attributes() -> impl Strategy<Value = Vec<u8>> {
    let attribute = (0..32_u16, vec(any::<u8>(), 0..300), prop_oneof![9 => 0..1_u16, 1 => any::<u16>()]);
    vec(attribute, 0..12).prop_map(|attributes| {
        let mut bytes = Vec::new();
        for (kind, value, lie) in attributes {
            bytes.extend((4 + value.len() as u16).wrapping_add(lie).to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    })
}

proptest! {
    // A failure becomes a test with a name, not a line in a file of seeds.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_no_more_sockets_than_fit(bytes in vec(any::<u8>(), 0..2000)) {
        prop_assert!(walk(&bytes).sockets.len() * (HEADER_BYTES + BASE_BYTES) <= bytes.len());
    }

    #[test]
    fn any_body_in_a_true_frame_gives_one_socket_or_none(
        family in prop_oneof![8 => 1..12_u8, 1 => any::<u8>()],
        base in vec(any::<u8>(), 0..120),
        attributes in any_attributes(),
    ) {
        let length = (HEADER_BYTES + 1 + base.len() + attributes.len()) as u32;
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.push(family);
        bytes.extend(base);
        bytes.extend(attributes);
        let walk = walk(&bytes);
        prop_assert_eq!(walk.sockets.len() + walk.refused, 1);
        let told = bytes.len() >= HEADER_BYTES + BASE_BYTES && [2, 10].contains(&family);
        prop_assert_eq!(walk.sockets.len(), usize::from(told));
    }

    #[test]
    fn any_text_gives_at_most_a_socket_of_each_family(text in "\\PC*|[0-9A-F: ]{0,200}") {
        prop_assert!(read_text(&text) <= 2);
    }
}
