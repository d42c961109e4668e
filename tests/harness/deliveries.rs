//! Deliveries of alerts as their senders make them, from `tests/fixtures/alerts`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Answer, Bot, Failure, repository, until};

/// A request of a sender.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// Name of the format.
    pub format: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Parameters of the address.
    pub query: BTreeMap<String, String>,
    /// The body, if it is JSON.
    pub body: Value,
    /// The body, if it is text.
    pub text: Option<String>,
}

impl Sent {
    /// The fixture `format/name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn fixture(name: &str) -> Result<Self, Failure> {
        let file = repository().join("tests/fixtures/alerts").join(format!("{name}.json"));
        let file: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let pairs = |part: &str| -> BTreeMap<String, String> {
            let pairs = file[part].as_object().into_iter().flatten();
            pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
        };
        Ok(Self {
            format: name.split('/').next().unwrap_or_default().to_owned(),
            headers: pairs("headers").into_iter().filter(|(name, _)| name != "Content-Type").collect(),
            query: pairs("query"),
            body: file["body"].clone(),
            text: file["text"].as_str().map(str::to_owned),
        })
    }

    /// A delivery of `format` with this JSON.
    #[must_use]
    pub fn json(format: &str, body: Value) -> Self {
        Self { format: format.to_owned(), body, ..Self::default() }
    }

    /// A delivery of `lines` as plain text.
    #[must_use]
    pub fn lines(lines: &str) -> Self {
        Self { format: "text".to_owned(), text: Some(lines.to_owned()), ..Self::default() }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a parameter in the address.
    #[must_use]
    pub fn asking(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Only the alert at this place of a group (Alertmanager, Grafana).
    #[must_use]
    pub fn only(mut self, place: usize) -> Self {
        let alert = self.body["alerts"][place].clone();
        self.body["status"] = alert["status"].clone();
        self.body["alerts"] = json!([alert]);
        self
    }

    /// The same group when all of it is over (Alertmanager, Grafana).
    #[must_use]
    pub fn over(mut self) -> Self {
        self.body["status"] = json!("resolved");
        for alert in self.body["alerts"].as_array_mut().into_iter().flatten() {
            alert["status"] = json!("resolved");
            alert["endsAt"] = json!("2026-11-23T11:43:15Z");
        }
        self
    }

    /// The same group in a firing that began at `time` (Alertmanager, Grafana).
    #[must_use]
    pub fn begun(mut self, time: &str) -> Self {
        for alert in self.body["alerts"].as_array_mut().into_iter().flatten() {
            alert["startsAt"] = json!(time);
        }
        self
    }

    /// The body as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.text.clone().unwrap_or_else(|| self.body.to_string()).into_bytes()
    }

    /// What follows `/webhooks/`, without a token.
    #[must_use]
    pub fn path(&self) -> String {
        self.path_with("")
    }

    /// What follows `/webhooks/`, with `more` after the name of the format.
    #[must_use]
    pub fn path_with(&self, more: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/webhooks/{}{more}{mark}{query}", self.format)
    }
}

impl Bot {
    /// Posts a delivery to its address, with this in the address after the name of the format.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn deliver_to(&self, more: &str, sent: &Sent, headers: &[(&str, &str)]) -> Result<Answer, Failure> {
        let content_type = if sent.text.is_some() { "application/x-www-form-urlencoded" } else { "application/json" };
        let own = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&str, &str)> = own.chain(headers.iter().copied()).collect();
        self.post_as_stranger(&sent.path_with(more), content_type, &sent.bytes(), &headers)
    }

    /// Posts a delivery, which must be accepted. Whether it was new.
    ///
    /// # Errors
    /// When it is not accepted; the message holds the answer.
    pub fn deliver(&self, sent: &Sent) -> Result<bool, Failure> {
        let answer = self.deliver_to("", sent, &[])?;
        match (answer.status, answer.json()["duplicate"].as_bool()) {
            (202, Some(duplicate)) => Ok(!duplicate),
            _ => Err(format!("not accepted: {} {}", answer.status, answer.text).into()),
        }
    }

    /// Waits until nothing is left to be done.
    ///
    /// # Errors
    /// When that takes too long.
    pub fn at_rest(&self) -> Result<(), Failure> {
        until("no job waits any more", || Ok((self.get("/jobs")?.json()["count"] == 0).then_some(())))
    }

    /// All incidents, the latest first, once nothing is left to be done.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn incidents(&self) -> Result<Vec<Value>, Failure> {
        self.at_rest()?;
        Ok(self.get("/incidents?limit=500")?.json()["incidents"].as_array().cloned().unwrap_or_default())
    }

    /// The only incident, once nothing is left to be done.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn only_incident(&self) -> Result<Value, Failure> {
        match self.incidents()?.as_slice() {
            [one] => Ok(one.clone()),
            many => Err(format!("one incident was expected, not {}: {many:#?}", many.len()).into()),
        }
    }

    /// The timeline of an incident.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn timeline(&self, id: &str) -> Result<Vec<Value>, Failure> {
        let answer = self.get(&format!("/incidents/{id}/events?limit=500"))?.json();
        Ok(answer["events"].as_array().cloned().unwrap_or_default())
    }
}
