//! Files: what people and the bot attach, and the server that has them. Their addresses are good for a day.

use std::time::Duration;

use serde_json::{Value, json};

use super::limits::list;
use super::state::State;
use super::{FakeDiscord, routes::Asked};
use crate::fakes::clock::since_epoch;
use crate::fakes::server::{Reply, Request};

/// How long an address is good.
const GOOD: Duration = Duration::from_hours(24);

/// A file as it is kept.
#[derive(Debug)]
pub struct StoredFile {
    channel: String,
    name: String,
    content_type: &'static str,
    bytes: Vec<u8>,
}

impl State {
    /// Keeps a file. Returns it as a message tells of it, but for its address.
    pub fn store(&mut self, channel: &str, name: &str, bytes: Vec<u8>) -> Value {
        let id = self.snowflake();
        // What an address cannot hold is not in the name any more.
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let kept: String = name.chars().map(plain).collect();
        let content_type = content_type(name);
        let mut told = json!({
            "id": id, "filename": kept, "size": bytes.len(), "content_type": content_type, "channel_id": channel,
        });
        if kept != name {
            told["title"] = json!(name.rsplit_once('.').map_or(name, |(title, _)| title));
        }
        let file = StoredFile { channel: channel.to_owned(), name: kept, content_type, bytes };
        self.files.insert(id, file);
        told
    }

    /// The attachments of a message after `body`: those that are kept, then those that are new.
    pub fn attached(&mut self, channel: &str, before: &Value, body: &Value) -> Value {
        let mut attachments: Vec<Value> = match body["attachments"].as_array() {
            Some(kept) => {
                let stays = |old: &&Value| kept.iter().any(|kept| kept["id"] == old["id"]);
                list(before).iter().filter(stays).cloned().collect()
            }
            None => list(before).to_vec(),
        };
        for upload in list(&body["uploads"]) {
            let bytes: Vec<u8> =
                list(&upload["bytes"]).iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            attachments.push(self.store(channel, upload["name"].as_str().unwrap_or("file"), bytes));
        }
        Value::Array(attachments)
    }

    /// Gives an attachment an address that is good now.
    pub fn link(&self, attachment: &mut Value) {
        let Some(file) = attachment["id"].as_str().and_then(|id| self.files.get(id).map(|file| (id, file))) else {
            return;
        };
        let url = self.address_of(file.0, file.1);
        attachment["url"] = json!(url);
        attachment["proxy_url"] = json!(url);
        if let Some(members) = attachment.as_object_mut() {
            members.remove("channel_id");
        }
    }

    fn address_of(&self, id: &str, file: &StoredFile) -> String {
        let now = (since_epoch() + self.aged).as_secs();
        let (from, until) = (format!("{now:x}"), format!("{:x}", now + GOOD.as_secs()));
        let mark = self.mark(id, &until);
        let StoredFile { channel, name, .. } = file;
        format!("http://{}/attachments/{channel}/{id}/{name}?ex={until}&is={from}&hm={mark}&", self.address)
    }

    /// Proves that an address was handed out.
    fn mark(&self, id: &str, until: &str) -> String {
        let signed = format!("{} {id} {until}", self.file_links);
        let digest = ring::digest::digest(&ring::digest::SHA256, signed.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `GET /attachments/{channel}/{id}/{name}`
    pub fn download(&mut self, request: &Request, asked: &Asked) -> Reply {
        if !request.header("authorization").is_empty() {
            self.leaked += 1;
        }
        let said = |name: &str| request.query.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value);
        let gone = || Reply::typed(404, "text/plain;charset=UTF-8", "This content is no longer available.".to_owned());
        let now = (since_epoch() + self.aged).as_secs();
        let (channel, id) = (asked.id(0), asked.id(1));
        let Some(file) = self.files.get(id).filter(|file| file.channel == channel) else { return gone() };
        let until = said("ex");
        let late = u64::from_str_radix(until, 16).map_or(true, |until| until < now);
        if late || said("hm") != self.mark(id, until) {
            return gone();
        }
        Reply::file(file.content_type, file.bytes.clone())
    }

    /// `POST /attachments/refresh-urls`
    pub fn refresh(&self, body: &Value) -> Value {
        let fresh = |original: &Value| {
            let id = original.as_str()?.split('/').rev().nth(1)?;
            let file = self.files.get(id)?;
            Some(json!({"original": original, "refreshed": self.address_of(id, file)}))
        };
        json!({"refreshed_urls": list(&body["attachment_urls"]).iter().filter_map(fresh).collect::<Vec<_>>()})
    }
}

fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    match extension.as_str() {
        "log" | "txt" | "out" | "trace" => "text/plain; charset=utf-8",
        "json" => "application/json; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "gz" => "application/gzip",
        "zip" => "application/zip",
        "png" => "image/png",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

/// The body of a form with files: `payload_json` as the document, with the files in `uploads`.
pub fn multipart(request: &Request) -> Option<Value> {
    let boundary = request.header("content-type").split("boundary=").nth(1)?.trim_matches('"');
    let delimiter = format!("--{boundary}");
    let (mut document, mut uploads) = (json!({}), Vec::new());
    let mut rest = request.body.as_slice();
    while let Some(start) = find(rest, delimiter.as_bytes()) {
        rest = &rest[start + delimiter.len()..];
        let end = find(rest, delimiter.as_bytes()).unwrap_or(rest.len());
        let Some(head) = find(&rest[..end], b"\r\n\r\n") else { continue };
        let headers = String::from_utf8_lossy(&rest[..head]).into_owned();
        let content = &rest[head + 4..end.saturating_sub(2).max(head + 4)];
        let named = |name: &str| headers.split(&format!("{name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
        match (named(" name").or_else(|| named(";name")).as_deref(), named("filename")) {
            (Some("payload_json"), _) => document = serde_json::from_slice(content).ok()?,
            (Some(_), Some(name)) => uploads.push(json!({"name": name, "bytes": content})),
            _ => {}
        }
    }
    document["uploads"] = json!(uploads);
    Some(document)
}

fn find(inside: &[u8], what: &[u8]) -> Option<usize> {
    inside.windows(what.len()).position(|window| window == what)
}

impl FakeDiscord {
    /// How often somebody sent a token along when asking for a file.
    #[must_use]
    pub fn leaked_tokens(&self) -> usize {
        self.state().leaked
    }

    /// All addresses of files that were handed out are not good any more. Who asks for the message again gets new ones.
    pub fn expire_files(&self) {
        self.change(|state| state.file_links += 1);
    }
}
