//! The netlink crate's parser and libc's struct as oracles for the decoders.
#![allow(clippy::wildcard_imports, reason = "one test, cut in pieces by subject")]

use super::*;

#[test]
fn a_capture_reads_as_the_crate_reads_it() {
    for capture in captures() {
        let compared = compare_with_the_crate(&capture.bytes, &capture.name);
        assert_eq!(compared, walk(&capture.bytes).sockets.len(), "{}", capture.name);
    }
}

#[test]
fn this_host_reads_as_the_crate_reads_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    for family in Family::ALL {
        match dump(family) {
            Ok(bytes) => {
                let compared = compare_with_the_crate(&bytes, family.name());
                assert!(family == Family::Ipv6 || compared >= 3, "{compared} sockets of {client:?} and {listener:?}");
            }
            Err(error) => skip::skip(&format!("the live dump of {}", family.name()), &error.to_string()),
        }
    }
}

/// The datagrams that answer tcpulse's fullest request.
fn dump(family: Family) -> std::io::Result<Vec<u8>> {
    let mut socket = netlink_sys::Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    let (states, needs) = (StateSet::ALL, Needs::all());
    let request = DumpRequest { family: Some(family), states, needs, bytecode: &[], in_parallel: false };
    socket.send(&request.to_bytes(1), 0)?;
    let (mut answer, mut datagram) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let length = socket.recv(&mut &mut datagram[..], 0)?;
        answer.extend_from_slice(&datagram[..length]);
        for message in Messages::new(&datagram[..length]) {
            match message.unwrap().payload {
                Payload::Done(_) => return Ok(answer),
                Payload::Error(Some(errno)) => return Err(std::io::Error::from_raw_os_error(errno.0)),
                _ => {}
            }
        }
    }
}

/// Number of sockets that both parsers found; fails if they differ.
fn compare_with_the_crate(bytes: &[u8], what: &str) -> usize {
    let (mut rest, mut compared) = (bytes, 0);
    for ours in Messages::new(bytes) {
        let ours = ours.unwrap();
        let theirs = NetlinkMessage::<SockDiagMessage>::deserialize(rest).unwrap();
        let length = theirs.header.length as usize;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        assert_eq!((ours.sequence, ours.port), (theirs.header.sequence_number, theirs.header.port_number), "{what}");
        match (ours.payload, theirs.payload) {
            (Payload::Data(kind, body), NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(theirs))) => {
                assert_eq!((kind, body.len()), (SOCK_DIAG_BY_FAMILY, length - HEADER_BYTES), "{what}");
                let ours = inet_diag::decode(body, NETNS).unwrap();
                assert_eq!(ours, as_the_crate_reads_it(&theirs, body, &ours), "{what}");
                compared += 1;
            }
            (Payload::Done(None), NetlinkPayload::Done(_)) => {}
            (ours, theirs) => panic!("{what}: {ours:?} is to the crate {theirs:?}"),
        }
    }
    assert!(rest.is_empty(), "{what}: {} bytes were not walked", rest.len());
    compared
}

