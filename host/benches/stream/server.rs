//! A loopback server that answers `/rows/N` with a result set of so many rows.

use super::rows::Document;
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bodies of up to so many rows are made once and kept: the server is not what is measured.
const KEPT_ROWS: u64 = 250_000;
const CHUNK: usize = 64 << 10;

/// The bodies that were made so far, by their rows.
type Bodies = Arc<Mutex<BTreeMap<u64, Arc<Vec<u8>>>>>;

pub(crate) struct Server {
    address: SocketAddr,
}

impl Server {
    /// Listens on a free port until the process ends.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let bodies = Bodies::default();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let bodies = bodies.clone();
                // A client that hangs up ends its own thread only.
                thread::spawn(move || serve(&stream, &bodies));
            }
        });
        Ok(Self { address })
    }

    pub(crate) fn url(&self, rows: u64) -> String {
        format!("http://{}/rows/{rows}", self.address)
    }
}

fn serve(mut stream: &TcpStream, bodies: &Bodies) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(request) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or_default();
        let rows = path.rsplit('/').next().and_then(|rows| rows.parse().ok()).unwrap_or(0);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        if rows > KEPT_ROWS {
            write!(stream, "{head}Connection: close\r\n\r\n")?;
            let mut document = Document::new(rows);
            let mut buffer = Vec::new();
            while document.fill(&mut buffer, CHUNK) {
                stream.write_all(&buffer)?;
            }
            return Ok(());
        }
        let body = kept(bodies, rows);
        write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    }
    Ok(())
}

fn kept(bodies: &Bodies, rows: u64) -> Arc<Vec<u8>> {
    let mut bodies = bodies.lock().unwrap_or_else(PoisonError::into_inner);
    let body = bodies.entry(rows).or_insert_with(|| {
        let mut document = Document::new(rows);
        let (mut body, mut buffer) = (Vec::new(), Vec::new());
        while document.fill(&mut buffer, CHUNK) {
            body.extend_from_slice(&buffer);
        }
        Arc::new(body)
    });
    body.clone()
}
