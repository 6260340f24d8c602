//! The module itself: whether it is there, whether its service answers, and which endpoints it can reach at all.

use crate::chapters::{INSTALLING, MODULE_SERVER, OPERATING_SYSTEMS as SUPPORTED};
use crate::inputs::HOME;
use crate::inputs::endpoints::{Families, Family, OPERATING_SYSTEMS};
use crate::inputs::platform::{MODULE, SERVICE, imported};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{complete, unusable};
use tancheck_plugin_api::records::server::SOLUTIONS;
use tancheck_plugin_api::serde_json::Value;

/// The products that open sessions by Direct Connect.
pub(crate) const CONSUMERS: [&str; 5] =
    ["Client Management", "Performance", "Protect", "Reveal", "Threat Response"];

/// The consumers that are imported.
pub(crate) fn consumers(facts: &Facts<'_>) -> Result<Vec<&'static str>, Undecided> {
    let mut found = Vec::new();
    for name in CONSUMERS {
        if imported(facts, name)?.is_some() {
            found.push(name);
        }
    }
    Ok(found)
}

/// Whoever needs Direct Connect has it.
pub(crate) const INSTALLED: Check = Check::automated("direct-connect.installed")
    .title("Direct Connect is imported where a product needs it")
    .cadence(&[Cadence::Setup, Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&SOLUTIONS])
    .guide(INSTALLING)
    .even_if_absent()
    .what("Looks in the list of solutions for Direct Connect and for the products that open sessions by it: Client Management, Performance, Protect, Reveal and Threat Response.")
    .why("Without Direct Connect these products cannot look at a single endpoint.")
    .related(&["direct-connect.version-module", "direct-connect.setup-complete"])
    .remedy(&INSTALL_REMEDY)
    .judge(installed);

const INSTALL_REMEDY: Remedy = Remedy::new(&[
    Step::consult("Direct Connect User Guide: Direct Connect requirements", "compare versions, ports and security exclusions first"),
    Step::console("Main menu > Tanium Solutions", "import Direct Connect; with Apply Tanium recommended configurations it sets itself up, without it the three steps of its section Configuration are left to do"),
    Step::console(HOME, "refresh the browser, select the Info icon and compare the version"),
])
.cautions(&["The recommended configuration deploys tools to All Computers."])
.who("a Console user who may import solutions")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: Installing Direct Connect"]);

pub(crate) fn installed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if let Some(version) = imported(facts, MODULE)? {
        report.note(format!("version {version}"));
        return Ok(());
    }
    let consumers = consumers(facts)?;
    if consumers.is_empty() {
        return Err(facts.absent(&SOLUTIONS, "neither Direct Connect nor a product that uses it is imported"));
    }
    report.finding(
        Finding::on(Subject::new("module", "direct-connect", MODULE))
            .says(format!("is not imported, and {} need it", consumers.join(", ")))
            .expected("an imported Direct Connect")
            .affected(consumers.len() as u64, Some(CONSUMERS.len() as u64))
            .sample(consumers.iter().copied())
            .evidence(facts.seen(&SOLUTIONS, &consumers)),
    );
    Ok(())
}

/// The host that the service is asked for.
pub(crate) const PROBE_HOST: Setting = Setting::text("service_probe_host", Some("localhost"))
    .about("the host name that the service is asked for; it need not exist, only the answer counts");

/// The service answers.
pub(crate) const SERVICE_RUNNING: Check = Check::automated("direct-connect.service-running")
    .title("The service of Direct Connect answers")
    .cadence(&[Cadence::Weekly, Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&SERVICE])
    .settings(&[&PROBE_HOST])
    .guide(MODULE_SERVER)
    .what("Asks the service of Direct Connect on the Module Server for an endpoint. Any answer shows that it runs; HTTP 502, 503 or 504 shows that the Tanium Server does not reach it.")
    .why("While the service is down, nobody can connect to any endpoint.")
    .limits("The route is that of public client software; the vendor does not describe it.")
    .related(&["direct-connect.connections", "health-check.module-load-attempt"])
    .remedy(&SERVICE_REMEDY)
    .judge(service_running);

const SERVICE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the Module Server", "see whether the service of Direct Connect is started, and whether processor, memory and disk are well"),
    Step::console(HOME, "Help > Troubleshooting > Generate Support Package, before anything is restarted"),
    Step::decision("it does not answer, and a quiet moment is found", "restart the service"),
    Step::support("with the package, if it does not stay up"),
])
.cautions(&["A restart ends the open sessions of every product that uses Direct Connect."])
.who("an administrator of the Module Server")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Troubleshooting Direct Connect"]);

