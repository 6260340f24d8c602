//! Tanium dependencies: which versions Direct Connect asks for. The minimums are data; a site can set newer ones.

use crate::WHO;
use crate::chapters::{DEPENDENCIES, INSTALLING, VERIFY};
use crate::inputs::answers::INFO_VERSION;
use crate::inputs::endpoints::CLIENT_VERSIONS;
use crate::inputs::pages::{SERVERS, Server};
use crate::inputs::platform::{MODULE, imported};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{complete, unusable};
use tancheck_plugin_api::records::server::{SERVER_INFO, SOLUTIONS, ServerInfo};
use tancheck_plugin_api::requirement::{Requirement, Verdict};

/// The version of Direct Connect that the guide is about.
const GUIDE_VERSION: &str = "1.5.12";

pub(crate) const CORE_PLATFORM: Requirement =
    Requirement::lines("core-platform", &["7.2.314.2831", "7.3.314.3668", "7.4.1.1939"]);
const AUTO_CONFIG: Requirement = Requirement::at_least("auto-config", &["7.4.2"]);
pub(crate) const CLIENT: Requirement = Requirement::lines("client", &["7.2.314.3211", "7.4.1.1955"]);
const TANOS: Requirement = Requirement::at_least("tanos", &["1.5.2"]);
const TANOS_MENU: Requirement = Requirement::at_least("tanos-operations-menu", &["1.5.5"]);

pub(crate) const REQUIREMENTS: Setting = Setting::table("requirements").about(
    "minimum versions that count instead of the guide's: subject = [minimum of each line]; a key \
     subject@version counts from this version of Direct Connect on. Subjects: core-platform, auto-config, \
     client, tanos, tanos-operations-menu, protect, integrity-monitor, map, threat-response, trace",
);

const MOST_OLD_CLIENTS_PERCENT: Setting = Setting::integer("old_clients_percent", 25, 1, 100)
    .unit("percent")
    .about("from which share on clients that are too old are a high finding instead of a medium one");

/// The module takes the version that was imported.
pub(crate) const VERSION_MODULE: Check = Check::automated("direct-connect.version-module")
    .title("Direct Connect runs in the version that was imported")
    .cadence(&[Cadence::Monthly, Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&SOLUTIONS, &INFO_VERSION])
    .settings(&[&REQUIREMENTS])
    .guide(VERIFY)
    .what("Compares the version in the list of solutions with the one that the Info icon of the module shows. It remarks where that version is another line than the one of the guide from which the minimums of this plugin are taken.")
    .why("After an import that did not take, the module is not the one whose release notes were read.")
    .limits("The version that the module shows is what a person read off.")
    .related(&["solutions.versions-disagree", "direct-connect.installed"])
    .remedy(&MODULE_REMEDY)
    .judge(version_module);

const MODULE_REMEDY: Remedy = Remedy::new(&[
    Step::console(crate::inputs::HOME, "refresh the browser, open the page again and select the Info icon"),
    Step::decision(
        "it still shows another version than {imported}",
        "read the release notes, and import Direct Connect again on the Solutions page",
    ),
    Step::command("tancheck answer direct-connect.info-version VERSION", "records what Info shows now"),
])
.cautions(&["An import restarts the service: sessions that are open end."])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&[
    "Direct Connect User Guide: Upgrade Direct Connect",
    "Console User Guide: Manage Tanium modules",
]);

fn version_module(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let imported = imported(facts, MODULE)?
        .ok_or_else(|| facts.absent(&SOLUTIONS, "Direct Connect is not in the list of solutions"))?;
    remark_line(facts, &imported, report);
    let shown = facts.answer(&INFO_VERSION)?.value.as_str().unwrap_or_default();
    if ProductVersion::new(shown) != imported {
        report.finding(
            Finding::on(Subject::new("module", "direct-connect", MODULE))
                .says(format!("shows version {shown}, the server imported {imported}"))
                .expected("one version")
                .fill("imported", &imported)
                .evidence(facts.seen(&SOLUTIONS, &imported))
                .evidence(facts.seen(&INFO_VERSION, shown)),
        );
    }
    Ok(())
}

/// The minimums are those of one line of the module; of another line they may say too much or too little.
fn remark_line(facts: &Facts<'_>, module: &ProductVersion, report: &mut Report) {
    const LINE: Requirement = Requirement::lines("module", &["1.5.0"]);
    let doubt = match LINE.judge(module) {
        Verdict::NewerLine { .. } => "may ask for more; set `requirements` from its guide",
        Verdict::LineTooOld { .. } => "may ask for less",
        _ => return,
    };
    if facts.table(&REQUIREMENTS).is_empty() {
        report.note(format!(
            "the minimum versions are those of Direct Connect {GUIDE_VERSION}; {module} {doubt}"
        ));
    }
}

