use std::sync::{Mutex, PoisonError};

use super::shown::shown;
use super::*;
use crate::chat::{Field, FieldKind, Span, Style, Tone, conformance};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Messages in memory; the id is the place in the list.
#[derive(Default)]
struct Memory(Mutex<Vec<Message>>);

impl Messages for Memory {
    fn append(&self, message: &Message) -> Result<String, String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = all.iter().find(|m| m.key.is_some() && m.key == message.key && m.place == message.place) {
            return Ok(there.id.clone());
        }
        let id = (all.len() + 1).to_string();
        all.push(Message { id: id.clone(), at: "2026-01-01T00:00:00Z".into(), ..message.clone() });
        Ok(id)
    }

    fn get(&self, id: &str) -> Result<Option<Message>, String> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|m| m.id == id).cloned())
    }

    fn replace(&self, id: &str, message: &Message) -> Result<bool, String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = all.iter_mut().find(|m| m.id == id);
        Ok(there.map(|there| *there = message.clone()).is_some())
    }

    fn find(&self, place: &Place, key: &str) -> Result<Option<Message>, String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all.iter().find(|m| m.place == *place && m.key.as_deref() == Some(key)).cloned())
    }

    fn list(&self, place: &Place, before: Option<&str>, limit: usize) -> Result<Vec<Message>, String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let older = all.iter().take_while(|m| Some(m.id.as_str()) != before).filter(|m| m.place == *place);
        let older: Vec<Message> = older.cloned().collect();
        Ok(older[older.len().saturating_sub(limit)..].to_vec())
    }
}

fn channel() -> Place {
    Place { channel: "incidents".into(), thread: None }
}

fn ada() -> Person {
    Person { id: "ada".into(), name: "Ada".into() }
}

fn card() -> Card {
    let control = |command: &str| Control {
        label: "Do it".into(),
        command: command.into(),
        style: Style::Plain,
        choices: vec![],
        fields: vec![],
    };
    let mut menu = control("wrong 12");
    menu.choices = vec![("Disk full".into(), "wrong 12 disk_full".into())];
    let mut form = control("close 12");
    form.fields = vec![Field {
        name: "why".into(),
        label: "Why?".into(),
        kind: FieldKind::Lines,
        value: String::new(),
        is_optional: true,
        hint: String::new(),
    }];
    Card {
        tone: Tone::Bad,
        title: "Checkout is down".into(),
        lead: vec![],
        facts: vec![],
        sections: vec![],
        controls: vec![control("acknowledge 12"), menu, form],
        footer: String::new(),
    }
}

fn console() -> Console {
    Console::new(Arc::new(Memory::default()))
}

#[tokio::test]
async fn it_does_what_every_platform_must() {
    let console = console();
    let seen = |at: &MessageRef| shown(console.messages().get(&at.id).ok().flatten());
    conformance::conformance(&console, &channel(), seen).await;
}

#[tokio::test]
async fn a_key_makes_one_message() -> Outcome {
    let console = console();
    let first = console.post(&channel(), &card(), "card-12").await?;
    assert_eq!(console.post(&channel(), &card(), "card-12").await?, first);
    assert_eq!(console.say(&first.thread(), &vec![], "card-12").await?.place, first.thread());
    assert_eq!(console.messages().list(&channel(), None, 10)?.len(), 1);
    Ok(())
}

#[test]
fn typed_commands_need_not_name_the_bot() -> Outcome {
    let console = console();
    for (typed, command) in [
        ("/clew resolve 12", "resolve 12"),
        ("/resolve 12", "resolve 12"),
        (" /triage ERROR disk full\nat db-1 ", "triage ERROR disk full\nat db-1"),
        ("/clew", ""),
        ("/clewless", "clewless"),
    ] {
        let event = console.write(&channel(), &ada(), typed)?;
        assert_eq!(event.said, Said::Command { text: command.into(), answers: BTreeMap::new() }, "{typed}");
        assert_eq!((event.place, event.platform.as_str()), (channel(), "console"));
    }
    let event = console.write(&channel(), &ada(), "looks like db-1 again")?;
    assert_eq!(
        event.said,
        Said::Message(said::Message { text: "looks like db-1 again".into(), ..said::Message::default() })
    );
    assert_eq!(event.message.as_deref(), Some("6"));
    assert_eq!(console.messages().list(&channel(), Some("6"), 2)?.last().map(|m| m.id.clone()), Some("5".into()));
    assert!(console.write(&channel(), &ada(), " \n").is_err());
    Ok(())
}

#[tokio::test]
async fn people_write_in_threads_that_are_there() -> Outcome {
    let console = console();
    let at = console.post(&channel(), &card(), "card-12").await?;
    let event = console.write(&at.thread(), &ada(), "on it")?;
    assert_eq!(event.place, at.thread());
    let nowhere = Place { thread: Some("99".into()), ..channel() };
    assert!(matches!(console.write(&nowhere, &ada(), "hello"), Err(Error::Gone(_))));
    let elsewhere = Place { channel: "other".into(), thread: at.thread().thread };
    assert!(matches!(console.write(&elsewhere, &ada(), "hello"), Err(Error::Gone(_))));
    Ok(())
}

#[tokio::test]
async fn only_what_stands_on_a_card_can_be_pressed() -> Outcome {
    let console = console();
    let at = console.post(&channel(), &card(), "card-12").await?;
    let press = |command: &str, answers: &[(&str, &str)]| {
        let answers = answers.iter().map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned())).collect();
        console.press(&at.id, command, answers, &ada())
    };
    let first = press("acknowledge 12", &[])?;
    assert_eq!((first.message.as_deref(), &first.person), (Some(at.id.as_str()), &ada()));
    assert_ne!(first.key, press("acknowledge 12", &[])?.key, "two presses are two events");
    assert!(press("wrong 12 disk_full", &[]).is_ok());
    let closed = press("close 12", &[("why", "fixed")])?;
    assert!(matches!(closed.said, Said::Command { answers, .. } if answers["why"] == "fixed"));
    assert!(matches!(press("wrong 12", &[]), Err(Error::Gone(_))), "a menu itself says nothing");
    assert!(matches!(press("resolve 12", &[]), Err(Error::Gone(_))));
    assert!(matches!(press("close 12", &[("who", "me")]), Err(Error::Permanent(_))));
    assert!(matches!(console.press("99", "acknowledge 12", BTreeMap::new(), &ada()), Err(Error::Gone(_))));
    let typed = console.write(&channel(), &ada(), "acknowledge 12")?;
    let id = typed.message.unwrap_or_default();
    assert!(matches!(console.press(&id, "acknowledge 12", BTreeMap::new(), &ada()), Err(Error::Gone(_))));
    Ok(())
}

#[test]
fn messages_can_be_kept_as_json() -> Outcome {
    for content in [Content::Card(card()), Content::Text("hello".into()), Content::Rich(vec![Span::Code("x".into())])] {
        let message = Message {
            id: "1".into(),
            place: channel(),
            key: Some("card-12".into()),
            author: ada(),
            at: "2026-01-01T00:00:00Z".into(),
            content,
        };
        assert_eq!(serde_json::from_str::<Message>(&serde_json::to_string(&message)?)?, message);
    }
    Ok(())
}
