//! Host and network security requirements: rules of firewalls and exclusions that only their owners can confirm.

use crate::chapters::{EXCLUSIONS, PORTS};
use crate::inputs::endpoints::{Families, Family, OPERATING_SYSTEMS};
use crate::inputs::pages::{EXCLUSION_TARGETS, ExclusionTarget};
use crate::zone_proxies::zone_servers;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{complete, unusable};
use tancheck_plugin_api::records::server::{CLIENT_STATUS, ClientStatus};

const CONFIRMED_DAYS: Setting = Setting::integer("security_due_every_days", 180, 1, 1095)
    .unit("days")
    .about("how long a confirmed firewall rule or security exclusion is good for");

/// The rules of firewalls: source, destination, port, and what for.
const RULES: [(&str, &str, &str, &str, &str); 4] = [
    ("17475", "internal clients", "the Module Server", "17475", "connections of internal endpoints"),
    ("17486", "external clients", "the Zone Servers", "17486", "connections of external endpoints"),
    (
        "17487",
        "the Module Server",
        "the Zone Servers",
        "17487",
        "the Module Server's connections to the zone proxies",
    ),
    (
        "17488",
        "the Module Server",
        "the Zone Servers",
        "17488",
        "setting up the zone proxies; opened by hand on Windows",
    ),
];

/// The network's owners confirmed the rules.
pub(crate) const FIREWALL_REVIEW: Check = Check::attested("direct-connect.port-firewall-review")
    .title("The network's owners confirmed the firewall rules of Direct Connect")
    .cadence(&[Cadence::SemiAnnual])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_STATUS])
    .due_every(&CONFIRMED_DAYS)
    .guide(PORTS)
    .what("Asks for an attestation of each rule that Direct Connect needs: TCP 17475 from internal clients to the Module Server, and, where endpoints register through Zone Servers, 17486 to these and 17487 and 17488 from the Module Server to these.")
    .why("A rule that nobody confirmed is the usual cause of connections that fail from some networks only.")
    .limits("Where the ports were changed, the changed ones count: the text names the defaults.")
    .related(&["direct-connect.port-module-17475", "direct-connect.zone-proxy-windows-firewall"])
    .remedy(&FIREWALL_REMEDY)
    .judge(firewall_review);

const FIREWALL_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owners of the firewalls", "whether {source} may open TCP {port} to {destination}, on every firewall in between and on the host itself"),
    Step::command(
        "tancheck attest direct-connect.port-firewall-review --subject {port} --result done",
        "records who confirmed it",
    ),
    Step::command("tancheck run --check direct-connect.port-module-17475", "afterwards, look whether the port answers"),
])
.who("the owners of the network")
.references(&["Direct Connect User Guide: Ports"]);

fn firewall_review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let status: Vec<ClientStatus> = facts.rows(&CLIENT_STATUS)?;
    let by_zone = zone_servers(&status).is_none_or(|servers| !servers.is_empty());
    for (key, source, destination, port, purpose) in RULES {
        if port != "17475" && !by_zone {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("firewall rule", key, format!("TCP {port} to {destination}")))
                .says(format!("has to be open from {source}: {purpose}"))
                .confirms(format!("{source} > {destination}:{port}"))
                .fill("source", source)
                .fill("destination", destination)
                .fill("port", port)
                .evidence(facts.seen(&CLIENT_STATUS, port)),
        );
    }
    Ok(())
}

const WINDOWS_FILES: [&str; 5] = [
    r"TaniumClientExtensions.dll",
    r"TaniumClientExtensions.dll.sig",
    r"extensions\TaniumDEC.dll",
    r"extensions\TaniumDEC.dll.sig",
    r"TaniumCX.exe",
];
const MACOS_FILES: [&str; 5] = [
    "libTaniumClientExtensions.dylib",
    "libTaniumClientExtensions.dylib.sig",
    "extensions/libTaniumDEC.dylib",
    "extensions/libTaniumDEC.dylib.sig",
    "TaniumCX",
];
const LINUX_FILES: [&str; 5] = [
    "libTaniumClientExtensions.so",
    "libTaniumClientExtensions.so.sig",
    "extensions/libTaniumDEC.so",
    "extensions/libTaniumDEC.so.sig",
    "TaniumCX",
];