/// The socket that tcpulse must make of the crate's result. What the crate drops of the fixed part is taken from the
/// bytes; the attributes that it does not read are taken from `ours`.
fn as_the_crate_reads_it(theirs: &InetResponse, body: &[u8], ours: &Socket) -> Socket {
    let header = &theirs.header;
    let state = TcpState::ALL.into_iter().find(|state| state.number() == header.state).unwrap();
    let attributes = attributes(theirs, ours, state);
    let request = state == TcpState::SynRecv && attributes.shutdown.is_none();
    let minisocket = request || header.timer == Some(CrateTimer::TimeWait);
    let (recv, send) = (header.recv_queue, header.send_queue);
    let id = &header.socket_id;
    let cookie = u64::from_ne_bytes(id.cookie);
    Socket {
        id: SocketId { netns: NETNS, cookie: (cookie != u64::MAX).then_some(Cookie(cookie)) },
        family: if header.family == 2 { Family::Ipv4 } else { Family::Ipv6 },
        state,
        local: Endpoint { addr: id.source_address, port: id.source_port },
        remote: Endpoint { addr: id.destination_address, port: id.destination_port },
        // Difference: a socket that is not bound to an interface has none, not the interface 0.
        interface: (id.interface_id != 0).then_some(id.interface_id),
        // Difference: the uid 0 of a minisocket, or of a socket without an inode, is not the user root.
        uid: (!minisocket && (header.uid != 0 || header.inode != 0)).then_some(header.uid),
        // Difference: the inode 0 is no inode.
        inode: (header.inode != 0).then_some(Inode(header.inode)),
        // Difference: a minisocket has no queues, and those of a listener are not in bytes.
        queues: match state {
            _ if minisocket => Queues::None,
            TcpState::Listen => Queues::Accept { length: recv, max: Some(send) },
            _ => Queues::Bytes { recv, send },
        },
        timer: timer(header.timer.as_ref(), body, request, state == TcpState::FinWait2 && header.inode == 0),
        attributes,
    }
}

fn timer(theirs: Option<&CrateTimer>, body: &[u8], request: bool, orphan_in_fin_wait_2: bool) -> Timer {
    // The crate keeps the time of every timer but TIME-WAIT, the count of retransmissions only, and no timer beyond 4.
    let raw_ms = u32::from_ne_bytes(body[52..56].try_into().unwrap());
    let (kind, after, count) = match theirs {
        // Difference: the timer of a request socket has a kind of its own.
        Some(CrateTimer::Retransmit(after, count)) if request => (TimerKind::SynAck, *after, *count),
        Some(CrateTimer::Retransmit(after, count)) => (TimerKind::Retransmit, *after, *count),
        // Difference: an orphan in FIN-WAIT-2 waits and sends no keepalive probes.
        Some(CrateTimer::KeepAlive(after)) if orphan_in_fin_wait_2 => (TimerKind::FinWait2, *after, body[3]),
        Some(CrateTimer::KeepAlive(after)) => (TimerKind::Keepalive, *after, body[3]),
        Some(CrateTimer::Probe(after)) => (TimerKind::ZeroWindowProbe, *after, body[3]),
        Some(CrateTimer::TimeWait) => (TimerKind::TimeWait, Duration::from_millis(raw_ms.into()), body[3]),
        None if body[2] == 5 => (TimerKind::DelayedAck, Duration::from_millis(raw_ms.into()), body[3]),
        None => return Timer::OFF,
    };
    // Difference: a time that reads as more than 24 days is already past.
    let expires_ms = i32::try_from(after.as_millis()).map_or(0, i32::cast_unsigned);
    Timer { kind, expires_ms, count }
}

