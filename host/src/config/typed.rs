//! The values of the configuration: what there is, what is accepted, and how it is read.

use super::units;
use crate::calendar::Anchor;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tancheck_plugin_api::Cadence;
use url::{Host, Url};

/// What a key accepts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Text,
    Url,
    File,
    Folder,
    Folders,
    Files,
    Detours,
    Choice(&'static [&'static str]),
    Variable,
    Command,
    Descriptor,
    Modules,
    Flag,
    Count { min: u64, max: u64 },
    Share,
    Time { min: u64, max: u64 },
    Size { min: u64, max: u64 },
    Zone,
    Anchor(Cadence),
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Typed {
    Text(String),
    Url(Url),
    Path(PathBuf),
    Paths(Vec<PathBuf>),
    Words(Vec<String>),
    /// `None`: as the licence says.
    Modules(Option<Vec<String>>),
    Flag(bool),
    Count(u64),
    Share(f64),
    Time(Duration),
    Size(u64),
}

/// The enabled modules are those that the deployment has.
pub(super) const LICENSED: &str = "licensed";

impl Takes {
    /// What is accepted, for people.
    pub(super) fn accepts(self) -> String {
        match self {
            Self::Text => "one line of text".to_owned(),
            Self::Url => "an address such as \"https://tanium.example.com\"".to_owned(),
            Self::File => "the path of a file".to_owned(),
            Self::Folder => "the path of a folder".to_owned(),
            Self::Folders => "a list of folders".to_owned(),
            Self::Files => "a list of files".to_owned(),
            Self::Detours => {
                "a list such as [\"dc.example.com:17475=10.0.0.7:17475\"], addresses behind the equals sign"
                    .to_owned()
            }
            Self::Choice(among) => format!("one of {}", among.join(", ")),
            Self::Variable => "the name of an environment variable".to_owned(),
            Self::Command => "a list such as [\"program\", \"argument\"]; no shell reads it".to_owned(),
            Self::Zone => "a name of the time zone database, such as \"Europe/Berlin\" or \"UTC\"".to_owned(),
            Self::Anchor(cadence) => Anchor::accepts(cadence).to_owned(),
            Self::Descriptor => "the number of an open file descriptor from 0 to 1023".to_owned(),
            Self::Modules => format!("a list of plugin ids, or {LICENSED:?}"),
            Self::Flag => "true or false".to_owned(),
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Share => "a number from 0 to 1".to_owned(),
            Self::Time { min, max } => {
                let show = |millis| units::show_duration(Duration::from_millis(millis));
                format!("a duration such as \"90s\" or \"10m\", from {} to {}", show(min), show(max))
            }
            Self::Size { min, max } => {
                let (min, max) = (units::show_size(min), units::show_size(max));
                format!("a size such as \"256MiB\", from {min} to {max}")
            }
        }
    }

    /// Reads a value. `text`: it came as text (variable, flag), numbers and lists have to be read out of it.
    /// Relative paths are taken from `base`.
    pub(super) fn read(self, value: &Value, text: bool, base: &Path) -> Result<Typed, Wrong> {
        let words = |value: &Value| words(value, text);
        let line = |value: &Value| {
            let line = value.as_str().filter(|line| !line.trim().is_empty() && !line.contains(['\n', '\0']));
            line.map(str::to_owned)
        };
        let typed = match self {
            Self::Text => line(value).map(Typed::Text),
            Self::Url => return address(value).map(Typed::Url),
            Self::File | Self::Folder => line(value).map(|path| Typed::Path(base.join(path))),
            Self::Detours => words(value)
                .filter(|detours| detours.iter().all(|one| detour(one).is_some()))
                .map(Typed::Words),
            Self::Choice(among) => line(value).filter(|word| among.contains(&word.as_str())).map(Typed::Text),
            Self::Folders | Self::Files => words(value)
                .or_else(|| line(value).map(|one| vec![one]))
                .map(|paths| Typed::Paths(paths.iter().map(|path| base.join(path)).collect())),
            Self::Variable => line(value).filter(|name| is_variable(name)).map(Typed::Text),
            Self::Command => {
                let words = if text {
                    line(value).map(|line| line.split_whitespace().map(str::to_owned).collect())
                } else {
                    words(value)
                };
                words
                    .filter(|words: &Vec<String>| words.first().is_some_and(|program| !program.is_empty()))
                    .map(Typed::Words)
            }
            Self::Descriptor => count(value, text).filter(|number| *number < 1024).map(Typed::Count),
            Self::Modules if value == LICENSED => Some(Typed::Modules(None)),
            Self::Modules => words(value).map(|ids| Typed::Modules(Some(ids))),
            Self::Flag => flag(value, text).map(Typed::Flag),
            Self::Count { min, max } => {
                count(value, text).filter(|number| (min..=max).contains(number)).map(Typed::Count)
            }
            Self::Share => share(value, text).map(Typed::Share),
            Self::Zone => line(value).filter(|name| TimeZone::get(name).is_ok()).map(Typed::Text),
            Self::Anchor(cadence) => {
                anchor_text(value).filter(|text| Anchor::read(text, cadence).is_some()).map(Typed::Text)
            }
            Self::Time { min, max } => value
                .as_str()
                .and_then(units::duration)
                .filter(|time| (u128::from(min)..=u128::from(max)).contains(&time.as_millis()))
                .map(Typed::Time),
            Self::Size { min, max } => value
                .as_u64()
                .or_else(|| value.as_str().and_then(units::size))
                .filter(|bytes| (min..=max).contains(bytes))
                .map(Typed::Size),
        };
        typed.ok_or(Wrong::Kind)
    }
}

