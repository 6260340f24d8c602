//! Beyond the guide: the sensors that tancheck's own questions name are there.

use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;

/// The names of all sensors that the account may read.
const SENSORS: Input = Input::new("interact.sensors", "names of all sensors").sources(&[
    Source::gateway("sensors", QUERY).needs(&["gateway use api", "read sensor"]),
    Source::rest("/api/v2/sensors").paged().needs(&["read sensor"]),
]);

const QUERY: &str = "\
query TancheckSensors($after: Cursor) {
  sensors(first: 2000, includeHidden: true, after: $after) {
    edges { node { name harvested } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// The sensors that have to be there.
const NEEDED: Setting = Setting::list(
    "needed_sensors",
    &[
        "Client Extensions - Status",
        "Computer Name",
        "Is Linux",
        "Is Windows",
        "Tanium Client Explicit Setting",
        "Tanium Client Version",
    ],
)
.about("names of sensors that have to be there; by default those that several of tancheck's questions name");

/// Sensors that tancheck's questions need are there.
pub(crate) const MISSING: Check = Check::automated("interact.sensor-missing")
    .title("Sensors that tancheck's questions need are there")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&SENSORS])
    .settings(&[&NEEDED])
    .what("Reads the names of all sensors and looks for those that `needed_sensors` names.")
    .why(
        "A question about a sensor that is not there cannot be asked: checks that rest on it decide nothing.",
    )
    .limits("A sensor in a content set that the account may not read looks like one that is missing.")
    .related(&["client-management.cx-other"])
    .remedy(&REMEDY)
    .beyond()
    .judge(missing);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Content > Sensors", "look for {subject}, hidden sensors included"),
    Step::decision(
        "it is there",
        "give the account of tancheck a role that may read the content set of the sensor",
    ),
    Step::decision(
        "it is not there",
        "import the solution or content that brings it, or update the solution where it is old",
    ),
    Step::decision(
        "nothing here needs it, since the module is not used",
        "take its name off `needed_sensors`",
    ),
])
.who("a Console user with the Administrator reserved role, or one who may import content")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Importing content changes the server: read its release notes and follow your change procedure."])
.references(&["Console User Guide: Managing sensors"]);

#[derive(Deserialize)]
struct Sensor {
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
}

fn missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sensors: Vec<Sensor> = facts.rows(&SENSORS)?;
    if sensors.is_empty() {
        return Err(Undecided::not_evaluated(
            "the account sees no sensor at all; let it read the content sets whose sensors questions name",
        ));
    }
    let known: BTreeSet<String> = sensors.iter().map(|sensor| sensor.name.to_lowercase()).collect();
    for name in facts.list(&NEEDED) {
        if !known.contains(&name.to_lowercase()) {
            report.finding(
                Finding::on(Subject::new("sensor", name, name))
                    .says("is not among the sensors that the account may read")
                    .expected("a sensor of this name")
                    .evidence(facts.seen(&SENSORS, format!("{} sensors", known.len()))),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(names: &[&str]) -> Case {
        let rows: Vec<Value> = names.iter().map(|name| json!({"name": name, "harvested": true})).collect();
        Case::of(&MISSING).setting("needed_sensors", json!(["Computer Name"])).rows(&SENSORS, rows.into())
    }

    #[test]
    fn needed_sensors_are_looked_for_by_name() {
        case(&["computer name", "Other"]).judge().assert_pass();
        case(&["Other"]).judge().assert_findings(&["Computer Name"]);
    }

    #[test]
    fn no_sensor_at_all_is_a_matter_of_rights() {
        case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&["Computer Name"]).assert_needs_its_inputs();
    }
}
