use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clew_tests::deliveries::Sent;
use clew_tests::fakes::server::{Answer, Reply, Request, Server};
use clew_tests::{Bot, Failure, repository, until};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::CLEW;

/// All formats.
const FORMATS: [&str; 9] =
    ["alertmanager", "grafana", "datadog", "pagerduty", "sentry", "opsgenie", "sns", "generic", "text"];

/// Hex HMAC-SHA256, as senders make it.
fn hmac(secret: &str, message: &[u8]) -> String {
    let pad = |with: u8| -> Vec<u8> {
        let mut key = [0; 64];
        key[..secret.len()].copy_from_slice(secret.as_bytes());
        key.iter().map(|byte| byte ^ with).collect()
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The paths that were asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// What stands in for Amazon SNS: serves its certificate, and counts the subscriptions that are confirmed. The first
/// confirmation fails `broken` times.
fn sns(broken: usize) -> Result<(Server, Arc<AtomicUsize>, Asked), Failure> {
    let certificate = std::fs::read_to_string(repository().join("tests/fixtures/alerts/sns/certificate.pem"))?;
    let (confirmed, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (counter, log, left) = (Arc::clone(&confirmed), Arc::clone(&asked), AtomicUsize::new(broken));
    let server = Server::start(move |request: Request| {
        log.lock().unwrap().push(request.path.clone());
        let confirms = request.query.iter().any(|(name, value)| name == "Action" && value == "ConfirmSubscription");
        if confirms {
            let fails = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            counter.fetch_add(usize::from(!fails), Ordering::SeqCst);
            return Reply::json(if fails { 500 } else { 200 }, &json!({}));
        }
        let body =
            Answer { status: 200, headers: vec![("content-type", "text/plain".into())], body: certificate.clone() };
        Reply { answer: Some(body), ..Reply::cut() }
    })?;
    Ok((server, confirmed, asked))
}

/// Everything that the API tells about incidents.
fn everything_told(bot: &Bot) -> Result<String, Failure> {
    let mut told = String::new();
    for incident in bot.incidents()? {
        let id = incident["id"].as_str().unwrap();
        for path in ["", "/events", "/alerts"] {
            let answer = bot.get(&format!("/incidents/{id}{path}"))?;
            assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"), "{}", answer.text);
            told += &answer.text;
        }
    }
    for path in ["/incidents", "/jobs", "/jobs?state=dead", "/metrics", "/config"] {
        told += &bot.get(path)?.text;
    }
    Ok(told)
}

/// Whether `needle` is in a file below `folder`, and in which.
fn found_below(folder: &std::path::Path, needle: &str) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(found_below(&path, needle)?);
        } else if std::fs::read(&path)?.windows(needle.len()).any(|window| window == needle.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

fn counters(incident: &Value) -> [u64; 3] {
    ["alerts", "firing", "notifications"].map(|name| incident["alerts"][name].as_u64().unwrap())
}

struct Told {
    fires: Sent,
    is_over: Sent,
    /// Title, severity and service of the incident.
    shows: (&'static str, &'static str, Option<&'static str>),
}

/// An alert in every format, and the word that it is over.
fn one_of_each() -> Result<Vec<Told>, Failure> {
    let told = |fires: &str, is_over: &str, shows| {
        Ok::<_, Failure>(Told { fires: Sent::fixture(fires)?, is_over: Sent::fixture(is_over)?, shows })
    };
    let twice = |fires: Sent, shows| Told { is_over: fires.clone().over(), fires, shows };
    let mut generic =
        told("generic/unmapped", "generic/resolved_same_alert", ("Backup of orders failed", "high", Some("orders")))?;
    generic.fires = generic.fires.header("Idempotency-Key", "g-1");
    generic.is_over = generic.is_over.header("Idempotency-Key", "g-2");
    // The two fixtures are examples of different days; an alert keeps the time when it was created.
    let mut opsgenie = told("opsgenie/create", "opsgenie/close", ("test alert", "critical", Some("checkout")))?;
    opsgenie.is_over.body["alert"]["createdAt"] = opsgenie.fires.body["alert"]["createdAt"].clone();
    let lines = Sent::fixture("text/log_lines")?;
    let text = Told {
        is_over: lines.clone().asking("status", "resolved").header("Idempotency-Key", "t-2"),
        fires: lines.header("Idempotency-Key", "t-1"),
        shows: ("payment failed", "critical", Some("checkout")),
    };
    Ok(vec![
        twice(Sent::fixture("alertmanager/firing_one")?, ("5xx rate 12% on checkout", "critical", Some("checkout"))),
        twice(
            Sent::fixture("grafana/firing_two")?.only(1),
            ("This alert was triggered for zone eu-1", "medium", Some("checkout")),
        ),
        told(
            "datadog/triggered_all_variables",
            "datadog/recovered",
            ("Error rate of checkout", "critical", Some("checkout")),
        )?,
        told(
            "pagerduty/triggered",
            "pagerduty/resolved",
            ("A little bump in the road", "critical", Some("API Service")),
        )?,
        told(
            "sentry/issue_created",
            "sentry/issue_resolved",
            ("ReferenceError: blooopy is not defined", "high", Some("front-end")),
        )?,
        opsgenie,
        told("sns/alarm_v1", "sns/ok_v2", ("api-5xx", "medium", None))?,
        generic,
        text,
    ])
}

#[test]
fn an_alert_of_every_sender_becomes_one_incident_and_ends_it() -> Result<(), Failure> {
    let (amazon, _, _) = sns(0)?;
    let address = format!("http://{}", amazon.address());
    let each = one_of_each()?;
    assert_eq!(each.iter().map(|told| told.fires.format.as_str()).collect::<Vec<_>>(), FORMATS);
    for Told { fires, is_over, shows } in each {
        let bot = Bot::start(CLEW, &[("CLEW_SNS_ADDRESS", &address)])?;
        let format = &fires.format;
        assert!(bot.deliver(&fires)?, "{format}");
        let incident = bot.only_incident()?;
        let shown = [&incident["title"], &incident["severity"], &incident["service"], &incident["state"]];
        assert_eq!(shown, [&json!(shows.0), &json!(shows.1), &json!(shows.2), &json!("open")], "{incident:#}");
        assert_eq!((incident["sources"].clone(), counters(&incident)), (json!([format]), [1, 1, 1]), "{incident:#}");
        assert!(!bot.deliver(&fires)?, "{format}: sent again");
        let mut again = bot.only_incident()?;
        again["duration_seconds"] = incident["duration_seconds"].clone();
        assert_eq!(again, incident, "sent again, it changes nothing");
        assert!(bot.deliver(&is_over)?, "{format}");
        let incident = bot.only_incident()?;
        assert_eq!((incident["state"].as_str(), counters(&incident)), (Some("resolved"), [1, 0, 2]), "{incident:#}");
        assert!(incident["resolved_at"].is_string() && incident["duration_seconds"].is_u64(), "{incident:#}");
    }
    Ok(())
}

#[test]
fn a_group_of_alertmanager_grows_shrinks_and_ends_as_one_incident() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    for (name, expected, state) in [
        ("firing_one", [1, 1, 1], "open"),
        ("firing_group_grew", [2, 2, 3], "open"),
        ("mixed_one_resolved", [2, 1, 5], "open"),
        ("resolved_all", [2, 0, 6], "resolved"),
    ] {
        assert!(bot.deliver(&Sent::fixture(&format!("alertmanager/{name}"))?)?);
        let incident = bot.only_incident()?;
        assert_eq!((counters(&incident), incident["state"].as_str()), (expected, Some(state)), "{name}: {incident:#}");
    }
    let incident = bot.only_incident()?;
    let common =
        json!({ "alertname": "HighErrorRate", "cluster": "prod-eu", "service": "checkout", "severity": "critical" });
    assert_eq!(incident["labels"], common, "what all its alerts have in common");
    assert_eq!(incident["title"], "5xx rate 12% on checkout");
    assert_eq!(incident["links"]["alert"], "http://prometheus.example:9090/graph?g0.expr=x");
    let alerts = bot.get("/incidents/INC-1/alerts")?.json();
    let alerts = alerts["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 2);
    assert!(alerts.iter().all(|alert| alert["status"] == "resolved" && alert["ends_at"].is_string()), "{alerts:#?}");
    let kinds: Vec<String> =
        bot.timeline("INC-1")?.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        kinds,
        ["opened", "alert_firing", "alert_firing", "alert_resolved", "alert_resolved", "resolved"],
        "a repeated notification is no event"
    );
    Ok(())
}

#[test]
fn what_was_measured_when_it_fired_is_still_shown_when_it_is_over() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    bot.deliver(&Sent::fixture("grafana/firing_two")?.only(0))?;
    bot.only_incident()?;
    bot.deliver(&Sent::fixture("grafana/resolved")?)?;
    let incident = bot.only_incident()?;
    assert_eq!(incident["state"], "resolved");
    assert_eq!(incident["values"], json!({ "B": "44.23943737541908", "C": "1" }));
    assert_eq!(incident["labels"]["zone"], "us-1");
    assert_eq!(incident["links"]["runbook"], "https://runbooks.example/1234");
    Ok(())
}

#[test]
fn two_alertmanagers_of_one_cluster_tell_the_same_at_once_and_it_counts_once() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let sent = Sent::fixture("alertmanager/firing_group_grew")?;
    for round in 0..5 {
        let sent = sent.clone().begun(&format!("2026-11-23T10:4{round}:00Z"));
        let new: Vec<bool> = std::thread::scope(|scope| {
            let peers: Vec<_> = (0..2).map(|_| scope.spawn(|| bot.deliver(&sent).unwrap())).collect();
            peers.into_iter().map(|peer| peer.join().unwrap()).collect()
        });
        assert_eq!(new.iter().filter(|new| **new).count(), 1, "{new:?}");
        let incident = bot.only_incident()?;
        assert_eq!(incident["alerts"]["notifications"], 2 * (round + 1), "{incident:#}");
    }
    Ok(())
}

#[test]
fn word_that_it_is_over_overtakes_the_alert_and_it_ends_over() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let fires = Sent::fixture("alertmanager/firing_one")?;
    bot.deliver(&fires.clone().over())?;
    assert_eq!(bot.only_incident()?["state"], "resolved");
    assert!(bot.deliver(&fires)?);
    let incident = bot.only_incident()?;
    assert_eq!((incident["state"].as_str(), counters(&incident)), (Some("resolved"), [1, 0, 2]), "{incident:#}");
    assert_eq!(incident["reopened"], 0);
    Ok(())
}

