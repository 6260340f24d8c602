//! The `tanium-options` header: paging, filters and switches of a list request.

use crate::wire::Refusal;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The options that the lab understands. Others are accepted and ignored, as the server does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) cache_expiration: Option<i64>,
    pub(crate) cache_id: Option<u64>,
    pub(crate) cache_filters: Vec<Filter>,
    pub(crate) cache_sort_fields: Vec<SortField>,
    pub(crate) row_start: usize,
    pub(crate) row_count: Option<usize>,
    pub(crate) summary: bool,
    pub(crate) include_hidden: bool,
    pub(crate) most_recent: bool,
    pub(crate) audit_history_size: usize,
}

/// One field to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortField {
    pub(crate) name: String,
    pub(crate) descending: bool,
}

/// One cache filter.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    field: String,
    #[serde(default)]
    operator: Option<String>,
    #[serde(default)]
    value: Option<Value>,
    #[serde(default)]
    not_flag: Value,
    #[serde(default)]
    and_flag: Value,
    #[serde(default)]
    sub_filters: Vec<Filter>,
    #[serde(skip)]
    pattern: Option<Regex>,
}

impl Options {
    /// Reads the header, or the query string where the header is absent: the documents say not to mix them.
    pub(crate) fn read(header: &str, query: &[(String, String)]) -> Result<Self, Refusal> {
        let given: Value = if header.is_empty() {
            query
                .iter()
                .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
                .collect::<Map<_, _>>()
                .into()
        } else {
            serde_json::from_str(header).map_err(|error| {
                Refusal::new(400, format!("InvalidJSONBody: tanium-options is not JSON: {error}"))
            })?
        };
        let lookup = |key: &str| given.get(key);
        let number = |key: &str| lookup(key).and_then(as_number);
        let mut filters: Vec<Filter> = match lookup("cache_filters") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(bad_filter)?,
            Some(value) => serde_json::from_value(value.clone()).map_err(bad_filter)?,
        };
        filters.iter_mut().try_for_each(Filter::prepare)?;
        Ok(Self {
            cache_expiration: number("cache_expiration"),
            cache_id: number("cache_id").and_then(|id| u64::try_from(id).ok()),
            cache_filters: filters,
            cache_sort_fields: lookup("cache_sort_fields").map(sort_fields).unwrap_or_default(),
            row_start: number("row_start").and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            row_count: number("row_count").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
            summary: lookup("summary").is_some_and(as_flag),
            include_hidden: lookup("include_hidden_flag").is_some_and(as_flag),
            audit_history_size: number("audit_history_size")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(1),
            most_recent: lookup("most_recent_flag").is_some_and(as_flag),
        })
    }
}

fn bad_filter(error: serde_json::Error) -> Refusal {
    Refusal::new(400, format!("InvalidJSONBody: cache_filters: {error}"))
}

fn as_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    }
}

/// Flags arrive as 0 and 1, true and false, or their spellings.
fn as_flag(value: &Value) -> bool {
    as_number(value).is_some_and(|n| n != 0) || value.as_str() == Some("true")
}

/// Sort fields are documented as a comma list in which `-` reverses; an array is accepted too.
fn sort_fields(value: &Value) -> Vec<SortField> {
    let names: Vec<String> = match value {
        Value::String(text) => text.split(',').map(str::to_owned).collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().or_else(|| item.get("name").and_then(Value::as_str)))
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(|name| SortField {
            name: name.trim_start_matches(['-', '+']).to_owned(),
            descending: name.starts_with('-'),
        })
        .collect()
}

impl Filter {
    fn prepare(&mut self) -> Result<(), Refusal> {
        self.sub_filters.iter_mut().try_for_each(Self::prepare)?;
        if self.operator.as_deref() == Some("RegexMatch") {
            let text = self.value.as_ref().and_then(Value::as_str).unwrap_or_default();
            let whole = Regex::new(&format!("^(?:{text})$"));
            self.pattern =
                Some(whole.map_err(|e| Refusal::new(400, format!("InvalidRegex: cache_filters: {e}")))?);
        }
        Ok(())
    }

    /// Does an object pass? `field` reads a value by its name, `/` leading into nested objects.
    pub(crate) fn passes(&self, field: &dyn Fn(&str) -> Option<Value>) -> bool {
        let own = if self.sub_filters.is_empty() {
            self.compare(field(&self.field))
        } else if as_flag(&self.and_flag) {
            self.sub_filters.iter().all(|filter| filter.passes(field))
        } else {
            self.sub_filters.iter().any(|filter| filter.passes(field))
        };
        own != as_flag(&self.not_flag)
    }

    fn compare(&self, found: Option<Value>) -> bool {
        let Some(found) = found else { return false };
        let text = plain(&found);
        if let Some(pattern) = &self.pattern {
            return pattern.is_match(&text);
        }
        let wanted = self.value.as_ref().map(plain).unwrap_or_default();
        let order = match (text.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.partial_cmp(&b),
            _ => Some(text.to_lowercase().cmp(&wanted.to_lowercase())),
        };
        let Some(order) = order else { return false };
        match self.operator.as_deref().unwrap_or("Equal") {
            "Less" => order.is_lt(),
            "LessEqual" => order.is_le(),
            "Greater" => order.is_gt(),
            "GreaterEqual" => order.is_ge(),
            _ => order.is_eq(),
        }
    }
}

/// Reads a value out of an object by a path such as `package_spec/name`.
pub(crate) fn field_of(object: &Value, path: &str) -> Option<Value> {
    path.split('/').try_fold(object, |value, key| value.get(key)).cloned()
}

/// The text of a scalar; flags become 0 and 1 so that `1` fits `true`.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        other => other.to_string(),
    }
}
