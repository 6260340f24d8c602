//! Guide: *Review and update Patch block lists*, page 44.

use crate::WHO;
use crate::inputs::{BLOCK_LIST_ENFORCEMENTS, BLOCK_LISTS, Counts, Enforcement, count, share};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::json;

const GUIDE: &[GuideReference] = &[guide("Review and update Patch block lists", 44)];

const MAX_PCT: Setting = Setting::integer("block_list_max_pct", 0, 0, 100)
    .unit("percent")
    .about("the share of endpoints on which a targeted block list may be without effect or outdated");

const DUE_EVERY_DAYS: Setting = Setting::integer("block_list_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often the block lists are reviewed");

/// Targeted block lists are enforced.
pub(crate) const UNENFORCED: Check = Check::automated("patch.block-list-unenforced")
    .title("Every targeted block list has taken effect")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&BLOCK_LISTS, &BLOCK_LIST_ENFORCEMENTS])
    .settings(&[&MAX_PCT])
    .guide(GUIDE)
    .what("Adds up the endpoints of each block list that has computer groups: those on which the list is not enforced must not exceed `block_list_max_pct`, and the server must have initialised every enforcement.")
    .why("Until a list is enforced, an endpoint may still install the patches that it blocks.")
    .limits("A list without any counted endpoint, or whose counts the service cannot tell, is left undecided. Endpoints that are offline count as unenforced until they come back. Lists of a content set that the account may not see are not there for it.")
    .related(&["patch.process-not-running", "patch.block-list-old-version"])
    .remedy(&UNENFORCED_REMEDY)
    .judge(unenforced);

const UNENFORCED_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Block Lists > {subject}",
        "click the percentage and number of unenforced endpoints: Interact then lists them",
    ),
    Step::decision("they are offline", "wait until they return, then look again"),
    Step::decision("the Patch process does not run on them", "see patch.process-not-running first"),
    Step::decision(
        "an enforcement is not initialised",
        "open it and reinitialise it; ask Tanium Support if that does not help",
    ),
])
.cautions(&["Until the list is enforced, blocked patches can still install."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Managing patches", "Patch User Guide: Troubleshooting"]);

fn unenforced(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_PCT)?.unsigned_abs();
    let mut unknown = Vec::new();
    for list in targeted(facts, &mut unknown)? {
        let pending: Vec<&str> = list.pending.iter().map(String::as_str).collect();
        if !pending.is_empty() {
            report.finding(
                Finding::on(list.subject())
                    .says(format!("is not initialised on the server for {}", pending.join(", ")))
                    .expected("every enforcement initialised")
                    .affected(pending.len() as u64, Some(list.targets))
                    .sample(pending.iter().copied())
                    .evidence(facts.seen(&BLOCK_LIST_ENFORCEMENTS, &pending)),
            );
            continue;
        }
        match list.counts {
            Ok([enforced, without, old]) => {
                let all = enforced + without + old;
                if without * 100 > all * limit {
                    report.finding(found(facts, &list, without, all, limit, "is without effect on"));
                }
            }
            Err(reason) => unknown.push(reason),
        }
    }
    settle(&unknown)
}

/// Targeted block lists are at their newest version.
pub(crate) const OLD_VERSION: Check = Check::automated("patch.block-list-old-version")
    .title("Every targeted block list is at its newest version on the endpoints")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&BLOCK_LISTS, &BLOCK_LIST_ENFORCEMENTS])
    .settings(&[&MAX_PCT])
    .guide(GUIDE)
    .what("Adds up the endpoints of each block list that has computer groups: those that still hold an older version of it must not exceed `block_list_max_pct`.")
    .why("An endpoint with an older version blocks what used to be blocked, not what is blocked now.")
    .limits("Right after a change every endpoint has the old version for a while; look again after the next scan before acting.")
    .related(&["patch.block-list-unenforced"])
    .remedy(&OLD_VERSION_REMEDY)
    .judge(old_version);