#[test]
fn an_alert_whose_beginning_moved_is_still_one_alert() -> Result<(), Failure> {
    // Prometheus was started again and lost when the alert began.
    let bot = Bot::start(CLEW, &[])?;
    let fires = Sent::fixture("alertmanager/firing_one")?;
    bot.deliver(&fires)?;
    bot.only_incident()?;
    let moved = fires.begun("2026-11-23T10:50:00Z");
    bot.deliver(&moved)?;
    bot.only_incident()?;
    bot.deliver(&moved.over())?;
    let incident = bot.only_incident()?;
    assert_eq!((incident["state"].as_str(), counters(&incident)), (Some("resolved"), [2, 0, 3]), "{incident:#}");
    // The same when nobody told of the new firing before it was over.
    let bot = Bot::start(CLEW, &[])?;
    let fires = Sent::fixture("alertmanager/firing_one")?;
    bot.deliver(&fires)?;
    bot.only_incident()?;
    bot.deliver(&fires.begun("2026-11-23T10:50:00Z").over())?;
    let incident = bot.only_incident()?;
    assert_eq!((incident["state"].as_str(), counters(&incident)), (Some("resolved"), [2, 0, 2]), "{incident:#}");
    Ok(())
}

#[test]
fn a_firing_that_somebody_resolved_before_its_sender_did_counts_as_over_when_it_fires_again() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let fires = Sent::fixture("alertmanager/firing_one")?;
    bot.deliver(&fires)?;
    bot.only_incident()?;
    bot.post_json("/incidents/1/resolve", &json!({ "by": "jane" }))?;
    let again = fires.begun("2026-11-23T11:50:00Z");
    bot.deliver(&again)?;
    assert_eq!(bot.only_incident()?["state"], "open");
    bot.deliver(&again.over())?;
    assert_eq!(bot.only_incident()?["state"], "resolved");
    Ok(())
}

