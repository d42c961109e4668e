//! What Jira tells of itself and of the project.

use serde_json::{Value, json};

use super::calls::{Answered, Asked};
use super::fields::Screen;
use super::refusal::Refusal;
use super::shown::{PROJECT_ID, shown_priority, shown_resolution, shown_type};
use super::state::{PRIORITIES, State, now};
use super::workflow::{RESOLUTIONS, Step};
use super::{Flavour, PROJECT, Version};

impl State {
    pub fn server_info(&self) -> Value {
        let (kind, version, numbers, build) = match self.flavour {
            Flavour::Cloud => ("Cloud", "1001.0.0-SNAPSHOT", json!([1001, 0, 0]), 100_273),
            Flavour::Server => ("Server", "9.12.2", json!([9, 12, 2]), 9_120_002),
        };
        json!({
            "baseUrl": self.base,
            "version": version,
            "versionNumbers": numbers,
            "deploymentType": kind,
            "buildNumber": build,
            "buildDate": "2026-11-20T00:00:00.000+0000",
            "serverTime": self.time(now()),
            "scmInfo": "c1e0c1e0c1e0c1e0",
            "serverTitle": "Jira",
        })
    }

    pub fn priorities(&self) -> Value {
        let api = self.newest_api();
        json!(PRIORITIES.iter().map(|(_, name)| shown_priority(&api, name)).collect::<Vec<_>>())
    }

    pub fn resolutions(&self) -> Value {
        let api = self.newest_api();
        json!(RESOLUTIONS.iter().map(|(_, name)| shown_resolution(&api, name)).collect::<Vec<_>>())
    }

    /// All fields that there are, on whatever screen.
    pub fn field_list(&self, version: Version) -> Value {
        let step = Step { offers: vec!["resolution".to_owned()], ..Step::default() };
        let resolution = self.screen_fields(&self.api(version), &Screen::Step(&step));
        let fields = self.screen_fields(&self.api(version), &Screen::Create).into_iter().chain(resolution);
        let shown = fields.map(|meta| {
            let id = meta["fieldId"].as_str().unwrap_or("");
            json!({
                "id": id, "key": id, "name": meta["name"], "custom": id.starts_with("customfield_"), "orderable": true,
                "navigable": true, "searchable": true, "clauseNames": [id], "schema": meta["schema"],
            })
        });
        json!(shown.collect::<Vec<_>>())
    }

    /// `project/{key}`.
    pub fn project(&self, asked: &Asked<'_>) -> Answered {
        let key = asked.part(1);
        if key != PROJECT && key != PROJECT_ID {
            return Err(Refusal::says(404, &format!("No project could be found with key '{key}'.")));
        }
        let api = self.api(asked.version);
        let types: Vec<Value> = self.types.iter().map(|kind| shown_type(&api, kind)).collect();
        let mut project = json!({
            "self": format!("{api}/project/{PROJECT_ID}"),
            "id": PROJECT_ID,
            "key": PROJECT,
            "name": "Operations",
            "description": "",
            "issueTypes": types,
            "assigneeType": "UNASSIGNED",
            "projectTypeKey": "software",
        });
        if self.flavour == Flavour::Cloud {
            project["simplified"] = json!(false);
            project["style"] = json!("classic");
            project["isPrivate"] = json!(false);
        }
        Ok((200, project))
    }

    /// `issue/createmeta/{key}/issuetypes` and the fields of one type below it. Cloud and Server page differently.
    pub fn create_meta(&self, asked: &Asked<'_>) -> Answered {
        if asked.part(2) != PROJECT && asked.part(2) != PROJECT_ID {
            let (status, message) = match self.flavour {
                Flavour::Cloud => (404, "No project could be found with that id or key."),
                Flavour::Server => (400, "The project does not exist, or you cannot create issues in it."),
            };
            return Err(Refusal::says(status, message));
        }
        let api = self.api(asked.version);
        let (name, all) = match asked.parts.get(4) {
            None => ("issueTypes", self.types.iter().map(|kind| shown_type(&api, kind)).collect::<Vec<_>>()),
            Some(id) if self.types.iter().any(|kind| kind.id == *id) => {
                ("fields", self.screen_fields(&api, &Screen::Create))
            }
            Some(_) => return Err(Refusal::says(404, "The issue type does not exist, or is not in this project.")),
        };
        let (start, most) = (asked.number("startAt").unwrap_or(0), asked.number("maxResults").unwrap_or(50));
        if most > 200 {
            return Err(Refusal::says(400, "Parameter 'maxResults' must not exceed the limit '200'"));
        }
        let total = all.len();
        let page: Vec<Value> = all.into_iter().skip(start).take(most).collect();
        let mut answer = json!({"startAt": start, "maxResults": most, "total": total});
        match self.flavour {
            Flavour::Cloud => answer[name] = json!(page),
            Flavour::Server => {
                answer["isLast"] = json!(start + page.len() >= total);
                answer["values"] = json!(page);
            }
        }
        Ok((200, answer))
    }

    fn newest_api(&self) -> String {
        self.api(match self.flavour {
            Flavour::Cloud => Version::Three,
            Flavour::Server => Version::Two,
        })
    }
}
