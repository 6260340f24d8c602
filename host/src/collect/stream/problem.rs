//! What can be wrong with a document, in words.

use super::{Place, Step};
use crate::collect::transport::Problem;
use serde_json::Value;
use tancheck_plugin_api::Outcome;

/// So much of a page that is no JSON is read to find its title.
pub(super) const MARKUP_BYTES: usize = 2048;

fn not_understood(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}

pub(super) fn not_json(error: &serde_json::Error) -> Problem {
    not_understood(plain(error))
}

pub(super) fn row(number: u64, what: &str) -> Problem {
    not_understood(format!("row {number} of the answer is not understood: {what}"))
}

pub(super) fn empty() -> Problem {
    not_understood("the answer is empty, JSON was expected".to_owned())
}

pub(super) fn cut_row(number: u64, bytes: u64) -> Problem {
    not_understood(format!("the answer is cut off after {bytes} bytes, within row {number}"))
}

pub(super) fn cut_list(rows: u64, bytes: u64) -> Problem {
    not_understood(format!("the answer is cut off after {bytes} bytes, after row {rows}"))
}

pub(super) fn outer(error: &serde_json::Error, bytes: u64) -> Problem {
    not_understood(if error.is_eof() {
        format!("the answer is cut off after {bytes} bytes, outside of its rows")
    } else {
        format!("the answer is not JSON: {}", plain(error))
    })
}

pub(super) fn between(rows: u64, byte: u8, offset: u64) -> Problem {
    let byte = byte.escape_ascii();
    not_understood(format!(
        "the answer is not JSON: `,` or `]` expected after row {rows}, `{byte}` found (byte {offset})"
    ))
}

pub(super) fn no_row(number: u64, byte: u8, offset: u64) -> Problem {
    let byte = byte.escape_ascii();
    not_understood(format!("the answer is not JSON: `{byte}` found instead of row {number} (byte {offset})"))
}

pub(super) fn too_deep(depth: usize, offset: u64) -> Problem {
    not_understood(format!("the answer is nested {depth} levels deep (byte {offset})"))
}

pub(super) fn deep_row(number: u64, depth: usize) -> Problem {
    row(number, &format!("it is nested {depth} levels deep"))
}

pub(super) fn large_row(number: u64, limit: usize) -> Problem {
    row(number, &format!("it is larger than {limit} bytes"))
}

pub(super) fn large_outer(limit: usize) -> Problem {
    not_understood(format!("the answer holds more than {limit} bytes outside of its rows"))
}

pub(super) fn two_lists(one: &str, other: &str) -> Problem {
    not_understood(format!(
        "the answer has lists at `{one}` and at `{other}`; name the one that holds the rows"
    ))
}

pub(super) fn markup(text: &[u8]) -> Problem {
    let text = String::from_utf8_lossy(&text[..text.len().min(MARKUP_BYTES)]);
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|start| {
        let start = start + lower[start..].find('>')? + 1;
        let end = start + lower[start..].find('<')?;
        Some(text[start..end].trim().to_owned())
    });
    let title = title.filter(|title| !title.is_empty()).map(|title| format!(" (“{title}”)"));
    not_understood(format!(
        "the answer is an HTML page{} instead of JSON; look whether a proxy or a login page stands before the server",
        title.unwrap_or_default()
    ))
}

/// No list was where one was expected: says what is there instead.
pub(super) fn no_list(place: &Place, whole: &Value) -> Problem {
    let found = place.paths().iter().find_map(|path| instead(path, whole)).unwrap_or_else(|| kind(whole));
    let said = match whole.get("text").and_then(Value::as_str) {
        Some(text) => format!("; the server says: {}", text.trim()),
        None => String::new(),
    };
    not_understood(format!("no list at {}: the answer is {found}{said}", place.describe()))
}

/// What stands at the end of a path, if something does.
fn instead(path: &[Step], whole: &Value) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let mut value = whole;
    let mut pointer = String::new();
    for step in path {
        let (token, next) = match step {
            Step::Key(key) => (key.clone(), value.get(key)),
            Step::Every => ("0".to_owned(), value.get(0)),
            Step::Index(index) => (index.to_string(), value.get(index)),
        };
        value = next?;
        pointer = format!("{pointer}/{token}");
    }
    Some(format!("{} with {} at `{pointer}`", kind(whole), kind(value)))
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(fields) if fields.is_empty() => "an empty object".to_owned(),
        Value::Object(fields) => {
            let keys: Vec<String> = fields.keys().take(8).map(|key| format!("`{key}`")).collect();
            let more = if fields.len() > keys.len() { ", …" } else { "" };
            format!("an object with {}{more}", keys.join(", "))
        }
    }
}

/// The error without the place in a text that nobody sees.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |end| text[..end].to_owned())
}