/// The servers are new enough.
pub(crate) const VERSION_CORE_PLATFORM: Check = Check::automated("direct-connect.version-core-platform")
    .title("Every server has a version that Direct Connect supports")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Critical)
    .reads(&[&SERVER_INFO, &SERVERS, &SOLUTIONS])
    .settings(&[&REQUIREMENTS])
    .guide(DEPENDENCIES)
    .what("Compares the version of the Tanium Server with the minimum of its own line, and those of the other servers as `direct-connect-servers.csv` lists them. A line that is newer than all that the guide lists passes, with a remark.")
    .why("With an unsupported server no direct connection can be counted on.")
    .limits("Only the Tanium Server that answers tells its version; the others are what an administrator wrote down.")
    .related(&["support.case-data", "direct-connect.version-client"])
    .remedy(&PLATFORM_REMEDY)
    .judge(version_core_platform);

const PLATFORM_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the owners of the servers",
        "write down the version of each Tanium Server, Module Server and Zone Server",
    ),
    Step::consult("Tanium Support", "the way from {version} to the newest line that is supported"),
    Step::decision(
        "servers and database have a fresh backup",
        "upgrade the servers, then the module, then the clients",
    ),
])
.cautions(&[
    "A newer Tanium Server alone leaves Module Server and Zone Servers behind: all of them count.",
    "Back up servers and database before.",
])
.who("the owners of the Tanium servers")
.risk(Risk::High, Reversible::Partly)
.references(&["Direct Connect User Guide: Tanium dependencies"]);

pub(crate) fn version_core_platform(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let module = imported(facts, MODULE)?;
    let minimums = CORE_PLATFORM.in_force(facts, &REQUIREMENTS, module.as_ref())?;
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let told =
        info.section("Settings").find(|(key, _)| *key == "Version").and_then(|(_, value)| value.as_str());
    let told = told.ok_or_else(|| {
        Undecided::not_evaluated("the server's diagnostics tell no version (section Settings, key Version)")
    })?;
    let mut undecided = Vec::new();
    let mut look =
        |server: &str, role: &str, version: &ProductVersion, input: &'static Input, report: &mut Report| {
            let verdict = minimums.judge(version);
            let says = format!("has version {version}, which {}", verdict.says());
            match &verdict {
                Verdict::Meets => {}
                Verdict::NewerLine { .. } => report.note(format!("{role} {server} {says}")),
                verdict if verdict.is_unknown() => undecided.push(format!("{role} {server} {says}")),
                verdict => report.finding(
                    Finding::on(Subject::new("server", server.to_lowercase(), server))
                        .says(says)
                        .expected(minimums.describe())
                        .severity(match verdict {
                            Verdict::LineTooOld { .. } => Severity::Critical,
                            Verdict::UnlistedLine { .. } => Severity::Medium,
                            _ => Severity::High,
                        })
                        .fill("version", version)
                        .evidence(facts.seen(input, version)),
                ),
            }
        };
    look("that answers", "the Tanium Server", &ProductVersion::new(told), &SERVER_INFO, report);
    let servers: Vec<Server> = facts.rows(&SERVERS)?;
    for server in &servers {
        look(&server.name, &server.role, &server.version, &SERVERS, report);
    }
    settle(&undecided)
}

/// Whether the module can be set up by itself.
pub(crate) const VERSION_AUTO_CONFIG: Check = Check::automated("direct-connect.version-auto-config")
    .title("The platform can set up Direct Connect by itself")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Info)
    .reads(&[&SOLUTIONS, &SERVER_INFO])
    .settings(&[&REQUIREMENTS])
    .guide(INSTALLING)
    .even_if_absent()
    .applies("Direct Connect not imported yet")
    .what("While Direct Connect is not imported: looks whether the server is 7.4.2 or later, from which on an import can configure the module.")
    .why("Below that version the three steps of the configuration are left to do by hand, and the action group begins with No Computers.")
    .related(&["direct-connect.installed", "direct-connect.setup-complete"])
    .remedy(&AUTO_REMEDY)
    .judge(version_auto_config);

