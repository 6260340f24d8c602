//! A connection to the first address that answers; what the others said is kept.

use super::flight::Stop;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tancheck_plugin_api::records::probe::{FailedAddress, Trouble};
use tokio::net::TcpStream;

/// So many addresses of a name are tried.
const MOST: usize = 4;

/// A connection that stands, or why none does; with the addresses that did not answer.
pub(super) struct Connected {
    pub(super) stream: Result<(TcpStream, SocketAddr), Stop>,
    pub(super) failed: Vec<FailedAddress>,
}

/// Tries the addresses one after the other.
pub(super) async fn connect(addresses: &[SocketAddr], timeout: Duration) -> Connected {
    let mut failed: Vec<FailedAddress> = Vec::new();
    let mut first: Option<Stop> = None;
    for address in addresses.iter().take(MOST) {
        let stop = match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Connected { stream: Ok((stream, *address)), failed },
            Ok(Err(error)) => refused(*address, &error),
            Err(_) => {
                let seconds = timeout.as_secs_f64();
                let says =
                    format!("no answer from {address} within {seconds} s: filtered, or a wrong address");
                Stop::new(Trouble::TimedOut, says)
            }
        };
        failed.push(FailedAddress { address: address.to_string(), says: stop.says.clone() });
        first.get_or_insert(stop);
    }
    let mut stop = first.unwrap_or_else(|| Stop::new(Trouble::NoName, "there is no address to connect to"));
    if failed.len() > 1 {
        stop.says = failed.iter().map(|one| one.says.as_str()).collect::<Vec<_>>().join("; ");
    }
    Connected { stream: Err(stop), failed }
}

fn refused(address: SocketAddr, error: &io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Stop::new(
            Trouble::Refused,
            format!("{address} refuses connections: nothing listens there, or a firewall rejects them"),
        ),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            Stop::new(Trouble::NoRoute, format!("there is no way to {address} from here ({error})"))
        }
        io::ErrorKind::TimedOut => {
            Stop::new(Trouble::TimedOut, format!("no answer from {address}: filtered, or a wrong address"))
        }
        io::ErrorKind::ConnectionReset => {
            Stop::new(Trouble::Reset, format!("{address} resets connections before they stand"))
        }
        _ => Stop::new(Trouble::Other, format!("the connection to {address} failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_first_address_that_answers_counts_and_the_others_are_told() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open_address = open.local_addr().unwrap();
        let (_taken, closed_address) = crate::collect::faked::port_without_listener();
        let second = Duration::from_secs(1);
        let connected = connect(&[closed_address, open_address], second).await;
        assert_eq!(connected.stream.map(|(_, address)| address).unwrap(), open_address);
        assert_eq!(connected.failed.len(), 1);
        let connected = connect(&[closed_address, closed_address], second).await;
        let stop = connected.stream.unwrap_err();
        assert_eq!(stop.trouble, Trouble::Refused);
        assert_eq!(stop.says.matches("refuses connections").count(), 2);
    }
}