const EXCLUSION_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the security administrators", "whether exactly these files of the client are excluded on {subject}: {files}"),
    Step::decision("only one operating system fails", "compare its list with that of one that works"),
    Step::command("tancheck attest {task} --result done", "records who confirmed it"),
    Step::action("Deploy Direct Connect - Tools", "after a change let the action run again, and test one endpoint"),
])
.cautions(&["Exclude these files and not the whole directory, unless the security team decides otherwise. The .sig files belong to them."])
.who("the security administrators")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Security exclusions"]);

macro_rules! exclusions {
    ($($check:ident = $id:literal, $family:ident, $name:literal, $files:ident, $directory:ident = $key:literal;)*) => {
        $(const $directory: Setting = Setting::text($key, Some("<Tanium Client>"))
            .about(concat!("the directory of the Tanium Client on ", $name, ", for the list of files"));

        pub(crate) const $check: Check = Check::attested($id)
            .title(concat!("Security software on ", $name, " leaves the files of Direct Connect alone"))
            .cadence(&[Cadence::SemiAnnual])
            .severity(Severity::High)
            .reads(&[&OPERATING_SYSTEMS])
            .settings(&[&$directory])
            .due_every(&CONFIRMED_DAYS)
            .guide(EXCLUSIONS)
            .applies(concat!("endpoints with ", $name))
            .what(concat!("Asks, while there are endpoints with ", $name, ", for an attestation that the five files of the client extension are excluded from what security software watches and blocks."))
            .why("A library that security software blocks never loads, and nothing says so.")
            .limits("Which security software there is, and what it excludes, is seen by its owners only.")
            .related(&["direct-connect.exclusion-targets-present", "direct-connect.tools-installed"])
            .remedy(&EXCLUSION_REMEDY)
            .judge(|facts, report| exclusions(facts, report, $id, Family::$family, &$files, &$directory));)*
    };
}

exclusions! {
    WINDOWS = "direct-connect.exclusions-windows", Windows, "Windows", WINDOWS_FILES,
        WINDOWS_DIRECTORY = "client_directory_windows";
    MACOS = "direct-connect.exclusions-macos", MacOs, "macOS", MACOS_FILES,
        MACOS_DIRECTORY = "client_directory_macos";
    LINUX = "direct-connect.exclusions-linux", Linux, "Linux", LINUX_FILES,
        LINUX_DIRECTORY = "client_directory_linux";
}

fn exclusions(
    facts: &Facts<'_>,
    report: &mut Report,
    task: &str,
    family: Family,
    files: &[&str],
    directory: &'static Setting,
) -> Result<(), Undecided> {
    let tally = facts.tally(&OPERATING_SYSTEMS)?;
    let families = Families::of(tally);
    let Some(&count) = families.counts.get(&family) else {
        complete("Operating System", tally.valued() + unusable(tally), unusable(tally))?;
        return Err(facts.absent(&OPERATING_SYSTEMS, format!("no endpoint has {}", family.name())));
    };
    let separator = if family == Family::Windows { '\\' } else { '/' };
    let directory = facts.text(directory)?.trim_end_matches(['/', '\\']);
    let paths: Vec<String> = files.iter().map(|file| format!("{directory}{separator}{file}")).collect();
    report.finding(
        Finding::on(Subject::new(
            "operating system",
            family.name().to_lowercase(),
            format!("{} endpoints", family.name()),
        ))
        .says(format!("have to exclude: {}", paths.join(", ")))
        .affected(count, Some(tally.valued()))
        .confirms(paths.join(", "))
        .fill("files", paths.join(", "))
        .fill("task", task)
        .evidence(facts.seen(&OPERATING_SYSTEMS, count)),
    );
    Ok(())
}

/// The files are where they belong.
pub(crate) const TARGETS_PRESENT: Check = Check::automated("direct-connect.exclusion-targets-present")
    .title("The files of the client extension are on sample endpoints")
    .cadence(&[Cadence::Quarterly, Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&EXCLUSION_TARGETS])
    .guide(EXCLUSIONS)
    .what("Looks in `direct-connect-exclusion-targets.csv` for files of the client extension that are missing on an endpoint whose tools are installed.")
    .why("A missing file was taken away: most likely by security software that nobody told about it.")
    .limits("An administrator looks at one endpoint of each operating system.")
    .related(&["direct-connect.exclusions-windows", "direct-connect.tools-installed"])
    .remedy(&TARGETS_REMEDY)
    .judge(targets_present);

