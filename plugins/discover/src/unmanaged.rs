//! Endpoints that were managed and are not managed now.

use crate::LABEL_NAME;
use crate::inputs::{INTERFACES, Interface, LABELS, Label};
use tancheck_plugin_api::facts::Baseline;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Row, whole};

const SERIES: &str = "discover.unmanaged-endpoints";

const SHOWN: Input = Input::new("discover.unmanaged-shown", "labelled interfaces, as the Console shows them")
    .sources(&[
        Source::export(
            "discover-unmanaged-endpoints.csv",
            "Modules > Discover > Interfaces",
            "filter by the label of disconnected endpoints and export the list with these columns",
            &[
                "Hostname",
                "IP Address",
                "MAC Address",
                "Managed",
                "Last Managed",
                "Last Discovered",
                "Labels",
            ],
        ),
        Source::answer(
            "how many interfaces have the Discover label of disconnected endpoints",
            Accepts::Number,
            7,
        ),
    ]);

const EARLIER: Input = Input::new("discover.unmanaged-earlier", "how many there were in earlier runs")
    .sources(&[Source::history(SERIES, 63)]);

const MAX_UNMANAGED: Setting = Setting::integer("max_unmanaged", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may be unmanaged that were managed before");

const GROWTH_PCT: Setting = Setting::integer("growth_pct", 10, 0, 1000)
    .unit("percent")
    .about("by how much their number may be above that of earlier weeks");

/// Managed endpoints stay managed.
pub(crate) const UNMANAGED_ENDPOINTS: Check = Check::automated("discover.unmanaged-endpoints")
    .title("Endpoints that were managed are not unmanaged now")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&LABELS, &INTERFACES, &SHOWN, &EARLIER])
    .settings(&[&LABEL_NAME, &MAX_UNMANAGED, &GROWTH_PCT])
    .guide(&[
        guide("Configure alerts for disconnected Tanium Clients", 9),
        guide("Check the endpoint count", 12),
    ])
    .what("Counts the unmanaged interfaces under the label `label_name`; without that label, the interfaces that were managed once, are not managed now, and are neither ignored nor unmanageable. More than `max_unmanaged` are a finding, and so is a number that is more than `growth_pct` above the median of earlier weeks. Where these swing more than that anyway, three times their usual swing counts instead.")
    .why("An endpoint that lost its client is neither patched nor watched, and nobody misses it.")
    .limits("It counts interfaces: an endpoint with two of them counts twice. The account sees the locations that it may see.")
    .related(&["discover.disconnected-label", "discover.lost-managed", "client-management.endpoint-count-low"])
    .remedy(&REMEDY)
    .judge(unmanaged_endpoints);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Discover > Interfaces", "filter by the label of disconnected endpoints and list them"),
    Step::consult("the owners of these endpoints", "whether they were retired; if not: was the client uninstalled, its service stopped, or its files changed"),
    Step::console(
        "Administration > Shared Services > Client Management",
        "deploy the client again to those that are still in use; a deployment that targets the label does so by itself",
    ),
    Step::decision("local administrators remove the client", "take these rights away where they are misused"),
    Step::decision("an endpoint was retired", "mark its interfaces as ignored in Discover"),
])
.cautions(&["A deployment to a label reaches every interface that gets the label: look at its conditions first."])
.who("a user holding the Discover and the Client Management role permissions named in their user guides")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Client Management User Guide: Audit and remediate disconnected Tanium Clients"]);

struct Found {
    count: u64,
    sample: Vec<String>,
    from: &'static Input,
    how: String,
}

fn unmanaged_endpoints(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let found = match by_gateway(facts) {
        Ok(found) => found,
        Err(unseen) => shown(facts).map_err(|_| unseen)??,
    };
    report.measure(SERIES, found.count as f64, "interfaces");
    let most = facts.integer(&MAX_UNMANAGED)?.unsigned_abs();
    let growth = facts.integer(&GROWTH_PCT)?;
    let earlier = facts.points(&EARLIER).unwrap_or_default().iter().map(|point| (point.at, point.value));
    let usual = Baseline::of_weeks(earlier, facts.now(), "the number of unmanaged endpoints");
    let is_more = |usual: &&Baseline| found.count as f64 > usual.ceiling(growth as f64);
    let mut says = Vec::new();
    if found.count > most {
        says.push(format!("{} endpoints that were managed are not managed now ({})", found.count, found.how));
    }
    if let Some(usual) = usual.as_ref().ok().filter(|usual| usual.median > 0.0).filter(is_more) {
        says.push(format!("they are {}; the median of earlier weeks is {}", found.count, usual.median));
    }
    if !says.is_empty() {
        report.finding(
            Finding::on(Subject::deployment())
                .says(says.join("; "))
                .expected(format!(
                    "at most {most}, and no more than {growth} percent more than in earlier weeks"
                ))
                .affected(found.count, None)
                .sample(found.sample.iter().take(5))
                .evidence(facts.seen(found.from, found.count)),
        );
        return Ok(());
    }
    // Nothing that is unmanaged has not grown, whatever was before.
    if found.count > 0 { usual.map(|_| ()) } else { Ok(()) }
}

