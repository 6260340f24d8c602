//! Guide: *Contact Tanium Support*, page 10.

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{SERVER_HEALTH, SERVER_HOSTS, ServerHealth, ServerHosts};
use tancheck_plugin_api::records::server::{ImportedSolution, SERVER_INFO, SOLUTIONS, ServerInfo};

const GUIDE: &[GuideReference] = &[guide("Contact Tanium Support", 10)];
const PORTAL: &str = "https://support.tanium.com";

/// An answer about the machines stays true for long; a new version of the server asks for it again.
const GOOD_FOR: u32 = 400;

const MACHINE: Input =
    Input::new("support.machine", "CPUs and memory of the Tanium Server").sources(&[Source::metrics(&[
        "tanium_system_cpu_count",
        "tanium_system_memory_used_bytes",
        "tanium_system_memory_available_bytes",
    ])]);

const DATABASE: Input = Input::new("support.database-version", "kind and version of the database server")
    .sources(&[Source::answer(
        "Which database server, of which version, does the Tanium Server use?",
        Accepts::Text,
        GOOD_FOR,
    )]);

const SYSTEMS: Input =
    Input::new("support.operating-systems", "operating systems of the servers").sources(&[Source::answer(
        "Which operating system, of which version, runs on each Core Platform server?",
        Accepts::Text,
        GOOD_FOR,
    )]);

const HARDWARE: Input = Input::new("support.hardware", "hardware of the servers").sources(&[Source::answer(
    "Which hardware model, or which hypervisor, is each Core Platform server?",
    Accepts::Text,
    GOOD_FOR,
)]);

const COMPONENTS: Input =
    Input::new("support.component-versions", "versions of Module Server and Zone Servers").sources(&[
        Source::answer(
            "Which versions do the Module Server and the Zone Servers have?",
            Accepts::Text,
            GOOD_FOR,
        ),
    ]);

/// The facts that only a person can tell.
const TOLD: [(&str, &Input); 4] = [
    ("the database server's version", &DATABASE),
    ("the servers' operating systems", &SYSTEMS),
    ("the servers' hardware", &HARDWARE),
    ("the versions of Module Server and Zone Servers", &COMPONENTS),
];

/// Versions of the Tanium Server that earlier runs saw.
const VERSIONS: Input =
    Input::new("support.versions-seen", "versions of the Tanium Server that earlier runs saw")
        .sources(&[Source::history("support.version.*", 400)]);

const SERIES: &str = "support.version.";

/// The facts can be produced.
pub(crate) const FACTS: Check = Check::hybrid("support.case-facts")
    .title("The facts that a support case needs are at hand")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Info)
    .reads(&[
        &SERVER_INFO,
        &SERVER_HEALTH,
        &SERVER_HOSTS,
        &SOLUTIONS,
        &MACHINE,
        &DATABASE,
        &SYSTEMS,
        &HARDWARE,
        &COMPONENTS,
        &VERSIONS,
    ])
    .guide(GUIDE)
    .what("Looks whether the facts that Support asks for first can be read (versions of the Tanium Server and of solutions, servers, disks, CPUs and memory) or were answered (database, operating systems, hardware, versions of the other servers). Answers from before the Tanium Server changed its version are found as well.")
    .why("In trouble every question that comes back costs hours.")
    .limits("What was answered is not verified.")
    .related(&["support.bundle-set-complete", "support.portal-access"])
    .remedy(&FACTS_REMEDY)
    .judge(case_facts);

const FACTS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the server administrator", "find out {subject}"),
    Step::command("tancheck answer {input} 'TEXT'", "writes the fact down"),
    Step::consult(PORTAL, "when you open a case, attach the versions of all components, hardware and operating systems, the database's version, and the support bundles"),
])
.who("anyone with access to the support portal");

fn case_facts(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let version = version(facts);
    if let Ok(version) = &version {
        report.measure(&format!("{SERIES}{version}"), 1.0, "seen");
    }
    let changed = match &version {
        Ok(version) => changed(facts, version)?,
        Err(_) => Changed::Never,
    };
    for (name, input) in TOLD {
        let says = match (facts.answer(input), &changed) {
            (Err(_), _) => "is not written down".to_owned(),
            (Ok(answer), Changed::Since(time)) if answer.at < *time => {
                format!("was written down before the Tanium Server changed its version, at {time}")
            }
            (Ok(_), Changed::JustNow) => {
                "was written down before the Tanium Server changed its version".to_owned()
            }
            (Ok(_), _) => continue,
        };
        report.finding(
            Finding::on(Subject::new("fact", input.id(), name))
                .says(says)
                .expected("an answer for the deployment as it is")
                .fill("input", input.id())
                .evidence(facts.seen(input, ())),
        );
    }
    version?;
    readable(facts)
}

/// The facts that routes tell.
fn readable(facts: &Facts<'_>) -> Result<(), Undecided> {
    let hosts: ServerHosts = facts.object(&SERVER_HOSTS)?;
    let health: ServerHealth = facts.object(&SERVER_HEALTH)?;
    let solutions: Vec<ImportedSolution> = facts.rows(&SOLUTIONS)?;
    let machine = facts.samples(&MACHINE)?;
    let mut unknown = Vec::new();
    if hosts.servers.is_empty() {
        unknown.push("server_host names no Tanium Server".to_owned());
    }
    let without_disk = health.all().filter(|(_, server)| server.capacity.is_none());
    unknown.extend(
        without_disk.map(|(role, server)| format!("the {role} {} does not tell its disk", server.name)),
    );
    if solutions.is_empty() {
        unknown.push("no solution is listed".to_owned());
    }
    for family in ["tanium_system_cpu_count", "tanium_system_memory_used_bytes"] {
        if !machine.iter().any(|sample| sample.name == family) {
            unknown.push(format!("the metrics have no {family}"));
        }
    }
    settle(&unknown)
}

