//! The description of the API, and a page to read it. A test compares it with the routes.

use askama::Template;
use axum::Json;
use axum::response::Response;
use serde_json::{Value, json};

/// One operation, for the document and the page.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    /// Example of the request body, empty for none.
    request: &'static str,
    /// What comes back, in words.
    response: &'static str,
    /// Name of the response's schema.
    schema: &'static str,
}

const OPERATIONS: &[Operation] = &[
    Operation {
        method: "post",
        path: "/triage",
        summary: "The whole verdict on a log: root cause, evidence, similar failures, next steps",
        request: r#"{"logs": ["ERROR: could not extend file: No space left on device"], "title": "optional", "service": "optional", "labels": {}}"#,
        response: "The verdict. Also takes text/plain: the lines as they are.",
        schema: "Triage",
    },
    Operation {
        method: "get",
        path: "/triage/{replay_id}",
        summary: "A verdict that was given",
        request: "",
        response: "The verdict as it was given.",
        schema: "Triage",
    },
    Operation {
        method: "post",
        path: "/analyze",
        summary: "Anomalous lines and templates",
        request: r#"{"logs": ["line", "line"]}"#,
        response: "anomalies (the lines), count (of all anomalous lines), events (each of them with score and reasons; at most 10,000 are listed), findings (one for each template, at most 20: what a person reads), templates.",
        schema: "Analysis",
    },
    Operation {
        method: "post",
        path: "/diff",
        summary: "What changed between two logs: new, vanished and rate-shifted templates",
        request: r#"{"before": ["line", "line"], "after": ["line", "line"]}"#,
        response: "new, vanished and shifted, each with counts, factor, p_value (corrected for the number of templates) and an example.",
        schema: "Diff",
    },
    Operation {
        method: "post",
        path: "/predict",
        summary: "The root cause alone",
        request: r#"{"logs": ["line", "line"]}"#,
        response: "root_cause, id, confidence, candidates, evidence, code_related.",
        schema: "Prediction",
    },
    Operation {
        method: "post",
        path: "/search",
        summary: "Knowledge entries for a question",
        request: r#"{"query": "postgres disk full", "top_k": 5, "technology": "postgresql", "kind": "runbook"}"#,
        response: "A list of entries with score, best first; empty when nothing fits.",
        schema: "Hits",
    },
    Operation {
        method: "post",
        path: "/recommend",
        summary: "Next steps for a root cause or a question",
        request: r#"{"root_cause": "disk_full", "query": "optional", "logs": ["optional"]}"#,
        response: "action (the first step) and recommended_actions.",
        schema: "Recommendation",
    },
    Operation {
        method: "get",
        path: "/config",
        summary: "The settings in force, secrets masked",
        request: "",
        response: "All settings.",
        schema: "Object",
    },
    Operation {
        method: "post",
        path: "/config",
        summary: "Change settings",
        request: r#"{"http": {"max_lines": 500000}}"#,
        response: "config (masked) and restart_needed (settings that take effect at the next start).",
        schema: "Object",
    },
    Operation {
        method: "get",
        path: "/health",
        summary: "The process lives",
        request: "",
        response: "status and version.",
        schema: "Object",
    },
    Operation {
        method: "get",
        path: "/ready",
        summary: "Verdicts can be given",
        request: "",
        response: "200 or 503, with what is loaded and what is missing.",
        schema: "Object",
    },
    Operation {
        method: "get",
        path: "/metrics",
        summary: "Figures in Prometheus' text format",
        request: "",
        response: "text/plain.",
        schema: "",
    },
];

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs {
    operations: &'static [Operation],
}

/// `GET /openapi.json`
pub async fn document() -> Json<Value> {
    let mut paths = json!({});
    for operation in OPERATIONS {
        paths[operation.path][operation.method] = describe(operation);
    }
    Json(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Clew",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Finds the root cause in logs. All analysis is local. Errors are RFC 9457 problem documents.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "security": [{}, { "key": [] }, { "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    }))
}

/// `GET /docs`
pub async fn page() -> Response {
    super::console::page(&Docs { operations: OPERATIONS })
}

