//! The settings of the section `github`.

use secrecy::SecretString;

use crate::Error;
use crate::chat::address;

/// The API, when no other address is set.
pub const API: &str = "https://api.github.com";

/// The settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A personal access token.
    pub token: Option<SecretString>,
    /// `owner/name` of the repository with the code, in which issues are opened.
    pub repo: Option<String>,
    /// What deliveries are signed with.
    pub webhook_secret: Option<SecretString>,
    /// Labels of new issues besides Clew's own.
    pub labels: Vec<String>,
    /// How paths in stack traces become paths in the repository: what they begin with, and what takes its place.
    pub paths: Vec<(String, String)>,
    /// Login of who gets a ticket when nothing says who should.
    pub default_owner: Option<String>,
    /// Base address of the API.
    pub api_url: String,
}

impl Settings {
    /// Those that are set; `setting` gives a key of the section.
    ///
    /// # Errors
    /// When one cannot be right; the text names it and says what it should be.
    pub fn read(setting: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |key: &str| setting(key).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let repo = set("repo");
        if repo.as_deref().is_some_and(|repo| !is_repo(repo)) {
            return Err(wrong("GITHUB_REPO", "write it as owner/name, e.g. acme/shop"));
        }
        let default_owner = set("default_owner").map(|login| login.trim_start_matches('@').to_owned());
        if default_owner.as_deref().is_some_and(|login| !is_login(login)) {
            return Err(wrong("github.default_owner", "this is no login of GitHub"));
        }
        let labels: Vec<String> = listed(set("labels").as_deref()).map(str::to_owned).collect();
        if labels.iter().any(|label| label.chars().count() > LONGEST_LABEL) {
            return Err(wrong("github.labels", "a label has at most 50 characters"));
        }
        Ok(Self {
            token: set("token").map(SecretString::from),
            repo,
            webhook_secret: set("webhook_secret").map(SecretString::from),
            labels,
            paths: listed(set("paths").as_deref()).map(rule).collect::<Result<_, _>>()?,
            default_owner,
            api_url: address::base("GITHUB_API_URL", set("api_url").as_deref().unwrap_or(API))?,
        })
    }
}

/// Longest name of a label.
const LONGEST_LABEL: usize = 50;

fn wrong(name: &str, why: &str) -> Error {
    Error::Permanent(format!("{name}: {why}"))
}

fn listed(value: Option<&str>) -> impl Iterator<Item = &str> {
    value.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A rule for paths.
fn rule(written: &str) -> Result<(String, String), Error> {
    let parts = written.split_once('=').map(|(prefix, instead)| (prefix.trim().to_owned(), instead.trim().to_owned()));
    let good = |(prefix, instead): &(String, String)| {
        !prefix.is_empty() && !instead.starts_with('/') && !instead.split('/').any(|part| part == "..")
    };
    parts.filter(good).ok_or_else(|| {
        wrong(
            "github.paths",
            &format!("{written:?} is no rule: write prefix=folder of the repository, e.g. /app/=shop/"),
        )
    })
}

/// Whether this is `owner/name` as GitHub allows it. What is not goes into no address.
#[must_use]
pub fn is_repo(repo: &str) -> bool {
    let good = |part: &str| {
        !part.is_empty()
            && part.len() <= 100
            && part != "."
            && part != ".."
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    repo.split_once('/').is_some_and(|(owner, name)| good(owner) && good(name))
}

/// Whether this can be the login of a person. Bots have brackets in theirs.
#[must_use]
pub fn is_login(login: &str) -> bool {
    (1..=60).contains(&login.len()) && login.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails stops

    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Settings, String> {
        let setting = |key: &str| set.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
        Settings::read(&setting).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_set_is_read() {
        let settings = read(&[
            ("repo", "acme/shop"),
            ("labels", " ops, incident ,"),
            ("paths", "/app/=, /srv/shop/=services/shop/"),
            ("default_owner", "@mara"),
            ("api_url", "https://github.acme.example/api/v3/"),
        ])
        .unwrap();
        assert_eq!(settings.repo.as_deref(), Some("acme/shop"));
        assert_eq!(settings.labels, ["ops", "incident"]);
        let rules = [("/app/", ""), ("/srv/shop/", "services/shop/")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(settings.paths, rules);
        assert_eq!(settings.default_owner.as_deref(), Some("mara"));
        assert_eq!(settings.api_url, "https://github.acme.example/api/v3");
        let none = read(&[("repo", " "), ("token", "")]).unwrap();
        assert!(none.repo.is_none() && none.token.is_none());
        assert_eq!(none.api_url, API);
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        for (key, value, name) in [
            ("repo", "shop", "GITHUB_REPO"),
            ("repo", "acme/shop/x", "GITHUB_REPO"),
            ("repo", "acme/..", "GITHUB_REPO"),
            ("repo", "https://github.com/acme/shop", "GITHUB_REPO"),
            ("default_owner", "mara smith", "github.default_owner"),
            ("paths", "/app/", "github.paths"),
            ("paths", "=x", "github.paths"),
            ("paths", "/app/=../x", "github.paths"),
            ("labels", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "github.labels"),
            ("api_url", "http://github.acme.example", "GITHUB_API_URL"),
        ] {
            let error = read(&[(key, value)]).unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
