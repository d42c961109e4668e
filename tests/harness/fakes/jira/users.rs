//! People with accounts, and the search for them.

use serde_json::{Value, json};

use super::calls::{Answered, Asked};
use super::refusal::Refusal;
use super::state::State;
use super::{CLOUD_USER, Flavour, PROJECT};

/// Cloud does not know names any more.
const STRICT: &str = "The query parameter 'username' is not supported in GDPR strict mode.";

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct User {
    /// Account id (Cloud) or name (Server).
    pub id: String,
    pub name: String,
    pub email: String,
    /// Whether others see the e-mail address.
    pub visible: bool,
    pub assignable: bool,
    pub active: bool,
}

/// Id of the bot's account.
pub fn bot(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Cloud => "712020:00000000-c1e0-4a7e-9d55-000000000000",
        Flavour::Server => "clew",
    }
}

/// Who is there from the start: the account of the bot.
pub fn first(flavour: Flavour) -> Vec<User> {
    vec![User {
        id: bot(flavour).to_owned(),
        name: "Clew".to_owned(),
        email: CLOUD_USER.to_owned(),
        visible: true,
        assignable: false,
        active: true,
    }]
}

impl State {
    /// The account with this id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// One more account; returns its id.
    pub fn add_user(&mut self, name: &str, email: &str, visible: bool) -> String {
        let number = self.users.len();
        let local = email.split('@').next().unwrap_or(email);
        let id = match self.flavour {
            Flavour::Cloud => format!("712020:{number:08x}-c1e0-4a7e-9d55-{number:012x}"),
            Flavour::Server if self.user(local).is_some() => format!("{local}{number}"),
            Flavour::Server => local.to_owned(),
        };
        let (name, email) = (name.to_owned(), email.to_owned());
        self.users.push(User { id: id.clone(), name, email, visible, assignable: true, active: true });
        id
    }

    /// As the API shows somebody; `null` when there is nobody.
    pub fn shown_user(&self, id: &str) -> Value {
        let Some(place) = self.users.iter().position(|user| user.id == id) else { return Value::Null };
        let user = &self.users[place];
        let avatar = |size: u8| format!("{}/secure/useravatar?size={size}&avatarId=10122", self.base);
        let mut shown = json!({
            "displayName": user.name,
            "active": user.active,
            "timeZone": self.zone.0,
            "avatarUrls": {"48x48": avatar(48), "24x24": avatar(24), "16x16": avatar(16), "32x32": avatar(32)},
        });
        match self.flavour {
            Flavour::Cloud => {
                shown["self"] = json!(format!("{}/rest/api/3/user?accountId={id}", self.base));
                shown["accountId"] = json!(id);
                shown["accountType"] = json!("atlassian");
            }
            Flavour::Server => {
                shown["self"] = json!(format!("{}/rest/api/2/user?username={id}", self.base));
                shown["name"] = json!(id);
                shown["key"] = json!(format!("JIRAUSER{}", 10_100 + place));
            }
        }
        if user.visible {
            shown["emailAddress"] = json!(user.email);
        }
        shown
    }

    /// `user/assignable/search` and `user/search`.
    pub fn find_users(&self, asked: &Asked<'_>) -> Answered {
        let assignable = asked.endpoint == "assignable";
        if assignable {
            self.check_project(asked)?;
        }
        let text = self.searched_text(asked)?;
        let account = asked.parameter("accountId").filter(|_| self.flavour == Flavour::Cloud);
        let found = self.users.iter().filter(|user| {
            let named = match account {
                Some(account) => user.id == account,
                None => matches(user, &text, self.flavour),
            };
            named && user.active && (user.assignable || !assignable)
        });
        let (start, most) = (asked.number("startAt").unwrap_or(0), asked.number("maxResults").unwrap_or(50));
        let page: Vec<Value> = found.skip(start).take(most).map(|user| self.shown_user(&user.id)).collect();
        Ok((200, json!(page)))
    }

    /// `user`: one account by its id (Cloud), or by its name (Server).
    pub fn get_user(&self, asked: &Asked<'_>) -> Answered {
        let named = match self.flavour {
            Flavour::Cloud if asked.parameter("username").is_some() => {
                return Err(Refusal::says(400, STRICT));
            }
            Flavour::Cloud => asked.parameter("accountId"),
            Flavour::Server => asked.parameter("username"),
        };
        let wanted =
            named.ok_or_else(|| Refusal::says(400, "The accountId or username query parameter is missing."))?;
        match (self.user(wanted), self.flavour) {
            (Some(user), _) => Ok((200, self.shown_user(&user.id))),
            (None, Flavour::Cloud) => {
                Err(Refusal::says(404, "Specified user does not exist or you do not have required permissions"))
            }
            (None, Flavour::Server) => Err(Refusal::says(404, &format!("The user named '{wanted}' does not exist"))),
        }
    }

    fn check_project(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        match (asked.parameter("project"), asked.parameter("issueKey")) {
            (Some(PROJECT), _) => Ok(()),
            (Some(project), _) => Err(Refusal::says(404, &format!("No project could be found with key '{project}'."))),
            (None, Some(key)) if self.issue(key).is_some() => Ok(()),
            (None, Some(_)) => Err(Refusal::no_such_issue(self.flavour)),
            (None, None) => {
                Err(Refusal::says(400, "Either the 'project' or the 'issueKey' parameter must be provided."))
            }
        }
    }

    fn searched_text(&self, asked: &Asked<'_>) -> Result<String, Refusal> {
        let (query, username) = (asked.parameter("query"), asked.parameter("username"));
        let text = match self.flavour {
            Flavour::Cloud if username.is_some() => {
                return Err(Refusal::says(400, STRICT));
            }
            Flavour::Cloud => query.or_else(|| asked.parameter("accountId")),
            Flavour::Server => username,
        };
        match (text, asked.endpoint) {
            (Some(text), _) => Ok(text.to_lowercase()),
            (None, "assignable") => Ok(String::new()),
            (None, _) => Err(Refusal::says(400, "The username or query parameter was not provided.")),
        }
    }
}

/// By the beginning of a part of the name, or of the e-mail address, even of a hidden one.
fn matches(user: &User, text: &str, flavour: Flavour) -> bool {
    let (name, email) = (user.name.to_lowercase(), user.email.to_lowercase());
    let login = flavour == Flavour::Server && user.id.to_lowercase().starts_with(text);
    login || name.starts_with(text) || name.split(' ').any(|part| part.starts_with(text)) || email.starts_with(text)
}