/// The version of the Tanium Server.
fn version(facts: &Facts<'_>) -> Result<String, Undecided> {
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let version =
        info.section("Settings").find(|(key, _)| *key == "Version").and_then(|(_, value)| value.as_str());
    version.map(str::to_owned).ok_or_else(|| {
        Undecided::not_evaluated("the server's diagnostics tell no version (section Settings, key Version)")
    })
}

enum Changed {
    Never,
    Since(Timestamp),
    /// This run is the first one with the version.
    JustNow,
}

/// When the Tanium Server got its version, as far as earlier runs saw.
fn changed(facts: &Facts<'_>, version: &str) -> Result<Changed, Undecided> {
    let points: &[Point] = facts.points(&VERSIONS)?;
    let series = format!("{SERIES}{version}");
    let first = |is_it: bool| {
        points.iter().filter(|point| (point.series == series) == is_it).map(|point| point.at).min()
    };
    Ok(match (first(true), first(false)) {
        (_, None) => Changed::Never,
        (None, Some(_)) => Changed::JustNow,
        (Some(this), Some(other)) if other < this => Changed::Since(this),
        (Some(_), Some(_)) => Changed::Never,
    })
}

/// How long a named person is good for.
const PORTAL_DUE_EVERY_DAYS: Setting = Setting::integer("portal_due_every_days", 365, 1, 1095)
    .unit("days")
    .about("how often somebody confirms who can sign in to the support portal");

/// Someone can open a case.
pub(crate) const PORTAL_ACCESS: Check = Check::attested("support.portal-access")
    .title("Someone can sign in to the support portal")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .due_every(&PORTAL_DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Asks once a year who can sign in to the support portal.")
    .why("An account that was made in trouble comes too late.")
    .related(&["support.case-facts"])
    .remedy(&PORTAL_REMEDY);

const PORTAL_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the account at Tanium", "name at least one person, better two"),
    Step::consult(PORTAL, "let each of them sign in once"),
    Step::command("tancheck attest support.portal-access --result done --note 'who'", "records it"),
])
.who("the owner of the customer's account at Tanium");

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::{Body, Sample};
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(versions: &[(&str, &str)]) -> Case {
        let point = |(version, at): &(&str, &str)| Point {
            series: format!("{SERIES}{version}"),
            at: at.parse().unwrap(),
            value: 1.0,
        };
        let sample = |name: &str| Sample { name: name.to_owned(), labels: Default::default(), value: 8.0 };
        let case = Case::of(&FACTS)
            .object(&SERVER_INFO, json!({"Diagnostics": {"Settings": {"Version": "7.6.1.1"}}}))
            .object(&SERVER_HOSTS, json!({"servers": [{"id": 1, "name": "ts1"}]}))
            .object(&SERVER_HEALTH, json!({"servers": {"tanium_servers": [{"name": "ts1", "capacity": 5}]}}))
            .rows(&SOLUTIONS, json!([{"solution_id": "99-200-0008", "imported_version": "4.1.0.1"}]))
            .body(
                &MACHINE,
                Body::Samples(vec![
                    sample("tanium_system_cpu_count"),
                    sample("tanium_system_memory_used_bytes"),
                ]),
            )
            .body(&VERSIONS, Body::Points(versions.iter().map(point).collect()));
        TOLD.iter().fold(case, |case, (_, input)| case.answer(input, "as it is"))
    }

    #[test]
    fn facts_that_are_all_at_hand_pass() {
        case(&[]).judge().assert_pass();
        case(&[("7.6.1.1", "2026-01-01T00:00:00Z")]).judge().assert_pass();
        case(&[]).assert_needs_its_inputs();
        assert_eq!(case(&[]).judge().measures()[0].series, "support.version.7.6.1.1");
    }

    #[test]
    fn a_fact_that_nobody_wrote_down_is_found() {
        let case = case(&[]).unavailable(&HARDWARE, Outcome::NotEvaluated);
        case.judge().assert_findings(&["support.hardware"]);
    }

    #[test]
    fn facts_from_before_a_new_version_are_found() {
        let all = [
            "support.database-version",
            "support.operating-systems",
            "support.hardware",
            "support.component-versions",
        ];
        let old = ("7.5.6.1", "2026-01-01T00:00:00Z");
        case(&[old]).judge().assert_findings(&all);
        case(&[old, ("7.6.1.1", "2026-06-01T00:00:00Z")]).judge().assert_pass();
        case(&[old, ("7.6.1.1", "2026-07-01T00:00:00Z")]).judge().assert_findings(&all);
    }

    #[test]
    fn what_the_routes_do_not_tell_is_not_at_hand() {
        let odd = case(&[]).object(&SERVER_HEALTH, json!({"servers": {"zone_servers": [{"name": "zs1"}]}}));
        odd.judge().assert_undecided(Outcome::NotEvaluated);
        case(&[]).rows(&SOLUTIONS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        let refused = case(&[]).unavailable(&SOLUTIONS, Outcome::NoPermission);
        refused.judge().assert_undecided(Outcome::NoPermission);
    }
}