fn by_gateway(facts: &Facts<'_>) -> Result<Found, Undecided> {
    let name = facts.text(&LABEL_NAME)?;
    let labels: Vec<Label> = facts.rows(&LABELS)?;
    let label = labels.iter().find(|label| label.name.eq_ignore_ascii_case(name));
    let interfaces = facts.rows::<Interface>(&INTERFACES);
    if let Some(count) = label.and_then(|label| label.counts.as_ref()?.unmanaged) {
        let interfaces = interfaces.unwrap_or_default();
        let has_label =
            |one: &&Interface| one.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name));
        let sample = interfaces.iter().filter(has_label).map(|one| one.label().to_owned()).collect();
        return Ok(Found { count, sample, from: &LABELS, how: format!("label {name}") });
    }
    let lost: Vec<Interface> = interfaces?.into_iter().filter(Interface::is_lost).collect();
    Ok(Found {
        count: lost.len() as u64,
        sample: lost.iter().map(|one| one.label().to_owned()).collect(),
        from: &INTERFACES,
        how: format!("no label {name}: counted from all interfaces"),
    })
}

/// What somebody brought. The outer error: nobody brought anything.
fn shown(facts: &Facts<'_>) -> Result<Result<Found, Undecided>, Undecided> {
    let found =
        |count, sample| Found { count, sample, from: &SHOWN, how: "as the Console shows them".to_owned() };
    Ok(match facts.body(&SHOWN)? {
        Body::Answer(answer) => whole(answer).map(|count| found(count, Vec::new())),
        _ => {
            let rows: Vec<Row> = facts.rows(&SHOWN)?;
            let unmanaged = rows.iter().filter(|row| !row.is("Managed", &["yes", "true", "1"]));
            let names: Vec<String> = unmanaged.map(|row| row.cell("Hostname")).collect();
            Ok(found(names.len() as u64, names))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(labels: Value, interfaces: Value) -> Case {
        Case::of(&UNMANAGED_ENDPOINTS).rows(&LABELS, labels).rows(&INTERFACES, interfaces)
    }

    fn labelled(count: u64) -> Case {
        let label = json!([{"name": "Disconnected", "type": "AUTOMATIC", "interfaceCounts": {"unmanaged": count, "total": 9}}]);
        case(label, json!([{"id": 1, "hostnames": ["one"], "labels": [{"name": "Disconnected"}]}]))
    }

    #[test]
    fn the_label_counts() {
        labelled(0).judge().assert_pass();
        let verdict = labelled(2).judge();
        verdict.assert_findings(&["deployment"]);
        assert_eq!(verdict.findings()[0].affected.clone().unwrap().sample, ["one"]);
        assert_eq!((verdict.measures()[0].series.as_str(), verdict.measures()[0].value), (SERIES, 2.0));
        let label = json!([{"name": "Disconnected", "interfaceCounts": {"unmanaged": 0}}]);
        Case::of(&UNMANAGED_ENDPOINTS).rows(&LABELS, label).assert_needs_its_inputs();
    }

    #[test]
    fn growth_is_found_below_the_limit() {
        let allowed = |count| labelled(count).setting("max_unmanaged", 100);
        allowed(11).weekly(&EARLIER, SERIES, &[10.0, 99.0, 10.0]).judge().assert_pass();
        allowed(12).weekly(&EARLIER, SERIES, &[10.0, 1.0, 10.0]).judge().assert_findings(&["deployment"]);
        allowed(12).weekly(&EARLIER, SERIES, &[5.0, 10.0, 15.0]).judge().assert_pass();
        allowed(12).weekly(&EARLIER, SERIES, &[0.0; 3]).judge().assert_pass();
        allowed(12).weekly(&EARLIER, SERIES, &[10.0; 2]).judge().assert_undecided(Outcome::NotEvaluated);
        allowed(12).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_the_label_interfaces_are_counted() {
        let interface = |managed: bool, last: Value, ignored: bool| json!({"id": 1, "hostnames": ["one"], "isManaged": managed, "lastManagedTime": last, "isIgnored": ignored});
        let time = || json!("2026-06-01T00:00:00Z");
        let count = |rows: Value| case(json!([]), rows).judge().findings().len();
        assert_eq!(count(json!([interface(false, time(), false)])), 1);
        assert_eq!(count(json!([interface(true, time(), false), interface(false, json!(null), false)])), 0);
        assert_eq!(count(json!([interface(false, time(), true)])), 0);
    }

    #[test]
    fn the_console_stands_in() {
        let alone = Case::of(&UNMANAGED_ENDPOINTS);
        alone.clone().answer(&SHOWN, 0).judge().assert_pass();
        alone.clone().answer(&SHOWN, 3).judge().assert_findings(&["deployment"]);
        let rows = json!([{"Hostname": "one", "Managed": "No"}, {"Hostname": "two", "Managed": "Yes"}]);
        let verdict = alone.rows(&SHOWN, rows).judge();
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.count), Some(1));
    }
}