#[test]
fn alerts_that_the_sender_left_out_are_counted() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    bot.deliver(&Sent::fixture("alertmanager/firing_truncated")?)?;
    let incident = bot.only_incident()?;
    assert_eq!((counters(&incident), incident["alerts"]["omitted"].as_u64()), ([2, 2, 2], Some(3)));
    Ok(())
}

#[test]
fn hostile_text_is_shown_as_text() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    bot.deliver(&Sent::fixture("alertmanager/firing_hostile_text")?)?;
    let incident = bot.only_incident()?;
    assert_eq!(incident["title"], "unicode ⚠ <b>html</b> \"quotes\" & `code` <!channel> @everyone");
    let told = everything_told(&bot)?;
    assert!(!told.contains("AKIAIOSFODNN7EXAMPLE"), "{told}");
    assert!(!told.contains('\u{0}') && !told.contains('\u{1b}'), "{told}");
    Ok(())
}

#[test]
fn secrets_in_alerts_are_told_nowhere_and_kept_nowhere() -> Result<(), Failure> {
    let secrets = ["AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl", "hunter2hunter2"];
    let [key, bearer, password] = secrets;
    let bot = Bot::start(CLEW, &[])?;
    bot.deliver(&Sent::fixture("alertmanager/firing_hostile_text")?)?;
    let mut alert = Sent::fixture("alertmanager/firing_one")?;
    alert.body["alerts"][0]["labels"]["key"] = json!(key);
    alert.body["alerts"][0]["annotations"]["description"] = json!(format!("Authorization: Bearer {bearer}"));
    alert.body["alerts"][0]["generatorURL"] = json!(format!("http://prometheus.example/?password={password}"));
    alert.body["groupKey"] = json!(format!("{{}}:{{alertname=\"HighErrorRate\", key=\"{key}\"}}"));
    bot.deliver(&alert)?;
    let line = format!("ERROR login failed: password={password} key={key} Authorization: Bearer {bearer}");
    bot.deliver(&Sent::lines(&format!("{line}\nWARN second line of quartzlog\n")).asking("service", "login"))?;
    bot.deliver(&Sent::json("generic", json!({ "title": line, "message": line, "group": line, "fingerprint": line })))?;
    let told = everything_told(&bot)?;
    assert!(told.contains("login failed"), "{told}");
    for secret in secrets {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    let folder = bot.data_dir();
    let check = |when: &str| -> Result<(), Failure> {
        assert!(!found_below(&folder, "quartzlog")?.is_empty(), "what is kept can be found");
        for secret in secrets {
            assert_eq!(found_below(&folder, secret)?, Vec::<String>::new(), "{secret} {when}");
        }
        Ok(())
    };
    let mut bot = bot;
    check("while it runs")?;
    bot.stop()?;
    check("after it stopped")
}

#[test]
fn an_unknown_format_gets_the_list_of_the_known_ones() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let answer = bot.post_json("/webhooks/nagios", &json!({}))?;
    assert_eq!((answer.status, answer.content_type.as_str()), (404, "application/problem+json"));
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("nagios") && FORMATS.iter().all(|format| detail.contains(format)), "{detail}");
    Ok(())
}

