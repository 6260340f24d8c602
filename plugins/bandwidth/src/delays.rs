//! Guide: *Review and update global bandwidth throttles*, page 17, and *… site bandwidth throttles*, page 38: what the
//! throttles cost. A delay is momentary; one run takes one sample and compares it with those of the runs before.

use crate::inputs::{
    APPLIES, GLOBAL_DELAYS, GLOBAL_SECTION, GLOBAL_THROTTLES, PAGE, SITE_DELAYS, SITE_SECTION,
    SITE_THROTTLES, SMALL_STEPS, WHO, active, global_throttles, not_on_cloud, site_throttles,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::settings::SYSTEM_SETTINGS;

const MAX_DELAY_MS: Setting = Setting::integer("max_delay_ms", 1000, 1, 3_600_000)
    .unit("milliseconds")
    .about("how long data may wait in the queue of a throttle");

/// Samples of earlier runs that count beside the present one.
const EARLIER_SAMPLES: usize = 2;
/// The most delays of sites that one run stores.
const MOST: usize = 1000;

/// Global throttles cause no harmful delay.
pub(crate) const GLOBAL: Check = Check::automated("bandwidth.global-throttle-delay")
    .title("Global throttles cause no harmful delay")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&GLOBAL_THROTTLES, &GLOBAL_DELAYS, &GLOBAL_HISTORY, &SYSTEM_SETTINGS])
    .settings(&[&MAX_DELAY_MS])
    .guide(&[guide(GLOBAL_SECTION, 17)])
    .applies(APPLIES)
    .what("Reads the present delays of the global throttle in force, for all traffic, downloads and sensors. A delay above `max_delay_ms` has the check's severity when one of the two samples before was above it as well, and is informational when it was seen for the first time.")
    .why("Data that waits behind a throttle makes questions slow and actions late, on every endpoint.")
    .limits("A delay is momentary: a run takes one sample. Run again within minutes to tell a peak from a state. Whether Zone Servers count is not documented.")
    .related(&["bandwidth.global-limits", "bandwidth.global-connections", "bandwidth.site-throttle-delay"])
    .remedy(&GLOBAL_REMEDY)
    .judge(global_throttle_delay);

const GLOBAL_HISTORY: Input =
    Input::new("bandwidth.global-delay", "delays of global throttles in earlier runs")
        .sources(&[Source::history("bandwidth.global-delay.*", 100)]);

const GLOBAL_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck run --check bandwidth.global-throttle-delay",
        "run it again a few times, 20 seconds apart: does the {subject} delay stay?",
    ),
    Step::console(PAGE, "verify the throttle delays for the Tanium Server and each Zone Server, by kind"),
    Step::consult(
        "the networking team",
        "by how much the bandwidth or the number of connections may be raised",
    ),
    Step::console(PAGE, "raise the limit of the global throttle, and watch the delays for a day"),
])
.cautions(&["A global throttle applies to all subnets.", SMALL_STEPS])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[
    "Console User Guide: Verify throttle delays",
    "Console User Guide: Configure global throttles",
]);

/// The present delays of a throttle (`server_throttle_statuses`), or of one range (`site_throttle_statuses`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Delays {
    /// `Global` or `Site`; only in exported files.
    #[serde(rename = "Scope", deserialize_with = "lenient::text")]
    scope: String,
    /// The id of the throttle.
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    /// Its name.
    #[serde(alias = "Name", deserialize_with = "lenient::text")]
    name: String,
    /// The range; only within a site throttle.
    #[serde(alias = "Subnets", deserialize_with = "lenient::text")]
    range: String,
    /// All traffic; the only one in exported files.
    #[serde(rename = "queue_delay_milliseconds", alias = "Delay ms", deserialize_with = "lenient::number")]
    overall: Option<f64>,
    /// Downloads.
    #[serde(rename = "download_queue_delay_milliseconds", deserialize_with = "lenient::number")]
    download: Option<f64>,
    /// Sensors.
    #[serde(rename = "sensor_queue_delay_milliseconds", deserialize_with = "lenient::number")]
    sensor: Option<f64>,
    /// The ranges of a site throttle.
    subnets: Vec<Delays>,
}

impl Delays {
    fn is_of(&self, id: &str, scope: &str) -> bool {
        self.id == id && (self.scope.is_empty() || self.scope.eq_ignore_ascii_case(scope))
    }

    fn by_kind(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let kinds = [("overall", self.overall), ("download", self.download), ("sensor", self.sensor)];
        kinds.into_iter().filter_map(|(kind, delay)| delay.map(|delay| (kind, delay)))
    }
}

