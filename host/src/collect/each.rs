//! Repetition: one request for each row of another input, for each item of its rows, or for each item of a setting.

use super::resolve::{Filling, as_text};
use super::transport::Problem;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::{Body, ItemTally, Supplied};
use tancheck_plugin_api::manifest::Each;

/// The variables of one request.
pub(super) type Variables = Vec<(String, String)>;

/// What a repetition runs over.
#[derive(Debug, PartialEq)]
pub(super) struct Items {
    /// The variables of each request, in the order of the rows, without repetitions.
    pub(super) variables: Vec<Variables>,
    /// Why some are missing.
    pub(super) gaps: Vec<String>,
}

/// The kind of source whose rows come without ids.
const EXPORT: &str = "export";

/// The key under which each row tells what it was asked with.
const OF: &str = "_of";

/// The items of a repetition; `over` is the input it runs over, where it runs over one.
pub(super) fn items(each: &Each, over: Option<&Supplied>, filling: &Filling<'_>) -> Result<Items, Problem> {
    let (all, mut gaps) = match (&each.input, &each.setting) {
        (Some(input), _) => of_rows(each, input, over)?,
        (None, Some(key)) => (of_setting(key, filling)?, Vec::new()),
        (None, None) => {
            return Err(problem("the repetition names neither an input nor a setting".to_owned()));
        }
    };
    let mut seen = BTreeSet::new();
    let mut variables: Vec<Variables> = all.into_iter().filter(|one| seen.insert(one.clone())).collect();
    let limit = each.limit as usize;
    if variables.len() > limit {
        gaps.push(format!("only the first {limit} of {} items are asked for", variables.len()));
        variables.truncate(limit);
    }
    Ok(Items { variables, gaps })
}

fn of_rows(
    each: &Each,
    input: &str,
    over: Option<&Supplied>,
) -> Result<(Vec<Variables>, Vec<String>), Problem> {
    let supplied =
        over.ok_or_else(|| problem(format!("it runs over {input}, which this run does not collect")))?;
    let rows: Vec<&Value> = match &supplied.body {
        Body::Rows(rows) => rows.iter().collect(),
        Body::Object(object) => vec![object],
        Body::Unavailable(missing) => {
            let reason = format!("it runs over {input}, which is not there: {}", missing.reason);
            return Err(Problem::new(missing.outcome, reason));
        }
        _ => return Err(problem(format!("it runs over {input}, which is no list"))),
    };
    let within = |row: &'_ Value| -> Vec<Value> {
        match each.items.as_str() {
            "" => vec![row.clone()],
            items => at(row, items).and_then(Value::as_array).cloned().unwrap_or_default(),
        }
    };
    let items: Vec<Value> = rows.into_iter().flat_map(within).filter(|item| is_wanted(each, item)).collect();
    let variables: Vec<Variables> = items.iter().filter_map(|item| variables_of(each, item)).collect();
    // The Console exports names, not ids: then nothing can be asked for these rows, and another way may tell.
    if variables.is_empty() && !items.is_empty() && supplied.source == EXPORT {
        let keys: Vec<&str> = each.variables.iter().map(|(_, key)| key.as_str()).collect();
        return Err(problem(format!("the exported rows of {input} do not tell {}", keys.join(" and "))));
    }
    // What is missing from the list is missing from everything that is asked for its rows.
    let gaps = supplied.gaps.iter().map(|gap| format!("{input} is not complete: {gap}")).collect();
    Ok((variables, gaps))
}

fn of_setting(key: &str, filling: &Filling<'_>) -> Result<Vec<Variables>, Problem> {
    let items: Vec<String> = match filling.settings.get(key) {
        Some(Value::Array(items)) => items.iter().map(as_text).collect(),
        Some(Value::Object(table)) => table.keys().cloned().collect(),
        _ => vec![filling.setting(key)?],
    };
    Ok(items
        .into_iter()
        .filter(|item| !item.is_empty())
        .map(|item| vec![("item".to_owned(), item)])
        .collect())
}

fn is_wanted(each: &Each, item: &Value) -> bool {
    match &each.only {
        None => true,
        Some((key, values)) => {
            let found = at(item, key).map(as_text).unwrap_or_default();
            values.contains(&found)
        }
    }
}

/// The variables of an item; none where one of its keys is missing or empty (an empty one would change the route).
fn variables_of(each: &Each, item: &Value) -> Option<Variables> {
    let one = |(name, key): &(String, String)| {
        let text = at(item, key).map(as_text).filter(|text| !text.is_empty())?;
        Some((name.clone(), text))
    };
    each.variables.iter().map(one).collect()
}

/// The value under a key; `a/b` reaches into objects, an empty key is the item itself.
fn at<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    if key.is_empty() {
        return Some(item);
    }
    key.split('/').try_fold(item, |value, step| value.get(step))
}

/// The answers to all items as one body: rows that say what they were asked with, or a tally for each item.
pub(super) fn joined(answers: Vec<(&Variables, Body)>, is_tally: bool) -> Body {
    let mut rows = Vec::new();
    let mut tallies = Vec::new();
    for (variables, body) in answers {
        let of: Map<String, Value> =
            variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        match body {
            Body::Rows(found) => rows.extend(found.into_iter().map(|row| tagged(row, &of))),
            Body::Object(object) => rows.push(tagged(object, &of)),
            Body::Value(value) => rows.push(tagged(json!({ "value": value }), &of)),
            Body::Tally(tally) => tallies.push(ItemTally { item: item_name(variables), tally }),
            _ => {}
        }
    }
    if is_tally { Body::Tallies(tallies) } else { Body::Rows(rows) }
}

/// A row that is no object has no place for the tag, and gets one.
fn tagged(row: Value, of: &Map<String, Value>) -> Value {
    let mut row = match row {
        Value::Object(fields) => fields,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    row.insert(OF.to_owned(), Value::Object(of.clone()));
    Value::Object(row)
}

fn item_name(variables: &Variables) -> String {
    variables.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / ")
}

fn problem(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}
