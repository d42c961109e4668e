use clew_tests::{Bot, Failure};
use serde_json::{Value, json};

use crate::{CLEW, FULL_DISK, HEALTHY};

fn lines(text: &str) -> Value {
    json!({ "logs": text.lines().collect::<Vec<_>>() })
}

#[test]
fn another_system_asks_every_route_and_gets_the_documented_shapes() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let triage = bot.post_json("/triage", &lines(FULL_DISK))?.json();
    for field in [
        "anomalies",
        "root_cause",
        "root_cause_id",
        "confidence",
        "candidates",
        "evidence",
        "similar_incidents",
        "recommended_actions",
        "code_related",
        "redactions",
        "timings_ms",
        "replay_id",
    ] {
        assert!(!triage[field].is_null(), "{field} in {triage}");
    }
    assert_eq!(triage["root_cause"], "Disk full");
    assert!(!triage.to_string().contains("hunter2"));
    let hit = &triage["similar_incidents"][0];
    assert!(hit["id"].as_str().unwrap().contains("postgresql") && hit["score"].as_f64().unwrap() <= 1.0, "{hit}");

    let analysis = bot.post_json("/analyze", &lines(FULL_DISK))?.json();
    assert_eq!(analysis["count"].as_u64(), analysis["anomalies"].as_array().map(|a| a.len() as u64));
    assert!(
        analysis["events"][0]["reasons"][0].is_string() && analysis["templates"][0]["count"].is_u64(),
        "{analysis}"
    );

    let prediction = bot.post_json("/predict", &lines(FULL_DISK))?.json();
    assert_eq!(prediction["id"], "disk_full");
    assert_eq!(prediction["candidates"].as_array().map(Vec::len), Some(23));

    let hits = bot.post_json("/search", &json!({ "query": "postgres disk full", "top_k": 2 }))?.json();
    assert_eq!(hits.as_array().map(Vec::len), Some(2), "{hits}");
    let nothing = bot.post_json("/search", &json!({ "query": "zebra ballet" }))?.json();
    assert_eq!(nothing, json!([]), "what fits nothing gets nothing");

    let advice = bot.post_json("/recommend", &json!({ "root_cause": "Disk full" }))?.json();
    assert_eq!(advice["action"], advice["recommended_actions"][0]["action"]);
    assert!(advice["recommended_actions"][0]["source"].is_string());
    Ok(())
}

#[test]
fn plain_text_is_taken_as_it_is_and_a_healthy_log_is_unknown() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let verdict = bot.post("/triage", "text/plain", HEALTHY.as_bytes())?.json();
    assert_eq!(verdict["root_cause_id"], "unknown", "{verdict}");
    assert_eq!(verdict["recommended_actions"], json!([]));
    Ok(())
}

#[test]
fn advice_is_for_the_technology_in_the_log() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let log = "ERROR 1040 (HY000): Too many connections\n[Warning] mysqld: Host 'app' connection refused, max_connections reached";
    let verdict = bot.post("/triage", "text/plain", log.as_bytes())?.json();
    let sources: Vec<String> =
        verdict["recommended_actions"].as_array().unwrap().iter().map(|a| a["source"].to_string()).collect();
    assert!(sources.first().is_some_and(|source| source.contains("mysql")), "{sources:?}");
    assert!(sources.iter().all(|source| !source.contains("postgresql")), "{sources:?}");
    Ok(())
}

#[test]
fn bad_input_gets_a_problem_document_that_names_the_field_and_the_limit() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[("CLEW_HTTP_MAX_LINES", "3"), ("CLEW_HTTP_BODY_LIMIT_BYTES", "2000")])?;
    for (path, body, status, field) in [
        ("/triage", json!({}), 422, "logs"),
        ("/triage", json!({ "logs": [] }), 422, "logs"),
        ("/triage", json!({ "logs": 5 }), 422, "logs"),
        ("/analyze", json!({ "logs": ["a", 5] }), 422, "logs"),
        ("/triage", json!({ "logs": ["a"], "title": 5 }), 422, "title"),
        ("/triage", json!({ "logs": ["a"], "labels": { "a": 1 } }), 422, "labels"),
        ("/triage", json!({ "logs": ["a", "b", "c", "d"] }), 413, "logs"),
        ("/predict", json!({ "logs": ["x".repeat(3000)] }), 413, "body"),
        ("/search", json!({}), 422, "query"),
        ("/search", json!({ "query": "x", "top_k": 0 }), 422, "top_k"),
        ("/recommend", json!({}), 422, "root_cause"),
    ] {
        let answer = bot.post_json(path, &body)?;
        assert_eq!(
            (answer.status, answer.json()["field"].as_str()),
            (status, Some(field)),
            "{path} {body}: {}",
            answer.text
        );
        assert_eq!(answer.content_type, "application/problem+json");
        assert_eq!(answer.json()["limit"].is_u64(), status == 413, "{}", answer.text);
    }
    assert_eq!(bot.post("/triage", "application/json", b"{nonsense")?.status, 400);
    assert_eq!(bot.post("/triage", "text/plain", b"\x1f\x8b\x08 gzip")?.status, 422);
    assert_eq!(bot.get("/nowhere")?.status, 404);
    assert_eq!(bot.get("/predict")?.status, 405);
    Ok(())
}

#[test]
fn the_description_names_every_route_that_answers() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    let document = bot.get("/openapi.json")?.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let in_braces = |part: &str| if part.starts_with('{') { "0".to_owned() } else { part.to_owned() };
            let path = path.split('/').map(in_braces).collect::<Vec<_>>().join("/");
            let answer = if method == "get" { bot.get(&path)? } else { bot.post_json(&path, &json!({}))? };
            assert!(!matches!(answer.status, 405 | 500..), "{method} {path}: {}", answer.text);
            assert!(!answer.text.contains("there is nothing under this address"), "{method} {path}");
        }
    }
    assert!(bot.get("/docs")?.text.contains("/recommend"));
    let routes = std::fs::read_to_string(clew_tests::repository().join("bot/src/http/mod.rs"))?;
    for line in routes.split(".route(\"").skip(1) {
        let route = line.split('"').next().unwrap_or_default();
        let is_page = line.contains("console::") || line.contains("openapi::");
        assert!(is_page || document["paths"][route].is_object(), "{route} is served and not described");
    }
    Ok(())
}

#[test]
fn health_readiness_and_figures_are_told() -> Result<(), Failure> {
    let bot = Bot::start(CLEW, &[])?;
    bot.post_json("/triage", &lines(FULL_DISK))?;
    bot.post_json("/search", &json!({}))?;
    assert_eq!(bot.get("/health")?.json()["status"], "ok");
    assert_eq!(bot.get("/ready")?.json()["status"], "ready");
    let metrics = bot.get("/metrics")?.text;
    for line in [
        "clew_requests_total{endpoint=\"/triage\",status=\"200\"} 1",
        "clew_errors_total{endpoint=\"/search\"} 1",
        "clew_predictions_total{root_cause=\"disk_full\"} 1",
        "clew_triage_seconds_count{stage=\"total\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    Ok(())
}
