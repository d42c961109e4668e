//! From a raw line to its header and its message.
//!
//! Headers nest: `docker compose` puts its prefix before a syslog line that holds a logfmt record. So every family
//! of formats peels one layer off the front and hands the rest to the next, until none applies.

use std::borrow::Cow;

use super::record::Header;
use super::{access, columns, container, json, kernel, klog, kubernetes, layout, logfmt, syslog};

/// One layer taken off a line.
pub struct Peeled<'a> {
    /// What the layer said.
    pub header: Header,
    /// What it carried.
    pub rest: Cow<'a, str>,
    /// Whether `rest` may hold another header.
    pub inner: bool,
}

impl<'a> Peeled<'a> {
    /// A layer that only carried `rest`.
    #[must_use]
    pub fn around(header: Header, rest: &'a str) -> Self {
        Self { header, rest: Cow::Borrowed(rest), inner: true }
    }

    /// A layer with the message itself inside.
    #[must_use]
    pub fn message(header: Header, rest: impl Into<Cow<'a, str>>) -> Self {
        Self { header, rest: rest.into(), inner: false }
    }
}

type Family = for<'a> fn(&'a str) -> Option<Peeled<'a>>;

/// What carries the lines of another writer. A line inside that continues a record stays a continuation.
const TRANSPORTS: &[Family] = &[container::peel, columns::peel, syslog::peel, kernel::peel];

/// What the writer itself puts before its message.
const LAYOUTS: &[Family] = &[json::peel, logfmt::peel, klog::peel, access::peel, kubernetes::peel, layout::peel];

/// Deeper nesting than this is not a log.
const MAX_DEPTH: usize = 5;

/// A line in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// All that the headers said.
    pub header: Header,
    /// Whether the writer itself put a header there: then the line starts a record.
    pub starts_record: bool,
    /// The line without the prefixes of transports, indentation kept.
    pub carried: Cow<'a, str>,
    /// The message without any header.
    pub message: Cow<'a, str>,
}

/// Splits `line` into header and message. Never fails: a line without a header is all message.
#[must_use]
pub fn parse_line(line: &str) -> Parsed<'_> {
    let mut header = Header::default();
    let mut carried = Cow::Borrowed(line);
    for _ in 0..MAX_DEPTH {
        let Some(peeled) = peel(&carried, TRANSPORTS) else { break };
        header.merge(peeled.0);
        carried = peeled.1;
    }
    let transport_severity = header.severity.take();
    let mut message = carried.clone();
    let mut starts_record = false;
    for _ in 0..MAX_DEPTH {
        let trimmed = trim_start(message);
        let Some((found, rest, inner)) = peel_layout(&trimmed) else {
            message = trimmed;
            break;
        };
        starts_record = true;
        header.merge(found);
        message = rest;
        if !inner {
            break;
        }
    }
    header.severity = header.severity.or(transport_severity);
    Parsed { header, starts_record, carried, message: trim(message) }
}

fn peel<'a>(text: &Cow<'a, str>, families: &[Family]) -> Option<(Header, Cow<'a, str>)> {
    match text {
        Cow::Borrowed(text) => families.iter().find_map(|family| family(text)).map(|p| (p.header, p.rest)),
        Cow::Owned(text) => {
            families.iter().find_map(|family| family(text)).map(|p| (p.header, Cow::Owned(p.rest.into_owned())))
        }
    }
}

fn peel_layout<'a>(text: &Cow<'a, str>) -> Option<(Header, Cow<'a, str>, bool)> {
    match text {
        Cow::Borrowed(text) => LAYOUTS.iter().find_map(|family| family(text)).map(|p| (p.header, p.rest, p.inner)),
        Cow::Owned(text) => {
            LAYOUTS.iter().find_map(|family| family(text)).map(|p| (p.header, Cow::Owned(p.rest.into_owned()), p.inner))
        }
    }
}

