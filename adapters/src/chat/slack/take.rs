//! What is done with what came, the same for both ways in: it is kept, then answered; forms and pages follow.

use std::time::Duration;

use serde_json::{Value, json};

use super::envelope::{self, Heard, Kind, NAME, Trigger};
use super::{Inner, api::Done, views};
use crate::Error;
use crate::chat::{Ask, Listener, Person, Span};

/// Time between two tries to find out who the bot is.
const INTRODUCE_AGAIN: [u64; 5] = [1, 2, 5, 15, 60];

/// What follows once it was said that something arrived.
#[derive(Debug)]
pub enum Then {
    /// A form is opened: the person waits for it, and Slack lets it be opened for three seconds.
    Open(Ask, Trigger),
    /// Somebody's page is shown.
    Home(Person),
}

impl Inner {
    /// Takes what came. It is kept when this returns; what follows needs no keeping, as the person would do it again.
    ///
    /// # Errors
    /// When it could not be kept: then it did not arrive.
    pub async fn take<L: Listener>(&self, kind: Kind, payload: Value, listener: &L) -> Result<Option<Then>, Error> {
        let bot_user = self.people.bot_user();
        match envelope::read(kind, &payload, bot_user.as_deref()) {
            Heard::Nothing => Ok(None),
            Heard::Event(event) => listener.hear(*event).await.map(|()| None),
            Heard::Words(event, trigger) => match listener.asks(&event) {
                Some(command) => {
                    let ask = Ask { platform: NAME.into(), command, place: event.place, person: event.person };
                    Ok(Some(Then::Open(ask, trigger)))
                }
                None => listener.hear(*event).await.map(|()| None),
            },
            Heard::Ask(ask, trigger) => Ok(Some(Then::Open(ask, trigger))),
            Heard::Home(person) => Ok(Some(Then::Home(person))),
        }
    }

    /// Does what follows. The person sees when it does not work.
    pub async fn follow<L: Listener>(&self, then: Then, listener: &L) {
        let outcome = match &then {
            Then::Open(ask, trigger) => self.open(ask, trigger, listener).await,
            Then::Home(person) => self.show_home(person, listener).await,
        };
        let Err(error) = outcome else { return };
        tracing::warn!(%error, ?then, "a form or page could not be shown");
        if let Then::Open(ask, trigger) = then {
            let text = vec![Span::Text(error.to_string())];
            let key = format!("form-{}", trigger.id);
            if let Err(error) = self.whisper(&ask.place, &ask.person, &text, &key).await {
                tracing::warn!(%error, "nor could that be said");
            }
        }
    }

    async fn open<L: Listener>(&self, ask: &Ask, trigger: &Trigger, listener: &L) -> Result<(), Error> {
        let form = listener.form(ask.clone()).await?;
        let view = views::modal(&form, ask, trigger.message.clone());
        match self.api.send("views.open", "", &json!({"trigger_id": trigger.id, "view": view})).await {
            Ok(Done {}) | Err(Error::Gone(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn show_home<L: Listener>(&self, person: &Person, listener: &L) -> Result<(), Error> {
        let person = self.people.person(&self.api, &person.id).await.unwrap_or_else(|_| person.clone());
        let card = listener.home(NAME, &person).await?;
        let request = json!({"user_id": person.id, "view": views::home(&card)});
        let Done {} = self.api.send("views.publish", "", &request).await?;
        Ok(())
    }

    /// Finds out who the bot is, and says so in the log, or what is in the way.
    pub async fn introduce(&self) {
        for tries in 0.. {
            match self.people.introduce(&self.api).await {
                Ok(identity) => {
                    tracing::info!(bot = identity.user, workspace = identity.team, "known to Slack");
                    return;
                }
                Err(error) => tracing::error!(%error, "Slack does not say who the bot is"),
            }
            let wait = INTRODUCE_AGAIN[INTRODUCE_AGAIN.len().min(tries + 1) - 1];
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }

    /// Why no socket opens, if Slack says it.
    pub async fn why_no_socket(&self) -> Option<Error> {
        let api = self.app_api.as_ref()?;
        api.send::<Done>("apps.connections.open", "", &json!({})).await.err()
    }
}
