//! Endpoints that are behind because action lock is on.

use crate::WHO;
use crate::inputs::{MANIFEST, MANIFEST_PACKAGES, OVERVIEW_REVISION, QUESTION};
use crate::manifest::{LAG_REVISIONS, Manifests};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Verify whether endpoints have the latest manifest", 26)];

const ACCEPTANCE_DAYS: Setting = Setting::integer("acceptance_days", 30, 1, 366)
    .unit("days")
    .about("how long the answer of the person who set the action lock is good for");

/// No endpoint is kept behind by its action lock.
pub(crate) const LOCKED: Check = Check::automated("endpoint-configuration.manifest-locked")
    .title("No endpoint with an old manifest has action lock on")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&MANIFEST, &MANIFEST_PACKAGES, &OVERVIEW_REVISION])
    .settings(&[&LAG_REVISIONS])
    .guide(GUIDE)
    .what("Counts the endpoints whose manifest is outdated and whose action lock is on.")
    .why("While the lock is on, no action runs there: neither the manifest nor the tools can arrive, and nobody sees why.")
    .limits("The sensor Action Lock Status may answer on Windows only. Outdated endpoints that do not tell their lock leave the check undecided.")
    .related(&["endpoint-configuration.manifest-outdated", "endpoint-configuration.lock-owner-consulted"])
    .remedy(&LOCKED_REMEDY)
    .judge(manifest_locked);

const LOCKED_REMEDY: Remedy = Remedy::new(&[
    Step::question(QUESTION, "list the endpoints with Action Lock On and a revision below {latest}"),
    Step::consult(
        "whoever turned the lock on",
        "whether actions are safe on these endpoints now; record the answer",
    ),
    Step::decision(
        "they are",
        "turn the lock off on these endpoints (Console User Guide: Turn off action locks)",
    ),
    Step::decision(
        "locks are not meant to hold back tools anywhere",
        "set Endpoint Configuration to ignore action locks (Global Endpoint Configuration settings)",
    ),
    Step::decision("the lock is off", "update the manifest as endpoint-configuration.manifest-outdated says"),
])
.cautions(&[
    "Never turn off a lock without the person who set it: it may protect a machine from every change.",
    "The global setting affects every locked endpoint of the deployment, not only these.",
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.references(&["Console User Guide: Turn off action locks"]);

/// Whoever locked endpoints was asked.
pub(crate) const OWNER_CONSULTED: Check = Check::attested("endpoint-configuration.lock-owner-consulted")
    .title("The person who set the action lock agreed")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&MANIFEST, &MANIFEST_PACKAGES, &OVERVIEW_REVISION])
    .settings(&[&LAG_REVISIONS])
    .due_every(&ACCEPTANCE_DAYS)
    .guide(GUIDE)
    .what("Asks for an attestation while endpoints with an old manifest have action lock on: who locked them, and whether this person agrees to unlock them. A refusal is an answer as well.")
    .why("A lock that is turned off without asking may let a change loose on the one machine that must not change.")
    .related(&["endpoint-configuration.manifest-locked"])
    .remedy(&CONSULTED_REMEDY)
    .judge(lock_owner_consulted);

const CONSULTED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owners of {subject}", "who turned the lock on, and why"),
    Step::consult("this person", "whether actions may run there now"),
    Step::command(
        "tancheck attest endpoint-configuration.lock-owner-consulted --subject locked --result done",
        "records name and answer in the note; a refusal is recorded the same way and holds until it expires",
    ),
])
.who("the owner of the endpoints");

fn manifest_locked(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let manifests = Manifests::of(facts)?;
    let locked = locked(&manifests);
    if locked > 0 {
        report.finding(
            Finding::on(subject())
                .says(format!("{locked} endpoints with an old manifest have action lock on; ask whoever locked them first"))
                .expected("no lock that holds back the manifest")
                .affected(locked, Some(manifests.total()))
                .fill("latest", manifests.latest)
                .evidence(facts.seen(&MANIFEST, locked)),
        );
    }
    untold(&manifests)?;
    manifests.complete()
}

fn lock_owner_consulted(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let manifests = Manifests::of(facts)?;
    let locked = locked(&manifests);
    if locked == 0 {
        untold(&manifests)?;
        manifests.complete()?;
        return Err(facts.absent(&MANIFEST, "no endpoint with an old manifest has action lock on"));
    }
    report.finding(
        Finding::on(subject())
            .says(format!("{locked} endpoints are locked: whether their owner agrees has to be recorded"))
            .affected(locked, Some(manifests.total()))
            .confirms("locked")
            .evidence(facts.seen(&MANIFEST, locked)),
    );
    Ok(())
}

fn subject() -> Subject {
    Subject::new("endpoints", "locked", "locked endpoints with an old manifest")
}

fn locked(manifests: &Manifests) -> u64 {
    manifests.outdated().filter(|holders| holders.is_locked()).map(|holders| holders.count).sum()
}

/// Outdated endpoints of which nobody knows whether they are locked.
fn untold(manifests: &Manifests) -> Result<(), Undecided> {
    let untold: u64 = manifests
        .outdated()
        .filter(|holders| !holders.is_locked() && !holders.is_unlocked())
        .map(|holders| holders.count)
        .sum();
    if untold == 0 {
        return Ok(());
    }
    Err(Undecided::not_evaluated(format!(
        "{untold} endpoints with an old manifest do not tell whether action lock is on"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::case;

    #[test]
    fn only_outdated_and_locked_endpoints_count() {
        let healthy = [("128", "Action Lock On", 50), ("127", "Action Lock Off", 50)];
        case(&LOCKED, &healthy).judge().assert_pass();
        case(&LOCKED, &healthy).assert_needs_its_inputs();
        let locked = [("128", "Action Lock Off", 98), ("127", "Action Lock On", 2)];
        case(&LOCKED, &locked).judge().assert_findings(&["locked"]);
        case(&OWNER_CONSULTED, &locked).judge().assert_findings(&["locked"]);
        case(&OWNER_CONSULTED, &healthy).judge().assert_undecided(Outcome::NotApplicable);
        case(&OWNER_CONSULTED, &locked).assert_needs_its_inputs();
    }

    #[test]
    fn an_outdated_endpoint_that_does_not_tell_is_not_unlocked() {
        for check in [&LOCKED, &OWNER_CONSULTED] {
            case(check, &[("127", "", 1), ("128", "", 99)]).judge().assert_undecided(Outcome::NotEvaluated);
        }
        case(&LOCKED, &[("128", "", 100)]).judge().assert_pass();
    }

    #[test]
    fn the_answer_is_bound_to_nothing_that_changes_each_day() {
        let verdict = case(&OWNER_CONSULTED, &[("127", "Action Lock On", 2), ("128", "", 98)]).judge();
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("locked"));
    }
}
