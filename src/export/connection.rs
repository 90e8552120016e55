//! The JSON object of one connection (fixtures/schema/snapshot-1.schema.json). The order of keys is part of the contract.

use rustc_hash::FxHashMap;

use super::json::{Json, JsonKey, key};
use crate::model::address::Endpoint;
use crate::model::congestion::CongestionDetails;
use crate::model::holder::Holder;
use crate::model::ids::Pid;
use crate::model::keepalive::{Keepalive, KeepaliveSource};
use crate::model::liveness::Liveness;
use crate::model::memory::SocketMemory;
use crate::model::options::SocketOptions;
use crate::model::owner::Process;
use crate::model::row::Row;
use crate::model::socket::{Attributes, Queues, Socket, Ulp};
use crate::model::state::TcpState;
use crate::model::tcp_info::{CA_STATES, FIELDS, Field, OPTIONS, TcpInfo};
use crate::model::time::Millis;
use crate::model::timer::{Timer, TimerKind};
use crate::model::unread::Unread;
use crate::text::reason;

/// Writes connections. Caches what many rows share: the keys of tables, and the members of processes.
#[derive(Debug)]
pub(crate) struct Connections {
    info_keys: Vec<JsonKey>,
    memory_keys: Vec<JsonKey>,
    processes: FxHashMap<Pid, Box<[u8]>>,
    /// Keepalive of the last row, and its JSON: most rows have it off, or equal to the row before
    keepalive: (Keepalive, Vec<u8>),
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            info_keys: FIELDS.iter().map(|field| JsonKey::new(field.key)).collect(),
            memory_keys: SocketMemory::KEYS.iter().map(|key| JsonKey::new(key)).collect(),
            processes: FxHashMap::default(),
            keepalive: (Keepalive::default(), Vec::new()),
        }
    }
}

impl Connections {
    /// Writes all members of the object. The caller writes the brackets, and other members between them.
    pub(crate) fn members(&mut self, json: &mut Json<'_>, row: &Row<'_>) {
        let socket = row.socket;
        json.key(key!("netns")).number(socket.id.netns.0);
        match socket.id.cookie {
            Some(cookie) => json.key(key!("cookie")).hex(cookie.0),
            None => json.key(key!("cookie")).null(),
        }
        json.key(key!("family")).word(socket.family.name());
        json.key(key!("state"));
        state(json, socket.state);
        json.key(key!("local"));
        endpoint(json, socket.local);
        json.key(key!("remote"));
        endpoint(json, socket.remote);
        json.key(key!("interface")).optional_string(row.interface);
        json.key(key!("uid")).optional(socket.uid);
        json.key(key!("user")).optional_string(row.user);
        json.key(key!("inode")).optional(socket.inode.map(|inode| inode.0));
        json.key(key!("cgroup")).optional_string(row.cgroup);
        json.key(key!("holder")).optional_string(row.holder.name());
        json.key(key!("owners"));
        self.owners(json, row.holder);
        queues(json, socket);
        json.key(key!("timer"));
        timer(json, socket.timer);
        self.judged(json, row);
        self.attributes(json, &socket.attributes);
        options(json, row.options);
        close_wait(json, socket);
    }

    /// Writes keepalive and judgement; null if they were not requested.
    fn judged(&mut self, json: &mut Json<'_>, row: &Row<'_>) {
        let Some(judged) = row.judged else {
            json.key(key!("keepalive")).null();
            return json.key(key!("liveness")).null();
        };
        json.key(key!("keepalive"));
        let (last, written) = &mut self.keepalive;
        if *last != judged.keepalive || written.is_empty() {
            written.clear();
            keepalive(&mut Json::new(written), &judged.keepalive);
            *last = judged.keepalive;
        }
        json.raw(written);
        json.key(key!("liveness"));
        liveness(json, row, &judged.liveness);
    }