pub(crate) fn service_running(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let trouble = match facts.rows::<Value>(&SERVICE) {
        Ok(_) => return Ok(()),
        Err(trouble) => trouble,
    };
    let Some(status) = ["502", "503", "504"].into_iter().find(|status| trouble.has_status(status)) else {
        return Err(trouble);
    };
    report.finding(
        Finding::on(Subject::new("service", "direct-connect", "the service of Direct Connect"))
            .says(format!("does not answer: HTTP {status}"))
            .expected("an answer")
            .evidence(facts.seen(&SERVICE, trouble.reason)),
    );
    Ok(())
}

/// The operating systems can be connected to.
pub(crate) const OS_SUPPORTED: Check = Check::automated("direct-connect.os-supported")
    .title("Endpoints have operating systems that Direct Connect supports")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&OPERATING_SYSTEMS])
    .guide(SUPPORTED)
    .what("Counts endpoints by the family of their operating system: Windows, Linux and macOS are supported. Which releases are is in the Tanium Client guide and not judged.")
    .why("Endpoints of another system can never be connected to, and spoil every count of coverage.")
    .limits("The family is told from the system's name; a name that tells none leaves the check undecided.")
    .related(&["direct-connect.tools-installed"])
    .remedy(&OS_REMEDY)
    .judge(os_supported);

const OS_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name from all machines with Operating System equals {system}",
        "see which endpoints these are",
    ),
    Step::console(
        "Administration > Permissions > Computer Groups",
        "make a group of the supported systems, and let the action group of Direct Connect hold it instead",
    ),
    Step::consult("the users of the products that connect", "these endpoints cannot be connected to"),
])
.who("whoever owns the computer groups")
.risk(Risk::Low, Reversible::Yes)
.references(&["Tanium Client User Guide: Host system requirements"]);

fn os_supported(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tally = facts.tally(&OPERATING_SYSTEMS)?;
    let total = tally.valued();
    for row in &tally.rows {
        let name = row.cells.first().map_or("", String::as_str);
        if Family::of(name) == Some(Family::Other) {
            report.finding(
                Finding::on(Subject::new("operating system", name.to_lowercase(), name))
                    .says(format!("is not supported by Direct Connect, and {} endpoints have it", row.count))
                    .expected("Windows, Linux or macOS")
                    .affected(row.count, Some(total))
                    .sample(&row.sample)
                    .fill("system", name)
                    .evidence(facts.seen(&OPERATING_SYSTEMS, &row.cells)),
            );
        }
    }
    let families = Families::of(tally);
    let odd = families.unknown.iter();
    let odd = odd.map(|(name, count)| format!("{name:?} on {count} endpoints tells no family of systems"));
    settle(&odd.collect::<Vec<_>>())?;
    complete("Operating System", total + unusable(tally), unusable(tally))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::{Body, Unavailable};
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn consumers_need_the_module() {
        let case = |names: &[&str]| {
            let rows: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
            Case::of(&INSTALLED).rows(&SOLUTIONS, rows.into())
        };
        case(&["Tanium Direct Connect", "Tanium Reveal"]).judge().assert_pass();
        case(&["Tanium Direct Connect"]).assert_needs_its_inputs();
        case(&["Tanium Reveal", "Patch"]).judge().assert_findings(&["direct-connect"]);
        case(&["Patch"]).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn an_answer_is_enough_and_a_gateway_error_is_a_finding() {
        let case = Case::of(&SERVICE_RUNNING);
        case.clone().rows(&SERVICE, json!([])).judge().assert_pass();
        case.clone().rows(&SERVICE, json!([])).assert_needs_its_inputs();
        let failed = |reason: &str| {
            let reason =
                format!("GET /plugin/products/dec/v1/endpoints: the module's service failed ({reason})");
            case.clone()
                .body(&SERVICE, Body::Unavailable(Unavailable { outcome: Outcome::Unreachable, reason }))
        };
        failed("HTTP 502: bad gateway").judge().assert_findings(&["direct-connect"]);
        failed("HTTP 503").judge().assert_findings(&["direct-connect"]);
        failed("HTTP 500").judge().assert_undecided(Outcome::Unreachable);
        case.unavailable(&SERVICE, Outcome::NoPermission).judge().assert_undecided(Outcome::NoPermission);
    }

    #[test]
    fn other_systems_are_found() {
        let case = |counts: &[(&str, u64)]| {
            Case::of(&OS_SUPPORTED).tally(&OPERATING_SYSTEMS, "Operating System", counts)
        };
        case(&[("Windows 10", 5), ("macOS 13", 1)]).judge().assert_pass();
        case(&[("Windows 10", 5)]).assert_needs_its_inputs();
        case(&[("Windows 10", 5), ("AIX 7.2", 1)]).judge().assert_findings(&["aix 7.2"]);
        case(&[("Windows 10", 5), ("Haiku", 1)]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
