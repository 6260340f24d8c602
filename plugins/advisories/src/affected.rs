//! Guide: *Review Tanium security advisories*, page 15: advisories against the versions that are installed.

use crate::review::{PAGE, SECTION};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{
    CLIENT_STATUS, ClientStatus, ImportedSolution, SERVER_INFO, SOLUTIONS, ServerInfo,
};

/// Advisories as people enter them. The vendor shows them to signed-in people only.
const ADVISORIES: Input = Input::new("advisories.list", "security advisories that concern this deployment").sources(&[
    Source::export(
        "advisories.csv",
        PAGE,
        "enter one line for each advisory; Solution ID is the id or the name of a solution, Tanium Server or Tanium \
         Client; Affected From and the first version that is not affected any more in Affected To or Fixed Version",
        &["Advisory", "Solution ID", "Affected From", "Affected To", "Fixed Version", "Severity", "Published"],
    ),
]);

/// No installed solution is at a version an advisory names as vulnerable.
pub(crate) const AFFECTED: Check = Check::hybrid("advisories.affected-solution")
    .title("No installed solution is at a version an advisory names as vulnerable")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ADVISORIES, &SOLUTIONS, &SERVER_INFO, &CLIENT_STATUS])
    .guide(&[guide(SECTION, 15)])
    .what("Compares the versions in `advisories.csv` with the imported solutions, the server's own version, and the clients' versions. A version from Affected From up to, but not including, Affected To (or Fixed Version) is a finding with the advisory's severity. Somebody may accept the risk.")
    .why("A published vulnerability is known to everybody, also to those who look for it.")
    .limits("Knows only what people entered; a list older than a month decides nothing.")
    .related(&["advisories.review", "advisories.mitigation-applied", "solutions.module-updates"])
    .remedy(&AFFECTED_REMEDY)
    .judge(affected_solution);

const AFFECTED_REMEDY: Remedy = Remedy::new(&[
    Step::console("the Solutions page of the Console", "import the update that solves {subject}: {fixed} or later"),
    Step::decision(
        "there is no update, or it has to wait",
        "apply the Workarounds and Mitigations of the advisory, and record that for advisories.mitigation-applied",
    ),
    Step::command("tancheck run --check advisories.affected-solution", "run again after the import"),
])
.cautions(&["An import can change tools on endpoints and content: take a backup first."])
.who("a Console user with the Administrator reserved role, or a custom role that may import signed content")
.risk(Risk::High, Reversible::Partly)
.references(&["Console User Guide: Import or update specific solutions"])
.verify("solutions.module-updates");

fn affected_solution(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Affected { hits, unknown } = affected(facts)?;
    for hit in &hits {
        let finding = hit.finding(facts).expected(format!("version {} or later", hit.end()));
        report.finding(match hit.advisory.severity() {
            Some(severity) => finding.severity(severity),
            None => finding,
        });
    }
    settle(&unknown)
}

/// Where an update is delayed the workaround is in place.
pub(crate) const MITIGATION: Check = Check::attested("advisories.mitigation-applied")
    .title("Where an update is delayed the workaround is in place")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ADVISORIES, &SOLUTIONS, &SERVER_INFO, &CLIENT_STATUS])
    .guide(&[guide(SECTION, 15)])
    .what("Asks each month, for each advisory that affects an installed version, whether its workaround or mitigation is in place.")
    .why("As long as the update waits, the workaround is all that protects.")
    .related(&["advisories.affected-solution"])
    .remedy(&MITIGATION_REMEDY)
    .judge(mitigation_applied);

const MITIGATION_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject}: Workarounds and Mitigations"),
    Step::consult("the platform administrator", "apply what it asks for"),
    Step::command(
        "tancheck attest advisories.mitigation-applied --subject {key} --result done --by NAME --note WHAT",
        "records what was done, by whom, until when",
    ),
    Step::decision("version {fixed} can be imported", "plan the update"),
])
.who("platform administrator, security contact")
.risk(Risk::Medium, Reversible::Yes);

fn mitigation_applied(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Affected { hits, unknown } = affected(facts)?;
    if hits.is_empty() {
        settle(&unknown)?;
        return Err(Undecided::not_applicable("no advisory of the list affects an installed version"));
    }
    for hit in &hits {
        report.finding(hit.finding(facts).expected("its workaround, or the update").fill("key", hit.key()));
    }
    Ok(())
}

