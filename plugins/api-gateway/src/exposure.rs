//! Beyond the guide: tokens that can be used from anywhere, or that belong to somebody who is locked out.

use crate::tokens::{ADMINISTRATOR, Owner, owner, tokens};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::settings::{SYSTEM_SETTINGS, SystemSetting};
use tancheck_plugin_api::records::tokens::API_TOKENS;

/// The global setting whose addresses may use every token.
const GLOBAL_LIST: &str = "api_token_trusted_ip_address_list";

/// `api-gateway.token-exposure`
pub(crate) const EXPOSURE: Check = Check::automated("api-gateway.token-exposure")
    .title("No API token can be used from everywhere, or without its owner")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&API_TOKENS, &USERS, &SYSTEM_SETTINGS])
    .beyond()
    .even_if_absent()
    .what("Lists tokens whose trusted addresses hold a network of every address (such as 0.0.0.0/0), and tokens whose owner is locked out or deleted. The global list of trusted addresses is looked at as well: it counts for every token.")
    .why("The trusted addresses are what is left when a token's string leaks.")
    .limits("Wide networks other than all addresses are not judged. An exported list of tokens does not tell the addresses.")
    .related(&["api-gateway.tokens-unneeded", "rbac.api-auth-review"])
    .remedy(&REMEDY)
    .judge(exposure);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("{owner}", "from which addresses the integration comes"),
    Step::decision("{subject} trusts every address", "create a token that trusts those addresses alone, and move the integration to it"),
    Step::decision("its owner is locked out", "find out who needs it now, and give them a token of their own"),
    Step::console("Administration > API Tokens > {subject}", "revoke it, once the integration works with the new one"),
])
.who(ADMINISTRATOR)
.risk(Risk::High, Reversible::No)
.cautions(&["A revoked token cannot be brought back, and its integration stops at once. Never revoke without asking the owner."])
.references(&["Console User Guide: Managing API tokens"]);

fn exposure(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tokens = tokens(facts)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    let settings: Vec<SystemSetting> = facts.rows(&SYSTEM_SETTINGS)?;
    let global = settings.iter().find(|setting| setting.name == GLOBAL_LIST);
    if let Some(setting) = global.filter(|setting| setting.value.split(',').any(is_everywhere)) {
        report.finding(
            Finding::on(Subject::new("global setting", GLOBAL_LIST, GLOBAL_LIST))
                .says(format!("lets every token be used from everywhere: {}", setting.value))
                .expected("the addresses of integrations")
                .fill("owner", "the owners of integrations")
                .evidence(facts.seen(&SYSTEM_SETTINGS, &setting.value)),
        );
    }
    let mut unknown = Vec::new();
    for token in &tokens {
        let mut says = Vec::new();
        match &token.trusted_ip_addresses {
            None => unknown.push(format!("token {} does not tell its trusted addresses", token.id)),
            Some(addresses) => {
                let open = addresses.iter().find(|address| is_everywhere(address));
                says.extend(open.map(|address| format!("can be used from everywhere ({address})")));
            }
        }
        if let Owner::Is(user) = owner(token, &users) {
            says.extend(user.inactive_because().map(|why| format!("its owner {} {why}", token.owner())));
        }
        if !says.is_empty() {
            report.finding(
                Finding::on(token.subject())
                    .says(says.join("; "))
                    .expected("a few trusted addresses, and an owner who is here")
                    .fill("owner", token.owner())
                    .evidence(facts.seen(&API_TOKENS, &token.trusted_ip_addresses)),
            );
        }
    }
    settle(&unknown)
}

/// Whether a network holds every address.
fn is_everywhere(network: &str) -> bool {
    let network = network.trim();
    network.split_once('/').is_some_and(|(_, length)| length.trim() == "0") || network == "*"
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(addresses: Value) -> Case {
        Case::of(&EXPOSURE)
            .rows(
                &API_TOKENS,
                json!([{"id": 6, "user": {"id": 7, "name": "ann"}, "trusted_ip_addresses": addresses}]),
            )
            .rows(&USERS, json!([{"id": 7, "name": "ann", "locked_out": 0}]))
            .rows(&SYSTEM_SETTINGS, json!([{"name": GLOBAL_LIST, "value": "10.0.0.1"}]))
    }

    #[test]
    fn tokens_for_everywhere_are_found() {
        case(json!("10.0.0.1,10.1.0.0/16")).judge().assert_pass();
        case(json!("")).judge().assert_pass();
        case(json!("10.0.0.1")).assert_needs_its_inputs();
        for open in ["0.0.0.0/0", "10.0.0.1, ::/0"] {
            case(json!(open)).judge().assert_findings(&["6"]);
        }
        case(json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        let global = case(json!(""))
            .rows(&SYSTEM_SETTINGS, json!([{"name": GLOBAL_LIST, "value": "10.0.0.1,0.0.0.0/0"}]));
        global.judge().assert_findings(&[GLOBAL_LIST]);
    }

    #[test]
    fn tokens_of_locked_owners_are_found() {
        let locked = json!([{"id": 7, "name": "ann", "locked_out": 3}]);
        case(json!("10.0.0.1")).rows(&USERS, locked).judge().assert_findings(&["6"]);
        case(json!("10.0.0.1")).rows(&USERS, json!([])).judge().assert_pass();
    }
}
