//! Guide: *Back up your deployment*, page 7; *Review and update backups and the disaster recovery plan*, page 35: the
//! disaster recovery plan.

use crate::inputs::{Of, REFERENCES, TANIUM_CLOUD, WHO, of_role, own_platform};
use crate::inventory::{reporting, servers};
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{
    LOCAL_SETTINGS, REGISTRATION_REQUESTS, SERVER_HEALTH, SERVER_HOSTS, same_host,
};
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::records::settings::SYSTEM_SETTINGS;

const SECTION: &str = "Review and update backups and the disaster recovery plan";

/// A plan exists.
pub(crate) const EXISTS: Check = Check::attested("backup.dr-plan-exists")
    .title("A disaster recovery plan exists")
    .cadence(&[Cadence::Setup])
    .severity(Severity::High)
    .reads(&[&SYSTEM_SETTINGS])
    .settings(&[&TANIUM_CLOUD])
    .guide(&[guide("Back up your deployment", 7)])
    .applies("not Tanium Cloud")
    .what("Asks where the disaster recovery plan is kept, who owns it, and of which date it is.")
    .why("When the host of the Tanium Server is lost, nobody has time to find out in which order what is restored.")
    .limits("Only a person can say; the plan itself is not read.")
    .related(&["backup.dr-plan-current", "backup.dr-plan-covers-servers"])
    .renewed_by(&["backup.dr-plan-current", "backup.dr-restore-test"])
    .remedy(&EXISTS_REMEDY)
    .judge(|facts, report| {
        own_platform(facts)?;
        report.finding(
            Finding::on(plan())
                .says("has to be there: confirm where it is kept, who owns it, and of which date it is")
                .expected("a plan with owner, place and date")
                .evidence(facts.seen(&SYSTEM_SETTINGS, "console_is_taas")),
        );
        Ok(())
    });

const EXISTS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("Appliance Deployment Guide: Define a disaster recovery plan, or the chapter on backups of the guide for Windows", "write down how each server and database comes back to a known good state, on new hardware as well"),
    Step::decision("the plan is written", "keep it where it can be read while Tanium is down"),
    Step::command("tancheck attest backup.dr-plan-exists --subject plan --result done --note 'PLACE, OWNER, DATE'", "records it"),
])
.who(WHO)
.references(REFERENCES);

fn plan() -> Subject {
    Subject::new("task", "plan", "the disaster recovery plan")
}

/// How long a review is good for.
const PLAN_DUE_EVERY_DAYS: Setting = Setting::integer("plan_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody reviews the disaster recovery plan")
    .from_guide();

/// The plan reflects changes.
pub(crate) const CURRENT: Check = Check::attested("backup.dr-plan-current")
    .title("The disaster recovery plan reflects the deployment as it is")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SYSTEM_SETTINGS, &SERVER_HOSTS, &SERVER_HEALTH, &SERVER_INFO])
    .settings(&[&TANIUM_CLOUD])
    .due_every(&PLAN_DUE_EVERY_DAYS)
    .guide(&[guide(SECTION, 35)])
    .applies("not Tanium Cloud")
    .what("Asks once a quarter whether the plan was reviewed, and shows the servers and the version of the Tanium Server as they are. The confirmation ends when a server comes or goes, or when that version changes.")
    .why("A plan for the deployment of two years ago restores the deployment of two years ago.")
    .limits("Other changes, such as subnets or modules, do not end the confirmation.")
    .related(&["backup.dr-plan-exists", "backup.dr-plan-covers-servers"])
    .remedy(&CURRENT_REMEDY)
    .judge(dr_plan_current);

const CURRENT_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the plan", "read it against the deployment as it is: {deployment}"),
    Step::consult("Appliance Deployment Guide: Define a disaster recovery plan, or the chapter on backups of the guide for Windows", "update it where the deployment changed"),
    Step::command("tancheck attest backup.dr-plan-current --subject plan --result done --note 'what was changed'", "records the review"),
])
.who(WHO)
.references(REFERENCES);

