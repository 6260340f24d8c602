//! Placeholders: the texts of a source, filled with times, settings and the variables of a repetition.

use super::transport::Problem;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::validate::{SUBJECT, since_hours};

/// What fills placeholders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling<'a> {
    /// The plugin whose settings these are.
    pub(super) plugin: &'a str,
    /// The time of the run.
    pub(super) now: Timestamp,
    /// The site's settings, with defaults.
    pub(super) settings: &'a Map<String, Value>,
    /// Variables of one repetition; `None` leaves their placeholders as they are, for the plan.
    pub(super) variables: Option<&'a [(String, String)]>,
}

/// Where a text goes, and what that asks of the values put into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A path with its query: values are percent-encoded, so that none can change the route.
    Path,
    /// The text of a question: no value may end the quotes it stands in.
    Question,
    /// Anything else.
    Plain,
}

impl Filling<'_> {
    /// The text with its placeholders filled. Values are never searched for placeholders again.
    pub(super) fn text(&self, text: &str, target: Target) -> Result<String, Problem> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            match self.value(name)? {
                Some(value) => filled.push_str(&for_target(&value, target, name)?),
                None => {
                    let _ = write!(filled, "{{{name}}}");
                }
            }
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// A setting as text; unset and empty ones are a problem that names the key.
    pub(super) fn setting(&self, key: &str) -> Result<String, Problem> {
        let value = self.settings.get(key).map(as_text).unwrap_or_default();
        if value.is_empty() {
            return Err(not_evaluated(format!("set `{key}` under [modules.{}]", self.plugin)));
        }
        Ok(value)
    }

    /// A setting as it is, where the site or its default says anything at all.
    pub(super) fn any(&self, key: &str) -> Result<&Value, Problem> {
        let value = self.settings.get(key).filter(|value| !value.is_null());
        value.ok_or_else(|| not_evaluated(format!("set `{key}` under [modules.{}]", self.plugin)))
    }

    fn value(&self, name: &str) -> Result<Option<String>, Problem> {
        match name.split_once(':') {
            Some(("setting", key)) => self.setting(key).map(Some),
            Some(("since", span)) => match since(self.now, span) {
                Some(time) => Ok(Some(time.to_string())),
                None => Err(not_evaluated(format!("{{{name}}} is no time before now"))),
            },
            _ => match self.variables.map(|all| all.iter().find(|(known, _)| known == name)) {
                Some(Some((_, value))) => Ok(Some(value.clone())),
                _ if name == SUBJECT && self.settings.contains_key(SUBJECT) => {
                    self.setting(SUBJECT).map(Some)
                }
                None => Ok(None),
                Some(None) => Err(not_evaluated(format!("nothing fills the placeholder {{{name}}}"))),
            },
        }
    }
}

/// The time so long ago, rounded down to the hour: requests of several checks, and of a run that takes minutes, are
/// then the same and sent once.
fn since(now: Timestamp, span: &str) -> Option<Timestamp> {
    let hours = i64::from(since_hours(span)?);
    let then = now.checked_sub(SignedDuration::from_hours(hours)).ok()?;
    Timestamp::from_second(then.as_second().div_euclid(3600) * 3600).ok()
}

/// A scalar, or a list of them joined by commas, as text; empty for anything else.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join(","),
        Value::Null | Value::Object(_) => String::new(),
    }
}

fn for_target(value: &str, target: Target, name: &str) -> Result<String, Problem> {
    match target {
        Target::Plain => Ok(value.to_owned()),
        Target::Path => Ok(percent_encoded(value)),
        Target::Question if value.contains(['"', '\n', '\r']) => {
            Err(not_evaluated(format!("{{{name}}} is {value:?}, which cannot stand in a question")))
        }
        Target::Question => Ok(value.to_owned()),
    }
}

/// Everything but unreserved characters (and the colon of times, which is at home in paths and queries).
fn percent_encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