fn describe(operation: &Operation) -> Value {
    let content = if operation.schema.is_empty() {
        json!({ "text/plain": { "schema": { "type": "string" } } })
    } else {
        json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{}", operation.schema) } } })
    };
    let problem = json!({ "description": "What is wrong, with the field and the limit", "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let mut described = json!({
        "summary": operation.summary,
        "operationId": format!("{}_{}", operation.method, operation.path.trim_matches('/').replace(['/', '{', '}'], "_")),
        "responses": { "200": { "description": operation.response, "content": content }, "default": problem },
    });
    if operation.path.contains('{') {
        described["parameters"] =
            json!([{ "name": "replay_id", "in": "path", "required": true, "schema": { "type": "string" } }]);
    }
    if let Ok(example) = serde_json::from_str::<Value>(operation.request) {
        let mut content = json!({ "application/json": { "schema": { "type": "object" }, "example": example } });
        if operation.request.contains("\"logs\"") && operation.path != "/recommend" {
            content["text/plain"] = json!({ "schema": { "type": "string" } });
            content["application/json"]["schema"] = json!({ "$ref": "#/components/schemas/Logs" });
        }
        described["requestBody"] = json!({ "required": true, "content": content });
    }
    described
}

fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "number" });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let flag = || json!({ "type": "boolean" });
    let list = |of: Value| json!({ "type": "array", "items": of });
    let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let object = |properties: Value| {
        let required: Vec<String> = properties.as_object().map(|p| p.keys().cloned().collect()).unwrap_or_default();
        json!({ "type": "object", "properties": properties, "required": required })
    };
    json!({
        "Object": { "type": "object" },
        "Logs": {
            "type": "object",
            "properties": { "logs": { "oneOf": [list(text()), text()] }, "title": text(), "service": text(), "labels": { "type": "object", "additionalProperties": text() } },
        },
        "Problem": { "type": "object", "properties": { "type": text(), "title": text(), "status": count(), "detail": text(), "field": text(), "limit": {} }, "required": ["title", "status", "detail"] },
        "Candidate": object(json!({ "root_cause": text(), "id": text(), "probability": number() })),
        "Evidence": object(json!({ "line": count(), "text": text(), "words": list(text()), "why": text(), "count": count(), "weight": number() })),
        "Event": object(json!({ "line": count(), "text": text(), "severity": { "type": ["string", "null"] }, "template": text(), "count": count(), "score": number(), "reasons": list(text()) })),
        "Template": object(json!({ "id": count(), "template": text(), "count": count() })),
        "Hit": object(json!({ "id": text(), "summary": text(), "text": text(), "resolution": text(), "score": number(), "kind": { "enum": ["runbook", "incident"] }, "technology": list(text()) })),
        "Hits": list(named("Hit")),
        "Action": object(json!({ "action": text(), "why": text(), "source": text(), "purpose": { "enum": ["confirm", "fix"] }, "risk": { "enum": ["safe", "disruptive", "destructive"] }, "score": number() })),
        "Recommendation": object(json!({ "action": text(), "recommended_actions": list(named("Action")) })),
        "Analysis": object(json!({ "anomalies": list(text()), "count": count(), "events": list(named("Event")), "findings": list(named("Event")), "templates": list(named("Template")) })),
        "Change": object(json!({ "template": text(), "before": count(), "after": count(), "factor": { "type": ["number", "null"] }, "p_value": number(), "significant": flag(), "severity": { "type": ["string", "null"] }, "example": text() })),
        "Diff": object(json!({ "records_before": count(), "records_after": count(), "scale": number(), "new": list(named("Change")), "vanished": list(named("Change")), "shifted": list(named("Change")) })),
        "Prediction": object(json!({ "root_cause": text(), "id": text(), "confidence": number(), "candidates": list(named("Candidate")), "evidence": list(named("Evidence")), "code_related": flag() })),
        "Triage": object(json!({
            "root_cause": text(), "root_cause_id": text(), "confidence": number(), "candidates": list(named("Candidate")),
            "evidence": list(named("Evidence")), "anomalies": list(named("Event")), "similar_incidents": list(named("Hit")),
            "recommended_actions": list(named("Action")), "code_related": flag(), "redactions": { "type": "object", "additionalProperties": count() },
            "technologies": list(text()), "counts": { "type": "object" }, "skipped": list(json!({ "type": "object" })),
            "timings_ms": { "type": "object", "additionalProperties": number() }, "replay_id": text(),
        })),
    })
}
