//! `patch.scan-products`: Tanium Scan for Windows includes all wanted products.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{SCAN_CONFIGURATIONS, SCAN_PROFILE, SCAN_SELECTIONS, scan_configurations};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::{self, Value};

const WANTED_PRODUCTS: Setting = Setting::list("wanted_products", &[])
    .about("products or categories that Tanium Scan for Windows has to include, as its dialog writes them");

/// All wanted products are scanned.
pub(crate) const PRODUCTS: Check = Check::hybrid("patch.scan-products")
    .title("Tanium Scan for Windows includes all wanted products")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SCAN_CONFIGURATIONS, &SCAN_PROFILE, &SCAN_SELECTIONS])
    .settings(&[&WANTED_PRODUCTS])
    .guide(GUIDE)
    .what("Looks for every name in `wanted_products` among the products and categories that the active profile includes. A name that Tanium Scan for Windows does not offer at all is told as such.")
    .why("Patches of a product that is not included are neither shown as missing nor installed.")
    .limits("A category without products of its own choice stands for all its products.")
    .applies("a Windows scan configuration with the technique Tanium Scan")
    .remedy(&REMEDY)
    .judge(products);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Scan Management, tab Tanium Scan for Windows",
        "click Edit and look for {subject} in Products to Include in Scan",
    ),
    Step::decision("it is there", "select it and submit"),
    Step::decision("it is not offered", "correct the name in `wanted_products`, or take it off the list"),
    Step::decision("it is left out on purpose", "confirm that here, or take it off `wanted_products`"),
])
.cautions(&["More products make every scan longer, and new patches may become part of deployments that install by rule."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Edit a scan configuration"]);

fn products(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let wanted = facts.list(&WANTED_PRODUCTS);
    let configurations = scan_configurations(facts)?;
    let by_tanium = |technique: &str| technique.eq_ignore_ascii_case("tanium");
    if !configurations.iter().any(|one| one.os_type == "windows" && by_tanium(&one.technique)) {
        return Err(facts.absent(&SCAN_CONFIGURATIONS, "no scan configuration uses Tanium Scan for Windows"));
    }
    if wanted.is_empty() {
        return Err(Undecided::not_evaluated(
            "name the products that have to be scanned in `wanted_products` under [modules.patch]",
        ));
    }
    let (included, offered) = match facts.body(&SCAN_PROFILE)? {
        Body::Object(profile) => {
            let offered: Selections = facts.object(&SCAN_SELECTIONS)?;
            (included(profile, &offered)?, offered.names())
        }
        _ => exported(&facts.rows::<ExportedProduct>(&SCAN_PROFILE)?)?,
    };
    for name in wanted.iter().filter(|name| !included.contains(&name.to_lowercase())) {
        let (says, state) = if offered.contains(&name.to_lowercase()) {
            ("is not included in the scan", "not included")
        } else {
            ("is nothing that Tanium Scan for Windows offers", "not offered")
        };
        report.finding(
            Finding::on(Subject::new("product", name.to_lowercase(), *name))
                .says(says)
                .expected("every wanted product included")
                .evidence(facts.seen(&SCAN_PROFILE, state))
                .confirms(state),
        );
    }
    Ok(())
}

/// What a profile may include.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Selections {
    categories: Vec<Category>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Category {
    #[serde(deserialize_with = "lenient::text")]
    guid: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    products: Vec<Product>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Product {
    #[serde(deserialize_with = "lenient::text")]
    name: String,
}

impl Category {
    fn product_names(&self) -> impl Iterator<Item = String> {
        self.products.iter().map(|product| product.name.to_lowercase())
    }
}

impl Selections {
    fn names(&self) -> BTreeSet<String> {
        let names = |category: &Category| {
            std::iter::once(category.name.to_lowercase()).chain(category.product_names()).collect::<Vec<_>>()
        };
        self.categories.iter().flat_map(names).collect()
    }
}

/// A category that a profile includes, by its id; with products of its own choice, or with all.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Selected {
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    categories: BTreeMap<String, Selected>,
}

/// The lower-case names that a profile includes. The vendor describes `selections` as a list and shows an object.
fn included(profile: &Value, offered: &Selections) -> Result<BTreeSet<String>, Undecided> {
    let selections = match &profile["selections"] {
        Value::Array(items) => items.iter().collect(),
        object @ Value::Object(_) => vec![object],
        _ => Vec::new(),
    };
    if selections.is_empty() {
        return Err(Undecided::not_evaluated("the active profile does not tell what it includes"));
    }
    let mut names = BTreeSet::new();
    for selection in selections {
        let selected: BTreeMap<String, Selected> = serde_json::from_value(selection["categories"].clone())
            .map_err(|error| {
                Undecided::not_evaluated(format!(
                    "the categories of the active profile are not understood: {error}"
                ))
            })?;
        for (guid, category) in &selected {
            names.insert(category.name.to_lowercase());
            names.extend(category.categories.values().map(|one| one.name.to_lowercase()));
            let whole = offered.categories.iter().find(|one| one.guid == *guid);
            if let Some(whole) = whole.filter(|_| category.categories.is_empty()) {
                names.extend(whole.product_names());
            }
        }
    }
    Ok(names)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExportedProduct {
    #[serde(rename = "Category", deserialize_with = "lenient::text")]
    category: String,
    #[serde(rename = "Product", deserialize_with = "lenient::text")]
    product: String,
    #[serde(rename = "Included", deserialize_with = "lenient::flag")]
    included: Option<bool>,
}

/// The included and the offered names of an exported list. A category is included where all its products are.
fn exported(rows: &[ExportedProduct]) -> Result<(BTreeSet<String>, BTreeSet<String>), Undecided> {
    let unknown: Vec<String> = rows
        .iter()
        .filter(|row| row.included.is_none())
        .map(|row| format!("it is not written whether {} is included", row.product))
        .collect();
    settle(&unknown)?;
    let name = |text: &str| text.trim().to_lowercase();
    let offered: BTreeSet<String> =
        rows.iter().flat_map(|row| [name(&row.category), name(&row.product)]).collect();
    let left_out: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.included == Some(false))
        .flat_map(|row| [name(&row.category), name(&row.product)])
        .collect();
    Ok((offered.difference(&left_out).cloned().collect(), offered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(selections: Value) -> Case {
        Case::of(&PRODUCTS)
            .rows(&SCAN_CONFIGURATIONS, json!([{"id": 1, "osType": "windows", "technique": "tanium"}]))
            .object(&SCAN_PROFILE, json!({"active": true, "type": "MS Update", "selections": selections}))
            .object(
                &SCAN_SELECTIONS,
                json!({"categories": [
                    {"guid": "g1", "name": "Windows", "products": [{"guid": "p1", "name": "Windows 11"}, {"guid": "p2", "name": "Windows 10"}]},
                    {"guid": "g2", "name": "Office", "products": [{"guid": "p3", "name": "Office 2019"}]}]}),
            )
            .setting("wanted_products", json!(["windows 11"]))
    }

    #[test]
    fn a_category_includes_its_products_unless_some_are_chosen() {
        case(json!({"categories": {"g1": {"name": "Windows"}}})).judge().assert_pass();
        case(json!([{"categories": {"g1": {"name": "Windows"}}}])).judge().assert_pass();
        let chosen =
            json!({"categories": {"g1": {"name": "Windows", "categories": {"p2": {"name": "Windows 10"}}}}});
        case(chosen).judge().assert_findings(&["windows 11"]);
        let verdict = case(json!({"categories": {"g2": {"name": "Office"}}})).judge();
        verdict.assert_findings(&["windows 11"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("not included"));
        case(json!({"categories": {"g1": {"name": "Windows"}}})).assert_needs_its_inputs();
    }

    #[test]
    fn a_name_that_is_not_offered_is_told_as_such() {
        let case = case(json!({"categories": {}})).setting("wanted_products", json!(["Windos 11"]));
        let verdict = case.judge();
        verdict.assert_findings(&["windos 11"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("not offered"));
    }

    #[test]
    fn without_a_list_or_a_profile_nothing_is_decided() {
        let all = json!({"categories": {"g1": {"name": "Windows"}}});
        case(all.clone())
            .setting("wanted_products", json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        case(json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        let other = json!([{"id": 1, "osType": "windows", "technique": "wsus"}]);
        case(all).rows(&SCAN_CONFIGURATIONS, other).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn an_exported_list_is_read_as_well() {
        let export = |included: &str| {
            let rows = json!([{"Category": "Windows", "Product": "Windows 11", "Included": included},
                              {"Category": "Windows", "Product": "Windows 10", "Included": "yes"}]);
            case(json!({})).rows(&SCAN_PROFILE, rows).judge()
        };
        export("yes").assert_pass();
        export("no").assert_findings(&["windows 11"]);
        export("").assert_undecided(Outcome::NotEvaluated);
    }
}
