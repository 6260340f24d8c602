//! Whether the Module Server loaded its modules. The only place where that is a finding; checks of modules point here.

use super::{SERVER_GUIDE, SERVER_WHO, beyond};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};

/// How many modules earlier runs saw.
const COUNTS: Input = Input::new("health-check.module-counts", "how many modules earlier runs saw loaded")
    .sources(&[Source::history("health-check.module-count.*", 60)]);

const SERIES: &str = "health-check.module-count.";

/// Modules are loaded.
pub(crate) const LOAD_ATTEMPT: Check = beyond("health-check.module-load-attempt", Severity::High)
    .title("The Module Server loaded all of its modules")
    .reads(&[&SERVER_INFO, &COUNTS])
    .what("Reads the server's diagnostics: the last attempt to load the plugins of each Module Server must be Success, there must be modules, and no fewer than in the run before.")
    .why("A module that was not loaded looks installed and does nothing.")
    .limits("The words for failure are not documented: whatever is not Success counts. A module that was removed on purpose lowers the number once.")
    .related(&["health-check.module-server-connected", "health-check.plugin-schedule-failed"])
    .remedy(&REMEDY)
    .judge(module_load_attempt);

const REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "a solution was removed since the last run",
        "nothing is to be done; the next run compares with the new number",
    ),
    Step::console(
        "Administration > Configuration > Solutions",
        "see which solution was imported or updated last",
    ),
    Step::consult(
        "the log of the Module Server {subject}",
        "look for the module that could not be loaded, and why",
    ),
    Step::support(
        "if the cause is not clear: bring the log, and the versions of the servers and of the module",
    ),
])
.cautions(&[
    "Do not restart the Module Server before its log was looked at: the traces of the cause are lost.",
])
.who(SERVER_WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[SERVER_GUIDE]);

fn module_load_attempt(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let diagnostics: ServerInfo = facts.object(&SERVER_INFO)?;
    let points = facts.points(&COUNTS)?;
    let mut seen = 0;
    for (key, value) in diagnostics.section("Module_Cache") {
        if let Some(server) = key.strip_suffix("_Last_Load_Plugins_Attempt") {
            seen += 1;
            if !value.as_str().is_some_and(|word| word.trim().eq_ignore_ascii_case("success")) {
                let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let says = format!("its plugins could not be loaded: {word}");
                report.finding(found(facts, key, server, says, "Success"));
            }
        } else if let Some(server) = key.strip_suffix("_Module_Count") {
            let Some(count) = value.as_f64() else { continue };
            let series = format!("{SERIES}{server}");
            report.measure(&series, count, "modules");
            let earlier = points.iter().filter(|point| point.series == series && point.at < facts.now());
            let before = earlier.max_by_key(|point| point.at).map(|point| point.value);
            match before {
                _ if count <= 0.0 => {
                    report.finding(found(facts, key, server, "has no modules".to_owned(), "modules"));
                }
                Some(before) if count < before => {
                    let says = format!("has {count} modules, {before} in the run before");
                    report.finding(found(facts, key, server, says, "no fewer than before"));
                }
                _ => {}
            }
        }
    }
    if seen == 0 {
        return Err(Undecided::not_evaluated(
            "the server's diagnostics tell of no attempt to load plugins (section Module_Cache, keys ending in \
             _Last_Load_Plugins_Attempt)",
        ));
    }
    Ok(())
}

fn found(facts: &Facts<'_>, key: &str, server: &str, says: String, expected: &str) -> Finding {
    let evidence = facts.seen(&SERVER_INFO, (key, &says));
    Finding::on(Subject::new("module server", key, server)).says(says).expected(expected).evidence(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(loaded: Value, count: Value, before: &[f64]) -> Case {
        let cache = json!({"10.0.0.5:17477_Connected": "Success", "10.0.0.5:17477_Last_Load_Plugins_Attempt": loaded,
                           "10.0.0.5:17477_Module_Count": count});
        Case::of(&LOAD_ATTEMPT).object(&SERVER_INFO, json!({"Diagnostics": {"Module_Cache": cache}})).weekly(
            &COUNTS,
            "health-check.module-count.10.0.0.5:17477",
            before,
        )
    }

    #[test]
    fn modules_that_are_loaded_pass() {
        case(json!("Success"), json!(71), &[60.0, 71.0]).judge().assert_pass();
        case(json!("success "), json!(71), &[]).judge().assert_pass();
        case(json!("Success"), json!(71), &[]).assert_needs_its_inputs();
        assert_eq!(case(json!("Success"), json!(71), &[]).judge().measures()[0].value, 71.0);
    }

    #[test]
    fn failed_attempts_and_lost_modules_are_found() {
        let (attempt, count) = ("10.0.0.5:17477_Last_Load_Plugins_Attempt", "10.0.0.5:17477_Module_Count");
        case(json!("Failed"), json!(71), &[]).judge().assert_findings(&[attempt]);
        case(json!(null), json!(71), &[]).judge().assert_findings(&[attempt]);
        case(json!("Success"), json!(0), &[]).judge().assert_findings(&[count]);
        case(json!("Success"), json!(70), &[80.0, 71.0]).judge().assert_findings(&[count]);
        case(json!("Success"), json!(71), &[80.0, 71.0]).judge().assert_pass();
    }

    #[test]
    fn diagnostics_without_a_module_server_decide_nothing() {
        let none = case(json!("Success"), json!(1), &[]).object(&SERVER_INFO, json!({"Diagnostics": {}}));
        none.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
