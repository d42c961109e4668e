//! The root causes that Clew can name. Ids are stable; titles are for people.

/// One root cause.
#[derive(Debug, PartialEq, Eq)]
pub struct Label {
    /// Stable id, as in the API, the metrics and the training data.
    pub id: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// What it means, and where the line to its neighbours runs.
    pub meaning: &'static str,
    /// Whether a change of code is what usually fixes it.
    pub code_related: bool,
}

/// Index of a label in [`LABELS`].
pub type LabelIndex = usize;

const fn label(id: &'static str, title: &'static str, code_related: bool, meaning: &'static str) -> Label {
    Label { id, title, meaning, code_related }
}

/// All labels. `unknown` is the last.
pub const LABELS: [Label; 23] = [
    label(
        "memory_exhaustion",
        "Memory exhaustion",
        false,
        "OOM kill, heap exhausted, allocation failed, a memory limit or circuit breaker reached",
    ),
    label("disk_full", "Disk full", false, "no space left, quota exceeded, inodes gone, table or recovery area full"),
    label(
        "cpu_saturation",
        "CPU saturation",
        false,
        "throttled, event loop or worker threads starved, load too high, soft lockup",
    ),
    label(
        "network_timeout",
        "Network timeout",
        false,
        "time-outs, loss, partition, no route, missed heartbeats, reset connections between hosts",
    ),
    label("dns_failure", "DNS failure", false, "a name does not resolve"),
    label(
        "tls_certificate",
        "TLS or certificate problem",
        false,
        "certificate expired, untrusted or for another name, handshake failed",
    ),
    label(
        "service_unavailable",
        "Service unavailable",
        false,
        "an upstream is down: refused, 502/503, no healthy endpoint, a broker or peer that cannot be reached",
    ),
    label(
        "database_outage",
        "Database outage",
        false,
        "the store itself is down, starting, recovering, failing over or has no primary",
    ),
    label(
        "connection_pool_exhaustion",
        "Connection pool exhaustion",
        false,
        "too many connections or clients, pool time-out, only reserved slots left",
    ),
    label(
        "database_contention",
        "Database contention",
        false,
        "deadlock, lock wait, serialization failure, replication lag",
    ),
    label(
        "authentication_failure",
        "Authentication failure",
        false,
        "wrong or expired password, token, key, secret or ticket",
    ),
    label(
        "permission_denied",
        "Permission denied",
        false,
        "known but not allowed: 403, RBAC, IAM, ACL, file mode, SELinux or AppArmor",
    ),
    label("rate_limited", "Rate limited", false, "told to slow down: 429, throttling, API quota used up"),
    label(
        "configuration_error",
        "Configuration error",
        false,
        "missing or wrong setting, unknown directive, port taken, wrong address or path",
    ),
    label(
        "dependency_mismatch",
        "Dependency mismatch",
        true,
        "missing or incompatible module, library, symbol, plugin or file format version",
    ),
    label(
        "code_defect",
        "Code defect",
        true,
        "an unhandled exception from a bug: null, index, type, recursion, panic, segfault, assertion",
    ),
    label(
        "schema_migration",
        "Schema migration",
        true,
        "relation or column missing, migration failed, mapping conflict, data of another schema version",
    ),
    label(
        "data_corruption",
        "Data corruption",
        false,
        "checksum mismatch, damaged page, index, segment, log or file system",
    ),
    label(
        "message_backlog",
        "Message backlog",
        false,
        "consumer lag, queue full, dropped or unacknowledged messages, rebalancing, under-replicated partitions",
    ),
    label(
        "deployment_failure",
        "Deployment failure",
        false,
        "the roll-out failed: image pull, unschedulable, volume not attached, failed probe, CrashLoopBackOff, Terraform or Helm",
    ),
    label(
        "resource_limit",
        "Resource limit",
        false,
        "file descriptors, processes, threads, ports, conntrack, watches used up",
    ),
    label(
        "hardware_failure",
        "Hardware failure",
        false,
        "disk I/O error, ECC or machine check, NIC or power supply, node lost, GPU off the bus",
    ),
    label("unknown", "Unknown or not enough data", false, "a healthy log, or a text that does not say"),
];

/// Index of `unknown`.
pub const UNKNOWN: LabelIndex = LABELS.len() - 1;

/// The label with this id.
#[must_use]
pub fn by_id(id: &str) -> Option<LabelIndex> {
    LABELS.iter().position(|label| label.id == id)
}

/// The label with this id or title, in any case: what people type.
#[must_use]
pub fn by_name(name: &str) -> Option<LabelIndex> {
    let name = name.trim();
    LABELS.iter().position(|label| label.id.eq_ignore_ascii_case(name) || label.title.eq_ignore_ascii_case(name))
}
