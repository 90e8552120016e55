//! The JSON object of one connection (PRODUCT.md 4). The order of keys is part of the contract.

use super::json::Json;
use crate::model::address::Endpoint;
use crate::model::congestion::CongestionDetails;
use crate::model::owner::Holder;
use crate::model::row::Row;
use crate::model::socket::{Attributes, Queues, Socket, Ulp};
use crate::model::state::TcpState;
use crate::model::tcp_info::{CA_STATES, FIELDS, Field, OPTIONS, TcpInfo};
use crate::model::timer::Timer;

/// Writes all members of the object; the caller writes the brackets, and whatever else belongs between them.
pub fn members(json: &mut Json<'_>, row: &Row<'_>) {
    let socket = row.socket;
    json.key("netns").number(socket.id.netns.0);
    match socket.id.cookie {
        Some(cookie) => json.key("cookie").display(format_args!("{:x}", cookie.0)),
        None => json.key("cookie").null(),
    }
    json.key("family").string(socket.family.name());
    json.key("state");
    state(json, socket.state);
    json.key("local");
    endpoint(json, socket.local);
    json.key("remote");
    endpoint(json, socket.remote);
    json.key("interface").optional_string(row.interface);
    json.key("uid").optional(socket.uid);
    json.key("user").optional_string(row.user);
    json.key("inode").optional(socket.inode);
    json.key("cgroup").optional_string(row.cgroup);
    json.key("holder").optional_string(row.holder.name());
    json.key("owners");
    owners(json, row.holder);
    queues(json, socket);
    json.key("timer");
    timer(json, socket.timer);
    attributes(json, &socket.attributes);
}

/// The name of a state, as a value.
pub fn state(json: &mut Json<'_>, state: TcpState) {
    match state.name() {
        Some(name) => json.string(name),
        None => json.display(state),
    }
}

fn endpoint(json: &mut Json<'_>, end: Endpoint) {
    json.object();
    json.key("addr").display(end.addr);
    json.key("port").number(end.port);
    json.end_object();
}

/// An empty list says that no process holds it; null says that we do not know.
fn owners(json: &mut Json<'_>, holder: Holder<'_>) {
    if matches!(holder, Holder::NotAsked | Holder::Hidden) {
        return json.null();
    }
    json.array();
    for (process, fd) in holder.owners().into_iter().flat_map(|owners| owners.iter()) {
        json.object();
        json.key("pid").number(process.pid);
        json.key("fd").number(fd);
        json.key("comm").string(&process.comm);
        json.key("exe").optional_string(process.exe.as_deref());
        json.key("uid").optional(process.uid);
        json.key("user").optional_string(process.user.as_deref());
        json.key("cgroup").optional_string(process.cgroup.as_deref());
        json.key("unit").optional_string(process.unit.as_deref());
        json.key("container").optional_string(process.container.as_deref());
        json.end_object();
    }
    json.end_array();
}

fn queues(json: &mut Json<'_>, socket: &Socket) {
    match socket.queues {
        Queues::Accept { length, max } => {
            json.key("accept_queue").number(length);
            json.key("accept_queue_max").optional(max);
            json.key("drops").optional(socket.attributes.memory.and_then(|memory| memory.drops()));
        }
        Queues::Bytes { recv, send } => {
            json.key("recv_queue_bytes").number(recv);
            json.key("send_queue_bytes").number(send);
        }
        Queues::None => {
            json.key("recv_queue_bytes").null();
            json.key("send_queue_bytes").null();
        }
    }
}

fn timer(json: &mut Json<'_>, timer: Timer) {
    json.object();
    match timer.kind.name() {
        Some(name) => json.key("kind").string(name),
        None => json.key("kind").display(timer.kind),
    }
    json.key("expires_ms").optional(timer.expires_ms());
    json.key("count").optional(timer.count());
    json.end_object();
}