const OLD_VERSION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Block Lists > {subject}",
        "click the percentage and number beside Old Version: Interact then lists the endpoints",
    ),
    Step::decision("the list was changed today", "look again after the next scan"),
    Step::decision("the endpoints keep the old version", "troubleshoot the Patch process on one of them"),
])
.who(WHO)
.references(&["Patch User Guide: Managing patches", "Patch User Guide: Troubleshooting"]);

fn old_version(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_PCT)?.unsigned_abs();
    let mut unknown = Vec::new();
    for list in targeted(facts, &mut unknown)? {
        match list.counts {
            Ok([enforced, without, old]) => {
                let all = enforced + without + old;
                if old * 100 > all * limit {
                    report.finding(found(facts, &list, old, all, limit, "has an older version on"));
                }
            }
            Err(reason) => unknown.push(reason),
        }
    }
    settle(&unknown)
}

fn found(facts: &Facts<'_>, list: &Targeted, part: u64, all: u64, limit: u64, what: &str) -> Finding {
    Finding::on(list.subject())
        .says(format!("{what} {} endpoints", share(part, all)))
        .expected(format!("at most {limit} %"))
        .affected(part, Some(all))
        .evidence(facts.seen(&BLOCK_LIST_ENFORCEMENTS, json!({"endpoints": part, "of": all})))
}

/// Block lists without targets are noticed.
pub(crate) const NO_TARGET: Check = Check::automated("patch.block-list-no-target")
    .title("Every block list blocks something somewhere")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Info)
    .reads(&[&BLOCK_LISTS])
    .guide(GUIDE)
    .what("Lists the block lists that are enforced on no computer group, and says so when such a list holds neither rules nor patches.")
    .why("Somebody may believe that the patches on such a list are blocked. They are not.")
    .related(&["patch.block-list-review"])
    .remedy(&NO_TARGET_REMEDY)
    .judge(no_target);

