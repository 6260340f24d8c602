//! A server that says whatever a test wants, byte for byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves one request on each connection, until it is dropped.
pub(super) struct Server {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers each request, given as its head, its body and its number, with these bytes.
    pub(super) async fn saying(answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, answer, number) = (Arc::clone(&requests), Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, answer, number) = (Arc::clone(&log), Arc::clone(&answer), Arc::clone(&number));
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let bytes = answer(&request, number.fetch_add(1, Ordering::SeqCst));
                    log.lock().unwrap().push(request);
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { url, requests, task }
    }

    /// Accepts every token; answers everything else with these bytes.
    pub(super) async fn after_login(answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let others = AtomicUsize::new(0);
        Self::saying(move |request, _| {
            if request.starts_with("POST /api/v2/session/validate") {
                return json(200, r#"{"data":{"session":"good"}}"#);
            }
            if request.starts_with("GET /api/v2/session/current") {
                return json(200, r#"{"data":{"user":{"name":"ann"}}}"#);
            }
            answer(request, others.fetch_add(1, Ordering::SeqCst))
        })
        .await
    }

    /// The requests so far, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// How many requests asked for this path.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.contains(path)).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer with this status and JSON.
pub(super) fn json(status: u16, body: &str) -> Vec<u8> {
    with(status, "Content-Type: application/json\r\n", body)
}

/// An answer with this status, these header lines and this body.
pub(super) fn with(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return text,
            // A TLS greeting is no request, and is answered in the clear as any other.
            Ok(count) if bytes.is_empty() && buffer[0] == 0x16 => return format!("TLS {count}"),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