const AUTO_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Main menu > Tanium Solutions",
        "import Direct Connect with Apply Tanium recommended configurations cleared",
    ),
    Step::console(crate::inputs::HOME, "section Configuration: do the three steps"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: Import and configure Direct Connect with custom settings"])
.verify("direct-connect.setup-complete");

fn version_auto_config(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if imported(facts, MODULE)?.is_some() {
        return Err(Undecided::not_applicable("Direct Connect is imported already"));
    }
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let told =
        info.section("Settings").find(|(key, _)| *key == "Version").and_then(|(_, value)| value.as_str());
    let version = ProductVersion::new(told.unwrap_or_default());
    let verdict = AUTO_CONFIG.in_force(facts, &REQUIREMENTS, None)?.judge(&version);
    match verdict {
        Verdict::Meets => Ok(()),
        verdict if verdict.is_unknown() => {
            Err(Undecided::not_evaluated(format!("the version of the server, {version}, {}", verdict.says())))
        }
        verdict => {
            report.finding(
                Finding::on(Subject::new("server", "tanium-server", "the Tanium Server"))
                    .says(format!(
                        "has version {version}, which {}: only the custom way is there",
                        verdict.says()
                    ))
                    .expected("7.4.2 or later")
                    .evidence(facts.seen(&SERVER_INFO, &version)),
            );
            Ok(())
        }
    }
}

/// Clients are new enough.
pub(crate) const VERSION_CLIENT: Check = Check::automated("direct-connect.version-client")
    .title("Clients have a version that Direct Connect supports")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&CLIENT_VERSIONS, &SOLUTIONS])
    .settings(&[&REQUIREMENTS, &MOST_OLD_CLIENTS_PERCENT])
    .guide(DEPENDENCIES)
    .what("Compares the client versions that endpoints answer with the minimum of their own line. Below it, medium, and high from `old_clients_percent` of the endpoints on; a line between two listed ones is low.")
    .why("A client that is too old cannot be connected to.")
    .limits("Endpoints that are offline do not answer.")
    .related(&["client-management.client-versions", "direct-connect.version-core-platform"])
    .remedy(&CLIENT_REMEDY)
    .judge(version_client);

const CLIENT_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Operating System from all machines with Tanium Client Version equals {version}",
        "see which endpoints these are",
    ),
    Step::console("Administration > Shared Services > Client Management", "upgrade the clients of {subject}"),
    Step::decision(
        "they cannot be upgraded now",
        "leave them out of the action group of Direct Connect, or accept that connections to them fail",
    ),
])
.who("whoever may upgrade clients")
.risk(Risk::Medium, Reversible::No)
.references(&["Direct Connect User Guide: Tanium dependencies"]);

fn version_client(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let minimums = CLIENT.in_force(facts, &REQUIREMENTS, imported(facts, MODULE)?.as_ref())?;
    let tally = facts.tally(&CLIENT_VERSIONS)?;
    let total = tally.valued();
    let most = facts.integer(&MOST_OLD_CLIENTS_PERCENT)?.unsigned_abs();
    let judged: Vec<_> = tally
        .rows
        .iter()
        .map(|row| {
            let version = ProductVersion::new(row.cells.first().map_or("", String::as_str));
            (row, minimums.judge(&version), version)
        })
        .collect();
    let is_old =
        |verdict: &Verdict| matches!(verdict, Verdict::BelowLineMinimum { .. } | Verdict::LineTooOld { .. });
    let old: u64 = judged.iter().filter(|(_, verdict, _)| is_old(verdict)).map(|(row, ..)| row.count).sum();
    let many = old * 100 >= total * most;
    let mut undecided = Vec::new();
    for (row, verdict, version) in &judged {
        if verdict.is_unknown() {
            undecided.push(format!(
                "{} endpoints have the version {version}, which {}",
                row.count,
                verdict.says()
            ));
        }
        if verdict.is_met() || verdict.is_unknown() {
            continue;
        }
        let severity = match (is_old(verdict), many) {
            (true, true) => Severity::High,
            (true, false) => Severity::Medium,
            (false, _) => Severity::Low,
        };
        report.finding(
            Finding::on(Subject::new("client version", version, format!("clients of {version}")))
                .says(format!("their version {}", verdict.says()))
                .expected(minimums.describe())
                .severity(severity)
                .affected(row.count, Some(total))
                .sample(&row.sample)
                .fill("version", version)
                .evidence(facts.seen(&CLIENT_VERSIONS, &row.cells)),
        );
    }
    settle(&undecided)?;
    complete("Tanium Client Version", total + unusable(tally), unusable(tally))
}