fn dr_plan_current(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    own_platform(facts)?;
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let version =
        info.section("Settings").find(|(key, _)| *key == "Version").and_then(|(_, value)| value.as_str());
    let Some(version) = version else {
        return Err(Undecided::not_evaluated(
            "the server's diagnostics tell no version (section Settings, key Version)",
        ));
    };
    let mut names: Vec<String> = reporting(facts)?.iter().map(|one| one.name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    let deployment = format!("{}; Tanium Server {version}", names.join(", "));
    report.finding(
        Finding::on(plan())
            .says(format!("has to be reviewed for the deployment as it is: {deployment}"))
            .expected("a review this quarter, and after each change")
            .fill("deployment", &deployment)
            .confirms(&deployment)
            .evidence(facts.seen(&SERVER_HOSTS, &names)),
    );
    Ok(())
}

/// The servers that the plan names.
const PLAN_SERVERS: Input =
    Input::new("backup.plan-servers", "the servers that the disaster recovery plan names").sources(&[
        Source::export(
            "dr-plan-servers.csv",
            "the disaster recovery plan",
            "write one row for each server and database host that the plan names: role is Tanium Server, Module Server, \
             Zone Server or Database",
            &["server", "role"],
        ),
        Source::answer("Which servers does the disaster recovery plan name (host names, separated by commas)?", Accepts::Text, 100),
    ]);

/// When earlier runs saw which server.
const SEEN: Input = Input::new("backup.servers-seen", "when earlier runs saw which server")
    .sources(&[Source::history("backup.server-seen.*", 400)]);

const SERIES: &str = "backup.server-seen.";

/// When a server that nobody sees counts as gone.
const GONE_DAYS: Setting = Setting::integer("gone_days", 30, 1, 365)
    .unit("days")
    .about("after how many days without a sign a server of the plan counts as gone");

/// The plan names every server.
pub(crate) const COVERS_SERVERS: Check = Check::hybrid("backup.dr-plan-covers-servers")
    .title("The disaster recovery plan names every Core Platform server")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[
        &SYSTEM_SETTINGS,
        &SERVER_HOSTS,
        &SERVER_HEALTH,
        &REGISTRATION_REQUESTS,
        &LOCAL_SETTINGS,
        &PLAN_SERVERS,
        &SEEN,
    ])
    .settings(&[&TANIUM_CLOUD, &GONE_DAYS])
    .guide(&[guide(SECTION, 35)])
    .applies("not Tanium Cloud")
    .what("Compares the servers that the platform knows with those that the plan names. A server of the plan that no run saw for `gone_days` is found as well.")
    .why("A server that the plan forgot is restored last, or not at all.")
    .limits("Database hosts are known to the plan alone and are not compared. Whether a server is gone is known only after tancheck has watched for `gone_days`.")
    .related(&["backup.dr-plan-exists", "backup.core-servers-backed-up"])
    .remedy(&COVERS_REMEDY)
    .judge(dr_plan_covers_servers);

const COVERS_REMEDY: Remedy = Remedy::new(&[
    Step::decision("{subject} is in service", "add it to the plan, and take a backup of it"),
    Step::decision(
        "{subject} is gone for good",
        "take it out of the plan, and keep its last backup for as long as your rules say",
    ),
    Step::command("dr-plan-servers.csv", "write down what the plan names now"),
])
.who(WHO)
.risk(Risk::None, Reversible::Yes)
.references(REFERENCES);

fn dr_plan_covers_servers(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    own_platform(facts)?;
    let servers = servers(facts, report)?;
    for server in &servers {
        report.measure(&format!("{SERIES}{}", server.name.to_ascii_lowercase()), 1.0, "seen");
    }
    let planned = planned(facts)?;
    for server in servers.iter().filter(|server| !planned.iter().any(|name| server.is(name))) {
        report.finding(
            Finding::on(server.subject())
                .says("is in service, and the plan does not name it")
                .expected("a place in the plan")
                .evidence(facts.seen(&SERVER_HEALTH, &server.name)),
        );
    }
    let unseen = planned.iter().filter(|name| !servers.iter().any(|server| server.is(name)));
    let mut unknown = Vec::new();
    for name in unseen {
        match gone(facts, name)? {
            Gone::No => {}
            Gone::Unknown => unknown
                .push(format!("{name} of the plan was not seen, and tancheck has not watched long enough")),
            Gone::Yes(says) => report.finding(
                Finding::on(Subject::new("server", name.to_ascii_lowercase(), name))
                    .says(says)
                    .expected("servers that are in service")
                    .evidence(facts.seen(&PLAN_SERVERS, name)),
            ),
        }
    }
    settle(&unknown)
}

/// The names of the plan's servers, without databases.
fn planned(facts: &Facts<'_>) -> Result<Vec<String>, Undecided> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row {
        #[serde(deserialize_with = "lenient::text")]
        server: String,
        #[serde(deserialize_with = "lenient::text")]
        role: String,
    }

    if let Body::Answer(answer) = facts.body(&PLAN_SERVERS)? {
        let text = answer.value.as_str().map_or_else(|| answer.value.to_string(), str::to_owned);
        let names = text.split([',', ';', ' ']).map(str::trim).filter(|name| !name.is_empty());
        return Ok(names.map(str::to_owned).collect());
    }
    let mut names = Vec::new();
    for row in facts.rows::<Row>(&PLAN_SERVERS)? {
        if of_role(&row.role, "dr-plan-servers.csv")? == Of::Server && !row.server.trim().is_empty() {
            names.push(row.server);
        }
    }
    Ok(names)
}