    /// An empty list means that no process holds the socket; null means that this is not known.
    fn owners(&mut self, json: &mut Json<'_>, holder: Holder<'_>) {
        if matches!(holder, Holder::NotAsked | Holder::Hidden) {
            return json.null();
        }
        json.array();
        for (process, fd) in holder.owners().into_iter().flat_map(|owners| owners.iter()) {
            json.object();
            json.key(key!("pid")).number(process.pid.0);
            json.key(key!("fd")).number(fd.0);
            // A process may hold ten thousand sockets; its members are written once per snapshot.
            let written = self.processes.entry(process.pid).or_insert_with(|| tell(process));
            json.raw(written);
            json.end_object();
        }
        json.end_array();
    }

    fn attributes(&self, json: &mut Json<'_>, attributes: &Attributes) {
        json.key(key!("tcp_info"));
        match &attributes.info {
            Some(info) => self.tcp_info(json, info),
            None => json.null(),
        }
        json.key(key!("memory"));
        match &attributes.memory {
            Some(memory) => {
                json.object();
                memory.iter().zip(&self.memory_keys).for_each(|((_, value), key)| json.key(*key).optional(value));
                json.end_object();
            }
            None => json.null(),
        }
        congestion(json, attributes);
        json.key(key!("shutdown"));
        match attributes.shutdown {
            Some(mask) => {
                json.object();
                json.key(key!("receive")).bool(mask.receive());
                json.key(key!("send")).bool(mask.send());
                json.end_object();
            }
            None => json.null(),
        }
        json.key(key!("tos")).optional(attributes.class.tos);
        json.key(key!("tclass")).optional(attributes.class.tclass);
        json.key(key!("mark")).optional(attributes.class.mark);
        json.key(key!("class_id")).optional(attributes.class.class_id);
        json.key(key!("v6only")).optional_bool(attributes.v6only);
        json.key(key!("cgroup_id")).optional(attributes.cgroup_id);
        json.key(key!("options"));
        match attributes.sockopt {
            Some(options) => {
                json.array();
                options.names().for_each(|name| json.word(name));
                json.end_array();
            }
            None => json.null(),
        }
        json.key(key!("ulp"));
        match &attributes.ulp {
            Some(layered) => ulp(json, layered),
            None => json.null(),
        }
        json.key(key!("md5sig")).optional_bool(attributes.md5sig);
    }

    /// Writes tcp_info. Keys that the struct of an older kernel does not contain are null, so that all are always
    /// there.
    fn tcp_info(&self, json: &mut Json<'_>, info: &TcpInfo) {
        json.object();
        json.key(key!("size_bytes")).number(info.size_bytes());
        for (index, (key, value)) in self.info_keys.iter().zip(info.iter()).enumerate() {
            json.key(*key);
            match (index, value) {
                (CA_STATE, Some(number)) => match CA_STATES.get(number as usize) {
                    Some(name) => json.word(name),
                    None => json.display(format_args!("unknown-{number}")),
                },
                (OPTION_BITS, Some(bits)) => {
                    json.array();
                    OPTIONS
                        .iter()
                        .enumerate()
                        .filter(|(bit, _)| bits & (1 << bit) != 0)
                        .for_each(|(_, name)| json.word(name));
                    json.end_array();
                }
                (APP_LIMITED, Some(flag)) => json.bool(flag != 0),
                (_, Some(value)) => json.small(value),
                (_, None) => json.null(),
            }
        }
        json.end_object();
    }
}

/// Describes a process, as members of an object.
fn tell(process: &Process) -> Box<[u8]> {
    let mut out = Vec::new();
    let mut json = Json::new(&mut out);
    json.key(key!("comm")).string(&process.comm);
    json.key(key!("exe")).optional_string(process.exe.as_deref());
    json.key(key!("uid")).optional(process.uid);
    json.key(key!("user")).optional_string(process.user.as_deref());
    json.key(key!("cgroup")).optional_string(process.cgroup.as_deref());
    json.key(key!("unit")).optional_string(process.unit.as_deref());
    json.key(key!("container")).optional_string(process.container.as_deref());
    out.into()
}

