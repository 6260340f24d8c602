//! Not in the guide: the licence runs out.

use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{LICENSE, License};

/// No licensed solution expires soon.
pub(crate) const EXPIRY: Check = Check::automated("solutions.licence-expiry")
    .title("No licensed solution expires soon")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&LICENSE, &DAYS_LEFT])
    .settings(&[&EXPIRY_DAYS])
    .beyond()
    .what("Looks at the last day of each licensed solution, and at the days that the server's metrics count. One that ends within `expiry_days` is listed.")
    .why("A solution whose licence ended stops working, and a new licence takes time to arrive.")
    .limits("Solutions without a last day are taken for content that does not expire. Where neither the licence nor the metrics name a day, nothing is decided.")
    .related(&["client-management.license-headroom"])
    .remedy(&EXPIRY_REMEDY)
    .judge(licence_expiry);

const DAYS_LEFT: Input =
    Input::new("solutions.days-left", "days left of the licence, as the metrics count them")
        .sources(&[Source::metrics(&["tanium_licensed_days_left"])]);

const EXPIRY_DAYS: Setting = Setting::integer("expiry_days", 60, 1, 730)
    .unit("days")
    .about("how many days before its end a licence is reported");

const EXPIRY_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever answers for the contract with Tanium", "whether {subject} is renewed"),
    Step::support("ask for the new licence file, with the day on which the present one ends: {day}"),
    Step::console("the licence settings of the Console", "upload the new licence file"),
])
.cautions(&["Upload a licence only for this deployment: it names the servers that it is made for."])
.who("a Console user with the Administrator reserved role")
.risk(Risk::Low, Reversible::Partly);

fn licence_expiry(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&EXPIRY_DAYS)?;
    let License { licensed_features: features } = facts.object(&LICENSE)?;
    // One solution may be listed several times.
    let mut ends: BTreeMap<&str, (&str, Timestamp)> = BTreeMap::new();
    for solution in &features.licensed_solutions {
        if let Some(end) = solution.expire {
            let known = ends.entry(&solution.pattern).or_insert((&solution.name, end));
            known.1 = known.1.max(end);
        }
    }
    for (pattern, (name, end)) in &ends {
        let days = -facts.days_since(*end);
        if days > limit {
            continue;
        }
        let day = end.strftime("%Y-%m-%d").to_string();
        let says =
            if days < 0 { format!("ended on {day}") } else { format!("ends on {day}, in {days} days") };
        report.finding(
            Finding::on(Subject::new("licensed solution", pattern, *name))
                .says(says)
                .expected(format!("more than {limit} days left"))
                .fill("day", &day)
                .evidence(facts.seen(&LICENSE, &day)),
        );
    }
    let counted =
        facts.samples(&DAYS_LEFT).ok().and_then(|samples| samples.first()).map(|sample| sample.value);
    if let Some(days) = counted.filter(|days| *days <= limit as f64 && report.findings.is_empty()) {
        report.finding(
            Finding::on(Subject::deployment())
                .says(format!("the licence has {days} days left"))
                .expected(format!("more than {limit} days left"))
                .fill("day", format!("in {days} days"))
                .evidence(facts.seen(&DAYS_LEFT, days)),
        );
    }
    if ends.is_empty() && counted.is_none() {
        return Err(Undecided::not_evaluated("neither the licence nor the metrics tell when it ends"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Sample;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(solutions: Value, days: &[f64]) -> Case {
        let samples = days.iter().map(|&value| Sample {
            name: "tanium_licensed_days_left".to_owned(),
            labels: BTreeMap::new(),
            value,
        });
        Case::of(&EXPIRY)
            .object(&LICENSE, json!({"licensed_features": {"licensed_solutions": solutions}}))
            .body(&DAYS_LEFT, Body::Samples(samples.collect()))
    }

    #[test]
    fn what_ends_soon_is_listed() {
        let asset = |end: &str| json!([{"name": "Labs", "match": "98"}, {"name": "Asset", "match": "03", "expire": end}]);
        case(asset("2026-12-31"), &[300.0]).judge().assert_pass();
        case(asset("2026-08-01"), &[300.0]).judge().assert_findings(&["03"]);
        let ended = case(asset("2026-06-01"), &[300.0]).judge();
        assert_eq!(ended.findings()[0].says, "ended on 2026-06-01");
        case(asset("2026-08-01"), &[300.0]).setting("expiry_days", 7).judge().assert_pass();
        let renewed = json!([{"name": "Asset", "match": "03", "expire": "2026-06-01"}, {"name": "Asset", "match": "03", "expire": "2027-06-01"}]);
        case(renewed, &[300.0]).judge().assert_pass();
        case(asset("2026-12-31"), &[59.0]).judge().assert_findings(&["deployment"]);
    }

    #[test]
    fn one_of_the_two_has_to_name_a_day() {
        case(json!([]), &[61.0]).judge().assert_pass();
        case(json!([]), &[]).judge().assert_undecided(Outcome::NotEvaluated);
        let refused = case(json!([]), &[61.0]).unavailable(&LICENSE, Outcome::NoPermission);
        refused.judge().assert_undecided(Outcome::NoPermission);
    }
}
