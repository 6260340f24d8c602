//! `patch.windows-expired`: no window lies wholly in the past, unless it blocks on purpose.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{WINDOWS, windows};
use tancheck_plugin_api::prelude::*;

const BLOCKING_WINDOWS: Setting = Setting::list("blocking_windows", &[]).about(
    "names of maintenance windows that lie in the past on purpose: they keep deployments from ever running",
);

/// No window lies wholly in the past.
pub(crate) const EXPIRED: Check = Check::automated("patch.windows-expired")
    .title("No maintenance window lies in the past, unless it blocks on purpose")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&WINDOWS])
    .settings(&[&BLOCKING_WINDOWS])
    .guide(GUIDE)
    .what("Lists windows that do not repeat, ended in the past and are not named in `blocking_windows`.")
    .why("Such a window never opens again: where it is enforced, nothing is installed any more. That is either wanted or a mistake.")
    .limits("The end of a repeating window is that of its first occurrence and says nothing, so repeating windows never count as past.")
    .related(&["patch.windows-unenforced", "patch.windows-none"])
    .remedy(&REMEDY)
    .judge(expired);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the window", "whether {subject} is meant to block deployments"),
    Step::decision("it is", "name it in `blocking_windows`"),
    Step::console(
        "Modules > Patch > Maintenance Windows > {subject}",
        "otherwise edit its dates or its repetition",
    ),
    Step::decision("nobody needs it, and it blocks nothing ({enforced})", "delete it"),
])
.cautions(&[
    "Windows in the past serve as blocking windows: do not delete one before its owner has been asked.",
    "Deleting a window that keeps servers from being patched lets deployments install there at any time.",
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.references(&[
    "Patch User Guide: Edit a maintenance window",
    "Patch User Guide: Delete a maintenance window",
]);

fn expired(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let blocking = facts.list(&BLOCKING_WINDOWS);
    let mut unknown = Vec::new();
    for window in windows(facts)?.iter().filter(|window| !window.repeats()) {
        if blocking.iter().any(|name| name.eq_ignore_ascii_case(&window.name)) {
            continue;
        }
        let Some(end) = window.end_time else {
            unknown.push(format!("the end of the window {} is not told", window.name));
            continue;
        };
        if end >= facts.now() {
            continue;
        }
        let enforced = match window.enforcements() {
            Ok(0) => "enforced on no computer group".to_owned(),
            Ok(count) => format!("enforced on {count} computer groups"),
            Err(_) => "where it is enforced is not told".to_owned(),
        };
        report.finding(
            Finding::on(window.subject())
                .says(format!("ended on {} and does not repeat; {enforced}", end.strftime("%Y-%m-%d")))
                .expected("an end in the future, or a place in `blocking_windows`")
                .fill("enforced", enforced)
                .evidence(facts.seen(&WINDOWS, end)),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(end: &str, repeat: Value) -> Case {
        let window =
            json!({"id": 3, "name": "Freeze", "endTime": end, "repeatType": repeat, "enforcementCount": 1});
        Case::of(&EXPIRED).rows(&WINDOWS, json!([window]))
    }

    #[test]
    fn a_window_in_the_past_is_found_unless_it_repeats_or_blocks() {
        case("2026-07-01T00:00:00Z", json!(null)).judge().assert_pass();
        case("2026-06-30T12:00:00Z", json!(null)).judge().assert_pass();
        case("2026-06-30T11:59:59Z", json!(null)).judge().assert_findings(&["3"]);
        case("2023-06-23T14:30:00Z", json!("monthly")).judge().assert_pass();
        case("1900-01-01T00:01:00Z", json!(null))
            .setting("blocking_windows", json!(["freeze"]))
            .judge()
            .assert_pass();
        case("2026-07-01T00:00:00Z", json!(null)).assert_needs_its_inputs();
    }

    #[test]
    fn an_end_that_is_not_told_decides_nothing() {
        case("", json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&EXPIRED).rows(&WINDOWS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }
}