#[test]
fn what_is_no_alert_is_refused_with_what_to_do() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_WEBHOOKS_BODY_LIMIT_BYTES", "2000")])?;
    for format in FORMATS.iter().filter(|format| **format != "text") {
        let address = format!("/webhooks/{format}");
        for (body, said) in [("{\"broken", "is not JSON"), ("[]", ""), ("\"word\"", "")] {
            let answer = bot.post(&address, "application/json", body.as_bytes())?;
            if answer.status == 202 {
                assert_eq!((*format, body, answer.json()["accepted"].as_u64()), ("generic", "[]", Some(0)));
                continue;
            }
            let problem = answer.json();
            assert_eq!((answer.status, problem["field"].as_str()), (422, Some("body")), "{format} {body}: {problem}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(said) && detail.len() > 40, "{format} {body}: {detail}");
        }
    }
    for format in FORMATS {
        let answer = bot.post(&format!("/webhooks/{format}"), "application/json", &[b'x'; 2001])?;
        let problem = answer.json();
        assert_eq!((answer.status, problem["limit"].as_u64()), (413, Some(2000)), "{format}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("webhooks.body_limit_bytes"), "{problem}");
    }
    assert_eq!(bot.incidents()?, Vec::<Value>::new());
    Ok(())
}

#[test]
fn a_sender_with_a_token_gets_in_by_header_password_or_address_and_nobody_else() -> Result<(), Failure> {
    let names: Vec<String> = FORMATS.iter().map(|format| format!("CLEW_{}_TOKEN", format.to_uppercase())).collect();
    let (amazon, _, _) = sns(0)?;
    let address = format!("http://{}", amazon.address());
    let mut environment: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "t0ken")).collect();
    environment.push(("CLEW_SNS_ADDRESS", &address));
    let bot = Bot::start(CLEW, &environment)?;
    for Told { fires, .. } in one_of_each()? {
        let format = &fires.format;
        // user:t0ken and user:wrong
        for (more, headers, status) in [
            ("", vec![("authorization", "Bearer t0ken")], 202),
            ("", vec![("authorization", "Basic dXNlcjp0MGtlbg==")], 202),
            ("/t0ken", vec![], 202),
            ("", vec![], 401),
            ("", vec![("authorization", "Bearer wrong")], 401),
            ("", vec![("authorization", "Basic dXNlcjp3cm9uZw==")], 401),
            ("", vec![("authorization", "t0ken")], 401),
            ("/wrong", vec![], 401),
            ("/", vec![], 404),
        ] {
            let answer = bot.deliver_to(more, &fires, &headers)?;
            assert_eq!(answer.status, status, "{format} {more} {headers:?}: {}", answer.text);
            let names_the_token = answer.json()["detail"].to_string().contains(&format!("{format}.token"));
            assert_eq!(names_the_token, status == 401, "{}", answer.text);
            assert!(!answer.text.contains("t0ken"), "{}", answer.text);
        }
    }
    Ok(())
}

