//! People and the repository, as GitHub shows them.

use serde_json::{Value, json};

use super::calls::{Asked, Done};
use super::refusal::Refusal;
use super::state::{State, User, written};
use super::{BOT_LOGIN, DEFAULT_BRANCH, OWNER, REPO};

/// Number of the repository.
pub const REPO_ID: u64 = 1_296_269;
/// When the repository and all accounts were made.
pub const LONG_AGO: &str = "2019-05-15T15:19:25Z";

/// Addresses of an account, below its own.
const OF_USERS: [(&str, &str); 9] = [
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];
/// Addresses of a repository, below its own.
const OF_REPOSITORIES: [(&str, &str); 37] = [
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
    ("url", ""),
];

impl State {
    /// Address of something of the repository, in the API.
    pub fn api(&self, path: &str) -> String {
        format!("{}/repos/{REPO}{path}", self.base)
    }

    /// An account, as it is shown inside of other things; `null` when there is none.
    pub fn shown_user(&self, login: &str) -> Value {
        let Some(User { id, login, kind, .. }) = self.user(login) else { return Value::Null };
        let url = format!("{}/users/{login}", self.base);
        let mut user = json!({
            "login": login, "id": id, "node_id": node("U", *id), "gravatar_id": "", "url": url,
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
            "html_url": format!("https://github.com/{login}"),
            "type": kind, "user_view_type": "public", "site_admin": false,
        });
        for (name, below) in OF_USERS {
            user[name] = json!(format!("{url}{below}"));
        }
        user
    }

    /// An account with its own page.
    fn full_user(&self, login: &str) -> Value {
        let mut shown = self.shown_user(login);
        let Some(user) = self.user(login) else { return shown };
        let more = json!({
            "name": user.name, "company": null, "blog": "", "location": null, "email": user.public_email,
            "hireable": null, "bio": null, "twitter_username": null, "public_repos": 1, "public_gists": 0,
            "followers": 0, "following": 0, "created_at": LONG_AGO, "updated_at": LONG_AGO,
        });
        merge(&mut shown, &more);
        shown
    }

    pub fn own_user(&self) -> Done {
        Done::ok(&self.full_user(BOT_LOGIN))
    }

    pub fn user_page(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let user = self.full_user(asked.place("login"));
        if user.is_null() { Err(Refusal::not_found()) } else { Ok(Done::ok(&user)) }
    }

    pub fn list_assignees(&self, asked: &Asked) -> Done {
        let members: Vec<_> = self.users.iter().filter(|user| user.member).collect();
        self.page(asked, &members, |user| self.shown_user(&user.login))
    }

    pub fn check_assignee(&mut self, asked: &Asked) -> Result<Done, Refusal> {
        let can = self.user(asked.place("login")).is_some_and(|user| user.member);
        if can { Ok(Done::nothing(204)) } else { Err(Refusal::not_found()) }
    }

    /// How close somebody is to the repository.
    pub fn association(&self, login: &str) -> &'static str {
        match self.user(login) {
            Some(user) if user.member => "MEMBER",
            _ => "NONE",
        }
    }

    /// The repository.
    pub fn repository(&self) -> Value {
        let url = self.api("");
        let open = self.issues.values().filter(|issue| issue.open).count();
        let name = REPO.split('/').nth(1);
        let pushed = self.commits.iter().map(|commit| commit.at).max().unwrap_or(0);
        let mut repository = json!({
            "id": REPO_ID, "node_id": node("R", REPO_ID), "name": name, "full_name": REPO, "private": true,
            "owner": self.shown_user(OWNER), "html_url": format!("https://github.com/{REPO}"), "description": null,
            "fork": false, "created_at": LONG_AGO, "updated_at": LONG_AGO, "pushed_at": written(pushed),
            "git_url": format!("git://github.com/{REPO}.git"), "ssh_url": format!("git@github.com:{REPO}.git"),
            "clone_url": format!("https://github.com/{REPO}.git"), "svn_url": format!("https://github.com/{REPO}"),
            "homepage": null, "size": 108, "stargazers_count": 0, "watchers_count": 0, "language": "Python",
        });
        let more = json!({
            "has_issues": true, "has_projects": true, "has_downloads": true, "has_wiki": true, "has_pages": false,
            "has_discussions": false, "forks_count": 0, "mirror_url": null, "archived": false, "disabled": false,
            "open_issues_count": open, "license": null, "allow_forking": true, "is_template": false,
            "web_commit_signoff_required": false, "topics": [], "visibility": "private", "forks": 0,
            "open_issues": open, "watchers": 0, "default_branch": DEFAULT_BRANCH, "custom_properties": {},
        });
        merge(&mut repository, &more);
        for (name, below) in OF_REPOSITORIES {
            repository[name] = json!(format!("{url}{below}"));
        }
        repository
    }

    pub fn repository_page(&self) -> Done {
        let mut repository = self.repository();
        let more = json!({
            "network_count": 0, "subscribers_count": 1, "organization": self.shown_user(OWNER),
            "permissions": {"admin": true, "maintain": true, "push": true, "triage": true, "pull": true},
        });
        merge(&mut repository, &more);
        Done::ok(&repository)
    }
}

/// The other id that everything has.
pub fn node(kind: &str, id: u64) -> String {
    format!("{kind}_kwDO{id:011x}")
}

/// Puts the members of an object into another.
pub fn merge(into: &mut Value, more: &Value) {
    if let (Some(into), Some(more)) = (into.as_object_mut(), more.as_object()) {
        into.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}