const NO_TARGET_REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Patch > Block Lists > {subject}", "review the rules and patches of the list"),
    Step::decision("its patches should be blocked", "add the computer groups on which it should be enforced"),
    Step::decision("it is of no use", "delete it"),
])
.cautions(&["From the moment a list is enforced, deployments skip its patches on these endpoints."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Managing patches"]);

fn no_target(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let lists: Vec<BlockList> = facts.rows(&BLOCK_LISTS)?;
    let mut unknown = Vec::new();
    for list in &lists {
        match list.targets() {
            Ok(0) => {
                let empty = list.rule_count == Some(0) && list.patch_id_count == Some(0);
                let says =
                    if empty { "has no targets, and blocks no patches either" } else { "has no targets" };
                report.finding(
                    Finding::on(list.subject())
                        .says(says)
                        .expected("at least one computer group")
                        .evidence(facts.seen(&BLOCK_LISTS, [Some(0), list.rule_count, list.patch_id_count])),
                );
            }
            Ok(_) => {}
            Err(reason) => unknown.push(reason),
        }
    }
    settle(&unknown)
}

/// Block lists were reviewed.
pub(crate) const REVIEW: Check = Check::attested("patch.block-list-review")
    .title("Block lists were reviewed")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Low)
    .due_every(&DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Asks, each time the interval has passed, whether somebody went through the block lists: are they still wanted, do they block the right patches on the right computers?")
    .why("A forgotten block list keeps a patch away for years.")
    .related(&["patch.block-list-no-target", "patch.block-list-unenforced", "patch.block-list-old-version"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Block Lists",
        "go through each list: its patches, its rules, its targets",
    ),
    Step::decision("a list is no longer right", "edit it, create another, or delete it"),
    Step::command("tancheck attest patch.block-list-review --result done", "records the review"),
])
.cautions(&["Deleting a list lets its patches install with the next deployment."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Patch User Guide: Managing patches"]);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BlockList {
    /// Empty in an exported list.
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    name: String,
    /// On how many computer groups it is enforced.
    #[serde(deserialize_with = "count", alias = "Targets")]
    enforcement_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    rule_count: Option<u64>,
    /// Patches that were picked one by one.
    #[serde(deserialize_with = "count")]
    patch_id_count: Option<u64>,
    /// Endpoints; only in an exported list.
    #[serde(rename = "Enforced", deserialize_with = "count")]
    exported_enforced: Option<u64>,
    #[serde(rename = "Unenforced", deserialize_with = "count")]
    exported_unenforced: Option<u64>,
    #[serde(rename = "Old Version", deserialize_with = "count")]
    exported_old_version: Option<u64>,
}

impl BlockList {
    fn subject(&self) -> Subject {
        let key = if self.id.is_empty() { &self.name } else { &self.id };
        Subject::new("block list", key, &self.name)
    }

    fn targets(&self) -> Result<u64, String> {
        self.enforcement_count
            .ok_or_else(|| format!("it is not told where the block list {} is enforced", self.name))
    }

    fn exported_counts(&self) -> Counts {
        Counts::new(self.exported_enforced, self.exported_unenforced, self.exported_old_version)
    }
}

/// A block list that has targets.
struct Targeted {
    list: BlockList,
    targets: u64,
    /// Computer groups whose enforcement is not initialised.
    pending: Vec<String>,
    /// Endpoints on which it is enforced, is not, has an older version; or why that is not known.
    counts: Result<[u64; 3], String>,
}

impl Targeted {
    fn subject(&self) -> Subject {
        self.list.subject()
    }
}

/// The block lists that have targets, each with its counts.
fn targeted(facts: &Facts<'_>, unknown: &mut Vec<String>) -> Result<Vec<Targeted>, Undecided> {
    let lists: Vec<BlockList> = facts.rows(&BLOCK_LISTS)?;
    let mut targeted = Vec::new();
    for list in lists {
        match list.targets() {
            Ok(0) => {}
            Ok(targets) => targeted.push((list, targets)),
            Err(reason) => unknown.push(reason),
        }
    }
    if targeted.is_empty() && unknown.is_empty() {
        return Err(facts.absent(&BLOCK_LISTS, "no block list is enforced on any computer group"));
    }
    let enforcements: Vec<Enforcement> = facts.rows(&BLOCK_LIST_ENFORCEMENTS)?;
    Ok(targeted.into_iter().map(|(list, targets)| with_counts(list, targets, &enforcements)).collect())
}

fn with_counts(list: BlockList, targets: u64, enforcements: &[Enforcement]) -> Targeted {
    let own: Vec<&Enforcement> =
        enforcements.iter().filter(|one| !list.id.is_empty() && one.model_id == list.id).collect();
    let pending = own.iter().filter(|one| one.is_initialized == Some(false));
    let pending = pending.map(|one| one.tanium_group_name.clone()).collect();
    let all: Vec<Option<Counts>> = if list.id.is_empty() {
        vec![Some(list.exported_counts())]
    } else {
        own.iter().map(|one| one.enforcement_counts).collect()
    };
    let known: Option<Vec<[u64; 3]>> = all.into_iter().map(|counts| counts.and_then(Counts::known)).collect();
    let sum = known.map(|known| {
        known.iter().fold([0; 3], |sum, one| [sum[0] + one[0], sum[1] + one[1], sum[2] + one[2]])
    });
    let counts = match sum {
        None => Err(format!("the service cannot tell how many endpoints obey the block list {}", list.name)),
        Some(sum) if sum == [0; 3] => {
            Err(format!("no endpoint is counted for the block list {} although it has targets", list.name))
        }
        Some(sum) => Ok(sum),
    };
    Targeted { list, targets, pending, counts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, counts: Value) -> Case {
        Case::of(check)
            .rows(
                &BLOCK_LISTS,
                json!([{"id": 3, "name": "No drivers", "enforcementCount": 1, "ruleCount": 1, "patchIdCount": 0}]),
            )
            .rows(
                &BLOCK_LIST_ENFORCEMENTS,
                json!([{"modelId": 3, "taniumGroupName": "All Windows", "isInitialized": true, "enforcementCounts": counts},
                       {"modelId": 4, "isInitialized": false, "enforcementCounts": []}]),
            )
    }

    fn counts(enforced: u64, without: u64, old: u64) -> Value {
        json!({"enforcedCount": enforced, "unenforcedCount": without, "unenforcedWrongVersionCount": old})
    }

    #[test]
    fn lists_without_effect_and_outdated_ones_are_told_apart() {
        case(&UNENFORCED, counts(100, 0, 3)).judge().assert_pass();
        case(&UNENFORCED, counts(100, 1, 0)).judge().assert_findings(&["3"]);
        case(&OLD_VERSION, counts(100, 1, 0)).judge().assert_pass();
        case(&OLD_VERSION, counts(100, 0, 3)).judge().assert_findings(&["3"]);
        case(&UNENFORCED, counts(99, 1, 0)).setting("block_list_max_pct", 1).judge().assert_pass();
        case(&UNENFORCED, counts(98, 2, 0)).setting("block_list_max_pct", 1).judge().assert_findings(&["3"]);
        case(&UNENFORCED, counts(100, 0, 0)).assert_needs_its_inputs();
        case(&OLD_VERSION, counts(100, 0, 0)).assert_needs_its_inputs();
    }

    #[test]
    fn counts_that_are_missing_or_zero_decide_nothing() {
        for check in [&UNENFORCED, &OLD_VERSION] {
            case(check, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
            case(check, counts(0, 0, 0)).judge().assert_undecided(Outcome::NotEvaluated);
            case(check, json!({"enforcedCount": 5})).judge().assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn an_enforcement_that_is_not_initialised_is_found() {
        let pending = json!([{"modelId": 3, "taniumGroupName": "All Windows", "isInitialized": false,
            "enforcementCounts": []}]);
        let case = case(&UNENFORCED, json!([])).rows(&BLOCK_LIST_ENFORCEMENTS, pending);
        case.judge().assert_findings(&["3"]);
    }

    #[test]
    fn without_targets_there_is_nothing_to_enforce() {
        let lists = json!([{"id": 3, "name": "No drivers", "enforcementCount": 0, "ruleCount": 0, "patchIdCount": 0}]);
        let none = |check| case(check, json!([])).rows(&BLOCK_LISTS, lists.clone());
        none(&UNENFORCED).judge().assert_undecided(Outcome::NotApplicable);
        none(&OLD_VERSION).judge().assert_undecided(Outcome::NotApplicable);
        let verdict = Case::of(&NO_TARGET).rows(&BLOCK_LISTS, lists.clone()).judge();
        verdict.assert_findings(&["3"]);
        assert!(verdict.findings()[0].says.contains("blocks no patches"));
    }

    #[test]
    fn lists_with_targets_and_no_lists_pass() {
        let lists = |rows| Case::of(&NO_TARGET).rows(&BLOCK_LISTS, rows);
        lists(json!([])).judge().assert_pass();
        lists(json!([{"id": 3, "enforcementCount": 2}])).judge().assert_pass();
        lists(json!([{"id": 3, "name": "X"}])).judge().assert_undecided(Outcome::NotEvaluated);
        lists(json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn an_exported_list_tells_its_own_counts() {
        let row = |unenforced: &str| {
            json!([{"Name": "No drivers", "OS": "windows", "Targets": "1", "Enforced": "90",
                    "Unenforced": unenforced, "Old Version": "0"}])
        };
        let case = |unenforced| {
            let rows = row(unenforced);
            Case::of(&UNENFORCED).rows(&BLOCK_LISTS, rows.clone()).rows(&BLOCK_LIST_ENFORCEMENTS, rows)
        };
        case("0").judge().assert_pass();
        case("10").judge().assert_findings(&["No drivers"]);
        case("").judge().assert_undecided(Outcome::NotEvaluated);
    }
}
