//! Signatures, certificates and the addresses that messages of SNS name.

use super::*;
use crate::signature::tests::sign;

#[test]
fn a_topic_that_is_not_listed_is_refused() {
    let sent = fixture("sns", "alarm_v1").setting("topics", "arn:aws:sns:us-west-2:123456789012:other");
    assert!(sent.parse("sns").unwrap_err().to_string().contains("sns.topics"));
}

#[test]
fn a_foreign_address_is_neither_confirmed_nor_asked_for_a_certificate() {
    let sent = fixture("sns", "subscription_confirmation");
    let mut body: Value = serde_json::from_slice(&sent.body).unwrap();
    body["SubscribeURL"] = json!("https://evil.example/?Action=ConfirmSubscription");
    assert!(Sent::new(&body).parse("sns").is_err());
    body["SigningCertURL"] = json!("https://evil.example/sns.us-west-2.amazonaws.com.pem");
    let asked = |sent: &Sent| sent.with(|request| format("sns").unwrap().certificate(request));
    assert!(asked(&Sent::new(&body)).is_err());
    assert!(asked(&sent).unwrap().unwrap().starts_with("https://sns.us-west-2.amazonaws.com/"));
}

/// A day on which the certificates are valid, 1 January 2027.
const VALID: i64 = 1_798_761_600;

#[test]
fn messages_of_sns_are_signed() {
    let [certificate, another] =
        ["certificate.pem", "another-certificate.pem"].map(|name| fs::read(folder("sns").join(name)).unwrap());
    let signed = |sent: &Sent, pem: &[u8], now: i64| sent.is_signed("sns", pem, now).unwrap();
    for (name, sent) in fixtures("sns") {
        assert!(signed(&sent, &certificate, VALID), "{name}");
        assert!(!signed(&sent, &another, VALID), "{name}: of another key");
        assert!(!signed(&sent, &certificate, 1_577_836_800), "{name}: before the certificate is valid");
        assert!(!signed(&sent, &certificate, 2_208_988_800), "{name}: after it was");
        assert!(!signed(&sent, b"no certificate", VALID) && !signed(&sent, b"", VALID), "{name}");
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        for field in ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", "Token", "SubscribeURL"] {
            let is_signed = body.get(field).is_some();
            let mut changed = body.clone();
            changed[field] = json!(format!("{}x", body[field].as_str().unwrap_or_default()));
            if is_signed
                || field == "Subject" && name != "subscription_confirmation" && name != "unsubscribe_confirmation"
            {
                assert!(!signed(&Sent::new(&changed), &certificate, VALID), "{name}: {field} was changed");
            }
        }
        for version in [json!("3"), json!(null), json!(if body["SignatureVersion"] == "1" { "2" } else { "1" })] {
            let mut changed = body.clone();
            changed["SignatureVersion"] = version;
            assert!(!signed(&Sent::new(&changed), &certificate, VALID), "{name}");
        }
        let mut unsigned = body.clone();
        unsigned.as_object_mut().unwrap().remove("Signature");
        assert!(!signed(&Sent::new(&unsigned), &certificate, VALID), "{name}");
    }
}

#[test]
fn signatures_of_the_other_formats() {
    let sent = Sent { body: b"{\"a\":1}".to_vec(), ..Sent::default() };
    let [new, old] = [b"new secret", b"old secret"].map(|secret| sign(secret, &sent.body));
    let off = format!("{}{}", if new.starts_with('0') { '1' } else { '0' }, &new[1..]);
    let cases: &[(&str, &str, String, String)] = &[
        ("grafana", "x-grafana-alerting-signature", new.clone(), off.clone()),
        ("sentry", "sentry-hook-signature", new.clone(), off.clone()),
        ("pagerduty", "x-pagerduty-signature", format!("v1={new}"), format!("v1={off}")),
        ("pagerduty", "x-pagerduty-signature", format!("v1={old},v1={new}"), format!("v1={old}, v1={off}")),
        ("generic", "x-signature-256", format!("sha256={new}"), format!("sha256={off}")),
        ("generic", "x-signature", new.clone(), off.clone()),
    ];
    for (name, header, right, wrong) in cases {
        assert_eq!(sent.clone().header(header, right).is_signed(name, b"new secret", 0), Some(true), "{name}");
        assert_eq!(sent.clone().header(header, wrong).is_signed(name, b"new secret", 0), Some(false), "{name}");
        assert_eq!(sent.clone().header(header, right).is_signed(name, b"", 0), Some(false), "{name}");
        assert_eq!(sent.clone().header(header, right).is_signed(name, b"a guess", 0), Some(false), "{name}");
        assert_eq!(sent.is_signed(name, b"new secret", 0), Some(false), "{name}: no signature");
        let other = Sent { body: b"{\"a\":2}".to_vec(), ..sent.clone() };
        assert_eq!(other.header(header, right).is_signed(name, b"new secret", 0), Some(false), "{name}");
    }
    let rotated = sent.clone().header("x-pagerduty-signature", &format!("v1={old},v1={new}"));
    assert_eq!(rotated.is_signed("pagerduty", b"old secret", 0), Some(true));
    let custom = sent.clone().setting("signature_header", "X-Mine").header("x-mine", &new);
    assert_eq!(custom.is_signed("generic", b"new secret", 0), Some(true));
    for name in ["alertmanager", "datadog", "opsgenie", "text"] {
        assert_eq!(sent.is_signed(name, b"new secret", 0), None, "{name}");
    }
}

#[test]
fn grafana_signs_the_time_if_it_is_told_to() {
    let sent = Sent { body: b"{}".to_vec(), ..Sent::default() };
    let with_time = sent
        .clone()
        .header("x-grafana-alerting-signature", &sign(b"s", b"1000:{}"))
        .header("x-grafana-alerting-timestamp", "1000");
    assert_eq!(with_time.is_signed("grafana", b"s", 1_100), Some(true));
    assert_eq!(with_time.is_signed("grafana", b"s", 1_301), Some(false), "too old");
    assert_eq!(
        with_time.clone().header("x-grafana-alerting-timestamp", "1100").is_signed("grafana", b"s", 1_100),
        Some(false),
        "the time is signed"
    );
    let without = sent.header("x-grafana-alerting-signature", &sign(b"s", b"{}"));
    assert_eq!(without.is_signed("grafana", b"s", 1_100), Some(true));
    let strict = without.setting("timestamp_header", "X-Sent-At");
    assert_eq!(strict.is_signed("grafana", b"s", 1_100), Some(false), "a time is insisted on");
    let named = with_time.setting("timestamp_header", "X-Sent-At").header("x-sent-at", "1000");
    assert_eq!(named.is_signed("grafana", b"s", 1_100), Some(true));
}
