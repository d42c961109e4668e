//! Alarms of Amazon `CloudWatch`, as it publishes them to SNS itself and as `EventBridge` passes them on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{alert, find, fingerprint_of_id, list, pairs, plain, service, severity, text, time_at};
use super::{Alert, AlertStatus};

/// Dimensions that name what an alarm is about, where no label names a service.
const SERVICE_DIMENSIONS: &[&str] = &[
    "ServiceName",
    "Service",
    "FunctionName",
    "ApiName",
    "QueueName",
    "TableName",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "CacheClusterId",
];

/// The alarm in a message; `None` when it is something else.
pub(super) fn alarm(told: &Value) -> Option<Alert> {
    published(told).or_else(|| passed_on(told))
}

/// The form of an alarm's own SNS action.
fn published(told: &Value) -> Option<Alert> {
    let name = text(told, &["AlarmName"])?;
    let status = status(&text(told, &["NewStateValue"])?)?;
    let trigger = find(told, "Trigger").unwrap_or(&Value::Null);
    let mut labels = find(trigger, "Dimensions").map(pairs).unwrap_or_default();
    for metric in list(trigger, "Metrics") {
        labels.extend(find(metric, "MetricStat.Metric.Dimensions").map(pairs).unwrap_or_default());
    }
    let metric = |field: &str| {
        text(trigger, &[field]).or_else(|| {
            list(trigger, "Metrics").iter().find_map(|one| text(one, &[&format!("MetricStat.Metric.{field}")]))
        })
    };
    label(&mut labels, "account", text(told, &["AWSAccountId"]));
    label(&mut labels, "region", region(told).or_else(|| text(told, &["Region"])));
    label(&mut labels, "namespace", metric("Namespace"));
    label(&mut labels, "metric", metric("MetricName"));
    let values = [
        ("threshold", text(trigger, &["Threshold"])),
        ("comparison", text(trigger, &["ComparisonOperator"])),
        ("statistic", text(trigger, &["Statistic", "ExtendedStatistic"])),
        ("period", text(trigger, &["Period"])),
    ];
    Some(finish(
        Alert {
            status,
            text: join([text(told, &["AlarmDescription"]), text(told, &["NewStateReason"])]),
            labels,
            values: values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            ..alert("sns", &name)
        },
        &text(told, &["AlarmArn"]).unwrap_or(name),
        time_at(told, &["StateChangeTime"]),
    ))
}

/// The form of an `EventBridge` rule.
fn passed_on(told: &Value) -> Option<Alert> {
    if text(told, &["detail-type"])? != "CloudWatch Alarm State Change" {
        return None;
    }
    let name = text(told, &["detail.alarmName"])?;
    let status = status(&text(told, &["detail.state.value"])?)?;
    let metrics = list(told, "detail.configuration.metrics");
    let mut labels = BTreeMap::new();
    for metric in metrics {
        labels.extend(find(metric, "metricStat.metric.dimensions").map(pairs).unwrap_or_default());
    }
    let metric = |path: &str| metrics.iter().find_map(|one| text(one, &[path]));
    label(&mut labels, "account", text(told, &["account"]));
    label(&mut labels, "region", text(told, &["region"]));
    label(&mut labels, "namespace", metric("metricStat.metric.namespace"));
    label(&mut labels, "metric", metric("metricStat.metric.name"));
    Some(finish(
        Alert {
            status,
            text: join([text(told, &["detail.configuration.description"]), text(told, &["detail.state.reason"])]),
            labels,
            values: reason_data(told),
            ..alert("sns", &name)
        },
        &text(told, &["resources.0"]).unwrap_or(name),
        time_at(told, &["detail.state.timestamp", "time"]),
    ))
}

fn finish(mut alarm: Alert, id: &str, changed: Option<String>) -> Alert {
    alarm.fingerprint = fingerprint_of_id("sns", id);
    alarm.service =
        service(&alarm.labels).or_else(|| SERVICE_DIMENSIONS.iter().find_map(|name| alarm.labels.get(*name)).cloned());
    alarm.severity = severity(&alarm.labels);
    if alarm.status == AlertStatus::Resolved {
        alarm.ends_at = changed;
    } else {
        alarm.starts_at = changed;
    }
    alarm
}

/// Too little data goes on, too: whoever has it notified wants to know.
fn status(state: &str) -> Option<AlertStatus> {
    match state {
        "ALARM" | "INSUFFICIENT_DATA" => Some(AlertStatus::Firing),
        "OK" => Some(AlertStatus::Resolved),
        _ => None,
    }
}

/// The region is written out (`EU (Ireland)`) everywhere but in the alarm's name.
fn region(told: &Value) -> Option<String> {
    text(told, &["AlarmArn"])?.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
}

fn label(labels: &mut BTreeMap<String, String>, name: &str, value: Option<String>) {
    labels.extend(value.map(|value| (name.to_owned(), value)));
}

fn join(texts: [Option<String>; 2]) -> String {
    texts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Figures that the state was decided by; a JSON in a text.
fn reason_data(told: &Value) -> BTreeMap<String, String> {
    let data = text(told, &["detail.state.reasonData"]).and_then(|data| serde_json::from_str::<Value>(&data).ok());
    let Some(data) = data else { return BTreeMap::new() };
    let points = |field: &str| {
        let points: Vec<String> = list(&data, field).iter().filter_map(plain).collect();
        (!points.is_empty()).then(|| points.join(", "))
    };
    [
        ("threshold", text(&data, &["threshold"])),
        ("statistic", text(&data, &["statistic"])),
        ("period", text(&data, &["period"])),
        ("datapoints", points("recentDatapoints")),
        ("lower thresholds", points("recentLowerThresholds")),
        ("upper thresholds", points("recentUpperThresholds")),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}
