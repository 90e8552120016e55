//! Classes of which tcpulse says something false today. Each leaves the list with the change that mends it: a class
//! that is listed and holds is an error.

/// Name of the class, and what is false.
pub(crate) const FALSE_TODAY: &[(&str, &str)] = &[
    ("MPTCP", "a subflow is said to live for ever, and ends a minute after its program closed"),
    ("SYN-RECV", "what shortens the wait: the listener's maximum timeout does not, and another listener may answer"),
    ("orphan with a user timeout", "the option cannot be read any more, and replaces the retries"),
    ("zero window", "a peer that has answered a probe is believed to go on answering for ever"),
    ("pacing", "the pacing delay is part of each timeout"),
    ("thin stream", "timeouts do not double"),
    ("sends that fail locally", "the errno of the failed send is what the program gets"),
    ("egress drops", "what the queue drops is not counted as sent"),
    ("neighbour lost", "ICMP of this host ends it between two timeouts; IPv6 neighbours are not read"),
    ("other interface without carrier", "it makes every IPv6 deadline a bound"),
    ("ICMP errors", "the kept error is what the program gets, also by keepalive and user timeout"),
    ("inference", "values that only seem to be those of the sysctls"),
    ("sysctl changed later", "limits are copied when the socket is made"),
];
