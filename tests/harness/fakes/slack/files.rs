//! Files that people share.

use serde_json::{Value, json};

use super::methods::string;
use super::refusal::Refusal;
use super::state::State;
use super::{TEAM, TOKEN};
use crate::fakes::clock::since_epoch;
use crate::fakes::server::Reply;

/// A file as it is kept.
#[derive(Debug)]
pub struct StoredFile {
    /// What the Web API tells of it.
    pub told: Value,
    pub channel: String,
    pub bytes: Vec<u8>,
}

impl State {
    /// Keeps a file. Returns what is told of it.
    pub fn store_file(&mut self, channel: &str, user: &str, name: &str, bytes: &[u8]) -> Value {
        let id = self.mint("F");
        let (filetype, mimetype, pretty_type, mode) = kind(name);
        // A name can hold anything; in an address it is quoted.
        let quoted: String = form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
        let base = format!("http://{}/files/{id}", self.address);
        let now = since_epoch().as_secs();
        let told = json!({
            "id": id, "created": now, "timestamp": now, "name": name, "title": name, "mimetype": mimetype,
            "filetype": filetype, "pretty_type": pretty_type, "user": user, "user_team": TEAM, "mode": mode,
            "editable": mode == "snippet", "size": bytes.len(), "is_external": false, "external_type": "",
            "is_public": true, "public_url_shared": false, "display_as_bot": false, "username": "",
            "url_private": format!("{base}/{quoted}"), "url_private_download": format!("{base}/download/{quoted}"),
            "permalink": format!("https://team.slack.example/files/{user}/{id}/{quoted}"),
            "has_rich_preview": false, "file_access": "visible",
        });
        self.files.insert(id, StoredFile { told: told.clone(), channel: channel.to_owned(), bytes: bytes.to_vec() });
        told
    }

    /// `files.info`
    pub fn file_info(&self, arguments: &Value) -> Result<Value, Refusal> {
        let file = self.file(string(arguments, "file"))?;
        Ok(json!({"ok": true, "file": file.told, "comments": [], "response_metadata": {"next_cursor": ""}}))
    }

    /// A file for whoever may read it; everybody else is asked to log in, as a person would be.
    pub fn download(&self, arguments: &Value, token: Option<&str>) -> Result<Reply, Refusal> {
        if self.revoked || token != Some(TOKEN) || self.permitted("files:read").is_err() {
            return Err(Refusal::login_page());
        }
        let file = self.file(string(arguments, "id")).map_err(|refusal| refusal.status(404))?;
        Ok(Reply::file(file.told["mimetype"].as_str().unwrap_or(""), file.bytes.clone()))
    }

    /// A file that the bot can see: one of a channel that it is in.
    fn file(&self, id: &str) -> Result<&StoredFile, Refusal> {
        let seen = |file: &&StoredFile| self.channels.get(&file.channel).is_some_and(|channel| channel.member);
        self.files.get(id).filter(seen).ok_or_else(|| Refusal::code("file_not_found"))
    }
}

/// Type, content type, name of the type, and mode of a file of this name.
fn kind(name: &str) -> (&'static str, &'static str, &'static str, &'static str) {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    match extension.as_str() {
        "log" | "txt" | "out" | "trace" => ("text", "text/plain", "Plain Text", "snippet"),
        "json" => ("json", "text/plain", "JSON", "snippet"),
        "csv" => ("csv", "text/csv", "CSV", "snippet"),
        "yaml" | "yml" => ("yaml", "text/plain", "YAML", "snippet"),
        "gz" => ("gzip", "application/x-gzip", "Gzip", "hosted"),
        "zip" => ("zip", "application/zip", "Zip", "hosted"),
        "png" => ("png", "image/png", "PNG", "hosted"),
        "pdf" => ("pdf", "application/pdf", "PDF", "hosted"),
        _ => ("binary", "application/octet-stream", "Binary", "hosted"),
    }
}
