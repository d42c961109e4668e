//! Which way through a workflow is taken.

use serde_json::{Map, Value, json};

use crate::trackers::Category;
use crate::trackers::jira::workflow::{Missing, Transition, arrivals, fill, steps, unfilled, vain};

fn transition(name: &str, to: &str, category: &str) -> Value {
    json!({"id": name, "name": name, "to": {"id": to, "name": to, "statusCategory": {"key": category}}})
}

fn transitions(list: &[(&str, &str, &str)]) -> Vec<Transition> {
    let list = list.iter().map(|(name, to, category)| transition(name, to, category));
    list.map(|transition| serde_json::from_value(transition).unwrap()).collect()
}

fn names<'a>(transitions: &[&'a Transition]) -> Vec<&'a str> {
    transitions.iter().map(|transition| transition.name.as_str()).collect()
}

#[test]
fn what_is_solved_goes_before_what_is_only_over_and_nothing_ends_in_vain() {
    let offer = transitions(&[
        ("Won't do", "Closed", "done"),
        ("Close as duplicate", "Closed", "done"),
        ("Reject", "Rejected", "done"),
        ("Not a bug", "Done", "done"),
        ("Cannot Reproduce", "Closed", "done"),
        ("Ship", "Released", "done"),
        ("Start", "In Progress", "indeterminate"),
        ("Mark incomplete", "Archived", "done"),
        ("Resolve Issue", "Resolved", "done"),
    ]);
    assert_eq!(names(&arrivals(&offer, Category::Done, Category::ToDo)), ["Resolve Issue", "Ship", "Mark incomplete"]);
    assert_eq!(vain(&offer), ["Won't do", "Close as duplicate", "Reject", "Not a bug", "Cannot Reproduce"]);
    assert_eq!(names(&arrivals(&offer, Category::InProgress, Category::ToDo)), ["Start"]);
}

#[test]
fn the_spelling_of_what_is_in_vain_does_not_matter() {
    for name in
        ["Wont fix", "WON'T FIX", "Won’t do", "Cancelled", "Canceled", "Declined", "Invalid", "Abandoned", "Rejected"]
    {
        assert!(transitions(&[(name, "Closed", "done")])[0].is_vain(), "{name}");
        assert!(transitions(&[("Close", name, "done")])[0].is_vain(), "{name}");
    }
    for name in ["Done", "Fixed", "Validated", "Released", "Uncancel", "Noted"] {
        assert!(!transitions(&[(name, "Done", "done")])[0].is_vain(), "{name}");
    }
}

#[test]
fn a_ticket_is_open_again_wherever_it_is_not_done() {
    let offer = transitions(&[
        ("Close", "Closed", "done"),
        ("Restart", "In Progress", "indeterminate"),
        ("Reopen", "Reopened", "new"),
    ]);
    assert_eq!(names(&arrivals(&offer, Category::ToDo, Category::Done)), ["Reopen", "Restart"]);
    assert_eq!(names(&arrivals(&offer, Category::InProgress, Category::Done)), ["Restart", "Reopen"]);
    assert_eq!(names(&arrivals(&offer, Category::ToDo, Category::InProgress)), ["Reopen"]);
}

#[test]
fn a_step_leads_on_and_not_back() {
    let offer = transitions(&[
        ("To backlog", "Backlog", "new"),
        ("Block", "Blocked", "indeterminate"),
        ("Stop", "Open", "new"),
        ("Prepare", "Selected", "new"),
        ("Start", "In Progress", "indeterminate"),
        ("Won't do", "Won't do", "done"),
        ("Odd", "Nowhere", "unheard of"),
    ]);
    let visited = ["Open".to_owned()];
    assert_eq!(names(&steps(&offer, &visited)), ["Start", "Prepare", "Odd", "Block", "To backlog"]);
}

#[test]
fn what_is_not_available_is_not_taken() {
    let mut closed = transition("Done", "Done", "done");
    closed["isAvailable"] = json!(false);
    let closed: Transition = serde_json::from_value(closed).unwrap();
    assert!(arrivals(std::slice::from_ref(&closed), Category::Done, Category::ToDo).is_empty());
}

fn with_fields(fields: Value) -> Transition {
    let mut done = transition("Done", "Done", "done");
    done["fields"] = fields;
    serde_json::from_value(done).unwrap()
}

fn set(fields: Value) -> Map<String, Value> {
    fields.as_object().unwrap().clone()
}

#[test]
fn required_fields_are_filled() {
    let done = with_fields(json!({
        "resolution": {"name": "Resolution", "required": true,
            "allowedValues": [{"name": "Won't Do"}, {"name": "done"}, {"name": "Duplicate"}]},
        "customfield_1": {"name": "Root cause", "required": true},
        "customfield_2": {"name": "Team", "required": false},
        "customfield_3": {"name": "Kind", "required": true, "hasDefaultValue": true},
    }));
    let settings = set(json!({"customfield_1": "disk", "customfield_2": "db", "customfield_9": "not on the screen"}));
    let (fields, missing) = fill(&done, &settings, true);
    let expected = json!({"resolution": {"name": "done"}, "customfield_1": "disk", "customfield_2": "db"});
    assert_eq!((Value::from(fields), missing), (expected, vec![]));
    let (fields, missing) = fill(&done, &settings, false);
    let expected = json!({"resolution": {"name": "done"}, "customfield_1": "disk"});
    assert_eq!((Value::from(fields), missing), (expected, vec![]), "on the way only what must be is filled");
}

#[test]
fn what_is_set_goes_before_what_is_chosen() {
    let done = with_fields(json!({"resolution": {"required": true, "allowedValues": [{"name": "Fixed"}]}}));
    let (fields, _) = fill(&done, &set(json!({"resolution": {"name": "Deployed"}})), true);
    assert_eq!(Value::from(fields), json!({"resolution": {"name": "Deployed"}}));
}

#[test]
fn what_nothing_fills_is_named() {
    let done = with_fields(json!({
        "resolution": {"name": "Resolution", "required": true, "allowedValues": [{"name": "Won't Do"}]},
        "customfield_1": {"name": "Root cause", "required": true},
    }));
    let (fields, missing) = fill(&done, &Map::new(), true);
    assert!(fields.is_empty());
    let named = |field: &str, name: &str| Missing { field: field.into(), name: name.into() };
    assert_eq!(missing, [named("customfield_1", "Root cause"), named("resolution", "Resolution")]);
    assert_eq!(
        unfilled("OPS-1", &done, &missing).to_string(),
        "Jira wants more of OPS-1 for \"Done\": Root cause (customfield_1), Resolution (resolution) are required: set \
         jira.done_fields"
    );
    let optional = with_fields(json!({"resolution": {"required": false, "allowedValues": [{"name": "Duplicate"}]}}));
    assert_eq!(fill(&optional, &Map::new(), true), (Map::new(), vec![]), "no resolution is better than a false one");
}
