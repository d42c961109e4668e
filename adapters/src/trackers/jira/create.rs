//! Making a ticket.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::{Issue, is_key, page, time_of_answer};
use super::client::parse;
use super::refusal::{self, About};
use super::search::{LABEL, check_marker};
use super::settings::Deployment;
use super::{Jira, adf, wiki};
use crate::Error;
use crate::chat::text;
use crate::http::Reply;
use crate::trackers::{Account, Category, Created, Draft, Ticket};

/// Longest title that Jira takes.
const LONGEST_TITLE: usize = 255;
/// Issue types that are taken when none is set, best first.
const TYPES: [&str; 3] = ["Bug", "Incident", "Task"];
/// Fields that a ticket can do without.
const DISPENSABLE: [&str; 2] = ["priority", "assignee"];

/// A project, as far as it matters.
#[derive(Deserialize)]
struct Project {
    #[serde(default, rename = "issueTypes", alias = "values")]
    types: Vec<IssueType>,
}

#[derive(Deserialize)]
struct IssueType {
    #[serde(default)]
    name: String,
    #[serde(default)]
    subtask: bool,
}

/// What a created ticket is answered with.
#[derive(Deserialize)]
struct Made {
    key: String,
}

impl Jira {
    pub(super) async fn make(&self, draft: &Draft) -> Result<Created, Error> {
        let about = About { key: None, needs: "Create Issues", fills: "jira.fields" };
        let mut fields = self.fields(draft).await?;
        let mut left_out = Vec::new();
        let mut reply = self.client.try_post("/issue", &json!({"fields": fields})).await?;
        let without = if reply.status == 400 { self.dispensable(&reply, &fields) } else { Vec::new() };
        if !without.is_empty() {
            for (field, why) in without {
                fields.remove(&field);
                left_out.push(format!("the {field} ({})", text::cut(&text::one_line(&why), 200, |_| 1)));
            }
            reply = self.client.try_post("/issue", &json!({"fields": fields})).await?;
        }
        let reply = self.client.judge(reply, about)?;
        let made: Made = parse(&reply)?;
        if !is_key(&made.key) {
            return Err(Error::Transient {
                why: "Jira does not say which ticket it made".to_owned(),
                retry_after: None,
            });
        }
        // It is made. That it cannot be read now must not make it look as if it were not.
        let ticket = match self.read(&made.key).await {
            Ok(ticket) => ticket,
            Err(error) => {
                tracing::warn!(ticket = made.key, %error, "the new ticket cannot be read");
                let assignee = draft.assignee.clone().filter(|_| fields.contains_key("assignee"));
                self.as_known(made.key, &reply, draft, assignee)
            }
        };
        Ok(Created { ticket, left_out })
    }

    /// The fields of a new ticket.
    async fn fields(&self, draft: &Draft) -> Result<Map<String, Value>, Error> {
        check_marker(&draft.marker)?;
        let settings = &self.settings;
        let deployment = self.client.deployment().await?;
        let mut fields = settings.fields.clone();
        let mut labels = vec![LABEL, &draft.marker];
        labels.extend(settings.labels.iter().map(String::as_str).filter(|label| *label != LABEL));
        let description = match deployment {
            Deployment::Cloud => adf::description(&draft.description),
            Deployment::Server => wiki::description(&draft.description).into(),
        };
        for (name, value) in [
            ("project", json!({"key": settings.project})),
            ("issuetype", json!({"name": self.issue_type().await?})),
            ("summary", title(&draft.title).into()),
            ("description", description),
            ("labels", json!(labels)),
        ] {
            fields.insert(name.to_owned(), value);
        }
        // What is set for all tickets goes before what is guessed from the severity.
        if let (false, Some(name)) = (fields.contains_key("priority"), settings.priorities.get(&draft.severity)) {
            fields.insert("priority".to_owned(), json!({"name": name}));
        }
        if let Some(account) = &draft.assignee {
            let key = match deployment {
                Deployment::Cloud => "accountId",
                Deployment::Server => "name",
            };
            fields.insert("assignee".to_owned(), json!({key: account.id}));
        }
        Ok(fields)
    }

    /// The fields that are to blame, if the ticket can do without all of them. What is set for all tickets was wanted.
    fn dispensable(&self, reply: &Reply, sent: &Map<String, Value>) -> Vec<(String, String)> {
        let blamed = refusal::blamed(reply);
        let is_ours = |field: &str| sent.contains_key(field) && sent.get(field) != self.settings.fields.get(field);
        let can_go = blamed.iter().all(|(field, _)| DISPENSABLE.contains(&field.as_str()) && is_ours(field));
        if can_go { blamed } else { Vec::new() }
    }

    /// The issue type that is set, or the best one that the project has. It is asked once.
    async fn issue_type(&self) -> Result<String, Error> {
        if let Some(name) = &self.settings.issue_type {
            return Ok(name.clone());
        }
        let chosen = self.issue_type.get_or_try_init(|| async {
            let project = self.project().await?;
            let of_name = |name: &&str| project.types.iter().find(|kind| kind.name.eq_ignore_ascii_case(name));
            let best = TYPES.iter().find_map(|name| of_name(name).filter(|kind| !kind.subtask));
            let any = || project.types.iter().find(|kind| !kind.subtask && !kind.name.is_empty());
            best.or_else(any).map(|kind| kind.name.clone()).ok_or_else(|| {
                Error::Permanent(format!(
                    "Jira tells no issue type of {} that a ticket can have: set jira.issue_type",
                    self.settings.project
                ))
            })
        });
        chosen.await.cloned()
    }

    /// The project with its issue types.
    async fn project(&self) -> Result<Project, Error> {
        let about = About { key: None, needs: "Browse Projects", fills: "" };
        let key = &self.settings.project;
        match self.client.get::<Project>(&format!("/project/{key}"), about).await {
            Ok(project) if !project.types.is_empty() => Ok(project),
            Ok(_) | Err(Error::Permanent(_)) => {
                self.client.get(&format!("/issue/createmeta/{key}/issuetypes"), about).await
            }
            Err(error) => Err(error),
        }
    }

    /// A ticket that was made a moment ago.
    fn as_known(&self, key: String, reply: &Reply, draft: &Draft, assignee: Option<Account>) -> Ticket {
        let at = time_of_answer(reply.header("date"));
        Ticket {
            url: page(&self.client.base, &key),
            key,
            title: title(&draft.title),
            status: String::new(),
            category: Category::ToDo,
            resolution: None,
            assignee,
            created_at: at.clone(),
            updated_at: at,
        }
    }

    /// How a ticket is.
    pub(super) async fn read(&self, key: &str) -> Result<Ticket, Error> {
        let about = About::ticket(key, "Browse Projects")?;
        let fields = super::answers::FIELDS.join(",");
        let issue: Issue = self.client.get(&format!("/issue/{key}?fields={fields}"), about).await?;
        Ok(issue.ticket(&self.client.base, self.client.deployment().await?))
    }
}

/// One line that Jira takes. It must not be empty.
fn title(title: &str) -> String {
    let title = text::cut(&text::one_line(title), LONGEST_TITLE, char::len_utf16);
    if title.is_empty() { "(no title)".to_owned() } else { title }
}