/// A line of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Advisory {
    #[serde(rename = "Advisory", deserialize_with = "lenient::text")]
    id: String,
    #[serde(rename = "Solution ID", deserialize_with = "lenient::text")]
    solution: String,
    #[serde(rename = "Affected From")]
    from: ProductVersion,
    #[serde(rename = "Affected To")]
    to: ProductVersion,
    #[serde(rename = "Fixed Version")]
    fixed: ProductVersion,
    #[serde(rename = "Severity", deserialize_with = "lenient::text")]
    severity: String,
}

impl Advisory {
    /// The severity, as far as the word is known.
    fn severity(&self) -> Option<Severity> {
        let word = self.severity.trim().to_lowercase();
        Severity::ALL.into_iter().find(|severity| severity.name() == word)
    }

    /// The first version that is not affected any more.
    fn end(&self) -> &ProductVersion {
        if self.to.as_str().is_empty() { &self.fixed } else { &self.to }
    }
}

/// An advisory that affects an installed version.
struct Hit {
    advisory: Advisory,
    name: String,
    version: ProductVersion,
    input: &'static Input,
}

impl Hit {
    fn end(&self) -> &ProductVersion {
        self.advisory.end()
    }

    fn key(&self) -> String {
        format!("{}:{}", self.advisory.id, self.advisory.solution)
    }

    fn finding(&self, facts: &Facts<'_>) -> Finding {
        let severity = self.advisory.severity.trim();
        let told = if severity.is_empty() { String::new() } else { format!(" ({severity})") };
        let fixed = if self.advisory.fixed.as_str().is_empty() { self.end() } else { &self.advisory.fixed };
        Finding::on(Subject::new("advisory", self.key(), &self.advisory.id))
            .says(format!("affects {} {}{told}", self.name, self.version))
            .fill("fixed", fixed)
            .confirms(self.version.to_string())
            .evidence(facts.seen(self.input, &self.version))
            .evidence(facts.seen(&ADVISORIES, [&self.advisory.id, &self.advisory.severity]))
    }
}

/// Which advisories affect something, and about which nothing is known.
struct Affected {
    hits: Vec<Hit>,
    unknown: Vec<String>,
}

fn affected(facts: &Facts<'_>) -> Result<Affected, Undecided> {
    let advisories: Vec<Advisory> = facts.rows(&ADVISORIES)?;
    let solutions: Vec<ImportedSolution> = facts.rows(&SOLUTIONS)?;
    let mut affected = Affected { hits: Vec::new(), unknown: Vec::new() };
    for advisory in advisories {
        let installed = match plain(&advisory.solution).as_str() {
            "server" => server(facts)?,
            "client" => clients(facts)?,
            _ => imported(&solutions, &advisory.solution),
        };
        for (name, version, input) in installed {
            if version.is_unknown() || advisory.end().as_str().is_empty() {
                let why = format!("{} for {name} {version}: the versions are not known", advisory.id);
                affected.unknown.push(why);
            } else if advisory.from <= version && version < *advisory.end() {
                affected.hits.push(Hit { advisory: advisory.clone(), name, version, input });
                break;
            }
        }
    }
    Ok(affected)
}