/// Appliances can carry the zone proxy.
pub(crate) const VERSION_TANOS: Check = Check::automated("direct-connect.version-tanos")
    .title("TanOS of the Zone Servers can carry the zone proxy")
    .cadence(&[Cadence::Setup, Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&SERVERS, &SOLUTIONS])
    .settings(&[&REQUIREMENTS])
    .guide(DEPENDENCIES)
    .applies("Zone Servers that are Appliances")
    .what("Compares the TanOS of the Zone Servers that `direct-connect-servers.csv` lists with 1.5.2. It remarks by which way the zone proxy is installed there: by the Tanium Operations menu from 1.5.5 on, else, and with the role All-in-One, in the TanOS shell.")
    .why("On an older TanOS the zone proxy cannot be installed, and endpoints behind it cannot be reached.")
    .related(&["direct-connect.zone-proxy-required"])
    .remedy(&TANOS_REMEDY)
    .judge(version_tanos);

const TANOS_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the owner of the Appliance {subject}",
        "upgrade TanOS to 1.5.2 or later, better 1.5.5 or later",
    ),
    Step::command("tancheck guide direct-connect", "how the zone proxy is installed afterwards"),
])
.who("the TanOS administrators")
.risk(Risk::High, Reversible::No)
.references(&["Appliance Deployment Guide: Install the Direct Connect Zone Proxy"])
.verify("direct-connect.zone-proxy-status");

