//! The sockets of the gateway: HELLO, heartbeats, and what a bot may say when.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::Shared;
use super::refusal::Refusal;
use super::state::State;
use crate::fakes::server::{Reply, Request, Socket};

/// How much a bot may say in a minute.
const MOST: usize = 120;
const MINUTE: Duration = Duration::from_mins(1);
/// The longest that a bot may say at once, in bytes.
const LONGEST: usize = 4_096;

/// What a socket is told.
#[derive(Debug)]
pub enum Order {
    Say(String),
    /// Close with this code and reason.
    Close(u16, &'static str),
    /// Cut the connection.
    Cut,
    /// Read nothing any more, say nothing any more.
    Freeze,
}

/// All sockets.
#[derive(Debug, Default)]
pub struct Links {
    open: BTreeMap<u64, UnboundedSender<Order>>,
    /// Where each one was opened.
    pub paths: Vec<String>,
}

impl Links {
    pub fn order(&self, socket: u64, order: Order) {
        if let Some(orders) = self.open.get(&socket) {
            // A socket that has just ended needs no orders.
            drop(orders.send(order));
        }
    }

    pub fn order_all(&self, order: impl Fn() -> Order) {
        self.open.keys().for_each(|socket| self.order(*socket, order()));
    }

    pub fn open(&self) -> usize {
        self.open.len()
    }
}

/// What the server knows of one socket.
#[derive(Debug)]
struct Link {
    id: u64,
    path: String,
    said: VecDeque<Instant>,
    beat: Instant,
    heartbeat: Duration,
}

impl State {
    fn enter(&mut self, path: &str) -> (Link, UnboundedReceiver<Order>) {
        let links = &mut self.gateway.links;
        // Some clients end the path with a slash.
        let path = if path == "/" { path } else { path.trim_end_matches('/') };
        links.paths.push(path.to_owned());
        let id = links.paths.len() as u64;
        let (orders, told) = unbounded_channel();
        links.open.insert(id, orders);
        let heartbeat = self.gateway.heartbeat;
        let link = Link { id, path: path.to_owned(), said: VecDeque::new(), beat: Instant::now(), heartbeat };
        (link, told)
    }

    /// The bot said something. What is to be said or done.
    fn heard(&mut self, link: &mut Link, text: &str) -> Vec<Order> {
        let close = |code, reason| vec![Order::Close(code, reason)];
        let now = Instant::now();
        link.said.push_back(now);
        link.said.retain(|said| now.duration_since(*said) < MINUTE);
        if link.said.len() > MOST {
            return close(4008, "Rate limited.");
        }
        let Some(payload) = serde_json::from_str::<Value>(text).ok().filter(|_| text.len() <= LONGEST) else {
            return close(4002, "Error while decoding payload.");
        };
        let data = &payload["d"];
        let identified = self.gateway.has_session(link.id);
        match payload["op"].as_u64() {
            Some(1) => {
                link.beat = now;
                vec![Order::Say(json!({"op": 11}).to_string())]
            }
            Some(2 | 6) if identified => close(4005, "Already authenticated."),
            Some(2) => self.identify(link.id, data),
            Some(6) => self.resume(link.id, &link.path, data),
            Some(3 | 4 | 8 | 31) if !identified => close(4003, "Not authenticated."),
            Some(3 | 4 | 31) => Vec::new(),
            Some(8) => self.request_members(link.id, data),
            _ => close(4001, "Unknown opcode."),
        }
    }
}

/// Lets a connection in that wants to become a socket.
pub fn admit(request: &Request) -> Reply {
    if request.header("sec-websocket-key").is_empty() {
        return Refusal::not_found().reply();
    }
    Reply::switch()
}

/// Why the address of a socket is wrong.
fn refused(request: &Request) -> Option<Order> {
    let said = |name: &str| request.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    if said("v").is_some_and(|version| version != "10" && version != "9") {
        return Some(Order::Close(4012, "Invalid API version."));
    }
    (said("encoding").unwrap_or("json") != "json").then_some(Order::Close(4002, "This server speaks JSON only."))
}

/// Lives as long as the socket.
pub async fn serve(shared: Arc<Shared>, request: Request, mut socket: Socket) {
    let (mut link, told) = shared.change(|state| state.enter(&request.path));
    let interval = u64::try_from(link.heartbeat.as_millis()).unwrap_or(u64::MAX);
    let hello = json!({"op": 10, "d": {"heartbeat_interval": interval, "_trace": ["[]"]}});
    let greeted = match refused(&request) {
        Some(order) => obey(&mut socket, order).await,
        None => obey(&mut socket, Order::Say(hello.to_string())).await,
    };
    let mut ended = false;
    if greeted {
        ended = exchange(&shared, &mut link, socket, told).await;
    }
    shared.change(|state| {
        state.gateway.links.open.remove(&link.id);
        let now = state.now();
        state.gateway.lost(link.id, ended, now);
    });
}

/// Returns whether the bot ended its session with the connection: it closed with 1000 or 1001.
async fn exchange(shared: &Shared, link: &mut Link, mut socket: Socket, mut told: UnboundedReceiver<Order>) -> bool {
    loop {
        // Who sends no heartbeat for this long is thought to be gone.
        let patience = link.heartbeat * 3 / 2;
        let late = tokio::time::sleep((link.beat + patience).saturating_duration_since(Instant::now()));
        tokio::select! {
            order = told.recv() => match order {
                Some(Order::Freeze) => {
                    freeze(socket).await;
                    return false;
                }
                Some(order) => if !obey(&mut socket, order).await { return false },
                None => return false,
            },
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => {
                    for order in shared.change(|state| state.heard(link, &text)) {
                        if !obey(&mut socket, order).await {
                            return false;
                        }
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(1005, |frame| u16::from(frame.code));
                    return matches!(code, 1000 | 1001);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            },
            () = late => {
                obey(&mut socket, Order::Close(4009, "Session timed out.")).await;
                return true;
            }
        }
    }
}

/// Does what is ordered. Returns whether the socket is still open.
async fn obey(socket: &mut Socket, order: Order) -> bool {
    match order {
        Order::Say(text) => socket.send(Message::text(text)).await.is_ok(),
        Order::Close(code, reason) => {
            let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
            // The other side may be gone already.
            if socket.close(Some(frame)).await.is_ok() {
                let answer = async { while let Some(Ok(_)) = socket.next().await {} };
                drop(tokio::time::timeout(Duration::from_secs(1), answer).await);
            }
            false
        }
        Order::Cut | Order::Freeze => false,
    }
}

/// Nothing is understood any more; only the end of the connection is noticed, as the machine notices it.
async fn freeze(socket: Socket) {
    let mut connection = socket.into_inner();
    let mut lost = [0; 4_096];
    while connection.read(&mut lost).await.is_ok_and(|read| read > 0) {}
}
