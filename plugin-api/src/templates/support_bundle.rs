//! `<plugin>.support-bundle`: a support bundle of the module is stored, and it is not too old.

use crate::GuideReference;
use crate::prelude::*;

/// How old the newest bundle may be.
pub const BUNDLE_INTERVAL_DAYS: Setting = Setting::integer("bundle_interval_days", 90, 1, 730)
    .unit("days")
    .about("how old the newest support bundle may be")
    .from_guide();

/// The inventory of the place where support bundles are kept.
pub const SUPPORT_BUNDLES: Input =
    Input::new("platform.support-bundles", "inventory of the stored support bundles").sources(&[
        Source::export(
            "support-bundles.csv",
            "the folder where support bundles are kept",
            "list the stored bundles: one row each, with the module's name and the time it was made",
            &["module", "created", "file"],
        ),
    ]);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the {module} user guide, troubleshooting chapter",
        "generate a support bundle as described there",
    ),
    Step::command("support-bundles.csv", "store the bundle with the others and add its row to the inventory"),
    Step::decision("a bundle is older than 180 days", "it may be removed, unless a support case needs it"),
])
.who("a user holding the {module} role permissions named in the {module} user guide")
.cautions(&["A bundle holds configuration and logs: keep it where only administrators can read it."])
.references(&["Maintenance guide: Contact Tanium Support"]);

const GUIDE: &[GuideReference] = &[
    guide("Review and update backups and the disaster recovery plan", 35),
    guide("Contact Tanium Support", 10),
];

/// The check for a plugin; `id` is `<plugin>.support-bundle`.
#[must_use]
pub const fn support_bundle(id: &'static str) -> Check {
    Check::hybrid(id)
        .title("A {module} support bundle not older than 90 days is stored")
        .cadence(&[Cadence::Quarterly])
        .severity(Severity::Low)
        .reads(&[&SUPPORT_BUNDLES])
        .settings(&[&BUNDLE_INTERVAL_DAYS])
        .guide(GUIDE)
        .what("Looks in the inventory of stored bundles for the newest one of {module}.")
        .why(
            "When a module fails badly, a bundle from before the trouble is often what Support needs most, and it can \
             no longer be made then.",
        )
        .limits("The inventory is what an administrator wrote down; without one, an attestation decides.")
        .related(&["support.bundle-set-age", "support.bundle-retention"])
        .remedy(&REMEDY)
        .judge(judge)
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(deserialize_with = "lenient::text")]
    module: String,
    #[serde(deserialize_with = "lenient::time")]
    created: Option<Timestamp>,
}

fn judge(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let bundles: Vec<Bundle> = facts.rows(&SUPPORT_BUNDLES)?;
    let limit = facts.integer(&BUNDLE_INTERVAL_DAYS)?;
    let newest = bundles
        .iter()
        .filter(|bundle| bundle.module.trim().eq_ignore_ascii_case(facts.module()))
        .filter_map(|bundle| bundle.created)
        .max();
    let says = match newest.map(|created| facts.days_since(created)) {
        Some(days) if days <= limit => return Ok(()),
        Some(days) => format!("the newest bundle is {days} days old"),
        None => "no bundle is in the inventory".to_owned(),
    };
    report.finding(
        Finding::on(Subject::new("module", "support-bundle", facts.module()))
            .says(says)
            .expected(format!("one that is at most {limit} days old"))
            .evidence(facts.seen(&SUPPORT_BUNDLES, newest)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Case;
    use serde_json::json;

    const CHECK: Check = support_bundle("connect.support-bundle");

    fn case(created: &str) -> Case {
        Case::of(&CHECK).titled("Connect").at("2026-06-30T00:00:00Z").rows(
            &SUPPORT_BUNDLES,
            json!([{"module": "connect", "created": created, "file": "a.zip"},
                   {"module": "Patch", "created": "2026-06-29", "file": "b.zip"}]),
        )
    }

    #[test]
    fn a_recent_bundle_passes_and_the_limit_counts() {
        case("2026-06-01").judge().assert_pass();
        case("2026-04-01").judge().assert_pass();
        case("2026-03-31").judge().assert_findings(&["support-bundle"]);
    }

    #[test]
    fn no_bundle_of_this_module_is_found() {
        let case = Case::of(&CHECK).titled("Reveal").rows(&SUPPORT_BUNDLES, json!([]));
        case.judge().assert_findings(&["support-bundle"]);
    }

    #[test]
    fn without_an_inventory_nothing_is_decided() {
        case("2026-06-01").assert_needs_its_inputs();
    }
}
