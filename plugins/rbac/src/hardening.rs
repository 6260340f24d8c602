//! Beyond the guide: global settings against the STIG for the Tanium application.

use crate::words::WHO;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::settings::{SYSTEM_SETTINGS, SystemSetting};

const PROFILE: Setting = Setting::choice("profile", Some("off"), &["off", "stig"])
    .about("the rules that global settings are compared with: `stig` is the Security Technical Implementation Guide for the Tanium application on TanOS, V2R2");

/// What a rule wants of a setting.
enum Wanted {
    Is(u64),
    Within(u64, u64),
    /// So much for each account.
    ForEachUser(u64),
}

/// A rule: its numbers in the STIG, the setting, the value.
const RULES: &[(&str, &str, Wanted)] = &[
    ("V-254874", "max_soap_sessions_total", Wanted::ForEachUser(1024)),
    ("V-254875", "max_soap_sessions_per_user", Wanted::Is(1024)),
    ("V-254876, V-254927", "max_console_idle_seconds", Wanted::Within(1, 900)),
    ("V-254877", "require_client_tls_315_flag", Wanted::Is(1)),
    ("V-254886, V-254919", "require_action_approval", Wanted::Is(1)),
    ("V-254903", "AllQuestionsRequireSignatureFlag", Wanted::Is(1)),
    ("V-254904", "sign_all_questions_flag", Wanted::Is(1)),
];

/// `rbac.hardening`
pub(crate) const HARDENING: Check = Check::hybrid("rbac.hardening")
    .title("Global settings are as the hardening profile wants them")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SYSTEM_SETTINGS, &USERS])
    .settings(&[&PROFILE])
    .beyond()
    .what("With `profile = \"stig\"`, compares the global settings for sessions, idle time, TLS of clients, action approval and signed questions with the values of the STIG. A setting that is not there is a finding as well: the STIG wants each of them set.")
    .why("Organizations that follow the STIG have to prove these values.")
    .limits("The STIG has rules on scheduled actions, throttles, certificates and more that this check does not look at.")
    .applies("profile is stig")
    .related(&["console-users.ldap-paused", "client-management.setting-values"])
    .remedy(&REMEDY)
    .judge(hardening);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the security team", "whether rule {rule} applies here; confirm the value if it does not"),
    Step::console(
        "the Console page of global settings",
        "set {subject} to {wanted}, after reading what else depends on it",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[
    "Requiring TLS of clients or signed questions cuts off clients that are too old for it: look at their versions first.",
    "Requiring action approval stops every action that nobody approves.",
]);

fn hardening(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if facts.text(&PROFILE)? != "stig" {
        return Err(Undecided::not_applicable("no hardening profile is chosen (`profile` is off)"));
    }
    let settings: Vec<SystemSetting> = facts.rows(&SYSTEM_SETTINGS)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    let accounts = users.iter().filter(|user| user.deleted_flag != Some(true)).count() as u64;
    let mut missing = Vec::new();
    for (rule, name, wanted) in RULES {
        let (least, most) = match *wanted {
            Wanted::Is(value) => (value, value),
            Wanted::Within(least, most) => (least, most),
            Wanted::ForEachUser(value) => (value * accounts, value * accounts),
        };
        let found = settings.iter().find(|setting| setting.name.eq_ignore_ascii_case(name));
        let is_good = found.and_then(|setting| setting.value.trim().parse::<u64>().ok());
        if is_good.is_some_and(|value| (least..=most).contains(&value)) {
            continue;
        }
        if found.is_none() && !facts.gaps(&SYSTEM_SETTINGS)?.is_empty() {
            missing.push(format!("{name} was not among the settings that came"));
            continue;
        }
        let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let value = found.map(|setting| setting.value.as_str());
        report.finding(
            Finding::on(Subject::new("global setting", name, *name))
                .says(value.map_or("is not set".to_owned(), |value| format!("is {value}")))
                .expected(format!("{wanted} ({rule})"))
                .confirms(value.unwrap_or("not set"))
                .fill("rule", rule)
                .fill("wanted", wanted)
                .evidence(facts.seen(&SYSTEM_SETTINGS, value)),
        );
    }
    settle(&missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn with(name: &str, value: Value) -> Case {
        let good = [
            ("max_soap_sessions_total", json!(2048)),
            ("max_soap_sessions_per_user", json!(1024)),
            ("max_console_idle_seconds", json!(900)),
            ("require_client_tls_315_flag", json!(1)),
            ("require_action_approval", json!("1")),
            ("AllQuestionsRequireSignatureFlag", json!(1)),
            ("sign_all_questions_flag", json!(1)),
        ];
        let rows = good
            .into_iter()
            .map(|(key, good)| json!({"name": key, "value": if key == name { value.clone() } else { good }}));
        Case::of(&HARDENING)
            .rows(&SYSTEM_SETTINGS, rows.filter(|row| row["value"] != json!(null)).collect())
            .rows(&USERS, json!([{"id": 1, "name": "ann"}, {"id": 2, "name": "bob"}, {"id": 3, "name": "zoe", "deleted_flag": true}]))
            .setting("profile", "stig")
    }

    #[test]
    fn a_hardened_server_passes() {
        with("", json!(0)).judge().assert_pass();
        with("", json!(0)).assert_needs_its_inputs();
        with("", json!(0)).setting("profile", "off").judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn every_value_that_differs_is_found() {
        with("require_action_approval", json!(0)).judge().assert_findings(&["require_action_approval"]);
        with("require_action_approval", json!(null)).judge().assert_findings(&["require_action_approval"]);
        with("max_console_idle_seconds", json!(901)).judge().assert_findings(&["max_console_idle_seconds"]);
        with("max_console_idle_seconds", json!(0)).judge().assert_findings(&["max_console_idle_seconds"]);
        with("max_console_idle_seconds", json!(1)).judge().assert_pass();
        let total = with("max_soap_sessions_total", json!(1024)).judge();
        total.assert_findings(&["max_soap_sessions_total"]);
        assert_eq!(total.findings()[0].values["wanted"], "2048");
    }

    #[test]
    fn what_did_not_come_is_not_judged() {
        let cut = with("require_action_approval", json!(null)).gap(&SYSTEM_SETTINGS, "only some are shown");
        cut.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
