//! Guide: *Review and update separated subnets*, page 22.

use crate::census::clients;
use crate::inputs::{
    Kind, PAGE, REVIEW_DUE_EVERY_DAYS, SEPARATED, SEPARATED_SECTION, WHO, is_covered, nets, ranges, subnets,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::CLIENTS;

const GUIDES: &[&str] = &["Tanium Client Management User Guide: Configure separated subnets"];
const MORE_LEADERS: &str =
    "Finer boundaries make more leaders: watch client-management.leader-percentage-change after the change.";

const SITES: Setting = Setting::list("sites_needing_separation", &[])
    .about("ranges that need a tighter boundary for linear chains than the default one, in CIDR notation");

/// Sites that need tighter boundaries have separated subnets.
pub(crate) const MISSING: Check = Check::hybrid("subnets.separated-missing")
    .title("Sites that need tighter chain boundaries have separated subnets")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&SEPARATED, &CLIENTS])
    .settings(&[&SITES])
    .guide(&[guide(SEPARATED_SECTION, 22)])
    .what("Looks for ranges of `sites_needing_separation` that lie within no separated subnets, and for separated subnets in which the server remembers no client. Somebody may confirm that one stays as it is.")
    .why("Without a boundary, clients of two places peer across the link between them; a boundary around nothing hides that the network has changed.")
    .limits("Which site needs a boundary is for the networking team to say.")
    .related(&["client-management.leader-percentage-change", "subnets.separated-review"])
    .remedy(&MISSING_REMEDY)
    .judge(separated_missing);

const MISSING_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the networking team", "whether {subject} needs a boundary of its own: {trouble}"),
    Step::console(PAGE, "Separated Subnets: add, change or remove {subject}"),
])
.cautions(&[MORE_LEADERS])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

fn separated_missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let separated = subnets(facts, Kind::Separated)?;
    let sites = ranges(facts, &SITES)?;
    if separated.is_empty() && sites.is_empty() {
        let reason = "no separated subnet is defined, and `sites_needing_separation` names none";
        return Err(facts.absent(&SEPARATED, reason));
    }
    let defined = nets(&separated);
    for site in sites.iter().filter(|site| !is_covered(site, &defined)) {
        let trouble = "no separated subnet covers it";
        report.finding(
            Finding::on(Subject::new("site", site, site.to_string()))
                .says(trouble)
                .expected("a separated subnet")
                .fill("trouble", trouble)
                .confirms("not separated")
                .evidence(
                    facts.seen(&SEPARATED, defined.iter().map(ToString::to_string).collect::<Vec<_>>()),
                ),
        );
    }
    let clients = clients(facts, report)?;
    let is_empty = |net: &ipnet::IpNet| !clients.iter().any(|client| net.contains(&client.client));
    for subnet in separated.iter().filter(|subnet| is_empty(&subnet.net)) {
        let trouble = "no client is in this separated subnet";
        report.finding(
            Finding::on(subnet.subject())
                .says(trouble)
                .expected("clients, or no such subnet")
                .fill("trouble", trouble)
                .confirms("no client")
                .evidence(facts.seen(&CLIENTS, 0)),
        );
    }
    Ok(())
}

/// Separated subnets were reviewed.
pub(crate) const REVIEW: Check = Check::attested("subnets.separated-review")
    .title("Separated subnets were reviewed with the networking team")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide(SEPARATED_SECTION, 22)])
    .what("Asks once a month whether the separated subnets were reviewed.")
    .why("Sites are split, joined and moved; the boundaries of linear chains have to follow.")
    .related(&["subnets.separated-missing"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "review the Separated Subnets"),
    Step::consult("the networking team", "whether each boundary still matches a site"),
    Step::console(PAGE, "Separated Subnets: update what they named"),
    Step::command("tancheck attest subnets.separated-review --result done", "records the review"),
])
.cautions(&[MORE_LEADERS])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(separated: Value, sites: Value) -> Case {
        let clients = json!([{"computer_id": 1, "host_name": "a", "ipaddress_client": "10.1.0.5"}]);
        Case::of(&MISSING)
            .rows(&SEPARATED, separated)
            .rows(&CLIENTS, clients)
            .setting("sites_needing_separation", sites)
    }

    #[test]
    fn sites_have_boundaries_and_boundaries_have_clients() {
        let plant = json!([{"cidr_string": "10.1.0.0/24", "name": "Plant"}]);
        case(plant.clone(), json!(["10.1.0.0/25"])).judge().assert_pass();
        case(plant.clone(), json!([])).judge().assert_pass();
        case(plant.clone(), json!(["10.1.0.0/16"])).judge().assert_findings(&["10.1.0.0/16"]);
        let empty = json!([{"cidr_string": "10.2.0.0/24"}]);
        let verdict = case(empty, json!([])).judge();
        verdict.assert_findings(&["10.2.0.0/24"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("no client"));
        case(json!([]), json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(plant, json!(["10.1.0.0/25"])).assert_needs_its_inputs();
    }
}
