//! What is probed: hosts and ports as the administrator wrote them, and what is wrong with the others.

use super::super::resolve::as_text;
use serde_json::Value;
use std::net::{IpAddr, Ipv6Addr};
use tancheck_plugin_api::records::probe::Trouble;

/// So many targets of one setting are looked at.
pub(in crate::collect) const MOST: usize = 100;

/// The longest name that DNS knows.
const LONGEST_NAME: usize = 253;

/// A listener: the same however it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::collect) struct Listener {
    /// A name in lower case, or an address.
    pub(in crate::collect) host: String,
    pub(in crate::collect) port: u16,
}

/// One target of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collect) struct Target {
    /// As it was written.
    pub(in crate::collect) text: String,
    /// The listener, or what is wrong with the text.
    pub(in crate::collect) listener: Result<Listener, Wrong>,
    /// One greeting is enough.
    pub(in crate::collect) brief: bool,
}

/// Why a target cannot be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collect) struct Wrong {
    pub(in crate::collect) trouble: Trouble,
    pub(in crate::collect) says: String,
}

/// How the port of a target is found.
#[derive(Clone, Copy, Debug)]
pub(in crate::collect) enum Port {
    /// The target's own, or this one.
    Default(u16),
    /// This one, whatever the target names.
    Always(u16),
    /// What another setting says; targets are bare hosts.
    Elsewhere(i64),
}

impl std::fmt::Display for Listener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// The targets of a setting, each listener once: one text, or a list of them.
pub(in crate::collect) fn targets(setting: &Value, port: Port, brief: bool) -> Vec<Target> {
    let texts: Vec<String> = match setting {
        Value::Array(items) => items.iter().map(as_text).collect(),
        other => vec![as_text(other)],
    };
    let mut targets: Vec<Target> = Vec::new();
    for text in texts {
        let target = Target { listener: listener(&text, port), text, brief };
        let is_known = |known: &Target| known.listener.is_ok() && known.listener == target.listener;
        if !targets.iter().any(is_known) {
            targets.push(target);
        }
    }
    targets
}

fn listener(text: &str, port: Port) -> Result<Listener, Wrong> {
    if text.is_empty() {
        let says = "the setting is empty: there is nothing to probe".to_owned();
        return Err(Wrong { trouble: Trouble::NoTarget, says });
    }
    let (host, own) = split(text)?;
    let host = plain_host(text, host)?;
    let port = match (port, own) {
        (Port::Elsewhere(_), Some(own)) => {
            return Err(bad(text, &format!("holds a port ({own}), which has a setting of its own")));
        }
        (Port::Elsewhere(number), None) => in_range(text, &number.to_string())?,
        (Port::Always(port), Some(own)) => in_range(text, own).map(|_| port)?,
        (Port::Default(_), Some(own)) => in_range(text, own)?,
        (Port::Always(port) | Port::Default(port), None) => port,
    };
    Ok(Listener { host, port })
}

/// Host and port, as far as they are told apart: an IPv6 address has brackets before a port.
fn split(text: &str) -> Result<(&str, Option<&str>), Wrong> {
    if text.contains("://") {
        return Err(bad(text, "is an address with a scheme; only a host and a port are probed"));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, behind)) = rest.split_once(']') else {
            return Err(bad(text, "opens a bracket and does not close it"));
        };
        return match (host.parse::<Ipv6Addr>(), behind.strip_prefix(':')) {
            (Err(_), _) => Err(bad(text, "holds no IPv6 address in its brackets")),
            (Ok(_), Some(port)) => Ok((host, Some(port))),
            (Ok(_), None) if behind.is_empty() => Ok((host, None)),
            (Ok(_), None) => Err(bad(text, "has something other than a port behind the address")),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => Err(bad(text, "is neither host:port nor an IPv6 address")),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

fn plain_host(text: &str, host: &str) -> Result<String, Wrong> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > LONGEST_NAME || !name.split('.').all(is_label) {
        return Err(bad(text, "is no host name, address or host:port"));
    }
    Ok(name.to_ascii_lowercase())
}

fn in_range(text: &str, port: &str) -> Result<u16, Wrong> {
    let number = port.parse::<u16>().ok().filter(|&number| number != 0);
    number.ok_or_else(|| bad(text, &format!("has the port {}; ports go from 1 to 65535", shown(port))))
}

fn bad(text: &str, what: &str) -> Wrong {
    Wrong { trouble: Trouble::BadTarget, says: format!("{} {what}", shown(text)) }
}

/// A text of the configuration in a sentence: short, on one line.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("{short:?}{}", if short.len() < text.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str, port: Port) -> Result<String, String> {
        listener(text, port).map(|listener| listener.to_string()).map_err(|wrong| wrong.says)
    }

    #[test]
    fn hosts_and_ports_are_read_in_every_spelling() {
        for (text, wanted) in [
            ("dc.example.com", "dc.example.com:17475"),
            ("DC.Example.Com.", "dc.example.com:17475"),
            ("dc:443", "dc:443"),
            ("10.0.0.7", "10.0.0.7:17475"),
            ("10.0.0.7:1", "10.0.0.7:1"),
            ("2001:db8::1", "[2001:db8::1]:17475"),
            ("[2001:DB8::1]:65535", "[2001:db8::1]:65535"),
            ("[::1]", "[::1]:17475"),
        ] {
            assert_eq!(read(text, Port::Default(17475)).as_deref(), Ok(wanted), "{text}");
        }
        assert_eq!(read("zs:17487", Port::Always(17488)).as_deref(), Ok("zs:17488"));
        assert_eq!(read("zs", Port::Elsewhere(9)).as_deref(), Ok("zs:9"));
    }

    #[test]
    fn whatever_is_no_listener_says_why() {
        for (text, why) in [
            ("", "is empty"),
            ("https://dc.example.com", "scheme"),
            ("dc.example.com:0", "ports go from 1 to 65535"),
            ("dc.example.com:65536", "ports go from 1 to 65535"),
            ("dc.example.com:port", "ports go from 1 to 65535"),
            ("dc.example.com:", "ports go from 1 to 65535"),
            ("a:b:c", "neither host:port nor"),
            ("[::1", "does not close"),
            ("[dc]:1", "no IPv6 address"),
            ("[::1]x", "something other than a port"),
            ("two words", "no host name"),
            ("-dc.example.com", "no host name"),
            ("dc..example.com", "no host name"),
            ("*.example.com", "no host name"),
        ] {
            let said = read(text, Port::Default(17475)).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(read(&"a".repeat(300), Port::Default(1)).unwrap_err().len() < 200);
        assert!(read("dc:1", Port::Elsewhere(17475)).unwrap_err().contains("setting of its own"));
        assert!(read("dc", Port::Elsewhere(70_000)).unwrap_err().contains("70000"));
        assert!(read("dc:0", Port::Always(1)).unwrap_err().contains("ports go"));
    }

    #[test]
    fn a_listener_is_probed_once() {
        let all = targets(&json!(["DC:1", "dc:1", "dc:2", "?", "?"]), Port::Default(1), false);
        let texts: Vec<&str> = all.iter().map(|target| target.text.as_str()).collect();
        assert_eq!(texts, ["DC:1", "dc:2", "?", "?"]);
        assert_eq!(targets(&json!([]), Port::Default(1), false), []);
        assert_eq!(targets(&json!(""), Port::Default(1), false).len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,80}") {
            let _ = listener(&text, Port::Default(1));
        }
    }
}