/// Writes the name of a state, as a value.
pub(crate) fn state(json: &mut Json<'_>, state: TcpState) {
    match state.name() {
        Some(name) => json.word(name),
        None => json.display(state),
    }
}

fn endpoint(json: &mut Json<'_>, end: Endpoint) {
    json.object();
    json.key(key!("addr")).addr(end.addr);
    json.key(key!("port")).number(end.port);
    json.end_object();
}

fn queues(json: &mut Json<'_>, socket: &Socket) {
    match socket.queues {
        Queues::Accept { length, max } => {
            json.key(key!("accept_queue")).number(length);
            json.key(key!("accept_queue_max")).optional(max);
            json.key(key!("drops")).optional(socket.attributes.memory.and_then(|memory| memory.drops()));
        }
        Queues::Bytes { recv, send } => {
            json.key(key!("recv_queue_bytes")).number(recv);
            json.key(key!("send_queue_bytes")).number(send);
        }
        Queues::None => {
            json.key(key!("recv_queue_bytes")).null();
            json.key(key!("send_queue_bytes")).null();
        }
    }
}

fn timer(json: &mut Json<'_>, timer: Timer) {
    json.object();
    match timer.kind.name() {
        Some(name) => json.key(key!("kind")).word(name),
        None if timer.kind == TimerKind::NotTold => json.key(key!("kind")).null(),
        None => json.key(key!("kind")).display(timer.kind),
    }
    json.key(key!("expires_ms")).optional(timer.expires().map(Millis::get));
    json.key(key!("count")).optional(timer.count());
    json.end_object();
}

fn liveness(json: &mut Json<'_>, row: &Row<'_>, liveness: &Liveness) {
    json.object();
    json.key(key!("verdict")).word(liveness.verdict.name());
    json.key(key!("dead_in_ms")).optional(liveness.deadline.after.map(Millis::get));
    json.key(key!("bound")).word(liveness.deadline.bound.name());
    json.key(key!("mechanism")).word(liveness.deadline.mechanism.name());
    json.key(key!("reason")).written(|out| reason::write(out, row));
    json.key(key!("likely_dead_in_ms")).optional(liveness.likely.map(Millis::get));
    json.end_object();
}

fn keepalive(json: &mut Json<'_>, keepalive: &Keepalive) {
    json.object();
    json.key(key!("enabled")).optional_bool(keepalive.values.enabled);
    json.key(key!("idle_s")).optional(keepalive.values.idle_s);
    json.key(key!("interval_s")).optional(keepalive.values.interval_s);
    json.key(key!("probes")).optional(keepalive.values.probes);
    json.key(key!("user_timeout_ms")).optional(keepalive.values.user_timeout_ms);
    json.key(key!("source")).optional_word(keepalive.source.map(KeepaliveSource::name));
    json.key(key!("unknown_because")).optional_word(keepalive.unknown_because.map(Unread::reason));
    json.key(key!("idle_at_least_s")).optional(keepalive.idle_at_least_s);
    json.key(key!("idle_at_most_s")).optional(keepalive.idle_at_most_s);
    json.end_object();
}

/// Writes options other than keepalive, if they were read.
fn options(json: &mut Json<'_>, options: Option<&SocketOptions>) {
    json.key(key!("socket_options"));
    let Some(options) = options else { return json.null() };
    let more = options.more;
    json.object();
    json.key(key!("syncnt")).optional(options.syncnt);
    json.key(key!("rto_max_ms")).optional(options.rto_max_ms);
    // A value below 0 means "none" in the kernel.
    let linger2 = more.and_then(|more| more.linger2_s).and_then(|seconds| u32::try_from(seconds).ok());
    json.key(key!("linger2_s")).optional(linger2);
    json.key(key!("linger_s")).optional(more.and_then(|more| more.linger_s));
    json.key(key!("nodelay")).optional_bool(more.and_then(|more| more.nodelay));
    json.key(key!("defer_accept_s")).optional(options.defer_accept_s);
    json.key(key!("sndbuf_locked")).optional_bool(more.and_then(|more| more.sndbuf_locked));
    json.key(key!("rcvbuf_locked")).optional_bool(more.and_then(|more| more.rcvbuf_locked));
    json.end_object();
}