fn trim_start(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_start()),
        Cow::Owned(text) if text.starts_with(char::is_whitespace) => Cow::Owned(text.trim_start().to_owned()),
        owned => owned,
    }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() != text.len() => Cow::Owned(text.trim().to_owned()),
        owned => owned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::record::Severity;
    use proptest::prelude::*;

    fn check(line: &str, severity: Option<Severity>, component: Option<&str>, message: &str) {
        let parsed = parse_line(line);
        assert_eq!(parsed.message, message, "message of {line}");
        assert_eq!(parsed.header.severity, severity, "severity of {line}");
        assert_eq!(parsed.header.component.as_deref(), component, "component of {line}");
    }

    #[test]
    fn headers_of_common_writers_come_off() {
        use Severity::{Error, Fatal, Info, Notice, Warning};
        check("2024-05-01 10:00:00,123 ERROR [main] c.e.App - it broke", Some(Error), Some("c.e.App"), "it broke");
        check("2024-05-01T10:00:00.123Z  WARN 1 --- [nio-8080] c.e.App : slow", Some(Warning), Some("c.e.App"), "slow");
        check(
            "2024-05-01 10:00:00.123 UTC [77] app@db FATAL:  no slots left",
            Some(Fatal),
            Some("app@db"),
            "no slots left",
        );
        check("[Sun Dec 04 04:47:44 2005] [error] mod_jk child init 1 -2", Some(Error), None, "mod_jk child init 1 -2");
        check("E0512 10:00:00.123456   12345 kubelet.go:123] no node", Some(Error), Some("kubelet.go"), "no node");
        check(
            "May 29 15:45:11 web1 nginx[33]: 2024/05/29 15:45:11 [crit] 33#33: *1 open() failed",
            Some(Fatal),
            Some("nginx"),
            "*1 open() failed",
        );
        check("1:M 12 Jun 2021 12:34:56.789 # Out of memory", Some(Warning), None, "Out of memory");
        check(
            "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block",
            Some(Info),
            Some("dfs.DataNode$PacketResponder"),
            "PacketResponder 1 for block",
        );
        check(
            "2020-07-27 21:10:51.361 [warning] <0.269.0> Error while waiting",
            Some(Warning),
            None,
            "Error while waiting",
        );
        check("ERROR:root:it broke", Some(Error), Some("root"), "it broke");
        check("web_1  | WARN  something", Some(Warning), Some("web_1"), "something");
        check(
            "[12345.678901] Out of memory: Killed process 1",
            None,
            Some("kernel"),
            "Out of memory: Killed process 1",
        );
        check(
            "03-17 16:13:38.811  1702  2395 D WindowManager: printFreezing",
            Some(Severity::Debug),
            Some("WindowManager"),
            "printFreezing",
        );
        check("<165>1 2003-10-11T22:14:15.003Z host app 77 ID47 - hello", Some(Notice), Some("app"), "hello");
        check(
            "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: session closed",
            None,
            Some("crond"),
            "session closed",
        );
        check(
            "1117838570 2005.06.03 R02-M1-N0 2005-06-03-15.42.50.675872 R02-M1-N0 RAS KERNEL INFO cache error corrected",
            Some(Info),
            Some("KERNEL"),
            "cache error corrected",
        );
        check(
            "nova-api.log.1 2017-05-16 00:00:00.008 25746 INFO nova.api [req-38101a0b-2096 113d3a99c3 54fadb41 - - -] GET",
            Some(Info),
            Some("nova.api"),
            "GET",
        );
        check("20171223-22:15:9:606|Step_LSC|30002312|flush data", None, Some("Step_LSC"), "flush data");
        check("[10.30 16:49:06] chrome.exe *64 - host:5070 open", None, Some("chrome.exe"), "host:5070 open");
        check(
            "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:Election@774] - time out: 3200",
            Some(Info),
            None,
            "time out: 3200",
        );
        check(
            "2015-07-29 17:41:41,536 - INFO  [main:QuorumPeerConfig@101] - Reading configuration",
            Some(Info),
            None,
            "Reading configuration",
        );
    }

    #[test]
    fn structured_records_become_their_message() {
        check(
            r#"{"level":"error","ts":1717000000.1,"logger":"db","msg":"dial failed","error":"no such host"}"#,
            Some(Severity::Error),
            Some("db"),
            "dial failed error=no such host",
        );
        check(
            r#"time="2024-05-29T15:45:11Z" level=fatal msg="starting etcd" error="disk full""#,
            Some(Severity::Fatal),
            None,
            "starting etcd error=disk full",
        );
        check(
            r#"10.0.0.1 - - [12/Jun/2021:10:00:00 +0000] "GET /api HTTP/1.1" 502 166 "-" "curl/8""#,
            Some(Severity::Error),
            None,
            r#""GET /api HTTP/1.1" 502 166 "-" "curl/8""#,
        );
        check(
            "Warning  FailedMount  4m (x3 over 5m)  kubelet  Unable to attach",
            Some(Severity::Warning),
            Some("kubelet"),
            "FailedMount: Unable to attach",
        );
    }

    #[test]
    fn plain_sentences_keep_every_word() {
        for line in ["it broke", "Error: listen EADDRINUSE", "the disk is full", "12 monkeys", "-- 5 rows", ""] {
            assert_eq!(parse_line(line).message, line);
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,120}") {
            let _ = parse_line(&line);
        }

        #[test]
        fn no_line_made_of_levels_and_marks_makes_it_panic(line in "(ERROR|WARN|INFO|warn|<|>|é|:|\\[|\\]| |2024-05-01 10:00:00|12|\"|=){0,12}") {
            let _ = parse_line(&line);
        }

        #[test]
        fn no_line_made_of_header_pieces_makes_it_panic(line in r#"[\[\]{}<>|:\-" 0-9TZa-zéE=,.#*()]{0,80}"#) {
            let _ = parse_line(&line);
        }
    }
}
