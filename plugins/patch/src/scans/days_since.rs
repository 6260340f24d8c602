//! `patch.days-since-scan`: endpoints were scanned recently.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{DAYS_SINCE_SCAN, count, share};
use tancheck_plugin_api::prelude::*;

const MAX_DAYS: Setting = Setting::integer("max_days", 7, 1, 365)
    .unit("days")
    .about("how many days ago the last scan of an endpoint may be");

/// Endpoints were scanned recently.
pub(crate) const DAYS_SINCE: Check = Check::automated("patch.days-since-scan")
    .title("Endpoints were scanned recently")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&DAYS_SINCE_SCAN])
    .settings(&[&MAX_DAYS])
    .guide(GUIDE)
    .what("Adds up the endpoints of the panel whose last scan is longer ago than `max_days`.")
    .why("What is shown about an endpoint's patches is as old as its last scan.")
    .limits("No public route tells the panel, so somebody exports it or reads it off. A range of days that holds `max_days` inside it cannot be judged: set `max_days` to its edge.")
    .applies("Trends with the board Patch")
    .related(&["patch.scan-errors", "patch.scan-config-conforms", "trends.required-boards"])
    .remedy(&REMEDY)
    .judge(days_since);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Trends > Boards > Patch",
        "click the panel Days Since Last Patch Scan and look which endpoints they are",
    ),
    Step::decision("they are offline", "nothing is wrong with their scans"),
    Step::consult("the Patch User Guide, Troubleshooting Patch", "why they do not scan"),
    Step::console(
        "Modules > Patch > Scan Management > Scan Configurations",
        "edit the configuration if it is the cause",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Troubleshooting Patch", "Patch User Guide: Edit a scan configuration"]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bucket {
    #[serde(rename = "Days", deserialize_with = "lenient::text")]
    days: String,
    #[serde(rename = "Endpoints", deserialize_with = "count")]
    endpoints: Option<u64>,
}

fn days_since(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_DAYS)?.unsigned_abs();
    let (late, all) = match facts.body(&DAYS_SINCE_SCAN)? {
        Body::Answer(answer) => {
            let late = count(&answer.value).ok().flatten();
            (late.ok_or_else(|| Undecided::not_evaluated("the answer is no number of endpoints"))?, None)
        }
        _ => {
            let buckets: Vec<Bucket> = facts.rows(&DAYS_SINCE_SCAN)?;
            let (late, all, unknown) = late(&buckets, limit);
            if late == 0 {
                settle(&unknown)?;
            }
            (late, Some(all))
        }
    };
    if late == 0 {
        return Ok(());
    }
    let says = match all {
        Some(all) => format!("{} endpoints were last scanned more than {limit} days ago", share(late, all)),
        None => format!("{late} endpoints were last scanned more than {limit} days ago"),
    };
    report.finding(
        Finding::on(Subject::new("trends panel", "days-since-scan", "Days Since Last Patch Scan"))
            .says(says)
            .expected(format!("a scan within {limit} days on every endpoint"))
            .affected(late, all)
            .evidence(facts.seen(&DAYS_SINCE_SCAN, late)),
    );
    Ok(())
}

/// Endpoints beyond the limit, all endpoints, and buckets that cannot be judged.
fn late(buckets: &[Bucket], limit: u64) -> (u64, u64, Vec<String>) {
    let (mut late, mut all) = (0, 0);
    let mut unknown = Vec::new();
    if buckets.is_empty() {
        unknown.push("the exported panel holds no rows".to_owned());
    }
    for bucket in buckets {
        let Some(endpoints) = bucket.endpoints else {
            unknown.push(format!("the number of endpoints of {:?} days is not told", bucket.days));
            continue;
        };
        all += endpoints;
        match range(&bucket.days) {
            _ if endpoints == 0 => {}
            Some((low, _)) if low > limit => late += endpoints,
            Some((_, Some(high))) if high <= limit => {}
            Some(_) => unknown.push(format!(
                "{endpoints} endpoints were scanned {} days ago, which says nothing about a limit of {limit}",
                bucket.days
            )),
            None => unknown.push(format!("{:?} is no number of days ({endpoints} endpoints)", bucket.days)),
        }
    }
    (late, all, unknown)
}

/// The days of a bucket, both ends included: `5`, `0-7`, `>30`, `30+`, `<7`; without an upper end where it is open.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.trim_end_matches("days").trim_end_matches("day").trim();
    let number = |text: &str| text.trim().parse::<u64>().ok();
    if let Some(rest) = text.strip_prefix(">=") {
        return Some((number(rest)?, None));
    }
    if let Some(rest) = text.strip_prefix('>') {
        return Some((number(rest)? + 1, None));
    }
    if let Some(rest) = text.strip_prefix("<=") {
        return Some((0, Some(number(rest)?)));
    }
    if let Some(rest) = text.strip_prefix('<') {
        return Some((0, Some(number(rest)?.checked_sub(1)?)));
    }
    if let Some(rest) = text.strip_suffix('+') {
        return Some((number(rest)?, None));
    }
    match text.split_once(['-', '–']).or_else(|| text.split_once(" to ")) {
        Some((low, high)) => Some((number(low)?, Some(number(high)?))),
        None => number(text).map(|day| (day, Some(day))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(rows: Value) -> Case {
        Case::of(&DAYS_SINCE).rows(&DAYS_SINCE_SCAN, rows)
    }

    fn two(old: &str, endpoints: u64) -> Value {
        json!([{"Days": "0-7", "Endpoints": "900"}, {"Days": old, "Endpoints": endpoints.to_string()}])
    }

    #[test]
    fn endpoints_beyond_the_limit_are_found() {
        case(two(">7", 0)).judge().assert_pass();
        case(two("> 7", 3)).judge().assert_findings(&["days-since-scan"]);
        case(two("8 to 14 days", 3)).judge().assert_findings(&["days-since-scan"]);
        case(two("8+", 3)).judge().assert_findings(&["days-since-scan"]);
        case(two("5", 3)).judge().assert_pass();
        case(two("8-14", 3)).setting("max_days", 14).judge().assert_pass();
        case(two(">7", 0)).assert_needs_its_inputs();
    }

    #[test]
    fn ranges_that_hold_the_limit_or_are_no_days_decide_nothing() {
        case(two("7+", 3)).judge().assert_undecided(Outcome::NotEvaluated);
        case(two("5-10", 3)).judge().assert_undecided(Outcome::NotEvaluated);
        case(two("Never", 3)).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([{"Days": "0-7", "Endpoints": ""}])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_answer_counts_as_well() {
        let answer = |number: u64| Case::of(&DAYS_SINCE).answer(&DAYS_SINCE_SCAN, number).judge();
        answer(0).assert_pass();
        answer(4).assert_findings(&["days-since-scan"]);
    }
}
