//! What a person sees of a message.

use serde_json::Value;

use super::limits::list;
use super::markdown::{self, Named, Node};

/// What a message calls, as the server resolved it.
struct Calls<'a> {
    message: &'a Value,
    /// Words for what was seen of it.
    seen: Vec<String>,
}

/// A message with everything that hangs on it.
pub fn message(message: &Value) -> String {
    let mut calls = Calls { message, seen: Vec::new() };
    let mut parts = vec![rendered(&markdown::text(string(&message["content"])), Some(&mut calls))];
    parts.extend(list(&message["embeds"]).iter().map(embed));
    parts.extend(list(&message["attachments"]).iter().map(|file| format!("{{file {}}}", string(&file["filename"]))));
    parts.extend(list(&message["components"]).iter().map(component));
    // Whom a message calls without a word, e.g. by answering.
    parts.extend(calls.unseen().into_iter().map(|who| format!("{{calls {who}}}")));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// A form as the person sees it: title, then each question as `{input label|custom id}`, options as controls.
pub fn form(form: &Value) -> String {
    let mut parts = vec![string(&form["title"]).to_owned()];
    for question in list(&form["components"]) {
        let rows = list(&question["components"]);
        let inner = if rows.is_empty() { std::slice::from_ref(&question["component"]) } else { rows };
        for input in inner {
            let label = if question["label"].is_null() { &input["label"] } else { &question["label"] };
            parts.push(format!("{{input {}|{}}}", string(label), string(&input["custom_id"])));
            let told = [&question["description"], &input["placeholder"], &input["value"]];
            parts.extend(told.iter().filter_map(|told| told.as_str()).map(str::to_owned));
            parts.push(options(input));
        }
        if question["type"] == 10 {
            parts.push(rendered(&markdown::text(string(&question["content"])), None));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn embed(embed: &Value) -> String {
    let of_text = |value: &Value| rendered(&markdown::text(string(value)), None);
    let of_line = |value: &Value| rendered(&markdown::line(string(value)), None);
    let linked = |url: &Value, text: String| match url.as_str() {
        Some(url) if !text.is_empty() => format!("{{link {url}|{text}}}"),
        _ => text,
    };
    let author = linked(&embed["author"]["url"], string(&embed["author"]["name"]).to_owned());
    let title = linked(&embed["url"], of_line(&embed["title"]));
    let mut parts = vec![author, title, of_text(&embed["description"])];
    for field in list(&embed["fields"]) {
        parts.extend([of_line(&field["name"]), of_text(&field["value"])]);
    }
    parts.push(string(&embed["footer"]["text"]).to_owned());
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn component(component: &Value) -> String {
    match component["type"].as_u64().unwrap_or(0) {
        2 => {
            let label = string(&component["label"]);
            if let Some(url) = component["url"].as_str() {
                return format!("{{link {url}|{label}}}");
            }
            // The first word of the id is the bot's own, the rest is what is meant.
            let id = string(&component["custom_id"]);
            format!("{{control {label}|{}}}", id.split_once(' ').map_or(id, |(_, command)| command))
        }
        3 => [string(&component["placeholder"]).to_owned(), options(component)].join("\n").trim().to_owned(),
        5..=8 => format!("{{control {}|}}", string(&component["placeholder"])),
        10 => rendered(&markdown::text(string(&component["content"])), None),
        _ => {
            let inner = list(&component["components"]).iter().map(self::component);
            let accessory = (!component["accessory"].is_null()).then(|| self::component(&component["accessory"]));
            inner.chain(accessory).collect::<Vec<_>>().join("\n")
        }
    }
}

fn options(menu: &Value) -> String {
    let option = |option: &Value| format!("{{control {}|{}}}", string(&option["label"]), string(&option["value"]));
    list(&menu["options"]).iter().map(option).collect::<Vec<_>>().join("\n")
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn rendered(nodes: &[Node], mut calls: Option<&mut Calls<'_>>) -> String {
    let mut shown = String::new();
    for node in nodes {
        let mut inner = |nodes: &[Node]| rendered(nodes, calls.as_deref_mut());
        let part = match node {
            Node::Text(text) | Node::Code(text) => text.clone(),
            Node::Styled(nodes) => inner(nodes),
            Node::Marked("spoiler", nodes) => format!("{{spoiler {}}}", inner(nodes)),
            // These stand in lines of their own.
            Node::Marked(kind, nodes) => format!("{{{kind} {}}}\n", inner(nodes)),
            Node::Link(url, nodes) => format!("{{link {url}|{}}}", inner(nodes)),
            Node::Told(kind, what) => format!("{{{kind} {what}}}"),
            Node::Mention(named) => {
                let who = who(named);
                let called = calls.as_deref_mut().is_some_and(|calls| calls.called(&who));
                format!("{{{} {who}}}", if called { "calls" } else { "mentions" })
            }
        };
        shown.push_str(&part);
    }
    shown
}

fn who(named: &Named) -> String {
    match named {
        Named::User(id) => format!("user {id}"),
        Named::Role(id) => format!("role {id}"),
        Named::Everyone => "everyone".to_owned(),
        Named::Here => "here".to_owned(),
    }
}

impl Calls<'_> {
    /// All that the message calls; the server does not tell everyone from those who are here.
    fn all(&self) -> Vec<String> {
        let users = list(&self.message["mentions"]).iter().map(|user| format!("user {}", string(&user["id"])));
        let roles = list(&self.message["mention_roles"]).iter().map(|role| format!("role {}", string(role)));
        let everyone = (self.message["mention_everyone"] == true).then(|| "everyone".to_owned());
        users.chain(roles).chain(everyone).collect()
    }

    fn called(&mut self, who: &str) -> bool {
        let resolved = if who == "here" { "everyone" } else { who };
        let called = self.all().iter().any(|one| one == resolved);
        if called {
            self.seen.push(resolved.to_owned());
        }
        called
    }

    fn unseen(&self) -> Vec<String> {
        self.all().into_iter().filter(|who| !self.seen.contains(who)).collect()
    }
}
