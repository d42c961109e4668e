//! Own log and metrics.

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Starts the log on standard error. A second call changes nothing.
pub fn start_log(log: &Log) {
    let mut filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    for part in clew_adapters::NOT_LOGGED {
        match format!("{part}=off").parse() {
            Ok(directive) => filter = filter.add_directive(directive),
            Err(error) => eprintln!("{part} would be logged: {error}"),
        }
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if log.format == "json" { builder.json().try_init() } else { builder.try_init() };
    if started.is_err() {
        tracing::debug!("the log was started already");
    }
}

/// All metrics, under the names in docs/metrics.md.
pub struct Metrics {
    registry: Registry,
    /// Requests by endpoint and status.
    pub requests: IntCounterVec,
    /// Requests that ended in a status of 400 or more, by endpoint.
    pub errors: IntCounterVec,
    /// Anomalous templates found.
    pub anomalies: IntCounter,
    /// Verdicts by root cause.
    pub predictions: IntCounterVec,
    /// Searches of the knowledge.
    pub searches: IntCounter,
    /// Recommendations asked for.
    pub recommendations: IntCounter,
    /// Seconds by stage of the pipeline.
    pub triage_seconds: HistogramVec,
    /// Deliveries of alerts by format and outcome.
    pub deliveries: IntCounterVec,
    /// Alerts accepted, by format.
    pub alerts: IntCounterVec,
    /// Seconds from a delivery to its answer, by format.
    pub intake_seconds: HistogramVec,
    /// Verdicts that people corrected, by what was named and what it was.
    pub feedback: IntCounterVec,
    /// Tickets by tracker and what became of the wish for one.
    pub tickets: IntCounterVec,
    /// Jobs that wait or run, by kind.
    pub jobs_waiting: IntGaugeVec,
    /// Age of the oldest job of each kind, in seconds.
    pub jobs_oldest: IntGaugeVec,
    /// Dead letters.
    pub dead_letters: IntGauge,
}

impl Metrics {
    /// Makes and registers all metrics.
    ///
    /// # Errors
    /// When a name is registered twice, which a test rules out.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let buckets = vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let seconds =
            HistogramOpts::new("clew_triage_seconds", "Seconds that a stage of a triage took").buckets(buckets);
        let triage_seconds = HistogramVec::new(seconds, &["stage"])?;
        registry.register(Box::new(triage_seconds.clone()))?;
        let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
        let seconds = HistogramOpts::new("clew_intake_seconds", "Seconds from a delivery to its answer");
        let intake_seconds = HistogramVec::new(seconds.buckets(buckets), &["format"])?;
        registry.register(Box::new(intake_seconds.clone()))?;
        let gauges = |name: &str, help: &str| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["kind"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let dead_letters = IntGauge::new("clew_dead_letters", "Jobs that were given up")?;
        registry.register(Box::new(dead_letters.clone()))?;
        let metrics = Self {
            requests: counters("clew_requests_total", "HTTP requests", &["endpoint", "status"])?,
            errors: counters("clew_errors_total", "HTTP requests answered with 400 or above", &["endpoint"])?,
            anomalies: counter("clew_anomalies_total", "Anomalous templates found")?,
            predictions: counters("clew_predictions_total", "Verdicts by root cause", &["root_cause"])?,
            searches: counter("clew_searches_total", "Searches of the knowledge")?,
            recommendations: counter("clew_recommendations_total", "Recommendations asked for")?,
            triage_seconds,
            tickets: counters("clew_tickets_total", "Tickets that were wanted", &["tracker", "outcome"])?,
            deliveries: counters("clew_deliveries_total", "Deliveries of alerts", &["format", "outcome"])?,
            alerts: counters("clew_alerts_total", "Alerts accepted", &["format"])?,
            intake_seconds,
            feedback: counters("clew_feedback_total", "Verdicts that people corrected", &["named", "right"])?,
            jobs_waiting: gauges("clew_jobs_waiting", "Jobs that wait or run")?,
            jobs_oldest: gauges("clew_jobs_oldest_seconds", "Age of the oldest job")?,
            dead_letters,
            registry,
        };
        #[cfg(target_os = "linux")]
        metrics.registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// The metrics in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut out = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_metric_can_be_registered_and_printed() {
        let metrics = super::Metrics::new().unwrap_or_else(|e| panic!("{e}"));
        metrics.requests.with_label_values(&["/triage", "200"]).inc();
        let text = metrics.text().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        assert!(text.contains("clew_requests_total{endpoint=\"/triage\",status=\"200\"} 1"), "{text}");
    }
}
