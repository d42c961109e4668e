//! A small HTTP server in a thread of its own, which can also cut the connection instead of answering, or go on with it
//! as a WebSocket.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Largest body that is read.
const LARGEST: usize = 16 << 20;
/// The status with which a connection becomes a WebSocket.
const SWITCHING: u16 = 101;

/// A WebSocket that was opened to the server.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: hyper::HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Request {
    /// A header; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// What goes out.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// How long the other side waits.
    pub delay: Duration,
    /// The answer; `None`: the connection is cut.
    pub answer: Option<Answer>,
    /// The body, when it may be no text; it takes the place of the answer's.
    pub bytes: Option<Vec<u8>>,
}

impl Reply {
    /// A JSON document.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::typed(status, "application/json; charset=utf-8", body.to_string())
    }

    /// A document of this content type.
    #[must_use]
    pub fn typed(status: u16, content_type: &str, body: String) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { delay: Duration::ZERO, answer: Some(Answer { status, headers, body }), bytes: None }
    }

    /// A file.
    #[must_use]
    pub fn file(content_type: &str, bytes: Vec<u8>) -> Self {
        Self { bytes: Some(bytes), ..Self::typed(200, content_type, String::new()) }
    }

    /// A cut connection.
    #[must_use]
    pub fn cut() -> Self {
        Self { delay: Duration::ZERO, answer: None, bytes: None }
    }

    /// The connection goes on as a WebSocket.
    #[must_use]
    pub fn switch() -> Self {
        let answer = Answer { status: SWITCHING, headers: Vec::new(), body: String::new() };
        Self { answer: Some(answer), ..Self::cut() }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.headers.push((name, value.to_owned()));
        }
        self
    }
}

/// A running server. Stops when dropped, and every open connection with it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts on a free port of this machine.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(handler: impl Fn(Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::start_with_sockets(handler, |_, _| Box::pin(async {}))
    }

    /// As [`Server::start`]; what the handler answers with [`Reply::switch`] becomes a WebSocket, which lives as long as
    /// what `on_socket` makes of it.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start_with_sockets(
        handler: impl Fn(Request) -> Reply + Send + Sync + 'static,
        on_socket: impl Fn(Request, Socket) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        // Bound without a runtime, so that asynchronous tests can start it, too.
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let handlers = Handlers { on_request: Arc::new(handler), on_socket: Arc::new(on_socket) };
        let thread = std::thread::spawn(move || runtime.block_on(serve(listener, handlers, stopped)));
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[derive(Clone)]
struct Handlers {
    on_request: Arc<dyn Fn(Request) -> Reply + Send + Sync>,
    on_socket: Arc<dyn Fn(Request, Socket) -> BoxFuture<'static, ()> + Send + Sync>,
}

async fn serve(listener: std::net::TcpListener, handlers: Handlers, mut stopped: oneshot::Receiver<()>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, handlers.clone()));
            }
        }
    }
}

/// A connection that goes on as a WebSocket, with the request for it.
type Switched = Arc<Mutex<Option<(Request, OnUpgrade)>>>;

async fn connection(stream: TcpStream, handlers: Handlers) {
    let switched = Switched::default();
    let service = service_fn(|request| reply(Arc::clone(&handlers.on_request), Arc::clone(&switched), request));
    // A cut connection ends with the error that cuts it.
    drop(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await,
    );
    let taken = switched.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some((request, upgrade)) = taken else { return };
    if let Ok(upgraded) = upgrade.await {
        let socket = Socket::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        (handlers.on_socket)(request, socket).await;
    }
}

async fn reply(
    handler: Arc<dyn Fn(Request) -> Reply + Send + Sync>,
    switched: Switched,
    mut request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LARGEST).collect().await?.to_bytes().to_vec();
    let query = parts.uri.query().unwrap_or("");
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts.headers,
        body,
    };
    let asks_to_switch = (!request.header("sec-websocket-key").is_empty()).then(|| request.clone());
    let Reply { delay, answer, bytes } = handler(request);
    tokio::time::sleep(delay).await;
    let Some(Answer { status, headers, body }) = answer else { return Err("cut".into()) };
    let mut response = hyper::Response::builder().status(status);
    if let (SWITCHING, Some(request)) = (status, asks_to_switch) {
        let accept = derive_accept_key(request.header("sec-websocket-key").as_bytes());
        response = response.header("connection", "upgrade").header("upgrade", "websocket");
        response = response.header("sec-websocket-accept", accept);
        *switched.lock().unwrap_or_else(PoisonError::into_inner) = Some((request, upgrade));
    }
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(bytes.unwrap_or_else(|| body.into_bytes())))?)
}
