//! Guide: *Review and update isolated subnets*, page 22.

use crate::census::clients;
use crate::inputs::{
    ISOLATED, ISOLATED_SECTION, Kind, PAGE, REVIEW_DUE_EVERY_DAYS, VPN_BLOCKS, VPN_USED, WHO, is_covered,
    nets, ranges, subnets, vpn_blocks, vpn_used,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::CLIENTS;

const GUIDES: &[&str] = &["Tanium Client Management User Guide: Configure isolated subnets"];
const NO_LAN: &str = "Isolate VPN blocks only. In an isolated LAN every client becomes a leader, which loads the server and the WAN.";

/// Isolated subnets are defined where VPN clients exist.
pub(crate) const NONE_DEFINED: Check = Check::automated("subnets.isolated-none-defined")
    .title("Isolated subnets are defined where VPN clients exist")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&ISOLATED, &VPN_USED])
    .settings(&[&VPN_BLOCKS])
    .guide(&[guide("Review all TPAN findings", 15), guide(ISOLATED_SECTION, 22)])
    .what("Counts the isolated subnets. None is a finding unless somebody answered that there are no VPN clients.")
    .why("VPN clients look like neighbours but are far apart: they peer across the WAN, slower than they would talk to the server.")
    .related(&["subnets.isolated-vpn-missing", "health-check.tpan-low"])
    .remedy(&NONE_DEFINED_REMEDY)
    .judge(isolated_none_defined);

const NONE_DEFINED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the networking team", "which address blocks VPN clients get"),
    Step::decision("there are such blocks", "configure each as an isolated subnet (next step)"),
    Step::console(PAGE, "Isolated Subnets: add the VPN blocks"),
    Step::command(
        "tancheck answer subnets.vpn-used no",
        "if there are no VPN clients: records that no action is needed",
    ),
])
.cautions(&[NO_LAN])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

fn isolated_none_defined(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if !subnets(facts, Kind::Isolated)?.is_empty() {
        return Ok(());
    }
    let blocks = ranges(facts, &VPN_BLOCKS)?;
    let says = match (vpn_used(facts), blocks.is_empty()) {
        (Some(false), true) => {
            return Err(Undecided::not_applicable("there are no VPN clients, as a person answered"));
        }
        (None, true) => "no isolated subnet is defined, and nobody said whether there are VPN clients",
        _ => "no isolated subnet is defined, although there are VPN clients",
    };
    report.finding(
        Finding::on(Subject::deployment())
            .says(says)
            .expected("the VPN blocks as isolated subnets, or the answer that there are none")
            .evidence(facts.seen(&ISOLATED, 0)),
    );
    Ok(())
}

/// Every VPN address block is an isolated subnet.
pub(crate) const VPN_MISSING: Check = Check::hybrid("subnets.isolated-vpn-missing")
    .title("Every VPN address block is an isolated subnet")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&ISOLATED, &CLIENTS, &VPN_USED])
    .settings(&[&VPN_BLOCKS])
    .guide(&[guide(ISOLATED_SECTION, 22)])
    .applies("VPN used")
    .what("Looks for blocks of `vpn_blocks` that hold registered clients and do not lie within the isolated subnets. Somebody may confirm that a block stays as it is.")
    .why("VPN clients that are not isolated use WAN links for peering, with more delay than between client and server.")
    .limits("The server cannot tell VPN from LAN: needs `vpn_blocks`. A block without clients is only noted.")
    .related(&["subnets.isolated-none-defined", "subnets.vpn-share-shift"])
    .remedy(&VPN_MISSING_REMEDY)
    .judge(isolated_vpn_missing);

const VPN_MISSING_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the networking team", "whether {subject} is still a VPN block; clients in it: {clients}"),
    Step::console(PAGE, "Isolated Subnets: add {subject}"),
    Step::question(
        "Get Tanium Client IP Address from all machines",
        "see that clients of {subject} still answer after they registered again",
    ),
])
.cautions(&[NO_LAN])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

fn isolated_vpn_missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let isolated = nets(&subnets(facts, Kind::Isolated)?);
    let clients = clients(facts, report)?;
    for block in vpn_blocks(facts)? {
        let inside: Vec<_> = clients.iter().filter(|client| block.contains(&client.client)).collect();
        if is_covered(&block, &isolated) {
            continue;
        }
        if inside.is_empty() {
            report.note(format!("the VPN block {block} is not isolated, and holds no client"));
            continue;
        }
        let slow = inside.iter().filter(|client| client.slow_link).count();
        report.finding(
            Finding::on(Subject::new("vpn block", block, block.to_string()))
                .says(format!("clients in no isolated subnet: {}, at a slow link: {slow}", inside.len()))
                .expected("an isolated subnet")
                .affected(inside.len() as u64, Some(clients.len() as u64))
                .sample(inside.iter().take(5).map(|client| client.name.as_str()))
                .fill("clients", inside.len())
                .confirms("not isolated")
                .evidence(
                    facts.seen(&ISOLATED, isolated.iter().map(ToString::to_string).collect::<Vec<_>>()),
                ),
        );
    }
    Ok(())
}

