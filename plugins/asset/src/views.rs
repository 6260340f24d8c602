//! Guide: *Review views*, page 18.

use crate::WHO;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review views", 18)];
const PAGE: &str = "Modules > Asset > Views";

/// `GET /plugin/products/asset/v1/views`.
pub(crate) const VIEWS: Input = Input::new("asset.views", "views and their attributes").sources(&[
    Source::service("asset", "/v1/views").needs(&["asset report read"]),
    Source::export(
        "asset-views.csv",
        PAGE,
        "write one row for each attribute (column) of each custom view, and one row for each other view; leave the \
         attribute empty there",
        &["view", "custom", "status", "attribute", "attribute status"],
    ),
]);

/// `GET /plugin/products/asset/v1/attributes`. The document names its parameters and not its answer.
const KNOWN: Input = Input::new("asset.attributes", "attributes and whether they are enabled")
    .sources(&[Source::service("asset", "/v1/attributes").needs(&["asset report read"])]);

const OK_STATES: Setting = Setting::list("view_ok_states", &[])
    .about("values of a view's status that mean it can be used; where none is set, the one that most of Asset's own views share");

const IGNORED_VIEWS: Setting =
    Setting::list("ignored_views", &[]).about("names of views that are disabled on purpose");

/// A view, as the service or an exported file tells it. An exported file has a row for each attribute.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    #[serde(deserialize_with = "lenient::text", rename = "viewName", alias = "view")]
    name: String,
    definition: Definition,
    #[serde(deserialize_with = "lenient::text")]
    custom: String,
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(deserialize_with = "lenient::text")]
    attribute: String,
    #[serde(deserialize_with = "lenient::text", rename = "attribute status")]
    attribute_status: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Definition {
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(deserialize_with = "lenient::flag")]
    reserved: Option<bool>,
    attributes: Vec<Attribute>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attribute {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(rename = "displayName", deserialize_with = "lenient::text")]
    name: String,
    #[serde(rename = "fieldName", deserialize_with = "lenient::text")]
    field: String,
    #[serde(rename = "tableName", deserialize_with = "lenient::text")]
    table: String,
    #[serde(deserialize_with = "lenient::flag")]
    enabled: Option<bool>,
}

impl View {
    fn status(&self) -> &str {
        if self.status.is_empty() { &self.definition.status } else { &self.status }
    }

    /// Whether somebody made it; `None` where that is not told.
    fn is_custom(&self) -> Option<bool> {
        match self.custom.to_lowercase().as_str() {
            "" => self.definition.reserved.map(|reserved| !reserved),
            "yes" | "true" | "1" | "custom" => Some(true),
            _ => Some(false),
        }
    }
}

