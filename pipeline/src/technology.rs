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
    ("mysql", &["mysql", "pymysql", "innodb", "mysqld", ":3306", "percona"]),
    ("mariadb", &["mariadb", "galera", "wsrep"]),
    ("mongodb", &["mongo", "pymongo", ":27017", "wiredtiger"]),
    ("redis", &["redis", "ioredis", ":6379", "jedis", "lettuce", "misconf"]),
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
    ("pgbouncer", &["pgbouncer"]),
    ("patroni", &["patroni"]),
    ("valkey", &["valkey"]),
    ("opensearch", &["opensearch"]),
    ("nats", &["nats-server", "jetstream", "nats:", "nats://", "io.nats", ":4222"]),
    ("zookeeper", &["zookeeper", "quorumpeer", "zkclient", ":2181"]),
    ("activemq", &["activemq", "artemis"]),
    ("pulsar", &["pulsar", "bookkeeper"]),
    ("clickhouse", &["clickhouse", "db::exception"]),
    ("oracle", &["ora-0", "ora-1", "ora-2", "ora-3", "oracle", "tnsname", "tns-"]),
    ("sqlserver", &["sqlserver", "sql server", "mssql", "system.data.sqlclient", "microsoft.data.sqlclient"]),
    ("memcached", &["memcached", "memcache", ":11211"]),
    ("cockroachdb", &["cockroach", "crdb"]),
    ("influxdb", &["influx"]),
    ("dynamodb", &["dynamodb", "provisionedthroughputexceeded"]),
    ("minio", &["minio"]),
    ("s3", &["s3.amazonaws", "amazons3", "s3://", "s3exception"]),
    ("hadoop", &["hadoop", "yarn.", "mapreduce"]),
    ("hdfs", &["hdfs", "namenode", "datanode", "dfsclient"]),
    ("spark", &["spark"]),
    ("flink", &["flink"]),
    ("airflow", &["airflow"]),
    ("traefik", &["traefik"]),
    ("varnish", &["varnish"]),
    ("squid", &["squid"]),
    ("cloudflare", &["cloudflare", "cf-ray"]),
    ("calico", &["calico", "felix", "bird:"]),
    ("cilium", &["cilium"]),
    ("cert-manager", &["cert-manager", "certmanager", "acme: "]),
    ("containerd", &["containerd"]),
    ("systemd", &["systemd[", "systemctl", ".service: "]),
    ("hibernate", &["hibernate", "staleobjectstate", "lazyinitializationexception"]),
    ("tomcat", &["tomcat", "catalina", "org.apache.coyote"]),
    ("django", &["django"]),
    ("sidekiq", &["sidekiq"]),
    ("npm", &["npm ", "npm err!", "eresolve"]),
    ("maven", &["maven", "[error] failed to execute goal"]),
    ("rust", &["panicked at", ".rs:", "rustc", "cargo:"]),
    ("elixir", &["elixir", "genserver", "ecto.", "** (", "phoenix"]),
    ("erlang", &["erlang", "erl_", "supervisor report", "beam.smp"]),
    ("gcp", &["googleapis", "gcloud", "google.api_core", "gke", "cloud run", "bigquery"]),
    ("azure", &["azure", "microsoft.web"]),
    ("gitlab", &["gitlab"]),
    ("jenkins", &["jenkins", "hudson."]),
    ("postfix", &["postfix", "smtpd"]),
    ("oauth", &["oauth", "oidc", "invalid_grant", "invalid_client", "jwt"]),
    ("keycloak", &["keycloak"]),
    ("vault", &["vault"]),
    ("consul", &["consul", "serf:"]),
    ("ceph", &["ceph", "osd.", "rados"]),
    ("nfs", &["nfs"]),
    ("lvm", &["lvm", "lvextend", "device-mapper"]),
    ("mdraid", &["md0", "md1", "mdadm", "raid1", "raid5", "raid6", "raid10"]),
    ("smartmontools", &["smartd", "smartctl"]),
    ("slurm", &["slurm"]),
    ("prometheus", &["prometheus", "promql", "tsdb"]),
    ("alertmanager", &["alertmanager"]),
    ("grafana", &["grafana"]),
    ("loki", &["loki"]),
    ("fluentd", &["fluentd", "fluent-bit", "fluentbit"]),
    ("opentelemetry", &["otelcol", "otel-", "opentelemetry"]),
    ("openssh", &["sshd"]),
    ("openstack", &["nova.", "neutron", "openstack", "keystone", "cinder"]),
    ("vmware", &["vmware", "esxi", "vcenter", "vmkernel"]),
    ("windows", &["windows", "c:\\", "microsoft-windows"]),
    ("iis", &["iis ", "w3wp", "app pool", "apppool"]),
];

/// Names that say where something runs, not what failed: any product may fail there.
const PLATFORMS: [&str; 11] =
    ["linux", "kubernetes", "docker", "aws", "github", "systemd", "containerd", "gcp", "azure", "windows", "openssh"];

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
        self.automaton
            .find_overlapping_iter(text)
            .filter(|hit| begins_word(text, hit.start()))
            .map(|hit| self.names[hit.pattern().as_usize()])
            .collect()
    }
}

/// Whether a word, or a part of a `CamelCase` name, begins at `start`: "hotel" is no telemetry.
fn begins_word(text: &str, start: usize) -> bool {
    let letter = |at: usize| text.as_bytes().get(at).copied().filter(u8::is_ascii_alphabetic);
    match (start.checked_sub(1).and_then(letter), letter(start)) {
        (Some(before), Some(first)) => before.is_ascii_lowercase() && first.is_ascii_uppercase(),
        _ => true,
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
        assert!(Technologies::new().find("the hotel-booking service breaks").is_empty());
        assert!(Technologies::new().find("MyKafkaConsumer stopped").contains("kafka"));
    }
}