fn global_throttle_delay(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    not_on_cloud(facts)?;
    let throttles = global_throttles(facts)?;
    let Some(throttle) = active(&throttles) else {
        return Err(facts.absent(&GLOBAL_THROTTLES, "no global throttle is in force"));
    };
    let statuses: Vec<Delays> = facts.rows(&GLOBAL_DELAYS)?;
    let status = statuses.iter().find(|status| status.is_of(&throttle.id, "Global"));
    let delays: Vec<_> = status.into_iter().flat_map(Delays::by_kind).collect();
    if delays.is_empty() {
        return Err(Undecided::not_evaluated(format!("the server tells no delay of {}", throttle.label())));
    }
    for (kind, delay) in delays {
        let series = format!("{}.{kind}", GLOBAL_HISTORY.id());
        report.measure(&series, delay, "milliseconds");
        let subject = Subject::new("throttled traffic", kind, kind);
        let found = sample(facts, &GLOBAL_HISTORY, &series, delay, subject)?;
        if let Some(finding) = found {
            report.finding(finding.evidence(facts.seen(&GLOBAL_DELAYS, delay)));
        }
    }
    Ok(())
}

/// Site throttles cause no harmful delay.
pub(crate) const SITE: Check = Check::automated("bandwidth.site-throttle-delay")
    .title("Site throttles cause no harmful delay")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SITE_THROTTLES, &SITE_DELAYS, &SITE_HISTORY, &SYSTEM_SETTINGS])
    .settings(&[&MAX_DELAY_MS])
    .guide(&[guide(SITE_SECTION, 38)])
    .applies(APPLIES)
    .what("Reads the present delays of each range of each site throttle. A delay above `max_delay_ms` has the check's severity when one of the two samples before was above it as well, and is informational when it was seen for the first time.")
    .why("Endpoints of a site whose throttle is too tight answer late, and look as if they were broken.")
    .limits("A delay is momentary: a run takes one sample. Run again within minutes to tell a peak from a state.")
    .related(&["bandwidth.site-limits", "bandwidth.global-throttle-delay"])
    .remedy(&SITE_REMEDY)
    .judge(site_throttle_delay);

const SITE_HISTORY: Input = Input::new("bandwidth.site-delay", "delays of site throttles in earlier runs")
    .sources(&[Source::history("bandwidth.site-delay.*", 300)]);

const SITE_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck run --check bandwidth.site-throttle-delay",
        "run it again a few times, 20 seconds apart: does the delay of {subject} stay?",
    ),
    Step::console(PAGE, "verify the delays of the site throttle, by subnet"),
    Step::consult("the networking team", "which site {subject} is, and what its link can carry today"),
    Step::console(PAGE, "change the limits of the site throttle"),
])
.cautions(&[SMALL_STEPS])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Verify throttle delays", "Console User Guide: Configure site throttles"]);

fn site_throttle_delay(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    not_on_cloud(facts)?;
    let throttles = site_throttles(facts)?;
    if throttles.is_empty() {
        return Err(facts.absent(&SITE_THROTTLES, "no site throttle is defined"));
    }
    let statuses: Vec<Delays> = facts.rows(&SITE_DELAYS)?;
    let mut unknown = Vec::new();
    let mut stored = 0;
    for throttle in &throttles {
        let same = |status: &&Delays| {
            status.is_of(&throttle.id, "Site") && (!throttle.id.is_empty() || status.name == throttle.name)
        };
        let status = statuses.iter().find(same);
        // A line of a file stands for all its ranges.
        let ranges = status.map(|status| {
            if status.subnets.is_empty() { std::slice::from_ref(status) } else { &status.subnets }
        });
        let told: Vec<(&Delays, f64, &str)> = ranges
            .into_iter()
            .flatten()
            .filter_map(|range| {
                let (kind, delay) = range.by_kind().max_by(|left, right| left.1.total_cmp(&right.1))?;
                Some((range, delay, kind))
            })
            .collect();
        if told.is_empty() {
            unknown.push(format!("the server tells no delay of {}", throttle.label()));
        }
        for (range, delay, kind) in told {
            let key = format!("{}.{}", throttle.key(), range.range);
            let series = format!("{}.{key}", SITE_HISTORY.id());
            if stored < MOST {
                report.measure(&series, delay, "milliseconds");
                stored += 1;
            }
            let name = format!("{} ({}, {kind})", throttle.label(), range.range);
            let subject = Subject::new("throttled site", key, name);
            if let Some(finding) = sample(facts, &SITE_HISTORY, &series, delay, subject)? {
                report.finding(finding.evidence(facts.seen(&SITE_DELAYS, delay)));
            }
        }
    }
    settle(&unknown)
}

