//! Automatic deployments that Deploy itself lists for attention. The guide does not ask for it.

use crate::WHO;
use crate::inputs::AUTOMATIC_NEEDING_ATTENTION as ROWS;
use tancheck_plugin_api::prelude::*;

/// No automatic deployment needs attention.
pub(crate) const NEEDS_ATTENTION: Check = Check::automated("deploy.automatic-needs-attention")
    .title("No automatic deployment needs attention")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&ROWS])
    .what("Reads the list of automatic deployments that need attention; each of them is a finding.")
    .why("Software that should update by itself does not, until somebody decides.")
    .limits("The reasons behind a status are not documented; it is shown as the service tells it. The service may ask for the permission `Deploy automatic deployment configuration read`.")
    .related(&["deploy.deployments-unneeded"])
    .remedy(&REMEDY)
    .judge(automatic_needs_attention)
    .beyond();

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Deploy > Deployments",
        "open the automatic deployments that need attention, and {subject}",
    ),
    Step::decision("this version should go out", "deploy it"),
    Step::decision("it should not", "skip or dismiss it"),
    Step::decision("it should but cannot", "correct its targets or the package, as the page says"),
])
.cautions(&["To deploy means that the software is installed on every target of the configuration."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Deploy User Guide"]);

/// An automatic deployment (fields of the vendor's example; no id is among them).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Automatic {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(rename = "softwarePackage")]
    package: Software,
    rule: Rule,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Software {
    #[serde(rename = "productName", deserialize_with = "lenient::text")]
    title: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rule {
    config: records::Reference,
}

fn automatic_needs_attention(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    for automatic in facts.rows::<Automatic>(&ROWS)? {
        let (title, config) = (&automatic.package.title, automatic.rule.config.label());
        let name = format!("{title} by {config}");
        let key = if automatic.id.is_empty() { &name } else { &automatic.id };
        report.finding(
            Finding::on(Subject::new("automatic deployment", key, &name))
                .says(format!("needs attention; its status is {:?}", automatic.status))
                .evidence(facts.seen(&ROWS, &automatic.status)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn each_listed_deployment_is_found() {
        let case = Case::of(&NEEDS_ATTENTION).rows(&ROWS, json!([]));
        case.judge().assert_pass();
        case.assert_needs_its_inputs();
        let row = json!({"status": "ineligible", "softwarePackage": {"productName": "Google Chrome"},
            "rule": {"config": {"name": "Internet Browsers"}}});
        let verdict = Case::of(&NEEDS_ATTENTION).rows(&ROWS, json!([row])).judge();
        verdict.assert_findings(&["Google Chrome by Internet Browsers"]);
        assert!(verdict.findings()[0].says.contains("ineligible"));
    }
}