#[test]
fn a_sender_that_signs_is_believed_only_when_the_signature_fits() -> Result<(), Failure> {
    let environment =
        ["GRAFANA", "PAGERDUTY", "SENTRY", "GENERIC"].map(|name| (format!("CLEW_{name}_SECRET"), "s3cret"));
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let bot = Bot::start(CLEW, &environment)?;
    for (name, header, prefix) in [
        ("grafana/firing_two", "x-grafana-alerting-signature", ""),
        ("pagerduty/triggered", "x-pagerduty-signature", "v1="),
        ("sentry/issue_created", "sentry-hook-signature", ""),
        ("generic/unmapped", "x-signature-256", "sha256="),
    ] {
        let sent = Sent::fixture(name)?;
        let right = format!("{prefix}{}", hmac("s3cret", &sent.bytes()));
        let other = format!("{prefix}{}", hmac("another", &sent.bytes()));
        for (signature, status) in [(right.as_str(), 202), (&other, 401), ("", 401), ("nonsense", 401)] {
            let answer = bot.deliver_to("", &sent, &[(header, signature)])?;
            assert_eq!(answer.status, status, "{name} {signature}: {}", answer.text);
        }
        let answer = bot.deliver_to("", &sent, &[])?;
        assert_eq!(answer.status, 401, "{name}, not signed: {}", answer.text);
        assert!(answer.json()["detail"].to_string().contains(&format!("{}.secret", sent.format)), "{}", answer.text);
        let mut tampered = sent.clone();
        tampered.body["more"] = json!(1);
        assert_eq!(bot.deliver_to("", &tampered, &[(header, &right)])?.status, 401, "{name}, tampered with");
    }
    Ok(())
}

#[test]
fn the_signature_of_a_generic_sender_stands_in_the_header_that_the_settings_name() -> Result<(), Failure> {
    let defaults = std::fs::read_to_string(repository().join("bot/src/config.default.toml"))?;
    let comment = defaults.lines().find(|line| line.contains("sha256=<hex")).unwrap();
    let header = comment.split_whitespace().find_map(|word| word.strip_suffix(':')).unwrap();
    let bot = Bot::start(CLEW, &[("CLEW_GENERIC_SECRET", "s3cret")])?;
    let sent = Sent::fixture("generic/unmapped")?;
    let signature = format!("sha256={}", hmac("s3cret", &sent.bytes()));
    assert_eq!(bot.deliver_to("", &sent, &[(header, &signature)])?.status, 202, "{header}");
    let bot = Bot::start(CLEW, &[("CLEW_GENERIC_SECRET", "s3cret"), ("CLEW_GENERIC_SIGNATURE_HEADER", "X-Acme")])?;
    assert_eq!(bot.deliver_to("", &sent, &[("x-acme", &signature)])?.status, 202);
    assert_eq!(bot.deliver_to("", &sent, &[(header, &signature)])?.status, 401);
    Ok(())
}

