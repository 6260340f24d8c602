//! What these checks read: tags by count and by endpoint, and the groups that go by tags.

use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::GROUPS;
use tancheck_plugin_api::records::answers::{ASK, complete, failed};
use tancheck_plugin_api::records::groups::ComputerGroup;

/// The sections of the guide.
pub(crate) const CUSTOM_SECTION: &str = "Review and update custom tags";
/// See above.
pub(crate) const TAGS_SECTION: &str = "Review and update tags";
/// The guide prints no path to it.
pub(crate) const GROUPS_PAGE: &str = "the Computer Groups page of the Console";
/// Who may change tags.
pub(crate) const TAG_OWNER: &str = "a user whose assigned computer groups hold the endpoints";
/// Where the checks apply.
pub(crate) const APPLIES: &str = "custom tags used";
/// What a tag can do.
pub(crate) const MOVES: &str = "A tag can move an endpoint into groups that are targets of actions, or out of groups that protect it, such as those of blocking maintenance windows.";

/// How the sensor is called.
const SENSOR: &str = "Custom Tags";

/// How many endpoints carry each tag.
pub(crate) const COUNTS: Input = Input::new("tags.counts", "endpoints by custom tag")
    .sources(&[Source::question("Get Custom Tags from all machines").needs(ASK)]);

/// The tags of each endpoint, offline ones included.
pub(crate) const ENDPOINTS: Input = Input::new("tags.endpoints", "custom tags of each endpoint").sources(&[
    Source::gateway("endpoints", ENDPOINTS_QUERY).needs(&["gateway use api", "read sensor"]),
    Source::export(
        "custom-tags.csv",
        "Interact",
        "ask Get Computer Name and Custom Tags and Tanium Client IP Address from all machines, and export the results",
        &["Computer Name", "Custom Tags", "Tanium Client IP Address"],
    ),
]);

const ENDPOINTS_QUERY: &str = "\
query TancheckCustomTags($after: Cursor) {
  endpoints(first: 1000, after: $after, source: {tds: {}}) {
    edges { node { name ipAddress sensorReadings(sensors: [{name: \"Custom Tags\"}]) { columns { name values } } } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// What endpoints without tags answer.
pub(crate) const NO_TAG_TEXTS: Setting = Setting::list("no_tag_texts", &["No Tags"])
    .about("what endpoints without tags answer, beside an empty answer and [no results]");

/// An endpoint with its tags.
pub(crate) struct Tagged {
    /// Its name.
    pub(crate) name: String,
    /// Its address, as text.
    pub(crate) address: String,
    /// Its tags.
    pub(crate) tags: BTreeSet<String>,
}

impl Tagged {
    /// Whether it carries a tag, whatever its case.
    pub(crate) fn carries(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own.eq_ignore_ascii_case(tag))
    }
}

/// An endpoint of the Gateway, or a line of an exported answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    #[serde(alias = "Computer Name", deserialize_with = "lenient::text")]
    name: String,
    #[serde(rename = "ipAddress", alias = "Tanium Client IP Address", deserialize_with = "lenient::text")]
    address: String,
    #[serde(rename = "sensorReadings")]
    readings: Readings,
    /// Only in exported answers; several tags stand on lines of their own.
    #[serde(rename = "Custom Tags", deserialize_with = "lenient::text")]
    exported: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Readings {
    columns: Vec<Column>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Column {
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    values: Vec<String>,
}

/// Every endpoint with its tags. Endpoints whose sensor failed are left out, and too many of them decide nothing.
pub(crate) fn endpoints(facts: &Facts<'_>) -> Result<Vec<Tagged>, Undecided> {
    let rows: Vec<Row> = facts.rows(&ENDPOINTS)?;
    let all = rows.len() as u64;
    let mut tagged = Vec::new();
    for row in rows {
        let read = row.readings.columns.iter().filter(|column| column.name.eq_ignore_ascii_case(SENSOR));
        let texts =
            read.flat_map(|column| column.values.iter().map(String::as_str)).chain(row.exported.lines());
        let texts: Vec<&str> = texts.map(str::trim).collect();
        if !texts.iter().any(|text| is_failure(text)) {
            let tags = texts.into_iter().filter(|text| is_tag(facts, text)).map(str::to_owned).collect();
            tagged.push(Tagged { name: row.name, address: row.address, tags });
        }
    }
    complete("custom tags of endpoints", all, all - tagged.len() as u64)?;
    Ok(tagged)
}

/// How many endpoints carry each tag, as they answered now.
pub(crate) fn counts(facts: &Facts<'_>) -> Result<BTreeMap<String, u64>, Undecided> {
    let tally = facts.tally(&COUNTS)?;
    if tally.other > 0 {
        let reason = "there are more different answers than a question counts; too many tags to compare";
        return Err(Undecided::not_evaluated(reason));
    }
    complete("the question for custom tags", tally.answered, failed(tally))?;
    let mut counts = BTreeMap::new();
    for row in &tally.rows {
        let texts = row.cells.first().map(String::as_str).unwrap_or_default().lines().map(str::trim);
        for tag in texts.filter(|text| is_tag(facts, text)) {
            *counts.entry(tag.to_owned()).or_insert(0) += row.count;
        }
    }
    Ok(counts)
}

fn is_failure(text: &str) -> bool {
    text.starts_with("TSE-Error") || text == "[current result unavailable]"
}

fn is_tag(facts: &Facts<'_>, text: &str) -> bool {
    let is_none = || facts.list(&NO_TAG_TEXTS).iter().any(|none| none.eq_ignore_ascii_case(text));
    !text.is_empty() && !text.starts_with('[') && !is_failure(text) && !is_none()
}

/// All groups that people made.
pub(crate) fn groups(facts: &Facts<'_>) -> Result<Vec<ComputerGroup>, Undecided> {
    let mut groups: Vec<ComputerGroup> = facts.rows(&GROUPS)?;
    groups.retain(ComputerGroup::is_of_people);
    Ok(groups)
}

/// Whether the membership of a group goes by custom tags.
pub(crate) fn goes_by_tags(group: &ComputerGroup) -> bool {
    group.text.to_lowercase().contains("custom tag")
}

/// The subject of a finding about a group.
pub(crate) fn group_subject(group: &ComputerGroup) -> Subject {
    Subject::new("computer group", &group.id, &group.name)
}