/// A finding, if a sample is above the limit; informational, unless one of the samples before was above it as well.
fn sample(
    facts: &Facts<'_>,
    history: &'static Input,
    series: &str,
    delay: f64,
    subject: Subject,
) -> Result<Option<Finding>, Undecided> {
    let limit = facts.integer(&MAX_DELAY_MS)?;
    if delay <= limit as f64 {
        return Ok(None);
    }
    let earlier = facts.points(history)?.iter().rev().filter(|point| point.series == series);
    let above: Vec<f64> = earlier
        .take(EARLIER_SAMPLES)
        .map(|point| point.value)
        .filter(|&value| value > limit as f64)
        .collect();
    let finding = Finding::on(subject).expected(format!("at most {limit} ms"));
    Ok(Some(match above.first() {
        Some(before) => {
            finding.says(format!("waits {delay} ms now, and waited {before} ms in an earlier sample"))
        }
        None => finding
            .says(format!("waits {delay} ms now; the samples before were below the limit"))
            .severity(Severity::Info),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn global(delay: u32, weeks: &[f64]) -> Case {
        let throttles = json!([{"id": 3, "ip_address": ""}, {"id": 2, "ip_address": ""}]);
        let statuses = json!([
            {"id": 3, "queue_delay_milliseconds": 9000},
            {"id": 2, "queue_delay_milliseconds": 0, "download_queue_delay_milliseconds": delay, "sensor_queue_delay_milliseconds": 1000},
        ]);
        Case::of(&GLOBAL).rows(&GLOBAL_THROTTLES, throttles).rows(&GLOBAL_DELAYS, statuses).weekly(
            &GLOBAL_HISTORY,
            "bandwidth.global-delay.download",
            weeks,
        )
    }

    #[test]
    fn one_sample_is_a_hint_and_two_are_a_finding() {
        global(1000, &[5000.0, 5000.0]).judge().assert_pass();
        let once = global(1001, &[5000.0, 0.0, 0.0]).judge();
        once.assert_findings(&["download"]);
        assert_eq!(once.findings()[0].severity, Some(Severity::Info));
        let twice = global(1001, &[5000.0, 0.0]).judge();
        twice.assert_findings(&["download"]);
        assert_eq!(twice.findings()[0].severity, None);
        global(1001, &[]).setting("max_delay_ms", 2000).judge().assert_pass();
        assert_eq!(global(7, &[]).judge().measures().len(), 3);
        global(5000, &[]).assert_needs_its_inputs();
    }

    #[test]
    fn without_a_throttle_there_is_no_delay_and_without_a_status_none_is_known() {
        let none = global(0, &[]).rows(&GLOBAL_THROTTLES, json!([{"id": 2, "deleted_flag": 1}]));
        none.judge().assert_undecided(Outcome::NotApplicable);
        let addressed = global(0, &[]).rows(&GLOBAL_THROTTLES, json!([{"id": 2, "ip_address": "10.0.0.1"}]));
        addressed.judge().assert_undecided(Outcome::NotApplicable);
        global(0, &[]).rows(&GLOBAL_DELAYS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        let cloud =
            global(5000, &[]).rows(&SYSTEM_SETTINGS, json!([{"name": "console_is_taas", "value": 1}]));
        cloud.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn an_exported_line_tells_one_delay() {
        let file = json!([{"Scope": "Site", "Name": "Plant", "Delay ms": "9"}, {"Scope": "Global", "Name": "All", "Delay ms": "1500"}]);
        let case = Case::of(&GLOBAL).rows(&GLOBAL_THROTTLES, file.clone()).rows(&GLOBAL_DELAYS, file);
        case.weekly(&GLOBAL_HISTORY, "x", &[]).judge().assert_findings(&["overall"]);
    }

    fn site(statuses: Value) -> Case {
        Case::of(&SITE)
            .rows(&SITE_THROTTLES, json!([{"id": 7, "name": "Plant", "subnets": [{"range": "10.1.0.0/16"}]}]))
            .rows(&SITE_DELAYS, statuses)
            .weekly(&SITE_HISTORY, "bandwidth.site-delay.7.10.1.0.0/16", &[3000.0, 0.0])
    }

    fn status(delay: u32) -> Value {
        json!([{"id": 7, "name": "Plant", "subnets": [
            {"range": "10.1.0.0/16", "queue_delay_milliseconds": 5, "sensor_queue_delay_milliseconds": delay},
            {"range": "10.2.0.0/16", "queue_delay_milliseconds": 5},
        ]}])
    }

    #[test]
    fn each_range_of_a_site_has_its_own_delay() {
        site(status(800)).judge().assert_pass();
        let verdict = site(status(2500)).judge();
        verdict.assert_findings(&["7.10.1.0.0/16"]);
        assert_eq!(verdict.findings()[0].severity, None);
        assert_eq!(verdict.measures().len(), 2);
        site(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        site(json!([])).rows(&SITE_THROTTLES, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        site(status(2500)).assert_needs_its_inputs();
    }
}
