//! Whose account it is. A wrong person is worse than none, so nobody is guessed: an account belongs to somebody when the settings
//! say so, or when Jira shows the same e-mail address.

use serde_json::Value;

use super::Jira;
use super::answers::User;
use super::client::{encoded, parse};
use super::refusal::About;
use super::settings::Deployment;
use crate::Error;
use crate::code::Developer;
use crate::trackers::Account;

/// Finding people takes this.
const ABOUT: About<'static> = About { key: None, needs: "Browse users and groups", fills: "" };

impl Jira {
    pub(super) async fn account_of(&self, developer: &Developer) -> Result<Option<Account>, Error> {
        let mapped =
            self.settings.accounts.get(&developer.login.to_lowercase()).filter(|_| !developer.login.is_empty());
        let found = match mapped {
            Some(email) if email.contains('@') => self.by_email(email).await?,
            Some(id) => self.by_id(id).await?,
            None => None,
        };
        if found.is_some() {
            return Ok(found);
        }
        for email in &developer.emails {
            if let Some(account) = self.by_email(email).await? {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// The account with this id, or this name on a Server, if tickets can be given to it.
    async fn by_id(&self, id: &str) -> Result<Option<Account>, Error> {
        let deployment = self.client.deployment().await?;
        let parameter = match deployment {
            Deployment::Cloud => "accountId",
            Deployment::Server => "username",
        };
        let (project, query) = (&self.settings.project, format!("{parameter}={}", encoded(id)));
        let mut reply =
            self.client.try_get(&format!("/user/assignable/search?project={project}&{query}&maxResults=200")).await?;
        if matches!(reply.status, 400 | 404) {
            reply = self.client.try_get(&format!("/user?{query}")).await?;
        }
        let found = match reply.status {
            // Whoever may not look at people may still name them: the settings are no guess.
            403 => return Ok(Some(Account { id: id.to_owned(), name: id.to_owned() })),
            400 | 404 => Vec::new(),
            _ => people(parse(&self.client.judge(reply, ABOUT)?)?),
        };
        let accounts = found.into_iter().filter(|user| user.active != Some(false));
        let account = accounts.filter_map(|user| user.account(deployment)).find(|account| account.id == id);
        if account.is_none() {
            tracing::warn!(account = id, "jira.accounts: Jira knows no such account that tickets can be given to");
        }
        Ok(account)
    }

    /// The one account in use that shows this e-mail address.
    async fn by_email(&self, email: &str) -> Result<Option<Account>, Error> {
        let email = email.trim();
        if email.is_empty() {
            return Ok(None);
        }
        let deployment = self.client.deployment().await?;
        let parameter = match deployment {
            Deployment::Cloud => "query",
            Deployment::Server => "username",
        };
        let query = format!("{parameter}={}&maxResults=50", encoded(email));
        let project = &self.settings.project;
        let users = match self.users(&format!("/user/assignable/search?project={project}&{query}")).await? {
            Some(users) => users,
            None => self.users(&format!("/user/search?{query}")).await?.unwrap_or_default(),
        };
        let mut accounts = users.iter().filter(|user| is(user, email)).filter_map(|user| user.account(deployment));
        Ok(accounts.next().filter(|first| accounts.all(|other| other.id == first.id)))
    }

    /// Those whom a search tells; `None` when there is no such search.
    async fn users(&self, path: &str) -> Result<Option<Vec<User>>, Error> {
        let reply = self.client.try_get(path).await?;
        if reply.status == 404 {
            return Ok(None);
        }
        Ok(Some(people(parse(&self.client.judge(reply, ABOUT)?)?)))
    }
}

/// One of them, or all of a list. One that cannot be read is nobody's.
fn people(answer: Value) -> Vec<User> {
    let people = match answer {
        Value::Array(people) => people,
        one => vec![one],
    };
    people.into_iter().filter_map(|user| serde_json::from_value(user).ok()).collect()
}

fn is(user: &User, email: &str) -> bool {
    let shows = user.email_address.as_deref().is_some_and(|shown| shown.trim().to_lowercase() == email.to_lowercase());
    let is_person = user.account_type.as_deref().is_none_or(|kind| kind == "atlassian");
    shows && is_person && user.active == Some(true)
}
