//! Taking a ticket where it shall be, step by step.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Jira;
use super::answers::{Issue, Status};
use super::refusal::About;
use super::workflow::{Transition, arrivals, fill, place, steps, unfilled, vain};
use crate::Error;
use crate::trackers::Category;

/// Most steps. A longer way is no way that anybody goes.
const STEPS: usize = 6;

#[derive(Deserialize)]
struct Offer {
    #[serde(default)]
    transitions: Vec<Transition>,
}

/// The fields of a ticket, whatever they are.
#[derive(Deserialize)]
struct Values {
    #[serde(default)]
    fields: Map<String, Value>,
}

impl Jira {
    pub(super) async fn go(&self, key: &str, wanted: Category) -> Result<(), Error> {
        let about = About::ticket(key, "Transition Issues")?;
        let begin = self.status(key, about).await?;
        let now = begin.category().unwrap_or(Category::ToDo);
        if now == wanted {
            return Ok(());
        }
        let mut visited = vec![place(&begin).to_owned()];
        let mut status = begin.name;
        for _ in 0..STEPS {
            let offer = self.offer(key, about).await?;
            let ends = arrivals(&offer, wanted, now);
            if !ends.is_empty() {
                return self.take_first(key, &ends, true, about).await.map(|_| ());
            }
            let on = steps(&offer, &visited);
            if on.is_empty() {
                return no_way(key, &status, &offer, wanted, now);
            }
            let step = self.take_first(key, &on, false, about).await?;
            visited.push(step.target().to_owned());
            status.clone_from(&step.to.name);
        }
        Err(Error::Permanent(format!("{key} is not where it should be after {STEPS} steps: move it in Jira")))
    }

    async fn status(&self, key: &str, about: About<'_>) -> Result<Status, Error> {
        let issue: Issue = self.client.get(&format!("/issue/{key}?fields=status"), about).await?;
        issue.fields.status.ok_or_else(|| Error::Permanent(format!("Jira does not say where {key} stands")))
    }

    async fn offer(&self, key: &str, about: About<'_>) -> Result<Vec<Transition>, Error> {
        let path = format!("/issue/{key}/transitions?expand=transitions.fields");
        Ok(self.client.get::<Offer>(&path, about).await?.transitions)
    }

    /// Takes the first of these transitions whose fields can be filled.
    async fn take_first<'a>(
        &self,
        key: &str,
        transitions: &[&'a Transition],
        is_end: bool,
        about: About<'_>,
    ) -> Result<&'a Transition, Error> {
        let mut refused = None;
        for transition in transitions {
            let (fields, mut missing) = fill(transition, &self.settings.done_fields, is_end);
            if !missing.is_empty() {
                // What the ticket has already need not be said again.
                let ids: Vec<&str> = missing.iter().map(|missing| missing.field.as_str()).collect();
                let has = self.values(key, &ids, about).await?;
                missing.retain(|missing| has.get(&missing.field).is_none_or(is_nothing));
            }
            if !missing.is_empty() {
                refused.get_or_insert_with(|| unfilled(key, transition, &missing));
                continue;
            }
            let mut body = json!({"transition": {"id": transition.id}});
            if !fields.is_empty() {
                body["fields"] = fields.into();
            }
            self.client.post(&format!("/issue/{key}/transitions"), &body, about).await?;
            return Ok(transition);
        }
        Err(refused.unwrap_or_else(|| Error::Permanent(format!("there is no transition for {key}"))))
    }

    async fn values(&self, key: &str, fields: &[&str], about: About<'_>) -> Result<Map<String, Value>, Error> {
        let fields = super::client::encoded(&fields.join(","));
        Ok(self.client.get::<Values>(&format!("/issue/{key}?fields={fields}"), about).await?.fields)
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// What to say when no transition leads on.
fn no_way(key: &str, status: &str, offer: &[Transition], wanted: Category, now: Category) -> Result<(), Error> {
    let why = match (wanted, offer.is_empty()) {
        // It is open, and that is what matters: a ticket that was reopened may be in progress at once.
        (Category::ToDo, _) if now == Category::InProgress => return Ok(()),
        (_, true) => format!(
            "Jira lets Clew do nothing with {key} in {status:?}: the account needs the permission \"Transition Issues\""
        ),
        (Category::Done, _) if !vain(offer).is_empty() => format!(
            "{key} can only end in vain from {status:?} ({}), which would be a lie: move it in Jira",
            vain(offer).join(", ")
        ),
        (Category::Done, _) => format!("no transition leads {key} from {status:?} to an end: move it in Jira"),
        _ => format!("no transition leads {key} on from {status:?}: move it in Jira"),
    };
    Err(Error::Permanent(why))
}
