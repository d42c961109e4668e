//! The description of the API, and a page to read it. A test compares it with the routes.

use askama::Template;
use axum::Json;
use axum::response::Response;
use clew_adapters::alerts::FORMATS;
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
    /// Name of the response's schema; empty for plain text, `Binary` for bytes.
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
        method: "post",
        path: "/webhooks/{format}",
        summary: "A delivery of alerts, as their sender sends it",
        request: r#"{"title": "Disk full on db-1", "status": "firing", "severity": "high", "service": "billing", "labels": {"host": "db-1"}, "logs": ["No space left on device"]}"#,
        response: "202 once it is kept: accepted (alerts in it) and duplicate (it was kept before). The example is one for generic; every format takes what its sender sends, text takes plain text. Needs the sender's token or signature when one is set, else an API key when there are any.",
        schema: "Accepted",
    },
    Operation {
        method: "post",
        path: "/webhooks/{format}/{token}",
        summary: "The same, for senders that can only be given an address",
        request: r#"{"title": "Disk full on db-1", "status": "resolved", "service": "billing", "labels": {"host": "db-1"}}"#,
        response: "As without the token.",
        schema: "Accepted",
    },
    Operation {
        method: "get",
        path: "/incidents",
        summary: "Incidents, the latest first",
        request: "",
        response: "incidents and next (the cursor of the next page; null on the last). Filters: state and severity (several with commas), service, text, since and until (when it began); limit from 1 to 500, 50 without it. A page may hold fewer than limit although there are more.",
        schema: "Incidents",
    },
    Operation {
        method: "post",
        path: "/incidents",
        summary: "Open an incident with logs, or add them to the one with the same failure",
        request: r#"{"logs": ["FATAL: could not extend file: No space left on device"], "title": "optional", "service": "optional", "labels": {}, "severity": "high", "by": "ada"}"#,
        response: "201 with the new incident, 200 with the one that they were added to. Also takes text/plain: the lines as they are.",
        schema: "Incident",
    },
    Operation {
        method: "get",
        path: "/incidents/{id}",
        summary: "One incident with its whole verdict",
        request: "",
        response: "The incident, and verdict: null, or as /triage gives it. id is INC-12 or 12.",
        schema: "WholeIncident",
    },
    Operation {
        method: "get",
        path: "/incidents/{id}/events",
        summary: "The timeline of an incident, oldest first",
        request: "",
        response: "events and next.",
        schema: "Events",
    },
    Operation {
        method: "get",
        path: "/incidents/{id}/alerts",
        summary: "The alerts of an incident, each firing of each",
        request: "",
        response: "alerts and next.",
        schema: "Alerts",
    },
    Operation {
        method: "post",
        path: "/incidents/{id}/{action}",
        summary: "Do something to an incident, as the command of the same name in a chat does",
        request: r#"{"by": "ada", "cause": "the WAL volume was full", "fix": "dropped the abandoned replication slot"}"#,
        response: "The incident as it now is, and already (a sentence) when it was so before. acknowledge, mitigate and reopen need nothing; assign needs owner, severity needs severity, wrong needs root_cause, `logs` needs logs; ticket opens a ticket, and takes tracker; resolve takes cause and fix, of which what is known the next time is made. by, who does it, may be in all of them.",
        schema: "Incident",
    },
    Operation {
        method: "post",
        path: "/incident",
        summary: "Report something that is wrong in the code: opens an incident and a ticket for whoever knows that code",
        request: r#"{"error_summary": "NoneType in the cart", "error_details": "AttributeError: …", "file_path": "shop/cart.py", "line_number": 42}"#,
        response: "The ticket and who has it. 201 when it was opened, 200 when it was open before, 202 when its tracker lets it wait (status pending) or refuses it (trouble says why). Optional: service, severity, tracker, by. The key stands also under <tracker>_issue.",
        schema: "Reported",
    },
    Operation {
        method: "get",
        path: "/jobs",
        summary: "What must still be done, oldest first; with state=dead what was given up",
        request: "",
        response: "jobs (at most 500) and count (of all).",
        schema: "Jobs",
    },
    Operation {
        method: "post",
        path: "/jobs/{id}/{action}",
        summary: "retry or discard a job that was given up",
        request: "",
        response: "id and done (the action).",
        schema: "Object",
    },
    Operation {
        method: "get",
        path: "/backup",
        summary: "Everything that is kept, in one file, as clew restore reads it",
        request: "",
        response: "application/octet-stream.",
        schema: "Binary",
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
    let content = match operation.schema {
        "" => json!({ "text/plain": { "schema": { "type": "string" } } }),
        "Binary" => json!({ "application/octet-stream": {} }),
        name => json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } }),
    };
    let problem = json!({ "description": "What is wrong, with the field and the limit", "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let mut described = json!({
        "summary": operation.summary,
        "operationId": format!("{}_{}", operation.method, operation.path.trim_matches('/').replace(['/', '{', '}'], "_")),
        "responses": { "default": problem },
    });
    for status in statuses(operation) {
        described["responses"][*status] = json!({ "description": operation.response, "content": content });
    }
    let in_path = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": values_of(name) }))
        .collect();
    parameters.extend(
        in_query(operation).iter().map(|name| json!({ "name": name, "in": "query", "schema": values_of(name) })),
    );
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Ok(example) = serde_json::from_str::<Value>(operation.request) {
        let mut content = json!({ "application/json": { "schema": { "type": "object" }, "example": example } });
        if operation.request.contains("\"logs\"") && operation.path != "/recommend" {
            content["text/plain"] = json!({ "schema": { "type": "string" } });
            content["application/json"]["schema"] = json!({ "$ref": "#/components/schemas/Logs" });
        }
        // Each format has its own fields.
        if operation.path.starts_with("/webhooks/") {
            content["application/json"]["schema"] = json!({});
            content["text/plain"] = json!({ "schema": { "type": "string" } });
        }
        // What is done to an incident may need no words.
        let required = !operation.path.ends_with("/{action}");
        described["requestBody"] = json!({ "required": required, "content": content });
    }
    described
}