const TARGETS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the security administrators", "whether {files} of {subject} are in quarantine, and why"),
    Step::command(
        "tancheck explain direct-connect.exclusions-windows",
        "the files that have to be excluded, by operating system",
    ),
    Step::action("Deploy Direct Connect - Tools", "let the action run again on {subject}"),
])
.who("the security administrators")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Security exclusions"]);

fn targets_present(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<ExclusionTarget> = facts.rows(&EXCLUSION_TARGETS)?;
    if rows.is_empty() {
        return Err(Undecided::not_evaluated(
            "direct-connect-exclusion-targets.csv lists no file: look at one endpoint of each operating system",
        ));
    }
    let computers: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.computer.as_str()).collect();
    let mut undecided = Vec::new();
    for computer in computers {
        let own = || rows.iter().filter(|row| row.computer == computer);
        let missing: Vec<&str> =
            own().filter(|row| row.present == Some(false)).map(|row| row.file.as_str()).collect();
        let untold = own()
            .filter(|row| row.present.is_none())
            .map(|row| format!("whether {} has {} is not told", computer, row.file));
        undecided.extend(untold);
        if !missing.is_empty() {
            report.finding(
                Finding::on(Subject::new("endpoint", computer.to_lowercase(), computer))
                    .says(format!("has no {}", missing.join(", ")))
                    .expected("every file of the client extension")
                    .fill("files", missing.join(", "))
                    .evidence(facts.seen(&EXCLUSION_TARGETS, &missing)),
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

    #[test]
    fn rules_of_zone_servers_count_where_they_are_used() {
        let case = |zone_servers: Value| {
            Case::of(&FIREWALL_REVIEW)
                .rows(&CLIENT_STATUS, json!([{"leader_count": 1, "zone_servers": zone_servers}]))
        };
        case(json!([])).judge().assert_findings(&["17475"]);
        case(json!([{"zone_server_address": "zs1", "count": 0}])).judge().assert_findings(&["17475"]);
        let all = ["17475", "17486", "17487", "17488"];
        case(json!([{"zone_server_address": "zs1", "count": 3}])).judge().assert_findings(&all);
        case(Value::Null).judge().assert_findings(&all);
        case(json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn files_are_asked_for_where_the_system_is() {
        let case = |check: &'static Check, counts: &[(&str, u64)]| {
            Case::of(check).tally(&OPERATING_SYSTEMS, "Operating System", counts)
        };
        let all = [("Windows 10", 3), ("macOS 13", 1), ("Ubuntu 22.04", 2)];
        for (check, key) in [(&WINDOWS, "windows"), (&MACOS, "macos"), (&LINUX, "linux")] {
            case(check, &all).judge().assert_findings(&[key]);
            case(check, &all).assert_needs_its_inputs();
        }
        let own = case(&WINDOWS, &all).setting("client_directory_windows", r"C:\Tanium\").judge();
        assert!(own.findings()[0].says.contains(r"C:\Tanium\extensions\TaniumDEC.dll.sig,"));
        assert_eq!(own.findings()[0].says.matches("Tanium\\").count(), 5);
        case(&LINUX, &all[..2]).judge().assert_undecided(Outcome::NotApplicable);
        case(&LINUX, &[]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_missing_file_is_found() {
        let case = |present: &str| {
            let row =
                |file: &str, present: &str| json!({"Computer Name": "PC1", "File": file, "Present": present});
            Case::of(&TARGETS_PRESENT)
                .rows(&EXCLUSION_TARGETS, json!([row("TaniumCX.exe", "yes"), row("TaniumDEC.dll", present)]))
        };
        case("yes").judge().assert_pass();
        case("yes").assert_needs_its_inputs();
        case("no").judge().assert_findings(&["pc1"]);
        case("").judge().assert_undecided(Outcome::NotEvaluated);
    }
}