/// All Asset views are enabled.
pub(crate) const DISABLED: Check = Check::automated("asset.view-disabled")
    .title("All Asset views are enabled")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&VIEWS])
    .settings(&[&OK_STATES, &IGNORED_VIEWS])
    .learns(&[&IGNORED_VIEWS])
    .guide(GUIDE)
    .what("Looks at the status of each view that `ignored_views` does not name; it is one of `view_ok_states`, or the one that most of Asset's own views share.")
    .why("A view that is not ready shows stale data or none.")
    .limits("The vendor's document lists no values of the status, nor how they relate to the column Status of the Console: set `view_ok_states` once you know them.")
    .related(&["asset.view-attributes"])
    .remedy(&REMEDY)
    .judge(disabled);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject} with Edit; replace or remove attributes that are disabled or missing, and select Submit"),
    Step::consult("Asset User Guide: Troubleshoot views", "if it is no custom view, or its status stays as it is"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

fn disabled(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let views: Vec<View> = facts.rows(&VIEWS)?;
    let ignored = facts.list(&IGNORED_VIEWS);
    let good = good_states(facts, &views)?;
    let is_off = |view: &&View| !good.iter().any(|one| one.eq_ignore_ascii_case(view.status()));
    if views.iter().all(|view| !view.status().is_empty()) {
        let off: BTreeSet<&str> = views.iter().filter(is_off).map(|view| view.name.as_str()).collect();
        let told = format!("views whose status is not {}: {}", good.join(" or "), off.len());
        report.propose(&IGNORED_VIEWS, off, told);
    }
    let mut seen = BTreeSet::new();
    let mut unknown = Vec::new();
    for view in views.iter().filter(|view| !ignored.contains(&view.name.as_str())) {
        let status = view.status();
        if !seen.insert(&view.name) || good.iter().any(|one| one.eq_ignore_ascii_case(status)) {
            continue;
        }
        if status.is_empty() {
            unknown.push(format!("the view {} does not tell its status", view.name));
            continue;
        }
        report.finding(
            Finding::on(Subject::new("view", &view.name, &view.name))
                .says(format!("its status is {status:?}"))
                .expected(good.join(" or "))
                .evidence(facts.seen(&VIEWS, status)),
        );
    }
    settle(&unknown)
}

/// The states of views that can be used.
fn good_states(facts: &Facts<'_>, views: &[View]) -> Result<Vec<String>, Undecided> {
    let set = facts.list(&OK_STATES);
    if !set.is_empty() {
        return Ok(set.into_iter().map(str::to_owned).collect());
    }
    if views.iter().any(|view| !view.status.is_empty()) {
        // The word of the Console's column.
        return Ok(vec!["Enabled".to_owned()]);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let own: Vec<&View> = views.iter().filter(|view| view.is_custom() == Some(false)).collect();
    for view in own.iter().filter(|view| !view.status().is_empty()) {
        *counts.entry(view.status()).or_default() += 1;
    }
    let usual = counts.into_iter().max_by_key(|(_, count)| *count).filter(|(_, count)| count * 2 > own.len());
    let (state, _) = usual.ok_or_else(|| {
        Undecided::not_evaluated(
            "Asset's own views share no status that could mean \"enabled\": name it in `view_ok_states`",
        )
    })?;
    Ok(vec![state.to_owned()])
}

/// Custom views have no disabled or missing attributes.
pub(crate) const ATTRIBUTES: Check = Check::automated("asset.view-attributes")
    .title("Custom views have no disabled or missing attributes")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&VIEWS, &KNOWN])
    .guide(GUIDE)
    .what("Looks at the attributes (columns) of each custom view: each has its field and table, is in the list of attributes, and is enabled there.")
    .why("An attribute that is gone leaves a hole in the view, or keeps it from being ready.")
    .limits("The list of attributes has no documented answer. Where it cannot be read, only attributes without a field or table are found, and the outcome says so.")
    .related(&["asset.view-disabled", "asset.report-attributes"])
    .remedy(&REMEDY)
    .judge(attributes);

fn attributes(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let views: Vec<View> = facts.rows(&VIEWS)?;
    let known: Option<Vec<Attribute>> = facts
        .rows(&KNOWN)
        .ok()
        .filter(|all: &Vec<Attribute>| all.iter().any(|one| !one.id.is_empty() && one.enabled.is_some()));
    if known.is_none() && views.iter().any(|view| !view.definition.attributes.is_empty()) {
        report.note("the list of attributes cannot be read: disabled attributes were not looked for");
    }
    let mut broken: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut any = false;
    for view in &views {
        match view.is_custom() {
            Some(true) => any = true,
            Some(false) => continue,
            None => {
                unknown.push(format!("whether {} is a custom view is not told", view.name));
                continue;
            }
        }
        let gone = view
            .definition
            .attributes
            .iter()
            .filter_map(|one| Some(format!("{} ({})", one.name, trouble(one, known.as_deref())?)));
        broken.entry(&view.name).or_default().extend(gone);
        match view.attribute_status.to_lowercase().as_str() {
            "" | "enabled" => {}
            state @ ("disabled" | "missing") => {
                broken.entry(&view.name).or_default().push(format!("{} ({state})", view.attribute));
            }
            state => unknown
                .push(format!("{}: the status {state:?} of {} is not known", view.name, view.attribute)),
        }
    }
    for (name, gone) in broken.into_iter().filter(|(_, gone)| !gone.is_empty()) {
        report.finding(
            Finding::on(Subject::new("view", name, name))
                .says(format!("shows attributes that are gone: {}", gone.join(", ")))
                .expected("attributes that are there and enabled")
                .affected(gone.len() as u64, None)
                .evidence(facts.seen(&VIEWS, &gone)),
        );
    }
    if !any && unknown.is_empty() {
        return Err(Undecided::not_applicable("there is no custom view"));
    }
    settle(&unknown)
}

