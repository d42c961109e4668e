//! Socket Mode: tickets, open sockets, and the ways in which they go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;

use super::refusal::Refusal;
use super::state::State;
use super::{APP_ID, FakeSlack, Shared};
use crate::fakes::clock::since_epoch;
use crate::fakes::server::{Reply, Request, Socket};

/// How many sockets an app may have.
const MOST: usize = 10;
const HOST: &str = "applink-of-the-fake";

/// What a socket is told.
#[derive(Debug)]
enum Order {
    Say(String),
    /// Close after this time.
    Close(Duration),
    /// Cut the connection.
    Cut,
    /// Read nothing any more, say nothing any more.
    Freeze,
}

#[derive(Debug)]
struct Link {
    orders: UnboundedSender<Order>,
    /// It was told that it will be closed.
    leaving: bool,
}

/// All sockets of the app.
#[derive(Debug, Default)]
pub struct Links {
    open: BTreeMap<u64, Link>,
    tickets: BTreeSet<String>,
    /// The socket whose turn it was.
    turn: u64,
    opened: usize,
}

impl Links {
    /// Lets a connection in that has a ticket; each is good for one.
    pub fn admit(&mut self, request: &Request) -> Reply {
        let ticket = request.query.iter().find(|(name, _)| name == "ticket");
        if ticket.is_some_and(|(_, ticket)| self.tickets.remove(ticket)) {
            return Reply::switch();
        }
        Refusal::code("invalid_auth").status(401).reply()
    }

    /// Sends this to the socket whose turn it is, to another one than `last` if there is another. Returns which.
    pub fn send(&mut self, last: Option<u64>, text: &str) -> Option<u64> {
        loop {
            let able = |(id, link): (&u64, &Link)| (!link.leaving).then_some(*id);
            let mut able: Vec<u64> = self.open.iter().filter_map(able).collect();
            if able.len() > 1 {
                able.retain(|id| Some(*id) != last);
            }
            let next = able.iter().find(|id| **id > self.turn).or(able.first()).copied()?;
            self.turn = next;
            if self.open.get(&next)?.orders.send(Order::Say(text.to_owned())).is_ok() {
                return Some(next);
            }
            self.open.remove(&next);
        }
    }

    fn told(&mut self, order: impl Fn() -> Order) {
        for link in self.open.values() {
            // A socket that has just ended needs no orders.
            drop(link.orders.send(order()));
        }
    }
}

impl State {
    /// `apps.connections.open`
    pub fn connection(&mut self) -> Value {
        let ticket = self.mint("ticket-");
        let url = format!("ws://{}/link/?ticket={ticket}&app_id={APP_ID}", self.address);
        self.links.tickets.insert(ticket);
        json!({"ok": true, "url": url})
    }

    /// A socket is open. Returns its id, what it is told, and what to say first; `None` when there are too many.
    fn enter(&mut self) -> Option<(u64, UnboundedReceiver<Order>, String)> {
        let links = &mut self.links;
        if links.open.len() >= MOST {
            return None;
        }
        links.opened += 1;
        let id = links.opened as u64;
        let (orders, told) = unbounded_channel();
        links.open.insert(id, Link { orders, leaving: false });
        self.mail.listened = true;
        let hello = json!({
            "type": "hello", "num_connections": links.open.len(), "connection_info": {"app_id": APP_ID},
            "debug_info": {
                "host": HOST, "started": format!("{}.000", since_epoch().as_secs()), "build_number": 1,
                "approximate_connection_time": 18_060,
            },
        });
        Some((id, told, hello.to_string()))
    }
}

/// Lives as long as the socket.
pub async fn serve(shared: Arc<Shared>, mut socket: Socket) {
    // What goes wrong here is the other side's end of the connection; then there is nobody left to tell.
    let Some((id, told, hello)) = shared.lock().enter() else {
        drop(socket.send(Message::text(disconnect("too_many_websockets"))).await);
        drop(socket.close(None).await);
        return;
    };
    if socket.send(Message::text(hello)).await.is_ok() {
        // What waited for a socket comes now.
        shared.changed.notify_all();
        exchange(&shared, socket, told).await;
    }
    shared.change(|state| state.links.open.remove(&id));
}

async fn exchange(shared: &Shared, mut socket: Socket, mut told: UnboundedReceiver<Order>) {
    let closing = tokio::time::sleep(Duration::from_hours(24));
    tokio::pin!(closing);
    loop {
        tokio::select! {
            order = told.recv() => match order {
                Some(Order::Say(text)) => if socket.send(Message::text(text)).await.is_err() { return },
                Some(Order::Close(after)) => closing.as_mut().reset(tokio::time::Instant::now() + after),
                Some(Order::Freeze) => return freeze(socket).await,
                Some(Order::Cut) | None => return,
            },
            // Pings are answered by the reading itself.
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => shared.change(|state| state.acknowledged(&text)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            () = &mut closing => {
                drop(socket.close(None).await);
                return;
            }
        }
    }
}

/// Nothing is understood any more; only the end of the connection is noticed, as the machine notices it.
async fn freeze(socket: Socket) {
    let mut connection = socket.into_inner();
    let mut lost = [0; 4_096];
    while connection.read(&mut lost).await.is_ok_and(|read| read > 0) {}
}

fn disconnect(reason: &str) -> String {
    json!({"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}).to_string()
}

impl FakeSlack {
    /// Tells every open socket that it will be closed, with this reason (`refresh_requested`, `warning`,
    /// `link_disabled`), sends it nothing new, and closes it after a time.
    pub fn disconnect_sockets(&self, reason: &str, close_after: Duration) {
        self.change(|state| {
            let links = &mut state.links;
            links.told(|| Order::Say(disconnect(reason)));
            links.told(|| Order::Close(close_after));
            links.open.values_mut().for_each(|link| link.leaving = true);
        });
    }

    /// Cuts the connection of every open socket without a word.
    pub fn drop_sockets(&self) {
        self.change(|state| {
            state.links.told(|| Order::Cut);
            state.links.open.clear();
        });
    }

    /// The sockets that are open now stay open and are dead: nothing is read from them, no ping is answered, and what is
    /// sent to them is lost. They are gone when the other side closes the connection.
    pub fn freeze_sockets(&self) {
        self.change(|state| state.links.told(|| Order::Freeze));
    }

    /// How many sockets are open, dead ones among them.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        self.state().links.open.len()
    }

    /// How many sockets were ever opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state().links.opened
    }
}