fn attributes(theirs: &InetResponse, ours: &Socket, state: TcpState) -> Attributes {
    // The crate does not type the blocks of congestion control and of the upper layer's protocol.
    let details = ours.attributes.congestion.and_then(|congestion| congestion.details);
    let mut found = Attributes { ulp: ours.attributes.ulp, ..Attributes::default() };
    let (mut class, mut old_memory) = (Classification::default(), None);
    for nla in &theirs.nlas {
        match nla {
            Nla::LegacyMemInfo(four) => old_memory = Some(four),
            // Difference: tcp_info of a listener repeats the queues and is left out.
            Nla::TcpInfo(_) if state == TcpState::Listen => {}
            Nla::TcpInfo(bytes) => {
                let info = ours.attributes.info.as_ref().unwrap();
                compare_tcp_info(bytes, info, state);
                found.info = Some(info.clone());
            }
            Nla::Congestion(name) => {
                let algorithm = KernelName::new(name.as_bytes()).unwrap();
                found.congestion = Some(Congestion { algorithm, details });
            }
            Nla::Tos(tos) => class.tos = Some(*tos),
            Nla::Tc(tclass) => class.tclass = Some(*tclass),
            Nla::Mark(mark) => class.mark = Some(*mark),
            Nla::ClassId(class_id) => class.class_id = Some(*class_id),
            Nla::MemInfo(nine) => {
                let bytes = [nine.receive_queue, nine.receive_queue_max, nine.bottom_send_queues, nine.send_queue_max]
                    .into_iter()
                    .chain([nine.cache, nine.send_queue, nine.options, nine.backlog_queue_length, nine.drops])
                    // Difference: memory below 0, which sk_forward_alloc can be for a moment, is not known.
                    .map(|bytes| (i32::try_from(bytes).is_ok()).then_some(bytes));
                found.memory = Some(SocketMemory::new(bytes.collect::<Vec<_>>().try_into().unwrap()));
            }
            Nla::Shutdown(mask) => found.shutdown = Some(Shutdown(*mask)),
            Nla::SkV6Only(only) => found.v6only = Some(*only),
            Nla::Protocol(_) => {}
            Nla::Other(other) => {
                let mut value = vec![0; other.value_len()];
                other.emit_value(&mut value);
                match other.kind() {
                    18 => found.md5sig = Some(true),
                    21 => found.cgroup_id = Some(u64::from_ne_bytes(value.try_into().unwrap())),
                    22 => found.sockopt = Some(SockOpt(u16::from_le_bytes(value.try_into().unwrap()))),
                    3 | 9 | 16 | 19 => {}
                    unknown => panic!("attribute {unknown}"),
                }
            }
        }
    }
    // Difference: if the kernel reports the mark of a full socket, it would also report an MD5 key.
    if class.mark.is_some() && found.shutdown.is_some() {
        found.md5sig.get_or_insert(false);
    }
    if let (Some(four), Some(nine)) = (old_memory, &found.memory) {
        // The crate exchanges SKMEMINFO's names of the second and the fourth value.
        let four = [four.receive_queue, four.bottom_send_queue, four.cache, four.send_queue];
        let keys = ["rmem_alloc_bytes", "wmem_queued_bytes", "fwd_alloc_bytes", "wmem_alloc_bytes"];
        let value = |key| nine.iter().find_map(|(known, value)| (known == key).then_some(value)).flatten();
        assert_eq!(keys.map(value), four.map(Some), "MEMINFO and SKMEMINFO");
    }
    Attributes { class, ..found }
}

/// Field, offset and width by libc's `struct tcp_info`, not by the table that tcpulse uses.
macro_rules! by_libc {
    ($($field:ident $name:ident,)*) => {
        vec![$((Field::$field, offset_of!(libc::tcp_info, $name), width(|info| &info.$name)),)*]
    };
}

fn width<T>(_: fn(&libc::tcp_info) -> &T) -> usize {
    size_of::<T>()
}