/// The statuses of its good answers.
fn statuses(operation: &Operation) -> &'static [&'static str] {
    match (operation.method, operation.path) {
        ("post", "/webhooks/{format}" | "/webhooks/{format}/{token}") => &["202"],
        ("post", "/incidents") => &["200", "201"],
        _ => &["200"],
    }
}

/// The parameters that it takes after a question mark.
fn in_query(operation: &Operation) -> &'static [&'static str] {
    match (operation.method, operation.path) {
        ("post", "/webhooks/{format}" | "/webhooks/{format}/{token}") => {
            &["title", "service", "severity", "status", "fingerprint"]
        }
        ("get", "/incidents") => &["state", "severity", "service", "text", "since", "until", "cursor", "limit"],
        ("get", "/incidents/{id}/events" | "/incidents/{id}/alerts") => &["cursor", "limit"],
        ("get", "/jobs") => &["state"],
        _ => &[],
    }
}

/// The schema of a parameter.
fn values_of(name: &str) -> Value {
    match name {
        "format" => {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
            json!({ "type": "string", "enum": names })
        }
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }),
        "since" | "until" => json!({ "type": "string", "format": "date-time" }),
        _ => json!({ "type": "string" }),
    }
}

fn schemas() -> Value {
    let mut schemas = json!({
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
    });
    schemas["Reported"] = object(json!({
        "incident": text(), "ticket": maybe("string"), "tracker": text(), "url": maybe("string"), "assigned_to": maybe("string"),
        "why": maybe("string"), "status": text(), "trouble": maybe("string"),
    }));
    schemas["Ticket"] = object(json!({
        "tracker": text(), "key": maybe("string"), "url": maybe("string"), "status": text(),
        "category": { "enum": ["to_do", "in_progress", "done", null] }, "resolution": maybe("string"),
        "assigned_to": maybe("string"), "why": maybe("string"), "was_there": flag(), "trouble": maybe("object"),
    }));
    schemas["PullRequest"] = object(json!({
        "repository": text(), "number": count(), "title": text(), "url": text(), "author": text(),
        "state": { "enum": ["draft", "open", "closed", "merged"] }, "checks": {},
        "review": { "enum": ["none", "approved", "changes_requested"] }, "fixes": flag(), "reverted_by": maybe("integer"),
    }));
    schemas["Accepted"] = object(json!({ "accepted": count(), "duplicate": flag() }));
    schemas["Incident"] = incident();
    let verdict = json!({ "oneOf": [named("Triage"), { "type": "null" }] });
    let with_verdict = json!({ "type": "object", "properties": { "verdict": verdict } });
    schemas["WholeIncident"] = json!({ "allOf": [named("Incident"), with_verdict] });
    schemas["Incidents"] = object(json!({ "incidents": list(named("Incident")), "next": maybe("string") }));
    schemas["IncidentEvent"] = object(json!({
        "number": count(), "at": text(), "by": text(), "by_way_of": text(), "kind": text(), "text": text(), "sentence": text(),
    }));
    schemas["Events"] = object(json!({ "events": list(named("IncidentEvent")), "next": maybe("string") }));
    schemas["Alert"] = object(json!({
        "incident": count(), "fingerprint": text(), "starts_at": text(), "ends_at": maybe("string"),
        "status": { "enum": ["firing", "acknowledged", "resolved"] }, "title": text(), "labels": texts(), "source": text(),
        "times": count(), "last_at": text(),
    }));
    schemas["Alerts"] = object(json!({ "alerts": list(named("Alert")), "next": maybe("string") }));
    schemas["Job"] = object(json!({
        "id": count(), "work": { "type": "object" }, "tries": count(), "created": text(), "due": text(), "error": maybe("string"),
    }));
    schemas["Jobs"] = object(json!({ "jobs": list(named("Job")), "count": count() }));
    schemas
}

