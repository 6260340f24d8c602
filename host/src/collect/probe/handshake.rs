//! One connection: greeting, the server's flight, a polite end. Nothing else is ever sent.

use super::flight::{Flight, MOST_BYTES, Reader, Stop};
use super::hello;
use std::io;
use std::time::Duration;
use tancheck_plugin_api::records::probe::Trouble;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Records around the handshake, alerts between them: more than this is read from nobody.
const MOST_READ: usize = MOST_BYTES + MOST_BYTES / 2;

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_millis(500);

/// `user_canceled` as a warning, then `close_notify`.
const GOODBYE: [u8; 14] = [21, 3, 3, 0, 2, 1, 90, 21, 3, 3, 0, 2, 1, 0];

/// What came of a greeting: the flight as far as it came, and what stopped it.
#[derive(Debug)]
pub(super) struct Greeted {
    pub(super) flight: Flight,
    pub(super) stop: Option<Stop>,
}

/// Greets with these suites and reads the flight, all within the time.
pub(super) async fn greet(
    mut stream: TcpStream,
    suites: &[u16],
    host: Option<&str>,
    timeout: Duration,
) -> Greeted {
    let mut reader = Reader::default();
    let hello = hello::client_hello(suites, host, std::array::from_fn(|_| fastrand::u8(..)));
    let result = tokio::time::timeout(timeout, talk(&mut stream, &hello, &mut reader)).await;
    let mut stop = match result {
        Ok(result) => result.err(),
        Err(_) => Some(silence(&reader, timeout)),
    };
    // Whoever hears it or not: the server's log has a reason, and the connection ends.
    let _ = tokio::time::timeout(FAREWELL, async {
        let _ = stream.write_all(&GOODBYE).await;
        let _ = stream.shutdown().await;
    })
    .await;
    let flight = reader.flight().clone();
    if stop.is_none()
        && let Some(suite) = flight.suite
        && !suites.contains(&suite)
    {
        let says = format!("the server chose the suite {suite:#06x}, which was not offered");
        stop = Some(Stop::new(Trouble::WrongSuite, says));
    }
    Greeted { flight, stop }
}

async fn talk(stream: &mut TcpStream, hello: &[u8], reader: &mut Reader) -> Result<(), Stop> {
    stream.write_all(hello).await.map_err(|error| broken(&error, reader))?;
    let mut buffer = [0; 4096];
    let mut received = 0;
    loop {
        let length = match stream.read(&mut buffer).await {
            Ok(0) => return Err(closed(reader)),
            Ok(length) => length,
            Err(error) => return Err(broken(&error, reader)),
        };
        received += length;
        if reader.feed(&buffer[..length])? {
            return Ok(());
        }
        if received > MOST_READ {
            let says = format!("the server sends more than {} KiB before its flight ends", MOST_READ / 1024);
            return Err(Stop::new(Trouble::TooMuch, says));
        }
    }
}

fn when(reader: &Reader) -> &'static str {
    if reader.is_untouched() { "right after the greeting" } else { "in the middle of its answer" }
}

fn closed(reader: &Reader) -> Stop {
    Stop::new(Trouble::Closed, format!("the server closed the connection {}", when(reader)))
}

fn broken(error: &io::Error, reader: &Reader) -> Stop {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Stop::new(Trouble::Reset, format!("the connection was reset {}", when(reader)))
        }
        _ => Stop::new(Trouble::Other, format!("the connection broke {}: {error}", when(reader))),
    }
}

fn silence(reader: &Reader, timeout: Duration) -> Stop {
    let seconds = timeout.as_secs_f64();
    let says = if reader.is_untouched() {
        format!("the server takes the connection and says nothing within {seconds} s")
    } else {
        format!("the server's answer was not complete within {seconds} s")
    };
    Stop::new(Trouble::TimedOut, says)
}