fn not_evaluated(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fill(text: &str, target: Target) -> Result<String, String> {
        let settings =
            json!({"name": "All / Computers", "days": 7, "none": null, "empty": "", "brace": "{id}"});
        let settings = settings.as_object().unwrap();
        let variables = [("id".to_owned(), "a/b c".to_owned()), ("quote".to_owned(), "x\" or".to_owned())];
        let now = "2026-06-30T12:34:56Z".parse().unwrap();
        let filling = Filling { plugin: "connect", now, settings, variables: Some(&variables) };
        filling.text(text, target).map_err(|problem| problem.reason)
    }

    #[test]
    fn every_placeholder_is_filled() {
        assert_eq!(
            fill("/v1/{id}/runs?since={since:30d}", Target::Path).unwrap(),
            "/v1/a%2Fb%20c/runs?since=2026-05-31T12:00:00Z"
        );
        assert_eq!(fill("{since:12h} {setting:days}", Target::Plain).unwrap(), "2026-06-30T00:00:00Z 7");
        assert_eq!(fill("/x/{setting:name}", Target::Path).unwrap(), "/x/All%20%2F%20Computers");
        assert_eq!(fill("from {setting:name}", Target::Question).unwrap(), "from All / Computers");
        assert_eq!(fill("no } end {", Target::Plain).unwrap(), "no } end {");
    }

    #[test]
    fn a_value_is_not_filled_again() {
        assert_eq!(fill("{setting:brace}", Target::Plain).unwrap(), "{id}");
    }

    #[test]
    fn what_is_missing_is_named() {
        for key in ["none", "empty", "absent"] {
            assert_eq!(
                fill(&format!("{{setting:{key}}}"), Target::Plain).unwrap_err(),
                format!("set `{key}` under [modules.connect]")
            );
        }
        assert_eq!(fill("{other}", Target::Plain).unwrap_err(), "nothing fills the placeholder {other}");
        assert_eq!(fill("{since:3w}", Target::Plain).unwrap_err(), "{since:3w} is no time before now");
    }

    #[test]
    fn no_value_can_rewrite_a_question_or_a_route() {
        assert!(fill("Get X contains \"{quote}\"", Target::Question).unwrap_err().contains("cannot stand"));
        assert!(!fill("/v1/{quote}", Target::Path).unwrap().contains('"'));
        let settings = Map::new();
        let variables = [("id".to_owned(), "../../auth?x=1&y#z".to_owned())];
        let now = Timestamp::UNIX_EPOCH;
        let filling = Filling { plugin: "x", now, settings: &settings, variables: Some(&variables) };
        assert_eq!(filling.text("/v1/{id}", Target::Path).unwrap(), "/v1/..%2F..%2Fauth%3Fx%3D1%26y%23z");
    }

    #[test]
    fn what_is_diagnosed_is_filled_in_even_where_variables_are_not() {
        let settings = Map::from_iter([(SUBJECT.to_owned(), json!("pc 1"))]);
        let text = "with Computer Name equals \"{subject}\" {id}";
        let filled = |variables, settings: &Map<String, Value>| {
            let filling = Filling { plugin: "x", now: Timestamp::UNIX_EPOCH, settings, variables };
            filling.text(text, Target::Question).map_err(|problem| problem.reason)
        };
        assert_eq!(filled(None, &settings).unwrap(), "with Computer Name equals \"pc 1\" {id}");
        let id = [("id".to_owned(), "7".to_owned())];
        assert_eq!(filled(Some(&id), &settings).unwrap(), "with Computer Name equals \"pc 1\" 7");
        assert!(
            filled(Some(&id), &Map::new()).unwrap_err().contains("nothing fills the placeholder {subject}")
        );
        let quoted = Map::from_iter([(SUBJECT.to_owned(), json!("\" or true"))]);
        assert!(filled(None, &quoted).unwrap_err().contains("cannot stand in a question"));
    }

    #[test]
    fn the_plan_keeps_variables() {
        let settings = Map::new();
        let filling =
            Filling { plugin: "x", now: Timestamp::UNIX_EPOCH, settings: &settings, variables: None };
        assert_eq!(filling.text("/v1/{id}/runs", Target::Path).unwrap(), "/v1/{id}/runs");
    }
}