fn incident() -> Value {
    let counted = object(json!({
        "alerts": count(), "firing": count(), "notifications": count(), "omitted": count(), "pastes": count(),
    }));
    object(json!({
        "id": text(), "title": text(), "service": maybe("string"),
        "severity": { "enum": ["critical", "high", "medium", "low"] },
        "state": { "enum": ["open", "acknowledged", "mitigated", "resolved"] }, "owner": maybe("string"),
        "opened_at": text(), "updated_at": text(), "acknowledged_at": maybe("string"), "mitigated_at": maybe("string"),
        "resolved_at": maybe("string"), "duration_seconds": count(), "reopened": count(), "flapping": flag(),
        "sources": list(text()), "labels": texts(), "values": texts(), "links": texts(), "alerts": counted,
        "root_cause": maybe("string"), "root_cause_id": maybe("string"), "confidence": maybe("number"),
        "rests_on": { "enum": ["alert_text", "logs", null] }, "corrected": maybe("string"), "earlier": maybe("object"),
        "resolution": maybe("object"), "tickets": list(named("Ticket")), "pull_requests": list(named("PullRequest")), "cards": { "type": "object" },
    }))
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn number() -> Value {
    json!({ "type": "number" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// A value of `kind`, or null.
fn maybe(kind: &str) -> Value {
    json!({ "type": [kind, "null"] })
}

/// An object of texts under any names.
fn texts() -> Value {
    json!({ "type": "object", "additionalProperties": text() })
}

fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object with all of `properties`.
fn object(properties: Value) -> Value {
    let required: Vec<String> = properties.as_object().map(|p| p.keys().cloned().collect()).unwrap_or_default();
    json!({ "type": "object", "properties": properties, "required": required })
}
