//! A bot that listens to the gateway, in a thread of its own.

use std::thread::JoinHandle;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::until;

/// Intents for servers, messages in them, and direct messages; with or without what people write.
pub const WITH_CONTENT: u64 = 1 | 1 << 9 | 1 << 12 | 1 << 15;
pub const WITHOUT_CONTENT: u64 = 1 | 1 << 9 | 1 << 12;

/// Listens until it is dropped; then it cuts the connection.
pub struct Listener {
    heard: Arc<Mutex<Vec<Value>>>,
    say: Option<UnboundedSender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Opens a connection at this address and says nothing.
    pub fn open(url: &str) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (say, mut said) = unbounded_channel::<Message>();
        let url = format!("{url}/?v=10&encoding=json");
        let hear = {
            let heard = Arc::clone(&heard);
            move |what: Value| heard.lock().unwrap_or_else(PoisonError::into_inner).push(what)
        };
        let thread = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async move {
                let Ok((mut socket, _)) = connect_async(url).await else { return };
                loop {
                    let message = tokio::select! {
                        message = said.recv() => match message {
                            Some(message) => {
                                drop(socket.send(message).await);
                                continue;
                            }
                            None => break,
                        },
                        message = socket.next() => message,
                    };
                    match message {
                        Some(Ok(Message::Text(text))) => hear(serde_json::from_str(&text).unwrap_or_default()),
                        Some(Ok(Message::Close(frame))) => {
                            let code = frame.map_or(0, |frame| u16::from(frame.code));
                            hear(json!({"op": "close", "code": code}));
                        }
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => break,
                    }
                }
                hear(json!({"op": "end"}));
            });
        });
        Self { heard, say: Some(say), thread: Some(thread) }
    }

    /// A bot that is ready.
    pub fn ready(discord: &FakeDiscord, intents: u64) -> Result<Self, Failure> {
        let bot = Self::open(&gateway(discord)?);
        bot.identify(intents);
        bot.wait_for("READY")?;
        Ok(bot)
    }

    pub fn say(&self, payload: &Value) {
        self.send(Message::text(payload.to_string()));
    }

    pub fn send(&self, message: Message) {
        if let Some(say) = &self.say {
            drop(say.send(message));
        }
    }

    pub fn identify(&self, intents: u64) {
        self.say(&json!({"op": 2, "d": {"token": TOKEN, "intents": intents, "properties": {"os": "linux"}}}));
    }

    pub fn resume(&self, session: &str, seq: u64) {
        self.say(&json!({"op": 6, "d": {"token": TOKEN, "session_id": session, "seq": seq}}));
    }

    pub fn all(&self) -> Vec<Value> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The events of this name.
    pub fn heard(&self, event: &str) -> Vec<Value> {
        self.all().into_iter().filter(|heard| heard["t"] == event).collect()
    }

    /// Waits for an event of this name; returns what it tells.
    pub fn wait_for(&self, event: &str) -> Result<Value, Failure> {
        until(event, || Ok(self.heard(event).first().map(|heard| heard["d"].clone())))
    }

    /// Waits for something with this opcode.
    pub fn wait_for_op(&self, op: u64) -> Result<Value, Failure> {
        until("an opcode", || Ok(self.all().into_iter().find(|heard| heard["op"] == op)))
    }

    /// Waits for the end of the connection. Returns the code with which it was closed; 0 without one.
    pub fn closed(&self) -> Result<u64, Failure> {
        until("the end of the connection", || Ok(self.all().into_iter().find(|heard| heard["op"] == "end")))?;
        let close = self.all().into_iter().find(|heard| heard["op"] == "close");
        Ok(close.and_then(|close| close["code"].as_u64()).unwrap_or(0))
    }

    /// Number of the last event.
    pub fn seq(&self) -> u64 {
        self.all().iter().filter_map(|heard| heard["s"].as_u64()).max().unwrap_or(0)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.say.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// The address of the gateway, as the bot asks for it.
pub fn gateway(discord: &FakeDiscord) -> Result<String, Failure> {
    let (_, told) = call(discord, "GET", "gateway/bot", &Value::Null)?;
    Ok(told["url"].as_str().ok_or("no url")?.to_owned())
}
