//! Nothing that is sent breaks a format or gets past the limits.

use proptest::prelude::*;

use super::*;

#[test]
fn fields_of_other_types_cost_nothing_else() {
    let body = json!({"alerts": [
        {"status": 7, "labels": ["a"], "annotations": "none", "startsAt": {}, "endsAt": null, "fingerprint": []},
        null,
        {"labels": {"alertname": "Real", "n": 1, "deep": {"x": []}}, "generatorURL": 5},
    ], "truncatedAlerts": "many", "groupKey": null, "receiver": {}, "status": []});
    for format in ["alertmanager", "grafana"] {
        let delivery = Sent::new(&body).parse(format).unwrap();
        assert_eq!(delivery.alerts.len(), 2);
        assert_eq!(delivery.alerts[1].title, "Real");
        assert_eq!((delivery.omitted, &delivery.alerts[1].group), (0, &None));
    }
}

fn bodies() -> Vec<Value> {
    FORMATS
        .iter()
        .flat_map(|format| fixtures(format.name()))
        .filter_map(|(_, sent)| serde_json::from_slice(&sent.body).ok())
        .collect()
}

/// Anything that can stand in a JSON.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!("$ID")),
        Just(json!("é".repeat(2_000))),
        Just(json!("\u{0}\r\n[Triggered] ] [ x[ var='")),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{0,6}", inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// Puts `with` in the place of the value number `at`, counted through the whole tree.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, with)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, at, with)),
        _ => {}
    }
}

fn assert_is_bounded(delivery: &Delivery) {
    assert!(delivery.alerts.len() <= limits::ALERTS);
    for alert in &delivery.alerts {
        assert!(!alert.title.is_empty() && alert.title.chars().count() <= limits::TITLE_CHARS);
        assert!(!alert.title.contains(char::is_control));
        assert!(alert.text.len() <= limits::TEXT_BYTES && alert.logs.len() <= limits::LOG_LINES);
        assert!(alert.labels.len() <= limits::LABELS && alert.values.len() <= limits::LABELS);
        assert!(alert.labels.values().all(|value| value.chars().count() <= limits::LABEL_CHARS));
        assert!(alert.fingerprint.len() == 16 && alert.fingerprint.bytes().all(|b| b.is_ascii_hexdigit()));
    }
}

fn ask_everything(sent: &Sent) {
    for format in FORMATS {
        sent.with(|request| {
            if let Ok(delivery) = format.parse(request) {
                assert_is_bounded(&delivery);
            }
            let _ = format.certificate(request);
            assert_ne!(format.is_signed(request, b"secret", 0), Some(true));
        });
    }
}

proptest! {
    #[test]
    fn no_bytes_break_a_format(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        ask_everything(&Sent { body, ..Sent::default() });
    }

    #[test]
    fn no_json_breaks_a_format(body in anything(), setting in ".{0,20}", header in ".{0,20}") {
        let mut sent = Sent::new(&body);
        for name in ["alerts", "title", "labels", "fingerprint", "topics", "timestamp_header"] {
            sent.settings.insert(name.to_owned(), setting.clone());
        }
        for name in ["sentry-hook-resource", "x-pagerduty-signature", "x-grafana-alerting-signature"] {
            sent.headers.insert(name.to_owned(), header.clone());
        }
        ask_everything(&sent);
    }

    #[test]
    fn no_changed_payload_breaks_a_format(which in any::<prop::sample::Index>(), at in 0_usize..80, with in anything()) {
        let bodies = bodies();
        let mut body = bodies[which.index(bodies.len())].clone();
        replace(&mut body, &mut at.clone(), &with);
        ask_everything(&Sent::new(&body));
    }

    #[test]
    fn the_order_of_labels_does_not_matter(
        labels in proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..8),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut shuffled: Vec<_> = labels.clone().into_iter().collect();
        if !shuffled.is_empty() {
            let by = seed.index(shuffled.len());
            shuffled.rotate_left(by);
            shuffled.reverse();
        }
        prop_assert_eq!(fingerprint(&shuffled.into_iter().collect()), fingerprint(&labels));
        let mut more = labels.clone();
        more.insert("one more label".to_owned(), String::new());
        prop_assert_ne!(fingerprint(&more), fingerprint(&labels));
    }
}