#[test]
fn with_keys_and_no_token_a_sender_sends_a_key() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_API_KEYS", "k3y"), ("CLEW_GRAFANA_TOKEN", "t0ken")])?;
    let sent = Sent::fixture("alertmanager/firing_one")?;
    for (more, headers, status) in [
        ("", vec![], 401),
        ("", vec![("x-api-key", "wrong")], 401),
        ("/wrong", vec![], 401),
        ("", vec![("x-api-key", "k3y")], 202),
        ("", vec![("authorization", "Bearer k3y")], 202),
        ("", vec![("authorization", "Basic Y2xldzprM3k=")], 202),
        ("/k3y", vec![], 202),
    ] {
        let answer = bot.deliver_to(more, &sent, &headers)?;
        assert_eq!(answer.status, status, "{more} {headers:?}: {}", answer.text);
        assert!(!answer.text.contains("k3y"), "{}", answer.text);
    }
    let own_token = Sent::fixture("grafana/firing_two")?;
    assert_eq!(bot.deliver_to("/t0ken", &own_token, &[])?.status, 202);
    assert_eq!(bot.ask_as_stranger("/incidents")?.status, 401, "a token of a sender opens nothing else");
    assert_eq!(
        bot.post_as_stranger("/incidents", "text/plain", b"x", &[("authorization", "Bearer t0ken")])?.status,
        401
    );
    Ok(())
}

#[test]
fn a_message_of_sns_is_believed_with_its_certificate_and_not_when_tampered_with() -> Result<(), Failure> {
    let (amazon, _, asked) = sns(0)?;
    let address = format!("http://{}", amazon.address());
    let bot = Bot::start(CLEW, &[("SNS_URL", &address)])?;
    let alarm = Sent::fixture("sns/alarm_v1")?;
    let mut tampered = alarm.clone();
    tampered.body["Message"] = json!(alarm.body["Message"].as_str().unwrap().replace("api-5xx", "api-6xx"));
    let mut foreign = alarm.clone();
    foreign.body["SigningCertURL"] = json!("https://sns.us-west-2.amazonaws.com.evil.example/x.pem");
    assert_eq!(bot.deliver_to("", &tampered, &[])?.status, 401);
    let refused = bot.deliver_to("", &foreign, &[])?;
    assert!(refused.status == 422 && refused.text.contains("SigningCertURL"), "{}", refused.text);
    assert_eq!(bot.incidents()?, Vec::<Value>::new());
    assert!(bot.deliver(&alarm)?);
    assert_eq!(bot.only_incident()?["title"], "api-5xx");
    assert!(!bot.deliver(&alarm)?);
    assert_eq!(asked.lock().unwrap().len(), 1, "the certificate is fetched once");
    Ok(())
}

