//! A bot that listens over a socket, in a thread of its own.

use std::sync::mpsc;
use std::thread::JoinHandle;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::*;

/// Listens until it is dropped; then it closes the connection.
pub struct Listener {
    heard: Arc<Mutex<Vec<Value>>>,
    say: Option<UnboundedSender<Message>>,
    thread: Option<JoinHandle<()>>,
}

/// The address of one connection.
pub fn ticket(slack: &FakeSlack) -> Result<String, Failure> {
    let (_, answer) = call(slack, "apps.connections.open", APP_TOKEN, &json!({}))?;
    Ok(answer["url"].as_str().ok_or("no url")?.to_owned())
}

impl Listener {
    /// Answers each envelope with what `answer` makes of it; with nothing at all when that is `None`.
    pub fn start(
        slack: &FakeSlack,
        answer: impl Fn(&Value) -> Option<Value> + Send + 'static,
    ) -> Result<Self, Failure> {
        Self::open(ticket(slack)?, answer)
    }

    /// As [`Listener::start`], with this address.
    pub fn open(url: String, answer: impl Fn(&Value) -> Option<Value> + Send + 'static) -> Result<Self, Failure> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (say, mut said) = unbounded_channel();
        let (greeted, greeting) = mpsc::channel();
        let hear = {
            let heard = Arc::clone(&heard);
            move |what: Value| heard.lock().unwrap_or_else(PoisonError::into_inner).push(what)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || {
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
                        Some(Ok(Message::Text(text))) => {
                            let envelope: Value = serde_json::from_str(&text).unwrap_or_default();
                            let payload = answer(&envelope).filter(|_| envelope["envelope_id"].is_string());
                            hear(envelope.clone());
                            if envelope["type"] == "hello" {
                                greeted.send(()).unwrap_or_default();
                            }
                            if let Some(payload) = payload {
                                let ack = json!({"envelope_id": envelope["envelope_id"], "payload": payload});
                                drop(socket.send(Message::text(ack.to_string())).await);
                            }
                        }
                        Some(Ok(Message::Pong(_))) => hear(json!({"type": "pong"})),
                        Some(Ok(Message::Close(_))) => hear(json!({"type": "close"})),
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => break,
                    }
                }
                hear(json!({"type": "end"}));
            });
        });
        greeting.recv().map_err(|_| "no greeting")?;
        Ok(Self { heard, say: Some(say), thread: Some(thread) })
    }

    /// Acknowledges everything.
    pub fn polite(slack: &FakeSlack) -> Result<Self, Failure> {
        Self::start(slack, |_| Some(Value::Null))
    }

    pub fn heard(&self, kind: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|heard| heard["type"] == kind).cloned().collect()
    }

    pub fn ping(&self) {
        if let Some(say) = &self.say {
            drop(say.send(Message::Ping(Vec::new().into())));
        }
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