/// What is installed under a name: the name, the version, and where it was read.
type Installed = Vec<(String, ProductVersion, &'static Input)>;

fn imported(solutions: &[ImportedSolution], wanted: &str) -> Installed {
    let is_meant = |solution: &&ImportedSolution| {
        solution.deleted_flag != Some(true)
            && (solution.solution_id == wanted.trim() || plain(&solution.name) == plain(wanted))
    };
    let found = solutions.iter().filter(is_meant);
    found.map(|solution| (solution.name.clone(), solution.imported_version.clone(), &SOLUTIONS)).collect()
}

fn server(facts: &Facts<'_>) -> Result<Installed, Undecided> {
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let version = info
        .section("Settings")
        .find(|(key, _)| *key == "Version")
        .and_then(|(_, value)| value.as_str().map(ProductVersion::new));
    Ok(vec![("Tanium Server".to_owned(), version.unwrap_or_default(), &SERVER_INFO)])
}

/// Each version that clients run, the oldest first.
fn clients(facts: &Facts<'_>) -> Result<Installed, Undecided> {
    let statuses: Vec<ClientStatus> = facts.rows(&CLIENT_STATUS)?;
    let mut versions: Vec<_> =
        statuses.into_iter().flat_map(|status| status.versions).filter(|version| version.count > 0).collect();
    if versions.is_empty() {
        return Err(Undecided::not_evaluated("the server does not list the versions of its clients"));
    }
    versions.sort_by(|left, right| left.version_string.cmp(&right.version_string));
    let named = |version: tancheck_plugin_api::records::server::VersionCount| {
        (format!("Tanium Client ({} in all)", version.count), version.version_string, &CLIENT_STATUS)
    };
    Ok(versions.into_iter().map(named).collect())
}

/// A name without `Tanium` and ` (DEV)`, in lower case.
fn plain(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name = name.trim_end_matches("(dev)").trim();
    name.strip_prefix("tanium ").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn advisory(solution: &str, from: &str, to: &str, fixed: &str) -> Value {
        json!({"Advisory": "TAN-2026-001", "Solution ID": solution, "Affected From": from, "Affected To": to,
            "Fixed Version": fixed, "Severity": "Critical", "Published": "2026-06-01"})
    }

    fn case(check: &'static Check, advisories: Value) -> Case {
        let versions = json!([{"leader_count": 1, "versions": [{"version_string": "7.4.4.1362", "count": 7},
            {"version_string": "7.2.314.2962", "count": 0}]}]);
        Case::of(check)
            .rows(&ADVISORIES, advisories)
            .rows(&SOLUTIONS, json!([{"solution_id": "99-200-0008", "name": "Tanium Connect", "imported_version": "4.11.2.0017"}]))
            .object(&SERVER_INFO, json!({"Diagnostics": {"Settings": {"Version": "7.6.1.6246"}}}))
            .rows(&CLIENT_STATUS, versions)
    }

    #[test]
    fn versions_within_the_range_are_affected() {
        let hits = |solution: &str, from: &str, to: &str, fixed: &str| {
            case(&AFFECTED, json!([advisory(solution, from, to, fixed)])).judge()
        };
        let verdict = hits("99-200-0008", "4.0", "4.12", "");
        verdict.assert_findings(&["TAN-2026-001:99-200-0008"]);
        assert_eq!(verdict.findings()[0].severity, Some(Severity::Critical));
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("4.11.2.0017"));
        hits("connect", "", "", "4.11.2.18").assert_findings(&["TAN-2026-001:connect"]);
        hits("99-200-0008", "4.0", "4.11.2.17", "").assert_pass();
        hits("99-200-0008", "4.12", "5", "").assert_pass();
        hits("03-100-0030", "0", "9", "").assert_pass();
        hits("99-200-0008", "4.0", "", "").assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_platform_and_its_clients_are_looked_at() {
        let affects =
            |solution: &str, to: &str| case(&AFFECTED, json!([advisory(solution, "7.3", to, "")])).judge();
        affects("Tanium Server", "7.6.2").assert_findings(&["TAN-2026-001:Tanium Server"]);
        affects("Tanium Server", "7.6").assert_pass();
        affects("Tanium Client", "7.4.5").assert_findings(&["TAN-2026-001:Tanium Client"]);
        affects("tanium client", "7.4").assert_pass();
        let silent = case(&AFFECTED, json!([advisory("Tanium Client", "7.3", "8", "")]))
            .rows(&CLIENT_STATUS, json!([]));
        silent.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_empty_list_is_clean() {
        case(&AFFECTED, json!([])).judge().assert_pass();
        case(&MITIGATION, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let everything = json!([
            advisory("connect", "1", "9", ""),
            advisory("server", "1", "9", ""),
            advisory("client", "1", "9", "")
        ]);
        case(&AFFECTED, everything).assert_needs_its_inputs();
    }

    #[test]
    fn an_unknown_severity_keeps_that_of_the_check() {
        let mut odd = advisory("connect", "1", "9", "");
        odd["Severity"] = json!("Alarming");
        let verdict = case(&AFFECTED, json!([odd])).judge();
        assert_eq!(verdict.findings()[0].severity, None);
        assert!(verdict.findings()[0].says.ends_with("(Alarming)"));
    }

    #[test]
    fn each_hit_awaits_its_workaround() {
        let verdict = case(&MITIGATION, json!([advisory("connect", "1", "9", "")])).judge();
        verdict.assert_findings(&["TAN-2026-001:connect"]);
        case(&MITIGATION, json!([advisory("connect", "1", "9", "")])).assert_needs_its_inputs();
    }
}