#[test]
fn a_certificate_that_cannot_be_fetched_is_no_reason_to_lose_the_message() -> Result<(), Failure> {
    let address = format!("http://{}", std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let bot = Bot::start(CLEW, &[("CLEW_SNS_ADDRESS", &address)])?;
    let answer = bot.deliver_to("", &Sent::fixture("sns/alarm_v1")?, &[])?;
    assert_eq!((answer.status, answer.retry_after.is_empty()), (503, false), "{}", answer.text);
    Ok(())
}

#[test]
fn a_subscription_of_sns_is_confirmed_once_however_often_it_is_delivered() -> Result<(), Failure> {
    let (amazon, confirmed, _) = sns(1)?;
    let address = format!("http://{}", amazon.address());
    let topics = "arn:aws:sns:us-west-2:123456789012:other, arn:aws:sns:us-west-2:123456789012:alarms";
    let bot = Bot::start(CLEW, &[("CLEW_SNS_ADDRESS", &address), ("CLEW_SNS_TOPICS", topics)])?;
    let subscription = Sent::fixture("sns/subscription_confirmation")?;
    assert!(bot.deliver(&subscription)?);
    assert!(!bot.deliver(&subscription)?);
    until("the subscription is confirmed", || Ok((confirmed.load(Ordering::SeqCst) > 0).then_some(())))?;
    assert!(!bot.deliver(&subscription)?);
    assert_eq!(bot.incidents()?, Vec::<Value>::new(), "it is no alert");
    assert_eq!(confirmed.load(Ordering::SeqCst), 1);
    let elsewhere = Bot::start(CLEW, &[("CLEW_SNS_ADDRESS", &address), ("CLEW_SNS_TOPICS", "arn:x")])?;
    let refused = elsewhere.deliver_to("", &subscription, &[])?;
    assert!(refused.status == 422 && refused.text.contains("sns.topics"), "{}", refused.text);
    Ok(())
}

#[test]
fn somebody_maps_the_json_of_a_sender_that_nobody_knows() -> Result<(), Failure> {
    let bot = Bot::start(
        CLEW,
        &[
            ("CLEW_GENERIC_ALERTS", "items"),
            ("CLEW_GENERIC_TITLE", "event.headline"),
            ("CLEW_GENERIC_FINGERPRINT", "event.headline, event.host"),
            ("CLEW_GENERIC_SEVERITY", "lvl"),
            ("CLEW_GENERIC_STATUS", "ok"),
            ("CLEW_GENERIC_RESOLVED", "yes, done"),
            ("CLEW_GENERIC_SERVICE", "event.host"),
            ("CLEW_GENERIC_LOGS", "trace"),
            ("CLEW_GENERIC_DELIVERY_KEY", "meta.id"),
            ("CLEW_GENERIC_GROUP", "event.headline"),
        ],
    )?;
    let sent = Sent::fixture("generic/mapped_list")?;
    assert!(bot.deliver(&sent)?);
    let incident = bot.only_incident()?;
    assert_eq!((incident["title"].as_str(), incident["severity"].as_str()), (Some("Disk full"), Some("critical")));
    assert_eq!((incident["service"].as_str(), incident["rests_on"].as_str()), (Some("db-1"), Some("logs")));
    assert_eq!((counters(&incident), incident["state"].as_str()), ([2, 1, 2], Some("open")), "{incident:#}");
    assert!(!bot.deliver(&sent)?, "meta.id tells a repeated delivery");
    let untitled = bot.post_json("/webhooks/generic", &json!({ "items": [{ "what": "disk full" }] }))?;
    assert_eq!(untitled.status, 422);
    let detail = untitled.json()["detail"].to_string();
    assert!(detail.contains("generic.title") && detail.contains("`what`"), "{detail}");
    Ok(())
}

#[test]
fn somebody_sends_lines_with_curl() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let lines = "\
2024-05-01 10:02:12.001 UTC [913] app@shop PANIC:  could not write to file \"pg_wal/xlogtemp.913\": No space left on device
2024-05-01 10:02:12.950 UTC [1] LOG:  server process (PID 913) was terminated by signal 6: Aborted
";
    // What `curl --data-binary @- 'http://…/webhooks/text?service=shop&severity=P1&title=…'` sends.
    let sent = Sent::lines(lines)
        .asking("service", "shop")
        .asking("severity", "P1")
        .asking("title", "Orders are stuck & waiting");
    assert!(bot.deliver(&sent)?);
    let incident = bot.only_incident()?;
    assert_eq!(
        (incident["title"].as_str(), incident["service"].as_str()),
        (Some("Orders are stuck & waiting"), Some("shop"))
    );
    assert_eq!(
        (incident["severity"].as_str(), incident["root_cause_id"].as_str()),
        (Some("critical"), Some("disk_full"))
    );
    assert_eq!(incident["rests_on"], "logs");
    let verdict = bot.get("/incidents/1")?.json()["verdict"].clone();
    assert!(verdict["evidence"].to_string().contains("No space left on device"), "{verdict:#}");
    let labels: BTreeMap<String, Value> = serde_json::from_value(incident["labels"].clone())?;
    assert!(labels.is_empty(), "{labels:?}");
    bot.deliver(&sent.asking("status", "ok"))?;
    assert_eq!(bot.only_incident()?["state"], "resolved");
    Ok(())
}