/// Writes when the peer closed: not later than its last ACK, not earlier than its last data.
fn close_wait(json: &mut Json<'_>, socket: &Socket) {
    json.key(key!("close_wait"));
    let Some(info) = socket.attributes.info.as_deref().filter(|_| socket.state == TcpState::CloseWait) else {
        return json.null();
    };
    json.object();
    json.key(key!("age_at_least_ms")).optional(info.idle().map(Millis::get));
    json.key(key!("age_at_most_ms")).optional(info.get(Field::LastDataRecv));
    json.end_object();
}

const CA_STATE: usize = Field::CaState as usize;
const OPTION_BITS: usize = Field::Options as usize;
const APP_LIMITED: usize = Field::DeliveryRateAppLimited as usize;

fn congestion(json: &mut Json<'_>, attributes: &Attributes) {
    json.key(key!("congestion"));
    let Some(congestion) = &attributes.congestion else { return json.null() };
    json.object();
    json.key(key!("algorithm")).string(congestion.algorithm.as_str());
    match congestion.details {
        None => {}
        Some(CongestionDetails::Bbr { bandwidth_bytes_per_s, min_rtt_us, pacing_gain_256ths, cwnd_gain_256ths }) => {
            json.key(key!("bbr")).object();
            json.key(key!("bandwidth_bytes_per_s")).number(bandwidth_bytes_per_s);
            // BBR's value for "not measured yet".
            json.key(key!("min_rtt_us")).optional((min_rtt_us != u32::MAX).then_some(min_rtt_us));
            json.key(key!("pacing_gain_256ths")).number(pacing_gain_256ths);
            json.key(key!("cwnd_gain_256ths")).number(cwnd_gain_256ths);
            json.end_object();
        }
        Some(CongestionDetails::Dctcp { enabled, ce_state, alpha_1024ths, ecn_bytes, total_bytes }) => {
            json.key(key!("dctcp")).object();
            json.key(key!("enabled")).bool(enabled);
            json.key(key!("ce_state")).number(ce_state);
            json.key(key!("alpha_1024ths")).number(alpha_1024ths);
            json.key(key!("ecn_bytes")).number(ecn_bytes);
            json.key(key!("total_bytes")).number(total_bytes);
            json.end_object();
        }
        Some(CongestionDetails::Vegas { enabled, rtt_count, rtt_us, min_rtt_us }) => {
            json.key(key!("vegas")).object();
            json.key(key!("enabled")).bool(enabled);
            json.key(key!("rtt_count")).number(rtt_count);
            json.key(key!("rtt_us")).number(rtt_us);
            json.key(key!("min_rtt_us")).number(min_rtt_us);
            json.end_object();
        }
    }
    json.end_object();
}

fn ulp(json: &mut Json<'_>, ulp: &Ulp) {
    json.object();
    json.key(key!("name")).string(ulp.name.as_str());
    if let Some(subflow) = ulp.mptcp {
        json.key(key!("mptcp")).object();
        json.key(key!("token_remote")).optional(subflow.token_remote);
        json.key(key!("token_local")).optional(subflow.token_local);
        json.key(key!("id_remote")).optional(subflow.id_remote);
        json.key(key!("id_local")).optional(subflow.id_local);
        json.key(key!("flags")).optional(subflow.flags);
        json.end_object();
    }
    if let Some(tls) = ulp.tls {
        json.key(key!("tls")).object();
        json.key(key!("version")).optional(tls.version);
        json.key(key!("cipher")).optional(tls.cipher);
        json.end_object();
    }
    json.end_object();
}