/// Isolated subnets were reviewed.
pub(crate) const REVIEW: Check = Check::attested("subnets.isolated-review")
    .title("Isolated subnets were reviewed with the networking team")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide(ISOLATED_SECTION, 22)])
    .what("Asks once a month whether the isolated subnets were reviewed.")
    .why("Networks change without telling Tanium; only the networking team knows what is still a VPN.")
    .related(&["subnets.isolated-vpn-missing", "subnets.isolated-stale"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "review the Isolated Subnets"),
    Step::consult("the networking team", "which VPN blocks are new, and which are gone"),
    Step::console(PAGE, "Isolated Subnets: add or remove what they named"),
    Step::command("tancheck attest subnets.isolated-review --result done", "records the review"),
])
.cautions(&[NO_LAN])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn none_defined(rows: Value) -> Case {
        Case::of(&NONE_DEFINED).rows(&ISOLATED, rows)
    }

    #[test]
    fn no_isolated_subnet_is_a_finding_unless_there_is_no_vpn() {
        let deleted = json!([{"id": 1, "cidr_string": "10.8.0.0/16", "deleted_flag": 1}]);
        none_defined(json!([])).judge().assert_findings(&["deployment"]);
        none_defined(deleted).judge().assert_findings(&["deployment"]);
        none_defined(json!([])).answer(&VPN_USED, true).judge().assert_findings(&["deployment"]);
        let none = none_defined(json!([])).answer(&VPN_USED, false);
        none.judge().assert_undecided(Outcome::NotApplicable);
        let block = none.setting("vpn_blocks", json!(["10.8.0.0/16"]));
        block.judge().assert_findings(&["deployment"]);
        none_defined(json!([{"cidr_string": "[2001:db8::]/32", "deleted_flag": 0}])).judge().assert_pass();
        none_defined(json!([{"cidr_string": "vpn"}])).judge().assert_undecided(Outcome::NotEvaluated);
        none_defined(json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn a_file_of_all_lists_is_read_by_kind() {
        let rows = json!([{"Kind": "Separated", "CIDR": "10.1.0.0/16"}]);
        none_defined(rows).judge().assert_findings(&["deployment"]);
        none_defined(json!([{"Kind": "isolated", "CIDR": "10.1.0.0/16"}])).judge().assert_pass();
    }

    fn vpn(isolated: Value) -> Case {
        let clients = json!([
            {"computer_id": 1, "host_name": "a", "ipaddress_client": "10.8.0.5", "status": "Leader, Slow Link Ahead"},
            {"computer_id": 2, "host_name": "b", "ipaddress_client": "10.1.0.5"},
        ]);
        Case::of(&VPN_MISSING).rows(&ISOLATED, isolated).rows(&CLIENTS, clients)
    }

    #[test]
    fn a_vpn_block_with_clients_is_isolated() {
        let half = json!([{"cidr_string": "10.8.0.0/17"}]);
        let blocks = json!(["10.8.0.0/16"]);
        let verdict = vpn(half.clone()).setting("vpn_blocks", blocks.clone()).judge();
        verdict.assert_findings(&["10.8.0.0/16"]);
        assert!(
            verdict.findings()[0].says.ends_with("subnet: 1, at a slow link: 1"),
            "{:?}",
            verdict.findings()
        );
        let whole = json!([{"cidr_string": "10.8.0.0/17"}, {"cidr_string": "10.8.128.0/17"}]);
        vpn(whole).setting("vpn_blocks", blocks.clone()).judge().assert_pass();
        let empty = vpn(json!([])).setting("vpn_blocks", json!(["10.9.0.0/16"])).judge();
        empty.assert_pass();
        assert_eq!(empty.notes().len(), 1);
        vpn(half).setting("vpn_blocks", blocks).assert_needs_its_inputs();
    }

    #[test]
    fn without_blocks_nothing_is_known() {
        vpn(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        vpn(json!([])).answer(&VPN_USED, true).judge().assert_undecided(Outcome::NotEvaluated);
        vpn(json!([])).answer(&VPN_USED, false).judge().assert_undecided(Outcome::NotApplicable);
        let wrong = vpn(json!([])).setting("vpn_blocks", json!(["the vpn"])).judge();
        wrong.assert_undecided(Outcome::NotEvaluated);
        let cut = vpn(json!([])).setting("vpn_blocks", json!(["10.8.0.0/16"])).gap(&CLIENTS, "half of it");
        cut.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