/// Why a value was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not of the accepted kind, or out of range.
    Kind,
    /// It is an address, but one that may not be used; why, and what to do.
    Address(&'static str),
}

impl Typed {
    /// The value, for machines and for people; written as the file would have it.
    pub(super) fn shown(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Url(url) => url.as_str().trim_end_matches('/').into(),
            Self::Path(path) => path.display().to_string().into(),
            Self::Paths(paths) => paths.iter().map(|path| path.display().to_string()).collect(),
            Self::Words(words) => words.iter().map(String::as_str).collect(),
            Self::Modules(None) => LICENSED.into(),
            Self::Modules(Some(ids)) => ids.iter().map(String::as_str).collect(),
            Self::Flag(flag) => (*flag).into(),
            Self::Count(count) => (*count).into(),
            Self::Share(share) => (*share).into(),
            Self::Time(time) => units::show_duration(*time).into(),
            Self::Size(bytes) => units::show_size(*bytes).into(),
        }
    }
}

/// An anchor is a number or a text.
pub(super) fn anchor_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|day| day.to_string()))
}

/// A list. As text its parts stand between commas, or it is written as the file would have it, for parts that hold a
/// comma themselves.
pub(super) fn words(value: &Value, text: bool) -> Option<Vec<String>> {
    if text {
        if let Some(list) = value.as_str().and_then(written_list) {
            return Some(list);
        }
        let parts = value.as_str()?.split(',').map(str::trim).filter(|part| !part.is_empty());
        return Some(parts.map(str::to_owned).collect());
    }
    value.as_array()?.iter().map(|word| Some(word.as_str()?.to_owned())).collect()
}

/// A list of texts in the notation of the configuration file: `["a, b", "c"]`.
fn written_list(text: &str) -> Option<Vec<String>> {
    text.trim_start().strip_prefix('[')?;
    let table: toml::Table = format!("list = {text}").parse().ok()?;
    let toml::Value::Array(list) = table.get("list").filter(|_| table.len() == 1)? else { return None };
    list.iter().map(|part| part.as_str().map(str::to_owned)).collect()
}

/// The same list as text, whatever its parts hold.
pub(crate) fn list_as_text(parts: &[String]) -> String {
    toml::Value::from(parts.to_vec()).to_string()
}

/// A listener, and the address that probes of it connect to.
pub(super) fn detour(text: &str) -> Option<(String, SocketAddr)> {
    let (listener, address) = text.split_once('=')?;
    let (host, port) = listener.trim().rsplit_once(':')?;
    let is_listener = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0);
    is_listener.then(|| Some((listener.trim().to_ascii_lowercase(), address.trim().parse().ok()?)))?
}

fn count(value: &Value, text: bool) -> Option<u64> {
    if text { value.as_str()?.trim().parse().ok() } else { value.as_u64() }
}

