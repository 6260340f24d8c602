//! The addresses of a host, as this machine resolves it.

use super::flight::Stop;
use super::target::Listener;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tancheck_plugin_api::records::probe::Trouble;

/// So many addresses of a name are kept.
const MOST: usize = 16;

/// Every address of a listener, in the order in which the system gives them.
pub(super) async fn resolve(listener: &Listener, timeout: Duration) -> Result<Vec<SocketAddr>, Stop> {
    if let Ok(address) = listener.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, listener.port)]);
    }
    let host = &listener.host;
    let looked_up =
        tokio::time::timeout(timeout, tokio::net::lookup_host((host.as_str(), listener.port))).await;
    let found = match looked_up {
        Err(_) => {
            let says =
                format!("no answer to the question for the name {host} within {} s", timeout.as_secs_f64());
            return Err(Stop::new(Trouble::NoResolver, says));
        }
        Ok(Err(error)) => return Err(failed(host, &error)),
        Ok(Ok(found)) => found,
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if addresses.len() < MOST && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(Stop::new(Trouble::NoName, format!("the name {host} has no address here")));
    }
    Ok(addresses)
}

/// The system tells a name that does not exist from a resolver that does not answer in its words only.
fn failed(host: &str, error: &io::Error) -> Stop {
    let words = error.to_string();
    let cause = words.rsplit(": ").next().unwrap_or(&words);
    if cause.to_ascii_lowercase().contains("temporary") {
        let says = format!("nobody answers the question for the name {host} here ({cause})");
        return Stop::new(Trouble::NoResolver, says);
    }
    Stop::new(Trouble::NoName, format!("the name {host} does not resolve here ({cause})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_need_no_resolver() {
        let listener = Listener { host: "2001:db8::1".to_owned(), port: 9 };
        let found = resolve(&listener, Duration::from_secs(1)).await.unwrap();
        assert_eq!(found, ["[2001:db8::1]:9".parse().unwrap()]);
    }

    #[test]
    fn a_resolver_that_is_away_proves_nothing_about_a_name() {
        let error = |words: &str| failed("dc", &io::Error::other(words.to_owned()));
        let away = error("failed to lookup address information: Temporary failure in name resolution");
        assert_eq!(away.trouble, Trouble::NoResolver);
        let unknown = error("failed to lookup address information: Name or service not known");
        assert_eq!(unknown.trouble, Trouble::NoName);
        assert_eq!(unknown.says, "the name dc does not resolve here (Name or service not known)");
    }
}