enum Gone {
    No,
    Unknown,
    Yes(String),
}

/// Whether a server that the platform does not show now is gone for good.
fn gone(facts: &Facts<'_>, name: &str) -> Result<Gone, Undecided> {
    let limit = facts.integer(&GONE_DAYS)?;
    let points: &[Point] = facts.points(&SEEN)?;
    let is_it = |point: &&Point| same_host(point.series.strip_prefix(SERIES).unwrap_or_default(), name);
    let last = points.iter().filter(is_it).map(|point| facts.days_since(point.at)).min();
    let watched = points.iter().map(|point| facts.days_since(point.at)).max().unwrap_or(0);
    Ok(match last {
        Some(days) if days > limit => Gone::Yes(format!("is in the plan, and was last seen {days} days ago")),
        Some(_) => Gone::No,
        None if watched >= limit => Gone::Yes(format!("is in the plan, and was not seen in {watched} days")),
        None => Gone::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::tests::deployment;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(names: &[&str]) -> Case {
        let rows: Vec<Value> =
            names.iter().map(|name| json!({"server": name, "role": "Zone Server"})).collect();
        deployment(&COVERS_SERVERS).rows(&PLAN_SERVERS, json!(rows)).weekly(
            &SEEN,
            "backup.server-seen.ts1.example.com",
            &[1.0; 5],
        )
    }

    const ALL: [&str; 4] = ["ts1", "10.0.0.2", "ms1.example.com", "ZS1"];

    #[test]
    fn a_plan_of_all_servers_passes_and_a_forgotten_one_is_found() {
        case(&ALL).judge().assert_pass();
        case(&ALL[..3]).judge().assert_findings(&["zs1"]);
        let answered =
            deployment(&COVERS_SERVERS).answer(&PLAN_SERVERS, "ts1, ts2 ms1;zs1").weekly(&SEEN, "x", &[]);
        answered.judge().assert_pass();
        let measured = case(&ALL).judge().measures().len();
        assert_eq!(measured, 4, "every server is remembered");
    }

    #[test]
    fn a_server_counts_as_gone_when_it_was_long_unseen() {
        let with = |name| case(&[ALL.as_slice(), &[name]].concat());
        with("zs9").judge().assert_findings(&["zs9"]);
        let young = with("zs9").weekly(&SEEN, "backup.server-seen.ts1.example.com", &[1.0; 2]);
        young.judge().assert_undecided(Outcome::NotEvaluated);
        let lately = with("zs9").weekly(&SEEN, "backup.server-seen.zs9.example.com", &[1.0; 5]);
        lately.judge().assert_pass();
    }

    #[test]
    fn databases_of_the_plan_are_not_compared() {
        let rows = json!([{"server": "db1", "role": "database"}, {"server": "ts1", "role": "Tanium Server"},
            {"server": "ts2", "role": "Tanium Server"}, {"server": "ms1", "role": "Module Server"},
            {"server": "zs1", "role": "Zone Server"}]);
        case(&[]).rows(&PLAN_SERVERS, rows).judge().assert_pass();
        case(&[])
            .rows(&PLAN_SERVERS, json!([{"server": "x", "role": "?"}]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_review_holds_for_these_servers_and_this_version() {
        let state = |version: &str| {
            let info = json!({"Diagnostics": {"Settings": {"Version": version}}});
            let verdict = deployment(&CURRENT).object(&SERVER_INFO, info).judge();
            verdict.assert_findings(&["plan"]);
            verdict.findings()[0].state.clone()
        };
        assert_eq!(
            state("7.6.1.1").as_deref(),
            Some("ms1, ts1.example.com, ts2.example.com, zs1; Tanium Server 7.6.1.1")
        );
        assert_ne!(state("7.6.1.1"), state("7.7.1.1"));
        let silent = deployment(&CURRENT).object(&SERVER_INFO, json!({"Diagnostics": {}}));
        silent.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn in_the_cloud_no_plan_is_demanded() {
        Case::of(&EXISTS).judge().assert_findings(&["plan"]);
        Case::of(&EXISTS).setting("tanium_cloud", "yes").judge().assert_undecided(Outcome::NotApplicable);
    }
}