/// What is wrong with an attribute of a view.
fn trouble(attribute: &Attribute, known: Option<&[Attribute]>) -> Option<&'static str> {
    if attribute.field.is_empty() || attribute.table.is_empty() {
        return Some("pending: it has no field");
    }
    match known?.iter().find(|one| one.id == attribute.id) {
        None => Some("missing"),
        Some(one) if one.enabled == Some(false) => Some("disabled"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn view(name: &str, reserved: bool, status: &str, field: Value) -> Value {
        json!({"id": 1, "viewName": name, "definition": {"status": status, "reserved": reserved,
            "attributes": [{"id": 7, "displayName": "Model", "fieldName": field, "tableName": "ci_item"}]}})
    }

    fn case(check: &'static Check, rows: Value) -> Case {
        Case::of(check).rows(&VIEWS, rows)
    }

    #[test]
    fn a_view_whose_status_differs_from_the_usual_one_is_found() {
        let own = view("All", true, "READY", json!("f"));
        case(&DISABLED, json!([own, view("Mine", false, "READY", json!("f"))])).judge().assert_pass();
        let broken = case(&DISABLED, json!([own, view("Mine", false, "STALE", json!("f"))]));
        broken.judge().assert_findings(&["Mine"]);
        assert_eq!(broken.judge().proposal("ignored_views"), Some(&json!(["Mine"])));
        broken.setting("ignored_views", json!(["Mine"])).judge().assert_pass();
        let differ = json!([own, view("Other", true, "STALE", json!("f"))]);
        case(&DISABLED, differ.clone()).judge().assert_undecided(Outcome::NotEvaluated);
        case(&DISABLED, differ).setting("view_ok_states", json!(["ready", "stale"])).judge().assert_pass();
        let exported = json!([{"view": "Mine", "custom": "yes", "status": "Disabled", "attribute": "", "attribute status": ""}]);
        case(&DISABLED, exported).judge().assert_findings(&["Mine"]);
    }

    #[test]
    fn attributes_without_a_field_or_disabled_ones_are_found() {
        let mine = |field: Value| case(&ATTRIBUTES, json!([view("Mine", false, "READY", field)]));
        let known = |enabled: bool| json!([{"id": 7, "attributeName": "Model", "displayName": "Model", "enabled": enabled}]);
        mine(json!("f")).rows(&KNOWN, known(true)).judge().assert_pass();
        mine(json!(null)).rows(&KNOWN, known(true)).judge().assert_findings(&["Mine"]);
        mine(json!("f")).rows(&KNOWN, known(false)).judge().assert_findings(&["Mine"]);
        mine(json!("f")).rows(&KNOWN, json!([{"id": 9, "enabled": true}])).judge().assert_findings(&["Mine"]);
        let limited = mine(json!("f")).unavailable(&KNOWN, Outcome::NotEvaluated).judge();
        limited.assert_pass();
        assert!(limited.notes()[0].contains("disabled attributes were not looked for"));
        case(&ATTRIBUTES, json!([view("All", true, "READY", json!(null))]))
            .rows(&KNOWN, known(true))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
    }
}