fn version_tanos(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let module = imported(facts, MODULE)?;
    let minimums = TANOS.in_force(facts, &REQUIREMENTS, module.as_ref())?;
    let menu = TANOS_MENU.in_force(facts, &REQUIREMENTS, module.as_ref())?;
    let servers: Vec<Server> = facts.rows(&SERVERS)?;
    let carries = |server: &&Server| {
        let role = server.role.trim().to_lowercase();
        (role.contains("zone") || role.contains("all-in-one")) && !server.tanos.as_str().is_empty()
    };
    let appliances: Vec<&Server> = servers.iter().filter(carries).collect();
    if appliances.is_empty() {
        return Err(facts.absent(&SERVERS, "no Zone Server is an Appliance"));
    }
    let mut undecided = Vec::new();
    for server in appliances {
        let verdict = minimums.judge(&server.tanos);
        let says = format!("has TanOS {}, which {}", server.tanos, verdict.says());
        if verdict.is_unknown() {
            undecided.push(format!("{} {says}", server.name));
        } else if verdict.is_met() {
            let by_menu =
                menu.judge(&server.tanos).is_met() && !server.role.to_lowercase().contains("all-in-one");
            let way = if by_menu { "the Tanium Operations menu" } else { "the TanOS shell only" };
            report.note(format!("on {} the zone proxy is installed by {way}", server.name));
        } else {
            report.finding(
                Finding::on(Subject::new("server", server.name.to_lowercase(), &server.name))
                    .says(says)
                    .expected(minimums.describe())
                    .evidence(facts.seen(&SERVERS, &server.tanos)),
            );
        }
    }
    settle(&undecided)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn solutions(version: &str) -> Value {
        json!([{"name": "Tanium Direct Connect", "imported_version": version}])
    }

    #[test]
    fn the_module_shows_what_was_imported() {
        let case = |imported: &str, shown: &str| {
            Case::of(&VERSION_MODULE).rows(&SOLUTIONS, solutions(imported)).answer(&INFO_VERSION, shown)
        };
        case("1.5.12.0007", "1.5.12.7").judge().assert_pass();
        case("1.5.12.0007", "1.5.11.2").judge().assert_findings(&["direct-connect"]);
        case("1.5.12", "1.5.12").assert_needs_its_inputs();
        let notes = |imported: &str| case(imported, imported).judge().notes().join(" ");
        assert!(
            notes("2.1.0.0100").contains("may ask for more") && notes("1.4.1").contains("may ask for less")
        );
        assert_eq!(notes("1.5.3"), "");
        let own = json!({"client": "7.6.2.0"});
        assert!(case("2.1.0", "2.1.0").setting("requirements", own).judge().notes().is_empty());
    }

    fn platform(version: &str, servers: Value) -> Case {
        Case::of(&VERSION_CORE_PLATFORM)
            .rows(&SOLUTIONS, solutions("1.5.12"))
            .object(&SERVER_INFO, json!({"Diagnostics": {"Settings": {"Version": version}}}))
            .rows(&SERVERS, servers)
    }

    fn server(role: &str, version: &str, tanos: &str) -> Value {
        json!({"Server": "zs1", "Role": role, "Version": version, "TanOS": tanos})
    }

    #[test]
    fn every_server_counts() {
        let good = json!([server("Module Server", "7.4.1.1939", "")]);
        platform("7.4.2.2033", good.clone()).judge().assert_pass();
        platform("7.4.2.2033", good.clone()).assert_needs_its_inputs();
        let newer = platform("7.6.1.6246", good.clone()).judge();
        newer.assert_pass();
        assert!(newer.notes()[0].contains("later line than 7.4"), "{:?}", newer.notes());
        platform("7.4.1", good.clone()).judge().assert_undecided(Outcome::NotEvaluated);
        let old = platform("7.3.314.3667", good.clone()).judge();
        old.assert_findings(&["that answers"]);
        assert_eq!(old.findings()[0].severity, Some(Severity::High));
        let oldest = platform("7.4.2.2033", json!([server("Zone Server", "7.1.314.3071", "")])).judge();
        oldest.assert_findings(&["zs1"]);
        assert_eq!(oldest.findings()[0].severity, Some(Severity::Critical));
        let floor = json!({"core-platform@1.5": ["7.5.2.3531"]});
        platform("7.4.2.2033", json!([]))
            .setting("requirements", floor)
            .judge()
            .assert_findings(&["that answers"]);
    }

    #[test]
    fn before_the_import_the_version_tells_the_way() {
        let case = |solutions: Value, version: &str| {
            Case::of(&VERSION_AUTO_CONFIG)
                .rows(&SOLUTIONS, solutions)
                .object(&SERVER_INFO, json!({"Diagnostics": {"Settings": {"Version": version}}}))
        };
        case(json!([]), "7.4.2.0").judge().assert_pass();
        case(json!([]), "7.4.2.0").assert_needs_its_inputs();
        case(json!([]), "7.4.1.1939").judge().assert_findings(&["tanium-server"]);
        case(json!([]), "").judge().assert_undecided(Outcome::NotEvaluated);
        case(solutions("1.5"), "7.4.1.1939").judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn clients_are_judged_by_their_own_line() {
        let case = |counts: &[(&str, u64)]| {
            Case::of(&VERSION_CLIENT).rows(&SOLUTIONS, solutions("1.5.12")).tally(
                &CLIENT_VERSIONS,
                "Tanium Client Version",
                counts,
            )
        };
        case(&[("7.4.1.1955", 5), ("7.6.2.0", 5)]).judge().assert_pass();
        case(&[("7.4.1.1955", 5)]).assert_needs_its_inputs();
        let severity = |counts: &[(&str, u64)]| {
            let verdict = case(counts).judge();
            verdict.assert_findings(&[counts[1].0]);
            verdict.findings()[0].severity
        };
        assert_eq!(severity(&[("7.4.2.2033", 75), ("7.4.1.1954", 25)]), Some(Severity::High));
        assert_eq!(severity(&[("7.4.2.2033", 76), ("7.4.1.1954", 24)]), Some(Severity::Medium));
        assert_eq!(severity(&[("7.4.2.2033", 1), ("7.3.0.1", 99)]), Some(Severity::Low));
        case(&[("7.4.2.2033", 9), ("odd", 1)]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn tanos_counts_where_it_carries_a_zone_proxy() {
        let case = |server: Value| {
            Case::of(&VERSION_TANOS).rows(&SOLUTIONS, solutions("1.5.12")).rows(&SERVERS, json!([server]))
        };
        case(server("Zone Server", "7.4.2", "1.5.2")).judge().assert_pass();
        case(server("Zone Server", "7.4.2", "1.5.2")).assert_needs_its_inputs();
        case(server("Zone Server", "7.4.2", "1.5.1")).judge().assert_findings(&["zs1"]);
        case(server("Zone Server", "7.4.2", "x")).judge().assert_undecided(Outcome::NotEvaluated);
        case(server("Zone Server", "7.4.2", "")).judge().assert_undecided(Outcome::NotApplicable);
        case(server("Module Server", "7.4.2", "1.5.1")).judge().assert_undecided(Outcome::NotApplicable);
        let way = |role: &str, tanos: &str| case(server(role, "7.4.2", tanos)).judge().notes()[0].clone();
        assert!(
            way("Zone Server", "1.10.0").contains("menu") && way("Zone Server", "1.5.4").contains("shell")
        );
        assert!(way("All-in-One", "1.10.0").contains("shell"));
    }
}
