//! Classes of which tcpulse says something false today. Each leaves the list with the change that mends it: a class
//! that is listed and holds is an error.

/// Name of the class, and what is false.
pub(crate) const FALSE_TODAY: &[(&str, &str)] =
    &[("egress drops", "a full queue of this host shows nowhere before it refuses the first packet")];
