//! GitHub issues. An issue is found again by its label and by a comment in its text that nobody sees; so is a comment.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Account, Category, Change, Comment, Created, Draft, Manners, Ticket, Tracker, markdown};
use crate::Error;
use crate::chat::{Rich, text};
use crate::code::Developer;
use crate::github::limits::Refusal;
use crate::github::settings::is_login;
use crate::github::wire::{self, Issue, Repository, time};
use crate::github::{Client, NAME, Read, Settings};

/// The label of all our issues.
const LABEL: &str = "clew";
/// Longest title.
const LONGEST_TITLE: usize = 256;
/// Entries of a page, and pages of our issues that are searched.
const PAGE: usize = 100;
const PAGES: usize = 5;
/// Comments that are told.
const COMMENTS: usize = 50;
/// How far two clocks may be apart.
const SLACK: Duration = Duration::from_mins(2);

/// The issues of a repository.
#[derive(Debug, Clone)]
pub struct GitHubIssues {
    client: Arc<Client>,
    repo: String,
    labels: Vec<String>,
}

impl GitHubIssues {
    /// Makes it. Nothing is asked of GitHub yet.
    ///
    /// # Errors
    /// When no repository is set.
    pub fn new(settings: &Settings, client: Arc<Client>) -> Result<Self, Error> {
        let missing = || Error::Permanent("GITHUB_REPO: set it to the repository in which issues are opened".into());
        Ok(Self { client, repo: settings.repo.clone().ok_or_else(missing)?, labels: settings.labels.clone() })
    }

    fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{rest}", self.repo)
    }

    /// What a refusal about all of the repository's issues means.
    fn of_repo(&self, refusal: Refusal) -> Error {
        let repo = &self.repo;
        match refusal.status {
            404 => Error::Permanent(format!(
                "GitHub finds no repository {repo} (404): check GITHUB_REPO, and whether GITHUB_TOKEN may see it"
            )),
            410 => Error::Permanent(format!("issues are switched off in {repo}: switch them on in its settings")),
            _ => refusal.into(),
        }
    }

    async fn list(&self, query: &str) -> Result<Read<Vec<Issue>>, Error> {
        let path = self.path(&format!("issues?state=all&per_page={PAGE}&{query}"));
        let mut read: Read<Vec<Issue>> = self.client.get(&path).await.map_err(|refusal| self.of_repo(refusal))?;
        read.body.truncate(PAGE);
        Ok(read)
    }

    /// All issues with a marker, as far back as is searched.
    async fn marked(&self, marker: &str) -> Result<Vec<Issue>, Error> {
        let marker = markdown::marker(marker);
        let is_it = |issue: &Issue| {
            issue.pull_request.is_none() && issue.body.as_deref().is_some_and(|body| body.contains(&marker))
        };
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let query = format!("labels={LABEL}&sort=created&direction=desc&page={page}");
            let listed = self.list(&query).await?.body;
            let is_last = listed.len() < PAGE;
            found.extend(listed.into_iter().filter(is_it));
            if is_last {
                break;
            }
        }
        if found.is_empty() {
            // GitHub drops the labels of who may not set them, and people take labels away.
            let newest = self.list("sort=created&direction=desc").await?.body;
            found.extend(newest.into_iter().filter(is_it));
        }
        Ok(found)
    }

    /// An issue, if it is still one of this repository.
    async fn issue(&self, key: &str) -> Result<Issue, Error> {
        let gone = |why: &str| Error::Gone(format!("the GitHub issue {key} of {} {why}", self.repo));
        let number: u64 = key.parse().map_err(|_| gone("does not exist: this is no number"))?;
        match self.client.get::<Issue>(&self.path(&format!("issues/{number}"))).await {
            Ok(read) if read.body.number == number && self.is_here(&read.body).await? => Ok(read.body),
            Ok(_) => Err(gone("was moved to another repository")),
            Err(refusal) if refusal.status == 410 => Err(gone("was deleted")),
            // A token that may see the repository no more gets the same answer; then nothing is known of the issue.
            Err(refusal) if refusal.status == 404 => {
                self.repository().await?;
                Err(gone("does not exist"))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Whether an issue is where it was asked for: those that were moved lead to where they are.
    async fn is_here(&self, issue: &Issue) -> Result<bool, Error> {
        let of = |repo: &str| {
            let address = issue.repository_url.to_ascii_lowercase();
            address.is_empty() || address.ends_with(&format!("/repos/{}", repo.to_ascii_lowercase()))
        };
        // The repository itself may have another name by now.
        Ok(of(&self.repo) || of(&self.repository().await?.full_name))
    }

    async fn repository(&self) -> Result<Repository, Error> {
        let path = format!("/repos/{}", self.repo);
        Ok(self.client.get(&path).await.map_err(|refusal| self.of_repo(refusal))?.body)
    }

    /// The last comments, at least a full page if there are as many, oldest first.
    async fn last_comments(&self, issue: &Issue) -> Result<Vec<wire::Comment>, Error> {
        let last = usize::try_from(issue.comments).unwrap_or_default().div_ceil(PAGE).max(1);
        let mut comments: Vec<wire::Comment> = Vec::new();
        for page in last.saturating_sub(1).max(1)..=last {
            let path = self.path(&format!("issues/{}/comments?per_page={PAGE}&page={page}", issue.number));
            comments.extend(self.client.get::<Vec<wire::Comment>>(&path).await?.body);
        }
        Ok(comments)
    }

    async fn comment(&self, issue: &Issue, said: &Rich, name: &str) -> Result<(), Error> {
        let is_it = |comment: &wire::Comment| comment.body.as_deref().and_then(markdown::name) == Some(name);
        if self.last_comments(issue).await?.iter().any(is_it) {
            return Ok(());
        }
        let body = json!({"body": markdown::comment(said, name)});
        let _: Value = self.client.post(&self.path(&format!("issues/{}/comments", issue.number)), &body).await?;
        Ok(())
    }

    async fn go_to(&self, issue: &Issue, category: Category) -> Result<(), Error> {
        let is_over = issue.state == "closed";
        let change = match category {
            Category::Done if !is_over => json!({"state": "closed", "state_reason": "completed"}),
            Category::ToDo | Category::InProgress if is_over => json!({"state": "open", "state_reason": "reopened"}),
            _ => return Ok(()),
        };
        let _: Value = self.client.patch(&self.path(&format!("issues/{}", issue.number)), &change).await?;
        Ok(())
    }

    fn labels(&self, draft: &Draft) -> Vec<String> {
        let mut labels = vec![LABEL.to_owned(), format!("severity: {}", draft.severity.name())];
        labels.extend(self.labels.iter().filter(|label| !labels.contains(label)).cloned().collect::<Vec<_>>());
        labels
    }

    /// Makes an issue, without its assignee if GitHub does not take them.
    async fn made(&self, draft: &Draft) -> Result<(Issue, Vec<String>), Error> {
        let path = self.path("issues");
        let mut issue = json!({
            "title": title(&draft.title),
            "body": markdown::document(&draft.description, &draft.marker),
            "labels": self.labels(draft),
        });
        if let Some(assignee) = &draft.assignee {
            issue["assignees"] = json!([assignee.id]);
        }
        match self.client.post(&path, &issue).await {
            Ok(made) => Ok((made, Vec::new())),
            Err(refusal)
                if refusal.status == 422 && refusal.fields.iter().any(|field| field.starts_with("assignee")) =>
            {
                issue["assignees"] = json!([]);
                let made = self.client.post(&path, &issue).await.map_err(|refusal| self.of_repo(refusal))?;
                let name = draft.assignee.as_ref().map_or("", |assignee| assignee.name.as_str());
                Ok((made, vec![format!("the assignee {name} (GitHub gives no issues of {} to them)", self.repo)]))
            }
            Err(refusal) => Err(self.of_repo(refusal)),
        }
    }
}

fn title(written: &str) -> String {
    let title = text::cut(&text::one_line(written), LONGEST_TITLE, char::len_utf16);
    if title.is_empty() { "Incident".to_owned() } else { title }
}

fn ticket(issue: &Issue) -> Ticket {
    let is_over = issue.state == "closed";
    let assignee = issue.assignee.as_ref().or_else(|| issue.assignees.first());
    Ticket {
        key: issue.number.to_string(),
        url: issue.html_url.clone(),
        title: issue.title.clone(),
        status: issue.state.clone(),
        category: if is_over { Category::Done } else { Category::ToDo },
        resolution: issue.state_reason.as_deref().filter(|_| is_over).map(|reason| reason.replace('_', " ")),
        assignee: assignee.map(|user| Account { id: user.login.clone(), name: user.login.clone() }),
        created_at: time(&issue.created_at),
        updated_at: time(&issue.updated_at),
    }
}

/// The one that counts: the first that is open, else the last that was closed.
fn choose(found: &[Issue]) -> Option<&Issue> {
    let open = found.iter().filter(|issue| issue.state != "closed");
    open.min_by_key(|issue| issue.number).or_else(|| found.iter().max_by_key(|issue| (&issue.closed_at, issue.number)))
}

impl Tracker for GitHubIssues {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manners(&self) -> Manners {
        Manners { noun: "GitHub issue", pace: Duration::from_secs(1), blind_for: Duration::from_secs(5) }
    }

    /// Searches the newest 500 issues with our label, and the newest 100 of all.
    async fn find(&self, marker: &str) -> Result<Option<Ticket>, Error> {
        Ok(choose(&self.marked(marker).await?).map(ticket))
    }

    async fn create(&self, draft: &Draft) -> Result<Created, Error> {
        let (issue, mut left_out) = self.made(draft).await?;
        let was_refused = !left_out.is_empty();
        if !issue.has_label(LABEL) {
            left_out.push("the labels (GITHUB_TOKEN may not set them: it needs to write issues)".into());
        }
        if let Some(assignee) = draft.assignee.as_ref().filter(|_| !was_refused) {
            let has =
                issue.assignees.iter().chain(&issue.assignee).any(|user| user.login.eq_ignore_ascii_case(&assignee.id));
            if !has {
                left_out.push(format!("the assignee {} (GitHub did not take them)", assignee.name));
            }
        }
        Ok(Created { ticket: ticket(&issue), left_out })
    }

    /// The last 100 comments are searched for one of this name.
    async fn change(&self, key: &str, change: &Change) -> Result<(), Error> {
        let issue = self.issue(key).await?;
        match change {
            Change::Comment { text, name } => self.comment(&issue, text, name).await,
            Change::Move(category) => self.go_to(&issue, *category).await,
        }
    }

    async fn ticket(&self, key: &str) -> Result<Ticket, Error> {
        Ok(ticket(&self.issue(key).await?))
    }

    async fn comments(&self, key: &str) -> Result<Vec<Comment>, Error> {
        let mut comments = self.last_comments(&self.issue(key).await?).await?;
        let told = comments.split_off(comments.len().saturating_sub(COMMENTS));
        Ok(told.into_iter().map(comment).collect())
    }

    /// Of the 100 that changed last. It costs nothing when nothing changed.
    async fn changed(&self, within: Duration) -> Result<Vec<Ticket>, Error> {
        let read = self.list(&format!("labels={LABEL}&sort=updated&direction=desc")).await?;
        let since = read.at.and_then(|now| now.checked_sub_signed(chrono::Duration::from_std(within + SLACK).ok()?));
        let is_late = |issue: &&Issue| {
            let at = DateTime::parse_from_rfc3339(&issue.updated_at).map(|at| at.with_timezone(&Utc));
            since.zip(at.ok()).is_none_or(|(since, at)| at >= since)
        };
        let issues = read.body.iter().filter(|issue| issue.pull_request.is_none());
        Ok(issues.filter(is_late).map(ticket).collect())
    }

    /// By login only: issues are given to logins.
    async fn account(&self, developer: &Developer) -> Result<Option<Account>, Error> {
        let login = &developer.login;
        if !is_login(login) {
            return Ok(None);
        }
        let may_have = self.client.has(&self.path(&format!("assignees/{login}"))).await?;
        Ok(may_have.then(|| Account { id: login.clone(), name: login.clone() }))
    }
}

fn comment(comment: wire::Comment) -> Comment {
    let body = comment.body.unwrap_or_default();
    let name = markdown::name(&body).map(str::to_owned);
    Comment {
        id: comment.id.to_string(),
        author: comment.user.map(|user| user.login).unwrap_or_default(),
        text: if name.is_some() { markdown::read(&body) } else { markdown::shown(&body) },
        at: time(&comment.created_at),
        name,
    }
}

#[cfg(test)]
mod tests;