/// Every field but the bits of the bytes 6 and 7.
fn fields_of_libc() -> Vec<(Field, usize, usize)> {
    by_libc! {
        CaState tcpi_ca_state, Retransmits tcpi_retransmits, Probes tcpi_probes, Backoff tcpi_backoff,
        Options tcpi_options, Rto tcpi_rto, Ato tcpi_ato, SndMss tcpi_snd_mss, RcvMss tcpi_rcv_mss,
        Unacked tcpi_unacked, Sacked tcpi_sacked, Lost tcpi_lost, Retrans tcpi_retrans,
        LastDataSent tcpi_last_data_sent, LastDataRecv tcpi_last_data_recv, LastAckRecv tcpi_last_ack_recv,
        Pmtu tcpi_pmtu, RcvSsthresh tcpi_rcv_ssthresh, Rtt tcpi_rtt, Rttvar tcpi_rttvar,
        SndSsthresh tcpi_snd_ssthresh, SndCwnd tcpi_snd_cwnd, Advmss tcpi_advmss, Reordering tcpi_reordering,
        RcvRtt tcpi_rcv_rtt, RcvSpace tcpi_rcv_space, TotalRetrans tcpi_total_retrans, PacingRate tcpi_pacing_rate,
        MaxPacingRate tcpi_max_pacing_rate, BytesAcked tcpi_bytes_acked, BytesReceived tcpi_bytes_received,
        SegsOut tcpi_segs_out, SegsIn tcpi_segs_in, Notsent tcpi_notsent_bytes, MinRtt tcpi_min_rtt,
        DataSegsIn tcpi_data_segs_in, DataSegsOut tcpi_data_segs_out, DeliveryRate tcpi_delivery_rate,
        BusyTime tcpi_busy_time, RwndLimited tcpi_rwnd_limited, SndbufLimited tcpi_sndbuf_limited,
        Delivered tcpi_delivered, DeliveredCe tcpi_delivered_ce, BytesSent tcpi_bytes_sent,
        BytesRetrans tcpi_bytes_retrans, DsackDups tcpi_dsack_dups, ReordSeen tcpi_reord_seen,
        RcvOoopack tcpi_rcv_ooopack, SndWnd tcpi_snd_wnd, RcvWnd tcpi_rcv_wnd, Rehash tcpi_rehash,
        TotalRto tcpi_total_rto, TotalRtoRecoveries tcpi_total_rto_recoveries, TotalRtoTime tcpi_total_rto_time,
        ReceivedCe tcpi_received_ce, DeliveredE1 tcpi_delivered_e1_bytes, DeliveredE0 tcpi_delivered_e0_bytes,
        DeliveredCeBytes tcpi_delivered_ce_bytes, ReceivedE1 tcpi_received_e1_bytes,
        ReceivedE0 tcpi_received_e0_bytes, ReceivedCeBytes tcpi_received_ce_bytes,
    }
}

fn compare_tcp_info(bytes: &[u8], ours: &TcpInfo, state: TcpState) {
    assert_eq!(usize::from(ours.size_bytes()), bytes.len());
    let number = |offset: usize, width: usize| {
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(bytes.get(offset..offset + width)?);
        Some(u64::from_le_bytes(wide))
    };
    for (field, offset, width) in fields_of_libc() {
        let raw = number(offset, width);
        let wanted = match field {
            // Difference: a peer that has not answered was never heard; the kernel counts from its boot.
            Field::LastDataSent | Field::LastDataRecv | Field::LastAckRecv | Field::Rttvar
                if state == TcpState::SynSent =>
            {
                None
            }
            // Difference: values that the kernel keeps in jiffies are shown in milliseconds.
            Field::Rto | Field::Ato => raw.map(|micros| micros / 1000),
            // Differences: the kernel's values for "none".
            Field::Rtt | Field::RcvRtt => raw.filter(|&micros| micros != 0),
            Field::SndSsthresh => raw.filter(|&packets| packets != 0x7fff_ffff),
            Field::MinRtt => raw.filter(|&micros| micros != u64::from(u32::MAX)),
            Field::PacingRate | Field::MaxPacingRate => raw.filter(|&rate| rate != u64::MAX),
            _ => raw,
        };
        assert_eq!(ours.get(field), wanted, "{field:?}");
    }
    let bits = |offset: usize, shift: u8, mask: u8| bytes.get(offset).map(|byte| u64::from(byte >> shift & mask));
    assert_eq!((ours.get(Field::SndWscale), ours.get(Field::RcvWscale)), (bits(6, 0, 15), bits(6, 4, 15)));
    assert_eq!(ours.get(Field::DeliveryRateAppLimited), bits(7, 0, 1));
    assert_eq!(ours.get(Field::FastopenClientFail), bits(7, 1, 3));
}

#[test]
fn tcp_info_lies_where_libc_has_it() {
    let fields = fields_of_libc();
    assert_eq!(fields.len() + 4, FIELDS.len(), "all but the bits");
    for (field, offset, width) in fields {
        let ours = FIELDS[field as usize];
        assert_eq!((ours.offset, ours.shape.width()), (offset, width), "{field:?}");
    }
}
