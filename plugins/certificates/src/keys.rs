//! Beyond the guide: certificates without their key, and root keys that run out.

use crate::inputs::{CERTIFICATES, Certificate, DOCUMENT, LOCK_OUT, WHO};
use tancheck_plugin_api::prelude::*;

/// `certificates.key-mismatch`
pub(crate) const MISMATCH: Check = Check::automated("certificates.key-mismatch")
    .title("Every listed certificate has its private key on the server")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&CERTIFICATES])
    .beyond()
    .what("Lists certificates of the server that match none of its private keys.")
    .why("With such a certificate the server's services do not start the next time, and nobody signs in.")
    .limits("Whether the server presents the certificate that it lists is not seen.")
    .applies("not on Tanium Cloud")
    .related(&["certificates.console-rotation"])
    .remedy(&MISMATCH_REMEDY)
    .judge(mismatch);

const MISMATCH_REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "a signing request is open, and this is the answer to another one",
        "upload the certificate that belongs to it",
    ),
    Step::consult(DOCUMENT, "replace certificate and key as a pair; do not restart the server before"),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[LOCK_OUT, "Do not restart the server while its certificate does not match its key."])
.references(&[DOCUMENT]);

fn mismatch(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let certificates: Vec<Certificate> = facts.rows(&CERTIFICATES)?;
    if certificates.is_empty() {
        return Err(Undecided::not_evaluated("the server lists no certificate"));
    }
    let mut unknown = Vec::new();
    for certificate in &certificates {
        match certificate.matches_private_key_flag {
            Some(true) => {}
            None => unknown.push(format!("the {} does not tell", certificate.subject().name)),
            Some(false) => report.finding(
                Finding::on(certificate.subject())
                    .says("matches no private key of the server")
                    .expected("a certificate with its key")
                    .evidence(facts.seen(&CERTIFICATES, certificate.matches_private_key_flag)),
            ),
        }
    }
    settle(&unknown)
}

/// The root keys that clients and servers trust.
pub(crate) const ROOT_KEYS: Input = Input::new("certificates.root-keys", "root keys of the deployment")
    .sources(&[Source::rest("/api/v2/pki_root_keys").object()]);

const ROOT_KEY_WARN_DAYS: Setting = Setting::integer("root_key_warn_days", 90, 0, 3650)
    .unit("days")
    .about("how long before its expiry a root key is due: every client has to learn its successor first");

#[derive(Default, Deserialize)]
#[serde(default)]
struct RootKeys {
    #[serde(deserialize_with = "lenient::list")]
    active_keys: Vec<RootKey>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RootKey {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::time")]
    not_after: Option<Timestamp>,
}

/// `certificates.root-key-expiry`
pub(crate) const ROOT_EXPIRY: Check = Check::automated("certificates.root-key-expiry")
    .title("No active root key expires soon")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ROOT_KEYS])
    .settings(&[&ROOT_KEY_WARN_DAYS])
    .beyond()
    .what("Lists active root keys that expire within `root_key_warn_days`.")
    .why("Clients trust a server by these keys: with an expired one they cannot register.")
    .limits("Whether a successor is already there and known to every client is not seen.")
    .related(&["client-management.invalid-keys"])
    .remedy(&ROOT_EXPIRY_REMEDY)
    .judge(root_expiry);

const ROOT_EXPIRY_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "Console User Guide, on the keys of the deployment",
        "how root keys are renewed, and how clients learn the new one",
    ),
    Step::api("GET /api/v2/pki_root_keys", "shows the active keys: is there one that lasts longer?"),
    Step::decision(
        "there is none",
        "make a new root key as the guide says, and give the clients time to receive it",
    ),
    Step::decision("every client has the new key", "the old one may run out"),
    Step::support("ask before a key is revoked"),
])
.who("a Console user with the Administrator reserved role")
.risk(Risk::High, Reversible::No)
.cautions(&["Revoking a root key cuts off every client that does not know another one yet."]);

fn root_expiry(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let keys: RootKeys = facts.object(&ROOT_KEYS)?;
    if keys.active_keys.is_empty() {
        return Err(Undecided::not_evaluated("the server lists no active root key"));
    }
    let limit = facts.integer(&ROOT_KEY_WARN_DAYS)?;
    let mut unknown = Vec::new();
    for key in &keys.active_keys {
        let Some(not_after) = key.not_after else {
            unknown.push(format!("the root key {} does not tell when it expires", key.name));
            continue;
        };
        let days = -facts.days_since(not_after);
        report.measure_against(&format!("certificates.root-key-days.{}", key.id), days as f64, "days", 0.0);
        if days < limit {
            let says = if not_after < facts.now() {
                format!("expired {} days ago", -days)
            } else {
                format!("expires in {days} days")
            };
            report.finding(
                Finding::on(Subject::new("root key", &key.id, &key.name))
                    .says(says)
                    .expected(format!("more than {limit} days left"))
                    .evidence(facts.seen(&ROOT_KEYS, not_after.to_string())),
            );
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn a_certificate_without_its_key_is_found() {
        let case = |flag: Value| {
            Case::of(&MISMATCH).rows(
                &CERTIFICATES,
                json!([{"serial": "A", "matches_private_key_flag": true}, {"serial": "B", "matches_private_key_flag": flag}]),
            )
        };
        case(json!(true)).judge().assert_pass();
        case(json!(true)).assert_needs_its_inputs();
        case(json!(false)).judge().assert_findings(&["B"]);
        case(json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&MISMATCH).rows(&CERTIFICATES, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn root_keys_are_due_early() {
        let case = |until: Value| {
            Case::of(&ROOT_EXPIRY)
                .object(&ROOT_KEYS, json!({"active_keys": [{"id": 1, "name": "Root 0", "not_after": until}]}))
        };
        case(json!("2027-06-30T00:00:00Z")).judge().assert_pass();
        case(json!("2027-06-30T00:00:00Z")).assert_needs_its_inputs();
        case(json!("2026-09-01T00:00:00Z")).judge().assert_findings(&["1"]);
        case(json!("2026-06-01T00:00:00Z")).judge().assert_findings(&["1"]);
        case(json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&ROOT_EXPIRY).object(&ROOT_KEYS, json!({})).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
