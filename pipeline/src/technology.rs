//! Which technologies a log speaks of: advice for `PostgreSQL` is of no use for a `MySQL` log.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// Names as knowledge entries use them, and what logs print.
const NAMES: &[(&str, &[&str])] = &[
    (
        "postgresql",
        &[
            "postgres",
            "sharelock",
            "deadlock detected",
            "could not extend file",
            "psql",
            "pg_",
            "pgbouncer",
            "npgsql",
            "psycopg",
            "patroni",
            ":5432",
            "port 5432",
        ],
    ),
    ("mysql", &["mysql", "innodb", "mysqld", ":3306", "percona"]),
    ("mariadb", &["mariadb", "galera", "wsrep"]),
    ("mongodb", &["mongo", ":27017", "wiredtiger"]),
    ("redis", &["redis", ":6379", "jedis", "lettuce", "misconf"]),
    (
        "elasticsearch",
        &["elasticsearch", "opensearch", "o.e.", "circuit_breaking_exception", "kibana", "index_not_found"],
    ),
    ("cassandra", &["cassandra", "datastax", "scylla"]),
    ("etcd", &["etcd"]),
    ("kafka", &["kafka", "rdkafka", "zookeeper.clientcnxn"]),
    ("rabbitmq", &["rabbit", "amqp", ":5672", "mnesia"]),
    (
        "kubernetes",
        &[
            "kubelet",
            "kubectl",
            "kube-",
            "kubernetes",
            "k8s",
            "pod/",
            "pods ",
            "failedscheduling",
            "crashloopbackoff",
            "imagepullbackoff",
            "persistentvolume",
            "failedmount",
            "oomkilled",
        ],
    ),
    ("docker", &["docker", "containerd", "overlay2", "runc"]),
    ("helm", &["helm"]),
    ("terraform", &["terraform", "tofu"]),
    ("argocd", &["argocd", "argo cd", "argo-cd"]),
    ("nginx", &["nginx", "while connecting to upstream", "*1 open()", "worker_connections"]),
    ("apache", &["httpd", "apache2", "mod_", "ah0"]),
    ("haproxy", &["haproxy"]),
    ("envoy", &["envoy", "upstream connect error", "no healthy upstream"]),
    ("istio", &["istio"]),
    ("coredns", &["coredns", "kube-dns", "[error] plugin/"]),
    ("java", &["java.", "javax.", "jvm", ".java:", "caused by:", "org.spring", "hikari", "tomcat", "jakarta."]),
    ("hikaricp", &["hikari"]),
    ("spring", &["springframework", "spring boot", "o.s."]),
    ("flyway", &["flyway"]),
    (
        "python",
        &[
            "traceback (most recent",
            ".py\"",
            ".py:",
            "python",
            "django",
            "flask",
            "gunicorn",
            "uvicorn",
            "celery",
            "sqlalchemy",
        ],
    ),
    ("celery", &["celery"]),
    ("sqlalchemy", &["sqlalchemy"]),
    ("gunicorn", &["gunicorn", "worker timeout"]),
    ("nodejs", &["node:", "node_modules", "npm ", ".js:", "javascript heap", "express", "eaddrinuse", "v8::"]),
    ("go", &["goroutine", ".go:", "panic: runtime error", "golang"]),
    ("php", &["php", "laravel"]),
    ("php-fpm", &["php-fpm", "pm.max_children"]),
    ("ruby", &[".rb:", "ruby", "activerecord", "puma", "sidekiq"]),
    ("rails", &["rails", "activerecord", "actioncontroller"]),
    ("dotnet", &["system.net", ".cs:line", "microsoft.", "asp.net", "dotnet", "kestrel", "system.invalidoperation"]),
    (
        "linux",
        &[
            "kernel",
            "systemd",
            "oom-killer",
            "oom_reaper",
            "/proc/",
            "/var/log",
            "ext4",
            "xfs",
            "errno",
            "no space left on device",
            "too many open files",
        ],
    ),
    ("aws", &["aws", "amazon", "s3:", "dynamodb", "lambda", "ec2", "iam:", "eks"]),
    ("github", &["github"]),
    ("selinux", &["selinux", "avc:", "apparmor"]),
    ("ldap", &["ldap"]),
    ("kerberos", &["kerberos", "krb5", "kinit", "gssapi", "kdc"]),
    ("nvidia", &["nvrm", "xid", "cuda", "nvidia"]),
    ("zfs", &["zfs", "zpool"]),
];

/// Names that say where something runs, not what failed: any product may fail there.
const PLATFORMS: [&str; 5] = ["linux", "kubernetes", "docker", "aws", "github"];

/// Whether `name` is a known product or language, for which advice for another one is of no use.
#[must_use]
pub fn is_product(name: &str) -> bool {
    !PLATFORMS.contains(&name) && NAMES.iter().any(|(known, _)| *known == name)
}

/// Finds technologies in texts.
pub struct Technologies {
    automaton: AhoCorasick,
    names: Vec<&'static str>,
}

impl Default for Technologies {
    fn default() -> Self {
        Self::new()
    }
}

impl Technologies {
    /// Compiles the list.
    #[must_use]
    // A constant list of this file, which a test builds.
    #[allow(clippy::expect_used)]
    pub fn new() -> Self {
        let (mut patterns, mut names) = (Vec::new(), Vec::new());
        for (name, words) in NAMES {
            for word in *words {
                patterns.push(*word);
                names.push(*name);
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(patterns)
            .expect("constant patterns");
        Self { automaton, names }
    }

    /// The technologies that `text` names.
    #[must_use]
    pub fn find(&self, text: &str) -> BTreeSet<&'static str> {
        self.automaton.find_overlapping_iter(text).map(|hit| self.names[hit.pattern().as_usize()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_names_its_technologies() {
        let found =
            Technologies::new().find("org.postgresql.util.PSQLException: FATAL: too many clients\n\tat a.B(C.java:1)");
        assert!(found.contains("postgresql") && found.contains("java") && !found.contains("mysql"), "{found:?}");
    }
}
