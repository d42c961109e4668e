//! Steps of the workflow.

use serde_json::{Map, Value, json};

use super::calls::{Answered, Asked, nothing};
use super::create::{MEMBERS, check_members, refuse};
use super::fields::Screen;
use super::refusal::Refusal;
use super::state::{Issue, State, now};
use super::workflow::Step;
use super::{Flavour, users};

impl State {
    /// `GET issue/{key}/transitions`.
    pub fn list_transitions(&self, asked: &Asked<'_>) -> Answered {
        let issue = self.named(asked)?;
        let api = self.api(asked.version);
        let wanted = asked.parameter("transitionId");
        let steps = self.workflow.from(&issue.status).filter(|step| wanted.is_none_or(|wanted| wanted == step.id));
        let shown = steps.map(|step| {
            let mut shown = json!({
                "id": step.id,
                "name": step.name,
                "to": self.workflow.shown(&api, &step.to),
            });
            if self.flavour == Flavour::Cloud {
                shown["hasScreen"] = json!(!step.needs.is_empty() || !step.offers.is_empty());
                shown["isGlobal"] = json!(step.from.is_empty());
                shown["isInitial"] = json!(false);
                shown["isAvailable"] = json!(true);
                shown["isConditional"] = json!(false);
                shown["isLooped"] = json!(step.to == issue.status);
            }
            if asked.expands("transitions.fields") {
                shown["fields"] = Value::Object(self.step_fields(&api, step));
            }
            shown
        });
        Ok((200, json!({"expand": "transitions", "transitions": shown.collect::<Vec<_>>()})))
    }

    fn step_fields(&self, api: &str, step: &Step) -> Map<String, Value> {
        let fields = self.screen_fields(api, &Screen::Step(step)).into_iter().map(|mut meta| {
            let id = meta["fieldId"].as_str().unwrap_or("").to_owned();
            if let Some(meta) = meta.as_object_mut() {
                meta.remove("fieldId");
            }
            (id, meta)
        });
        fields.collect()
    }

    /// `POST issue/{key}/transitions`.
    pub fn transition(&mut self, asked: &Asked<'_>) -> Answered {
        let issue = self.named(asked)?;
        check_members(&asked.body, &MEMBERS)?;
        let id = match &asked.body["transition"]["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return Err(Refusal::says(400, "Missing 'transition' identifier")),
        };
        if self.conflicts > 0 {
            self.conflicts -= 1;
            return Err(Refusal::says(
                409,
                "The issue is being transitioned by somebody else. Please try again later.",
            ));
        }
        let step = self.workflow.from(&issue.status).find(|step| step.id == id).cloned();
        let step = step.ok_or_else(|| {
            let status = format!("in status '{}'", issue.status);
            Refusal::says(400, &format!("Transition id '{id}' is not valid for this issue.")).because(status)
        })?;
        let bot = users::bot(self.flavour);
        // A resolution of before is no answer to what the step asks.
        let mut moved = Issue { resolution: None, ..issue.clone() };
        refuse(self.set_all(&mut moved, &asked.body, &Screen::Step(&step), asked.version, bot))?;
        refuse(self.missing(&moved, &Screen::Step(&step)))?;
        self.take(&issue, moved, &step, bot);
        Ok(nothing())
    }

    /// Takes a step; `moved` has the fields that were filled.
    pub fn take(&mut self, before: &Issue, mut moved: Issue, step: &Step, by: &str) {
        let done = |status: &str| self.workflow.category(status) == "done";
        moved.status.clone_from(&step.to);
        moved.taken.push(step.id.clone());
        if moved.resolution.is_none() {
            moved.resolution.clone_from(&step.resolves);
        }
        if moved.resolution.is_none() && done(&step.to) && done(&before.status) {
            moved.resolution.clone_from(&before.resolution);
        }
        if !done(&step.to) {
            moved.resolution = None;
        }
        moved.resolved = moved.resolution.as_ref().map(|_| now());
        self.keep(moved, by);
    }
}