pub(super) fn flag(value: &Value, text: bool) -> Option<bool> {
    if !text {
        return value.as_bool();
    }
    match value.as_str()?.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn share(value: &Value, text: bool) -> Option<f64> {
    let share = if text { value.as_str()?.trim().parse().ok()? } else { value.as_f64()? };
    (0.0..=1.0).contains(&share).then_some(share)
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn address(value: &Value) -> Result<Url, Wrong> {
    let mut url: Url = value.as_str().and_then(|text| text.trim().parse().ok()).ok_or(Wrong::Kind)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Wrong::Kind);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::Address("holds a user or password; use [deployment.login]"));
    }
    if url.query().is_some() || url.fragment().is_some() || !matches!(url.path(), "" | "/") {
        return Err(Wrong::Address("holds more than a host and a port; leave the path away"));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !loopback {
        return Err(Wrong::Address("would send the token unencrypted; use https"));
    }
    url.set_path("");
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(takes: Takes, value: &Value, text: bool) -> Result<Typed, Wrong> {
        takes.read(value, text, Path::new("/base"))
    }

    #[test]
    fn addresses() {
        let ok = |text: &str| read(Takes::Url, &json!(text), false).map(|typed| typed.shown());
        assert_eq!(ok("https://tanium.example.com/"), Ok(json!("https://tanium.example.com")));
        assert_eq!(ok("https://[::1]:8443"), Ok(json!("https://[::1]:8443")));
        assert_eq!(ok("http://127.0.0.1:80"), Ok(json!("http://127.0.0.1")));
        assert_eq!(ok("tanium.example.com"), Err(Wrong::Kind));
        assert_eq!(ok("ftp://tanium.example.com"), Err(Wrong::Kind));
        for wrong in ["http://tanium.example.com", "https://a:b@x", "https://x/path", "https://x/?a"] {
            assert!(matches!(ok(wrong), Err(Wrong::Address(_))), "{wrong}");
        }
    }

    #[test]
    fn detours_lead_from_a_listener_to_an_address() {
        let to = |text: &str| detour(text).map(|(listener, address)| format!("{listener} {address}"));
        assert_eq!(to("DC.example.com:17475=10.0.0.7:1").unwrap(), "dc.example.com:17475 10.0.0.7:1");
        assert_eq!(to("[::1]:2=[::1]:3").unwrap(), "[::1]:2 [::1]:3");
        for wrong in
            ["", "dc:1", "dc=10.0.0.7:1", "dc:1=other:1", "dc:0=10.0.0.7:1", ":1=10.0.0.7:1", "dc:1=10.0.0.7"]
        {
            assert_eq!(to(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn text_is_read_like_the_file() {
        let cases = [
            (Takes::Choice(&["admin", "other"]), json!("admin"), "admin"),
            (Takes::Files, json!(["/a", "b"]), "/a,b"),
            (Takes::Detours, json!(["a:1=10.0.0.7:1"]), "a:1=10.0.0.7:1"),
            (Takes::Modules, json!(["a", "b"]), "a, b"),
            (Takes::Modules, json!("licensed"), "licensed"),
            (Takes::Flag, json!(false), "no"),
            (Takes::Count { min: 1, max: 9 }, json!(4), " 4"),
            (Takes::Share, json!(0.5), "0.5"),
            (Takes::Time { min: 1, max: 99_999 }, json!("60s"), "1m"),
            (Takes::Size { min: 1, max: 9_999 }, json!(2048), "2KiB"),
            (Takes::Folders, json!(["/a", "b"]), "/a,b"),
            (Takes::Command, json!(["pass", "show", "x"]), "pass show x"),
        ];
        for (takes, file, text) in cases {
            assert_eq!(read(takes, &file, false), read(takes, &json!(text), true), "{takes:?}");
            assert!(read(takes, &file, false).is_ok(), "{takes:?}");
        }
    }

    #[test]
    fn the_ends_of_a_range_are_accepted_and_nothing_beyond() {
        let takes = Takes::Count { min: 1, max: 64 };
        assert!(read(takes, &json!(1), false).is_ok() && read(takes, &json!(64), false).is_ok());
        for wrong in [json!(0), json!(65), json!(-1), json!(1.5), json!("4"), json!(true)] {
            assert_eq!(read(takes, &wrong, false), Err(Wrong::Kind), "{wrong}");
        }
    }
}
