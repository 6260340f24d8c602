//! Versions, drivers and settings of the tools, compared with what was approved.

use crate::inputs::TOOLS_LIST;
use crate::{GUIDE, WHO};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{OS_FAMILIES, column_with, complete, unusable};
use tancheck_plugin_api::records::extensions::{CLIENT_EXTENSIONS, Detail, TOOLS_STATUS, details, tools};

const EXPECTED: Setting = Setting::table("expected").about(
    "what was approved: `\"component: key\" = [values]`, or the key alone for all components; a version that is \
     higher than the lowest one named is as good",
);

const SENSOR: &str = "Client Extensions - Status";
const LIMITS: &str = "The columns of the sensor are not documented: component, key and value are recognised by their \
    names. Where the sensor does not have them, export threat-response-tools.csv. What `expected` does not name is \
    not judged, and shown to be copied into it.";

const REMEDY: Remedy = Remedy::new(&[
    Step::question("Get Computer Name and Client Extensions - Status from all machines", "list the endpoints where {subject} is {found}"),
    Step::console(
        "Administration > Shared Services > Endpoint Configuration",
        "see whether the tools of these endpoints are up to date, and correct the setting, the tools or the driver there",
    ),
    Step::consult(
        "Threat Response User Guide: Get Threat Response endpoint tools status and configurations",
        "look up what the value means",
    ),
    Step::decision("the kernel of these endpoints lacks the support", "record an exception with a waiver"),
    Step::decision("it is as it should be now", "name {found} in `expected`"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Threat Response User Guide: Get Threat Response endpoint tools status and configurations"]);

/// What the six checks have in common.
const fn fact_check(id: &'static str) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Monthly])
        .severity(Severity::Medium)
        .reads(&[&CLIENT_EXTENSIONS, &TOOLS_LIST])
        .settings(&[&EXPECTED])
        .learns(&[&EXPECTED])
        .guide(GUIDE)
        .limits(LIMITS)
        .related(&["endpoint-configuration.manifest-outdated", "endpoint-configuration.tools-status"])
        .remedy(&REMEDY)
}

pub(crate) const NONDEFAULT_SETTINGS: Check = fact_check("threat-response.nondefault-settings")
    .title("Clients have no unexpected non-default settings for Threat Response")
    .what("Reads the settings that endpoints tell of their extensions, and reports each value that `expected` does not name.")
    .why("A setting that somebody changed on single endpoints makes them behave otherwise than all tests showed.")
    .related(&["client-management.setting-values"])
    .judge(|facts, report| judge(facts, report, &SETTINGS));

pub(crate) const TOOLS_VERSIONS: Check = fact_check("threat-response.tools-versions")
    .title("Threat Response tools have the expected versions")
    .reads(&[&TOOLS_STATUS, &CLIENT_EXTENSIONS, &TOOLS_LIST])
    .what("Reads the versions of the tools that Threat Response works with, from Endpoint Configuration where it tells them, and reports those that are lower than all that `expected` names.")
    .why("Old tools lack what the module's current version relies on.")
    .judge(|facts, report| judge(facts, report, &TOOLS));

pub(crate) const EXTENSION_VERSIONS: Check = fact_check("threat-response.extension-versions")
    .title("Client extensions have the expected versions")
    .what("Reads the versions of client extensions and reports those that are lower than all that `expected` names.")
    .why("Old extensions lack what the module's current version relies on.")
    .judge(|facts, report| judge(facts, report, &EXTENSIONS));

pub(crate) const DRIVER_VERSION: Check = fact_check("threat-response.driver-version")
    .title("The Tanium Driver has the expected version (Windows)")
    .reads(&[&CLIENT_EXTENSIONS, &TOOLS_LIST, &OS_FAMILIES])
    .applies("Windows endpoints")
    .what("Reads the version of the Tanium Driver and reports those that are lower than all that `expected` names.")
    .why("The driver sees what happens on the endpoint; an old one misses events or disturbs other products.")
    .related(&["threat-response.driver-status"])
    .judge(|facts, report| judge(facts, report, &DRIVERS));

pub(crate) const DRIVER_STATUS: Check = fact_check("threat-response.driver-status")
    .title("The Tanium Driver is running (Windows)")
    .reads(&[&CLIENT_EXTENSIONS, &TOOLS_LIST, &OS_FAMILIES])
    .applies("Windows endpoints")
    .what("Reads the state of the Tanium Driver and reports each that `expected` does not name.")
    .why("Without the driver, the recorder on Windows misses processes and their parents.")
    .related(&["threat-response.driver-version"])
    .judge(|facts, report| judge(facts, report, &DRIVER_STATES));

pub(crate) const BPF_SUPPORT: Check = fact_check("threat-response.bpf-support")
    .title("Endpoints that need it support BPF")
    .reads(&[&CLIENT_EXTENSIONS, &TOOLS_LIST, &OS_FAMILIES])
    .applies("Linux endpoints")
    .what("Reads whether Linux endpoints support BPF (Berkeley Packet Filter), and reports each answer that `expected` does not name.")
    .why("Where BPF is missing, the recorder falls back to sources that see less.")
    .related(&["threat-response.failure-recorder"])
    .judge(|facts, report| judge(facts, report, &BPF));

/// Which facts a check is about.
struct Topic {
    what: &'static str,
    /// By the words of component and key, in lower case.
    is_about: fn(&str, &str) -> bool,
    versions: bool,
    /// The column of the family of operating systems that has it.
    family: Option<&'static str>,
    /// Whether a value that nobody approved is wrong, also where nothing of its kind was.
    exhaustive: bool,
}

impl Topic {
    const fn new(what: &'static str, is_about: fn(&str, &str) -> bool) -> Self {
        Self { what, is_about, versions: false, family: None, exhaustive: false }
    }

    fn covers(&self, detail: &Detail) -> bool {
        (self.is_about)(&detail.component.to_lowercase(), &detail.key.to_lowercase())
    }
}

const SETTINGS: Topic = Topic {
    exhaustive: true,
    ..Topic::new("settings", |_, key| key.contains("setting") || key.contains("config"))
};
const TOOLS: Topic = Topic {
    versions: true,
    ..Topic::new("versions of tools", |component, key| {
        key.contains("version") && (key.contains("tool") || component.contains("tool"))
    })
};
const EXTENSIONS: Topic = Topic {
    versions: true,
    ..Topic::new("versions of extensions", |component, key| {
        let all = format!("{component} {key}");
        key.contains("version") && !["tool", "driver"].iter().any(|word| all.contains(word))
    })
};
const DRIVERS: Topic = Topic {
    versions: true,
    family: Some("is windows"),
    ..Topic::new("the driver's version", |component, key| {
        key.contains("version") && (key.contains("driver") || component.contains("driver"))
    })
};
const DRIVER_STATES: Topic = Topic {
    family: Some("is windows"),
    ..Topic::new("the driver's state", |component, key| {
        (key.contains("stat") || key.contains("running"))
            && (key.contains("driver") || component.contains("driver"))
    })
};
const BPF: Topic = Topic {
    family: Some("is linux"),
    ..Topic::new("support of BPF", |component, key| {
        ["bpf", "berkeley"].iter().any(|word| key.contains(word) || component.contains(word))
    })
};

/// The tools of Endpoint Configuration that Threat Response works with.
const OWN_TOOLS: [&str; 5] = ["threat", "recorder", "index", "stream", "detect"];

fn judge(facts: &Facts<'_>, report: &mut Report, topic: &Topic) -> Result<(), Undecided> {
    let told = Told::about(facts, topic)?;
    let expected = facts.table(&EXPECTED);
    let mut values: BTreeMap<String, BTreeMap<&str, Seen<'_>>> = BTreeMap::new();
    for detail in &told.details {
        let seen = values.entry(detail.item()).or_default().entry(detail.value.trim()).or_default();
        seen.count += detail.endpoints();
        if !detail.computer_name.is_empty() {
            seen.names.push(&detail.computer_name);
        }
    }
    let is_whole =
        told.answered.is_none_or(|(answered, unusable)| complete(SENSOR, answered, unusable).is_ok());
    if is_whole {
        report.propose(
            &EXPECTED,
            learned(topic, &expected, &values),
            format!("{}: {}", topic.what, values.len()),
        );
    }
    let mut unknown = Vec::new();
    for (item, values) in &values {
        let Some(approved) =
            approved(&expected, item).or((topic.exhaustive && !expected.is_empty()).then_some(&[][..]))
        else {
            let values: Vec<String> = values.keys().map(|value| format!("{value:?}")).collect();
            unknown.push(format!(
                "nothing is approved for {item}; if what is there is right: `expected = {{ {item:?} = [{}] }}`",
                values.join(", ")
            ));
            continue;
        };
        let wrong: Vec<(&&str, &Seen<'_>)> =
            values.iter().filter(|(value, _)| !topic.is_approved(value, approved)).collect();
        if wrong.is_empty() {
            continue;
        }
        let count: u64 = wrong.iter().map(|(_, seen)| seen.count).sum();
        let found: Vec<&str> = wrong.iter().map(|(value, _)| **value).collect();
        let each: Vec<String> =
            wrong.iter().map(|(value, seen)| format!("{value:?} on {} endpoints", seen.count)).collect();
        report.finding(
            Finding::on(Subject::new("endpoint fact", item.to_lowercase(), item))
                .says(format!("is {}", each.join(", ")))
                .expected(match approved {
                    [] => "no value that is not approved".to_owned(),
                    approved if topic.versions => format!("{} or higher", approved.join(" or ")),
                    approved => approved.join(" or "),
                })
                .affected(count, None)
                .sample(wrong.iter().flat_map(|(_, seen)| &seen.names).take(5).copied())
                .fill("found", found.join(", "))
                .evidence(facts.seen(told.from, &found)),
        );
    }
    if let Some((answered, unusable)) = told.answered {
        complete(SENSOR, answered, unusable)?;
    }
    settle(&unknown)
}

/// What is expected already, with the values of this topic as they were seen: of versions the lowest.
fn learned(
    topic: &Topic,
    expected: &BTreeMap<&str, Vec<&str>>,
    values: &BTreeMap<String, BTreeMap<&str, Seen<'_>>>,
) -> BTreeMap<String, Vec<String>> {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<String>>();
    let mut table: BTreeMap<String, Vec<String>> =
        expected.iter().map(|(item, values)| ((*item).to_owned(), owned(values))).collect();
    for (item, seen) in values {
        let present: Vec<&str> = seen.keys().copied().collect();
        let known = approved(expected, item);
        if known.is_some_and(|known| present.iter().all(|value| topic.is_approved(value, known))) {
            continue;
        }
        let lowest = present.iter().min_by_key(|value| ProductVersion::new(value));
        let learned = match lowest.filter(|_| topic.versions) {
            Some(lowest) => vec![(*lowest).to_owned()],
            None => owned(&present),
        };
        let written = expected.keys().find(|name| name.eq_ignore_ascii_case(item));
        table.insert(written.map_or_else(|| item.clone(), |name| (*name).to_owned()), learned);
    }
    table
}

#[derive(Default)]
struct Seen<'a> {
    count: u64,
    names: Vec<&'a str>,
}

/// The values that `expected` has for an item: under its whole name, or under its key.
fn approved<'a>(expected: &'a BTreeMap<&str, Vec<&'a str>>, item: &str) -> Option<&'a [&'a str]> {
    let key = item.split_once(": ").map_or(item, |(_, key)| key);
    let under = |name: &str| expected.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    under(item).or_else(|| under(key)).map(|(_, values)| values.as_slice())
}

impl Topic {
    fn is_approved(&self, value: &str, approved: &[&str]) -> bool {
        if !self.versions {
            return approved.iter().any(|one| one.eq_ignore_ascii_case(value));
        }
        let found = ProductVersion::new(value);
        // A text that is no version is not higher than one.
        let is_version = value.starts_with(|first: char| first.is_ascii_digit());
        approved.iter().any(|one| *one == value || is_version && found >= ProductVersion::new(one))
    }
}

/// What is known about a topic, and from where.
struct Told {
    details: Vec<Detail>,
    from: &'static Input,
    /// Endpoints that answered, and those of them whose answer cannot be used.
    answered: Option<(u64, u64)>,
}

impl Told {
    /// From Endpoint Configuration for tools, else from the sensor, else from the exported list.
    fn about(facts: &Facts<'_>, topic: &Topic) -> Result<Self, Undecided> {
        if topic.what == TOOLS.what
            && let Ok(told) = Self::of_tools(facts)
            && !told.details.is_empty()
        {
            return Ok(told);
        }
        let live = Self::asked(facts, topic);
        if let Ok(told) = &live
            && !told.details.is_empty()
        {
            return live;
        }
        if let Ok(rows) = facts.rows::<Detail>(&TOOLS_LIST) {
            let details: Vec<Detail> = rows.into_iter().filter(|detail| topic.covers(detail)).collect();
            if !details.is_empty() {
                return Ok(Self { details, from: &TOOLS_LIST, answered: None });
            }
        }
        live?;
        let none = format!("no endpoint tells {}", topic.what);
        if let Some(family) = topic.family
            && has_none_of(facts, family)?
        {
            return Err(Undecided::not_applicable(format!(
                "{none}, and no endpoint is of that family: {family} is true for none"
            )));
        }
        Err(Undecided::not_evaluated(format!("{none}; export threat-response-tools.csv")))
    }

    fn asked(facts: &Facts<'_>, topic: &Topic) -> Result<Self, Undecided> {
        let Body::Tally(tally) = facts.body(&CLIENT_EXTENSIONS)? else {
            return Err(Undecided::not_evaluated(
                "the exported health failures tell no facts; export threat-response-tools.csv",
            ));
        };
        let mut details = details(SENSOR, tally)?;
        details.retain(|detail| topic.covers(detail));
        Ok(Self { details, from: &CLIENT_EXTENSIONS, answered: Some((tally.answered, unusable(tally))) })
    }

    fn of_tools(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let (rows, answered) = tools(facts)?;
        let own = |name: &str| OWN_TOOLS.iter().any(|word| name.to_lowercase().contains(word));
        let details =
            rows.into_iter().filter(|row| own(&row.tool) && !row.version.is_empty()).map(|row| Detail {
                component: row.tool,
                key: "Version".to_owned(),
                value: row.version,
                count: row.count,
                computer_name: String::new(),
            });
        Ok(Self {
            details: details.collect(),
            from: &TOOLS_STATUS,
            answered: answered.map(|answered| (answered, 0)),
        })
    }
}

/// Whether no endpoint at all is of a family of operating systems.
fn has_none_of(facts: &Facts<'_>, family: &str) -> Result<bool, Undecided> {
    let tally = facts.tally(&OS_FAMILIES)?;
    complete("Is Windows, Is Linux", tally.answered, unusable(tally))?;
    let Some(column) = column_with(tally, &[family]) else { return Ok(false) };
    Ok(!tally
        .rows
        .iter()
        .any(|row| row.cells.get(column).is_some_and(|cell| cell.eq_ignore_ascii_case("true"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::tests::status as table;
    use tancheck_plugin_api::facts::TallyRow;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    const ROWS: &[(&str, &str, &str, u64)] = &[
        ("recorder", "Driver Status", "Running", 60),
        ("recorder", "Driver Version", "3.1.0", 60),
        ("recorder", "BPF Support", "Supported", 40),
        ("index", "Version", "4.2.1", 100),
        ("threat response tools", "Version", "3.5.0", 100),
        ("recorder", "Setting: CPU limit", "20", 7),
    ];

    fn expected() -> Value {
        json!({"recorder: Driver Status": ["Running"], "Driver Version": ["3.0.9"], "BPF Support": "Supported",
               "index: Version": ["4.2.1"], "threat response tools: Version": ["3.5.0"], "setting: cpu limit": ["20"]})
    }

    const ALL: [&Check; 6] = [
        &NONDEFAULT_SETTINGS,
        &TOOLS_VERSIONS,
        &EXTENSION_VERSIONS,
        &DRIVER_VERSION,
        &DRIVER_STATUS,
        &BPF_SUPPORT,
    ];

    fn case(check: &'static Check, rows: &[(&str, &str, &str, u64)]) -> Case {
        Case::of(check).body(&CLIENT_EXTENSIONS, Body::Tally(table(rows))).setting("expected", expected())
    }

    #[test]
    fn what_was_approved_passes() {
        for check in ALL {
            case(check, ROWS).judge().assert_pass();
            case(check, ROWS).assert_needs_its_inputs();
        }
    }

    #[test]
    fn each_check_proposes_its_part_of_what_is_expected() {
        let proposal = |check, rows: &[_], set: Value| {
            case(check, rows).setting("expected", set).judge().proposal("expected").cloned()
        };
        let first = proposal(&DRIVER_STATUS, ROWS, json!({}));
        assert_eq!(first, Some(json!({"recorder: Driver Status": ["Running"]})));
        let mut rows = ROWS.to_vec();
        rows.push(("recorder", "Driver Version", "3.0.8", 3));
        let approved = json!({"BPF Support": ["Supported"], "recorder: driver version": ["3.0.9"]});
        let lowest = json!({"BPF Support": ["Supported"], "recorder: driver version": ["3.0.8"]});
        assert_eq!(proposal(&DRIVER_VERSION, &rows, approved.clone()), Some(lowest));
        assert_eq!(proposal(&DRIVER_VERSION, ROWS, approved.clone()), Some(approved), "3.1.0 is as good");
    }

    #[test]
    fn each_check_finds_its_own_facts() {
        for (at, value, check, key) in [
            (0, "Stopped", &DRIVER_STATUS, "recorder: driver status"),
            (1, "3.0.8", &DRIVER_VERSION, "recorder: driver version"),
            (2, "Unsupported", &BPF_SUPPORT, "recorder: bpf support"),
            (3, "4.1.9", &EXTENSION_VERSIONS, "index: version"),
            (4, "3.4.99", &TOOLS_VERSIONS, "threat response tools: version"),
            (5, "80", &NONDEFAULT_SETTINGS, "recorder: setting: cpu limit"),
        ] {
            let mut rows = ROWS.to_vec();
            rows.push((rows[at].0, rows[at].1, value, 3));
            for one in ALL {
                if one.id() == check.id() {
                    let verdict = case(one, &rows).judge();
                    verdict.assert_findings(&[key]);
                    assert_eq!(
                        verdict.findings()[0].affected.as_ref().map(|affected| affected.count),
                        Some(3)
                    );
                } else {
                    case(one, &rows).judge().assert_pass();
                }
            }
        }
    }

    #[test]
    fn without_an_approval_the_values_are_offered() {
        for check in ALL {
            let verdict = case(check, ROWS).setting("expected", json!({})).judge();
            verdict.assert_undecided(Outcome::NotEvaluated);
            assert!(verdict.undecided().unwrap().reason.contains("expected = {"));
        }
        let strange = [ROWS, &[("recorder", "Setting: other", "1", 2)]].concat();
        case(&NONDEFAULT_SETTINGS, &strange).judge().assert_findings(&["recorder: setting: other"]);
    }

    #[test]
    fn a_text_that_is_no_version_is_not_higher() {
        let rows = [("index", "Version", "unknown", 100)];
        case(&EXTENSION_VERSIONS, &rows).judge().assert_findings(&["index: version"]);
    }

    #[test]
    fn the_exported_list_stands_in() {
        let columns = Tally { answered: 9, expected: 9, ..Tally::default() };
        let exported = |value| {
            Case::of(&DRIVER_STATUS)
                .body(&CLIENT_EXTENSIONS, Body::Tally(columns.clone()))
                .rows(
                    &TOOLS_LIST,
                    json!([{"Component": "recorder", "Key": "Driver Status", "Value": value,
                    "Computer Name": "one"}]),
                )
                .setting("expected", expected())
        };
        exported("Running").judge().assert_pass();
        let verdict = exported("Stopped").judge();
        verdict.assert_findings(&["recorder: driver status"]);
        assert_eq!(verdict.findings()[0].affected.clone().unwrap().sample, ["one"]);
    }

    #[test]
    fn a_family_that_is_not_there_has_no_driver() {
        let families = |windows: &str| Tally {
            columns: vec!["Is Windows".into(), "Is Linux".into()],
            rows: vec![TallyRow {
                cells: vec![windows.into(), "False".into()],
                count: 9,
                sample: Vec::new(),
            }],
            answered: 9,
            expected: 9,
            ..Tally::default()
        };
        let case =
            |windows| case(&DRIVER_STATUS, &ROWS[3..]).body(&OS_FAMILIES, Body::Tally(families(windows)));
        case("False").judge().assert_undecided(Outcome::NotApplicable);
        case("True").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn endpoint_configuration_tells_versions_of_tools() {
        let tally = |version: &str| Tally {
            columns: ["Tool", "Version", "Status"].map(str::to_owned).to_vec(),
            rows: vec![
                TallyRow {
                    cells: ["Threat Response", version, "Active"].map(str::to_owned).to_vec(),
                    count: 5,
                    sample: Vec::new(),
                },
                TallyRow {
                    cells: ["Patch", "1", "Active"].map(str::to_owned).to_vec(),
                    count: 5,
                    sample: Vec::new(),
                },
            ],
            answered: 5,
            expected: 5,
            ..Tally::default()
        };
        let case = |version| {
            Case::of(&TOOLS_VERSIONS)
                .body(&TOOLS_STATUS, Body::Tally(tally(version)))
                .setting("expected", json!({"Threat Response: Version": ["3.5"]}))
        };
        case("3.5.0").judge().assert_pass();
        case("3.4").judge().assert_findings(&["threat response: version"]);
    }
}
