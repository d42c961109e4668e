//! Calls of Jira's REST API. gouqi would make them, but loses `Retry-After`, and its types lack what matters: the category of
//! a status and the fields of a transition. So they go through the client that everything else uses.

use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::refusal::{self, About, Asker};
use super::settings::{Deployment, Settings};
use crate::Error;
use crate::http::{Call, Http, Login, Reply};

/// A Jira, and who asks it.
#[derive(Debug)]
pub struct Client {
    http: Http,
    /// Address of the site, without a slash at the end.
    pub base: String,
    user: Option<String>,
    token: SecretString,
    project: String,
    deployment: Option<Deployment>,
    /// What it said when it was asked which one it is.
    told: OnceCell<Deployment>,
}

/// What a Jira says of itself.
#[derive(Deserialize)]
struct ServerInfo {
    #[serde(default, rename = "deploymentType")]
    deployment: String,
}

impl Client {
    /// Makes it.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            http: Http::new()?,
            base: settings.url.clone(),
            user: settings.user.clone(),
            token: settings.token.clone(),
            project: settings.project.clone(),
            deployment: settings.deployment,
            told: OnceCell::new(),
        })
    }

    /// Which Jira it is. It is asked once.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn deployment(&self) -> Result<Deployment, Error> {
        match self.deployment {
            Some(deployment) => Ok(deployment),
            None => self.told.get_or_try_init(|| self.ask_deployment()).await.copied(),
        }
    }

    async fn ask_deployment(&self) -> Result<Deployment, Error> {
        let about = About { key: None, needs: "Browse Projects", fills: "" };
        // Only Cloud has version 3.
        for path in ["/rest/api/3/serverInfo", "/rest/api/2/serverInfo"] {
            let reply = self.send(Method::GET, path, None).await?;
            if reply.status == 404 {
                continue;
            }
            return match self.judge(reply, about).and_then(|reply| parse::<ServerInfo>(&reply)) {
                Ok(info) if info.deployment.eq_ignore_ascii_case("cloud") => Ok(Deployment::Cloud),
                Ok(_) => Ok(Deployment::Server),
                // A Jira that starts answers anything.
                Err(Error::Permanent(why)) => Err(Error::Transient { why, retry_after: None }),
                Err(other) => Err(other),
            };
        }
        // Something between here and Jira hides it. Cloud knows people by e-mail addresses, a Server by names.
        let is_cloud =
            self.base.contains(".atlassian.net") || self.user.as_ref().is_some_and(|user| user.contains('@'));
        tracing::warn!(is_cloud, "Jira does not say which one it is; set jira.deployment if this is wrong");
        Ok(if is_cloud { Deployment::Cloud } else { Deployment::Server })
    }

    /// The address of something, below that of the version that it speaks.
    async fn path(&self, path: &str) -> Result<String, Error> {
        let version = match self.deployment().await? {
            Deployment::Cloud => "/rest/api/3",
            Deployment::Server => "/rest/api/2",
        };
        Ok(format!("{version}{path}"))
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// When it is not there, or Jira does not say.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, about: About<'_>) -> Result<T, Error> {
        parse(&self.judge(self.try_get(path).await?, about)?)
    }

    /// As [`Client::get`], and a bad answer is an answer too.
    ///
    /// # Errors
    /// When no answer comes, or one that nobody was meant to get.
    pub async fn try_get(&self, path: &str) -> Result<Reply, Error> {
        self.send(Method::GET, &self.path(path).await?, None).await
    }

    /// Sends a document to `path`.
    ///
    /// # Errors
    /// When it is not taken, or nobody knows.
    pub async fn post(&self, path: &str, body: &Value, about: About<'_>) -> Result<Reply, Error> {
        self.judge(self.try_post(path, body).await?, about)
    }

    /// As [`Client::post`], and a bad answer is an answer too.
    ///
    /// # Errors
    /// When no answer comes, or one that nobody was meant to get.
    pub async fn try_post(&self, path: &str, body: &Value) -> Result<Reply, Error> {
        self.send(Method::POST, &self.path(path).await?, Some(body)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply, Error> {
        let login = match &self.user {
            Some(user) => Login::Basic(user, &self.token),
            None => Login::Bearer(&self.token),
        };
        let url = format!("{}{path}", self.base);
        let reply = self.http.call("Jira", Call { method, url: &url, login, body }).await?;
        if refusal::is_for_nobody(&reply) { Err(refusal::unknown(&reply, self.asker())) } else { Ok(reply) }
    }

    /// The answer, if it is a good one.
    ///
    /// # Errors
    /// What it says otherwise.
    pub fn judge(&self, reply: Reply, about: About<'_>) -> Result<Reply, Error> {
        if (200..300).contains(&reply.status) { Ok(reply) } else { Err(refusal::error(&reply, about, self.asker())) }
    }

    fn asker(&self) -> Asker<'_> {
        Asker { has_user: self.user.is_some(), project: &self.project }
    }
}

/// The document of an answer.
///
/// # Errors
/// When it is another one. Something between here and Jira may have answered, so it may be right later.
pub fn parse<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.body).map_err(|_| Error::Transient {
        why: format!("what answers ({}) does not speak as Jira does: check JIRA_URL", reply.status),
        retry_after: None,
    })
}

/// `text` as a part of a query.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
