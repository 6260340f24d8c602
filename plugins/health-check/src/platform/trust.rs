//! Servers that wait to be let in, and trust that goes one way only.

use super::{SERVER_GUIDE, beyond};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{
    REGISTRATION_REQUESTS, RegistrationRequest, SERVER_TRUSTS, ServerTrust, host_name,
};

/// Trust is settled.
pub(crate) const PENDING_TRUST: Check = beyond("health-check.pending-trust", Severity::Medium)
    .title("No server waits for approval, and all Tanium Servers trust each other")
    .reads(&[&REGISTRATION_REQUESTS, &SERVER_TRUSTS])
    .what("Finds Zone Servers and hubs whose request to join is neither approved nor rejected nor revoked, and Tanium Servers of the cluster that do not trust each other in both directions.")
    .why("A Zone Server that waits serves nobody; trust in one direction breaks the cluster as soon as the other direction is needed. A request that nobody expects is somebody who tries to get in.")
    .limits("Only the Administrator reserved role may read requests to join.")
    .related(&["health-check.peer-heartbeat", "backup.core-servers-backed-up"])
    .remedy(&REMEDY)
    .judge(pending_trust);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the server administrator", "whether {subject} is a server of yours, and compare its fingerprint on the host itself"),
    Step::consult("the deployment guide of your infrastructure (Appliance or Windows)", "approve what is yours and reject what is not, as its section on Zone Servers says; let both Tanium Servers trust each other, as its section on active-active servers says"),
    Step::decision("nobody knows the server", "tell the security team before you reject it"),
])
.cautions(&["Never approve a server whose fingerprint you did not compare: it would speak to your clients in the platform's name."])
.who("a Console user with the Administrator reserved role")
.risk(Risk::High, Reversible::Yes)
.references(&[SERVER_GUIDE]);

fn pending_trust(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    let trusts: Vec<ServerTrust> = facts.rows(&SERVER_TRUSTS)?;
    for trust in trusts.iter().filter(|trust| trust.decommissioned_flag != Some(true)) {
        let says = match (trust.current_server_trusts_flag, trust.reverse_server_trusts_flag) {
            (Some(true), Some(true)) => continue,
            (Some(true), Some(false)) => "does not trust the answering server, which trusts it",
            (Some(false), Some(true)) => "is not trusted by the answering server, which it trusts",
            (Some(false), Some(false)) => "and the answering server do not trust each other",
            _ => {
                unknown.push(format!("{}: the direction of trust is not told", trust.server_name));
                continue;
            }
        };
        report.finding(
            Finding::on(Subject::new(
                "tanium server",
                format!("trust {}", trust.server_guid),
                host_name(&trust.server_name),
            ))
            .says(says)
            .expected("trust in both directions")
            .evidence(
                facts.seen(
                    &SERVER_TRUSTS,
                    (trust.current_server_trusts_flag, trust.reverse_server_trusts_flag),
                ),
            ),
        );
    }
    let requests: Vec<RegistrationRequest> = facts.rows(&REGISTRATION_REQUESTS)?;
    for request in &requests {
        let flags = [request.approved_flag, request.rejected_flag, request.revoked_flag];
        if flags.contains(&Some(true)) {
            continue;
        }
        if flags.contains(&None) {
            unknown.push(format!("{}: what became of its request is not told", request.fqdn));
            continue;
        }
        let since =
            request.last_registered_time.map(|time| format!(", last asked at {time}")).unwrap_or_default();
        report.finding(
            Finding::on(Subject::new("server request", &request.id, &request.fqdn))
                .says(format!("waits for approval as {}{since}", request.role))
                .expected("a decision")
                .evidence(facts.seen(&REGISTRATION_REQUESTS, &request.id)),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(trust: Value, request: Value) -> Case {
        Case::of(&PENDING_TRUST)
            .rows(&SERVER_TRUSTS, json!([trust]))
            .rows(&REGISTRATION_REQUESTS, json!([request]))
    }

    fn trust(current: bool, reverse: bool) -> Value {
        json!({"server_guid": "9", "server_name": "ts2:17472", "current_server_trusts_flag": current,
               "reverse_server_trusts_flag": reverse, "decommissioned_flag": false})
    }

    fn request(approved: bool, rejected: bool) -> Value {
        json!({"id": 1, "fqdn": "zs1", "type": "Zone Server", "approved_flag": approved, "rejected_flag": rejected,
               "revoked_flag": false})
    }

    #[test]
    fn settled_trust_passes() {
        case(trust(true, true), request(true, false)).judge().assert_pass();
        case(trust(true, true), request(false, true)).judge().assert_pass();
        case(trust(true, true), request(true, false)).assert_needs_its_inputs();
        let mut old = trust(false, false);
        old["decommissioned_flag"] = json!(true);
        case(old, request(true, false)).judge().assert_pass();
    }

    #[test]
    fn waiting_servers_and_one_way_trust_are_found() {
        case(trust(true, true), request(false, false)).judge().assert_findings(&["1"]);
        for (current, reverse) in [(true, false), (false, true), (false, false)] {
            case(trust(current, reverse), request(true, false)).judge().assert_findings(&["trust 9"]);
        }
    }

    #[test]
    fn what_is_not_told_or_not_shown_is_unknown() {
        case(trust(true, true), json!({"id": 1, "fqdn": "zs1"}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        case(json!({"server_guid": "9"}), request(true, false))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let refused = case(trust(true, true), request(true, false))
            .unavailable(&REGISTRATION_REQUESTS, Outcome::NoPermission);
        refused.judge().assert_undecided(Outcome::NoPermission);
    }
}
