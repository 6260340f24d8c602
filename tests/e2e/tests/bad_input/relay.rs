//! Small servers of a test's own: one that changes what the lab answers, one that nobody should ask.

use rustix::net::{AddressFamily, SocketType};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What becomes of the body of an answer: path and true body in, other body out; `None` leaves it as it is.
type Change = dyn Fn(&str, &str) -> Option<String> + Send + Sync;

/// Stands between tancheck and a lab, and changes bodies.
pub(crate) struct Relay {
    pub(crate) url: String,
}

impl Relay {
    /// Relays to this lab.
    pub(crate) fn to(
        lab: &str,
        change: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let target = lab.strip_prefix("http://").unwrap().to_owned();
        let change: Arc<Change> = Arc::new(change);
        let url = serve(move |stream| relay(stream, &target, &*change));
        Self { url }
    }
}

/// Counts who connects, and answers everything in the same way.
pub(crate) struct Counter {
    pub(crate) url: String,
    connections: Arc<AtomicUsize>,
}

impl Counter {
    /// Answers with this JSON and this status line.
    pub(crate) fn answering(status: &'static str, body: &'static str) -> Self {
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let url = serve(move |mut stream| {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = Request::read(&mut stream);
            answer(&mut stream, status, "application/json", body);
        });
        Self { url, connections }
    }

    /// Accepts connections and never says a word.
    pub(crate) fn silent() -> Self {
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let url = serve(move |mut stream| {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        Self { url, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The URL of a port where nobody listens, now or later: it is taken, until this process ends.
pub(crate) fn nobody() -> String {
    let taken = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&taken, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&taken).unwrap()).unwrap();
    std::mem::forget(taken);
    format!("http://{address}")
}

/// Serves on a port of its own until the test process ends.
fn serve(each: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let each = Arc::new(each);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let each = Arc::clone(&each);
            std::thread::spawn(move || each(stream));
        }
    });
    url
}

struct Request {
    method: String,
    path: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    /// Reads a request; `None` where the other side went away.
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let mut first = lines.first()?.split(' ').map(str::to_owned);
        let (method, path) = (first.next()?, first.next()?);
        let length = lines.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        Some(Self { method, path, headers: lines.split_off(1), body })
    }
}

fn relay(mut stream: TcpStream, target: &str, change: &Change) {
    let Some(request) = Request::read(&mut stream) else { return };
    // HTTP 1.0 knows no chunks: the answer ends with the connection.
    let mut lab = TcpStream::connect(target).unwrap();
    let kept = request.headers.iter().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let headers: String = kept.map(|line| format!("{line}\r\n")).collect();
    write!(lab, "{} {} HTTP/1.0\r\n{headers}connection: close\r\n\r\n", request.method, request.path)
        .unwrap();
    lab.write_all(&request.body).unwrap();
    let mut whole = Vec::new();
    lab.read_to_end(&mut whole).unwrap();
    let whole = String::from_utf8(whole).unwrap();
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let status = head.lines().next().unwrap().split_once(' ').unwrap().1;
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or("text/plain");
    let changed = change(&request.path, body);
    answer(&mut stream, status, kind, changed.as_deref().unwrap_or(body));
}

/// The other side may have read enough.
fn answer(stream: &mut TcpStream, status: &str, kind: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}