fn attributes(json: &mut Json<'_>, attributes: &Attributes) {
    json.key("tcp_info");
    match &attributes.info {
        Some(info) => tcp_info(json, info),
        None => json.null(),
    }
    json.key("memory");
    match &attributes.memory {
        Some(memory) => {
            json.object();
            memory.iter().for_each(|(key, value)| json.key(key).optional(value));
            json.end_object();
        }
        None => json.null(),
    }
    congestion(json, attributes);
    json.key("shutdown");
    match attributes.shutdown {
        Some(mask) => {
            json.object();
            json.key("receive").bool(mask.receive());
            json.key("send").bool(mask.send());
            json.end_object();
        }
        None => json.null(),
    }
    json.key("tos").optional(attributes.class.tos);
    json.key("tclass").optional(attributes.class.tclass);
    json.key("mark").optional(attributes.class.mark);
    json.key("class_id").optional(attributes.class.class_id);
    json.key("v6only").optional_bool(attributes.v6only);
    json.key("cgroup_id").optional(attributes.cgroup_id);
    json.key("options");
    match attributes.sockopt {
        Some(options) => {
            json.array();
            options.names().for_each(|name| json.string(name));
            json.end_array();
        }
        None => json.null(),
    }
    json.key("ulp");
    match &attributes.ulp {
        Some(layered) => ulp(json, layered),
        None => json.null(),
    }
    json.key("md5sig").optional_bool(attributes.md5sig);
}

/// Keys that an older kernel's struct does not reach are null: they are always there.
fn tcp_info(json: &mut Json<'_>, info: &TcpInfo) {
    json.object();
    json.key("size_bytes").number(info.size_bytes());
    for (index, field) in FIELDS.iter().enumerate() {
        let value = info.at(index);
        json.key(field.key);
        match (index, value) {
            (CA_STATE, Some(number)) => match CA_STATES.get(number as usize) {
                Some(name) => json.string(name),
                None => json.display(format_args!("unknown-{number}")),
            },
            (OPTION_BITS, Some(bits)) => {
                json.array();
                OPTIONS
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| bits & (1 << bit) != 0)
                    .for_each(|(_, name)| json.string(name));
                json.end_array();
            }
            (APP_LIMITED, Some(flag)) => json.bool(flag != 0),
            (_, value) => json.optional(value),
        }
    }
    json.end_object();
}

const CA_STATE: usize = Field::CaState as usize;
const OPTION_BITS: usize = Field::Options as usize;
const APP_LIMITED: usize = Field::DeliveryRateAppLimited as usize;

fn congestion(json: &mut Json<'_>, attributes: &Attributes) {
    json.key("congestion");
    let Some(congestion) = &attributes.congestion else { return json.null() };
    json.object();
    json.key("algorithm").string(congestion.algorithm.as_str());
    match congestion.details {
        None => {}
        Some(CongestionDetails::Bbr { bandwidth_bytes_per_s, min_rtt_us, pacing_gain_256ths, cwnd_gain_256ths }) => {
            json.key("bbr").object();
            json.key("bandwidth_bytes_per_s").number(bandwidth_bytes_per_s);
            // BBR's word for "not measured yet".
            json.key("min_rtt_us").optional((min_rtt_us != u32::MAX).then_some(min_rtt_us));
            json.key("pacing_gain_256ths").number(pacing_gain_256ths);
            json.key("cwnd_gain_256ths").number(cwnd_gain_256ths);
            json.end_object();
        }
        Some(CongestionDetails::Dctcp { enabled, ce_state, alpha_1024ths, ecn_bytes, total_bytes }) => {
            json.key("dctcp").object();
            json.key("enabled").bool(enabled);
            json.key("ce_state").number(ce_state);
            json.key("alpha_1024ths").number(alpha_1024ths);
            json.key("ecn_bytes").number(ecn_bytes);
            json.key("total_bytes").number(total_bytes);
            json.end_object();
        }
        Some(CongestionDetails::Vegas { enabled, rtt_count, rtt_us, min_rtt_us }) => {
            json.key("vegas").object();
            json.key("enabled").bool(enabled);
            json.key("rtt_count").number(rtt_count);
            json.key("rtt_us").number(rtt_us);
            json.key("min_rtt_us").number(min_rtt_us);
            json.end_object();
        }
    }
    json.end_object();
}

fn ulp(json: &mut Json<'_>, ulp: &Ulp) {
    json.object();
    json.key("name").string(ulp.name.as_str());
    if let Some(subflow) = ulp.mptcp {
        json.key("mptcp").object();
        json.key("token_remote").optional(subflow.token_remote);
        json.key("token_local").optional(subflow.token_local);
        json.key("id_remote").optional(subflow.id_remote);
        json.key("id_local").optional(subflow.id_local);
        json.key("flags").optional(subflow.flags);
        json.end_object();
    }
    if let Some(tls) = ulp.tls {
        json.key("tls").object();
        json.key("version").optional(tls.version);
        json.key("cipher").optional(tls.cipher);
        json.end_object();
    }
    json.end_object();
}
