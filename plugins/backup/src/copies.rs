//! Guide: *Back up your deployment*, page 7; *Review and update backups and the disaster recovery plan*, page 35: the
//! backups themselves.

use crate::inputs::{BACKUPS, Backup, Of, REFERENCES, TANIUM_CLOUD, WHO, of_role, own_platform};
use crate::inventory::{answering, database_host, is_this_machine, servers};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{
    LOCAL_SETTINGS, REGISTRATION_REQUESTS, SERVER_HEALTH, SERVER_HOSTS, same_host,
};
use tancheck_plugin_api::records::settings::SYSTEM_SETTINGS;

const GUIDE: &[GuideReference] = &[
    guide("Back up your deployment", 7),
    guide("Review and update backups and the disaster recovery plan", 35),
];

/// How old a backup may be.
const BACKUP_MAX_AGE_DAYS: Setting = Setting::integer("backup_max_age_days", 90, 1, 3650)
    .unit("days")
    .about("how old the newest backup of a server or database may be");

/// Every server has a backup.
pub(crate) const CORE_SERVERS: Check = Check::hybrid("backup.core-servers-backed-up")
    .title("Every Core Platform server has a recent backup")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&SYSTEM_SETTINGS, &SERVER_HOSTS, &SERVER_HEALTH, &REGISTRATION_REQUESTS, &LOCAL_SETTINGS, &BACKUPS])
    .settings(&[&TANIUM_CLOUD, &BACKUP_MAX_AGE_DAYS])
    .guide(GUIDE)
    .applies("not Tanium Cloud")
    .what("Gathers the servers that the platform knows (Tanium Servers, Module Servers, Zone Servers and hubs) and compares the newest row of each in the record of backups with `backup_max_age_days`.")
    .why("A server that was added after the last look is the one without a backup.")
    .limits("No route shows a backup: the record is what an administrator or a script wrote down. A Zone Server that never registered is not known.")
    .related(&["backup.databases-backed-up", "backup.dr-plan-covers-servers", "backup.dr-restore-test"])
    .remedy(&SERVERS_REMEDY)
    .judge(core_servers_backed_up);

const SERVERS_REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "{subject} is an Appliance",
        "make a TanOS backup, as the Appliance Deployment Guide describes",
    ),
    Step::decision(
        "{subject} runs on Windows",
        "back it up as the Core Platform Deployment Guide for Windows describes",
    ),
    Step::command(
        "server-backups.csv",
        "move the backup to the agreed safe place, and write its row into the record",
    ),
])
.cautions(&["A backup that was never restored is unproven: the restore is tested once a year."])
.who("a TanOS user with the role tanadmin (Appliance), or the server administrator (Windows)")
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

fn core_servers_backed_up(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    own_platform(facts)?;
    let rows = recorded(facts, Of::Server)?;
    for server in servers(facts, report)? {
        let own: Vec<&Backup> = rows.iter().filter(|row| server.is(&row.server)).collect();
        if let Some(says) = lacks(facts, &own)? {
            report.finding(missing(facts, server.subject(), says)?);
        }
    }
    Ok(())
}

/// The databases have a backup.
pub(crate) const DATABASES: Check = Check::hybrid("backup.databases-backed-up")
    .title("The platform databases have a recent backup")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&SYSTEM_SETTINGS, &SERVER_HOSTS, &LOCAL_SETTINGS, &BACKUPS])
    .settings(&[&TANIUM_CLOUD, &BACKUP_MAX_AGE_DAYS])
    .guide(GUIDE)
    .applies("not Tanium Cloud")
    .what("Compares each database in the record of backups with `backup_max_age_days`, and looks whether the database of the answering Tanium Server is in the record at all; its host comes from the server's own settings.")
    .why("The servers can be installed again; what Tanium knows lies in the databases.")
    .limits("Only the database of the Tanium Server is known. Those of the Module Server's services, and a connection string of another form than the documented one, have to be in the record without being asked for.")
    .related(&["backup.core-servers-backed-up", "appliance.hc-database-replication"])
    .remedy(&DATABASES_REMEDY)
    .judge(databases_backed_up);

const DATABASES_REMEDY: Remedy = Remedy::new(&[
    Step::decision("the database runs on an Appliance", "make a TanOS backup, which holds the database"),
    Step::decision(
        "the database runs on Windows or elsewhere",
        "back it up with the database administrator, as the deployment guide describes",
    ),
    Step::command(
        "server-backups.csv",
        "store the backup away from the host of {subject}, and write its row (role Database) into the record",
    ),
])
.cautions(&["A copy of the files of a running database is no backup."])
.who("a TanOS user with the role tanadmin (Appliance), or the database administrator")
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

fn databases_backed_up(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    own_platform(facts)?;
    let rows = recorded(facts, Of::Database)?;
    let mut hosts: Vec<String> = Vec::new();
    for row in &rows {
        if !hosts.iter().any(|host| same_host(host, &row.server)) {
            hosts.push(row.server.clone());
        }
    }
    match core_database(facts) {
        Ok(Some(host)) if !hosts.iter().any(|known| same_host(known, &host)) => hosts.push(host),
        Ok(Some(_)) => {}
        Ok(None) => report
            .note("the host of the Tanium Server's database is not known: its settings are of another form"),
        Err(why) => {
            report.note(format!("the host of the Tanium Server's database is not known: {}", why.reason))
        }
    }
    if hosts.is_empty() {
        return Err(Undecided::not_evaluated(
            "the record of backups names no database, and the server tells of none",
        ));
    }
    for host in hosts {
        let own: Vec<&Backup> = rows.iter().filter(|row| same_host(&row.server, &host)).collect();
        if let Some(says) = lacks(facts, &own)? {
            let subject =
                Subject::new("database", host.to_ascii_lowercase(), format!("the database on {host}"));
            report.finding(missing(facts, subject, says)?);
        }
    }
    Ok(())
}

/// The host of the answering server's database.
fn core_database(facts: &Facts<'_>) -> Result<Option<String>, Undecided> {
    match database_host(facts)? {
        Some(host) if host.trim().is_empty() || is_this_machine(&host) => answering(facts),
        other => Ok(other),
    }
}

/// The rows of the record about servers, or about databases.
fn recorded(facts: &Facts<'_>, wanted: Of) -> Result<Vec<Backup>, Undecided> {
    let rows: Vec<Backup> = facts.rows(&BACKUPS)?;
    let mut kept = Vec::new();
    for row in rows {
        if of_role(&row.role, "server-backups.csv")? == wanted {
            kept.push(row);
        }
    }
    Ok(kept)
}

/// Why a server or database counts as not backed up.
fn lacks(facts: &Facts<'_>, rows: &[&Backup]) -> Result<Option<String>, Undecided> {
    let limit = facts.integer(&BACKUP_MAX_AGE_DAYS)?;
    let newest = rows.iter().filter_map(|row| Some((row.backup_time?, &row.location))).max();
    Ok(match newest {
        None => Some("has no backup on record".to_owned()),
        Some((made, location)) => {
            let days = facts.days_since(made);
            let place = if location.is_empty() { String::new() } else { format!(", in {location}") };
            (days > limit).then(|| format!("its newest backup is {days} days old{place}"))
        }
    })
}

fn missing(facts: &Facts<'_>, subject: Subject, says: String) -> Result<Finding, Undecided> {
    let limit = facts.integer(&BACKUP_MAX_AGE_DAYS)?;
    let evidence = facts.seen(&BACKUPS, &says);
    Ok(Finding::on(subject)
        .says(says)
        .expected(format!("a backup of the last {limit} days"))
        .evidence(evidence))
}

/// How long such a confirmation is good for.
const LOCATION_DUE_EVERY_DAYS: Setting = Setting::integer("location_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody looks whether the backups lie in a safe place")
    .from_guide();

/// The backup lies in a safe place.
pub(crate) const SAFE_LOCATION: Check = Check::attested("backup.safe-location")
    .title("The backups are kept in a safe place")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&SYSTEM_SETTINGS])
    .settings(&[&TANIUM_CLOUD])
    .due_every(&LOCATION_DUE_EVERY_DAYS)
    .guide(&[guide("Review and update backups and the disaster recovery plan", 35)])
    .applies("not Tanium Cloud")
    .what("Asks once a quarter whether somebody looked at the place where the backups lie, and who can reach it.")
    .why("A backup on the host it was made of is lost with it; one that everyone can reach gives everything away.")
    .related(&["backup.core-servers-backed-up", "backup.databases-backed-up"])
    .remedy(&LOCATION_REMEDY)
    .judge(|facts, report| {
        own_platform(facts)?;
        report.finding(
            Finding::on(Subject::new("task", "location", "the place of the backups"))
                .says("has to be looked at: confirm where the backups lie, and who can reach them")
                .expected("a safe place off the Tanium hosts")
                .evidence(facts.seen(&SYSTEM_SETTINGS, "console_is_taas")),
        );
        Ok(())
    });

const LOCATION_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the storage itself, not the log of the job", "see that the backups are there and have the size they should have"),
    Step::decision("a backup is missing", "make it now"),
    Step::decision("it lies on a Tanium host", "copy it elsewhere"),
    Step::command("tancheck attest backup.safe-location --subject location --result done --note 'PLACE, who can reach it'", "records the look"),
])
.who(WHO)
.references(REFERENCES);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::tests::deployment;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(server: &str, role: &str, made: &str) -> Value {
        json!({"server": server, "role": role, "backup_time": made, "method": "TanOS", "location": "vault"})
    }

    fn all(made: &str) -> Vec<Value> {
        vec![
            row("ts1", "Tanium Server", made),
            row("ts2.example.com", "tanium server", "2026-06-01"),
            row("MS1", "Module Server", "2026-06-01"),
            row("zs1", "Zone Server", "2026-06-01"),
        ]
    }

    #[test]
    fn each_server_needs_a_recent_row() {
        let case = |rows: Value| deployment(&CORE_SERVERS).rows(&BACKUPS, rows);
        case(json!(all("2026-06-01"))).judge().assert_pass();
        case(json!(all("2026-06-01"))).assert_needs_its_inputs();
        case(json!(all("2026-04-01"))).judge().assert_pass();
        case(json!(all("2026-03-31"))).judge().assert_findings(&["ts1.example.com"]);
        case(json!(all("2026-06-01")[..3])).judge().assert_findings(&["zs1"]);
        case(json!([])).judge().assert_findings(&["ts1.example.com", "ts2.example.com", "ms1", "zs1"]);
        let again = json!([all("2025-01-01"), all("2026-06-01")].concat());
        case(again).judge().assert_pass();
        case(json!([row("ts1", "Laptop", "2026-06-01")])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_vendor_backs_up_its_cloud() {
        let cloud = json!([{"name": "console_is_taas", "value": 1}]);
        for check in [&CORE_SERVERS, &DATABASES, &SAFE_LOCATION] {
            let case = deployment(check).rows(&BACKUPS, json!([]));
            case.clone()
                .rows(&SYSTEM_SETTINGS, cloud.clone())
                .judge()
                .assert_undecided(Outcome::NotApplicable);
            case.setting("tanium_cloud", "yes").judge().assert_undecided(Outcome::NotApplicable);
        }
        Case::of(&SAFE_LOCATION).judge().assert_findings(&["location"]);
    }

    fn databases(connection: &str, rows: Value) -> Case {
        deployment(&DATABASES)
            .rows(
                &LOCAL_SETTINGS,
                json!([{"name": "SQLConnectionString", "type": "string", "value": connection}]),
            )
            .rows(&BACKUPS, rows)
    }

    #[test]
    fn the_database_of_the_server_needs_a_row_of_its_own() {
        let local = "postgres:localhost@dbname=postgres port=5432";
        let other = "postgres:db1.example.com@dbname=tanium port=5432";
        databases(local, json!([row("ts1", "Database", "2026-06-01")])).judge().assert_pass();
        databases(local, json!([row("ts1", "Database", "2026-06-01")]))
            .assert_needs_its_inputs_but_settings();
        databases(local, json!([row("ts1", "Tanium Server", "2026-06-01")]))
            .judge()
            .assert_findings(&["ts1.example.com"]);
        databases(other, json!([row("ts1", "Database", "2026-06-01")]))
            .judge()
            .assert_findings(&["db1.example.com"]);
        let old = json!([row("ts1", "Database", "2026-06-01"), row("ms1", "Database", "2025-06-01")]);
        databases(local, old).judge().assert_findings(&["ms1"]);
    }

    #[test]
    fn a_connection_of_another_form_is_not_guessed() {
        let odd = "Server=db1;Database=tanium";
        let known = databases(odd, json!([row("db1", "Database", "2026-06-01")])).judge();
        known.assert_pass();
        assert_eq!(known.notes().len(), 1);
        databases(odd, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    trait ButSettings {
        fn assert_needs_its_inputs_but_settings(&self);
    }

    impl ButSettings for Case {
        /// The settings of the server, and which one answers, only add a database that is asked for.
        fn assert_needs_its_inputs_but_settings(&self) {
            let silent = self.clone().unavailable(&BACKUPS, Outcome::NotEvaluated);
            silent.judge().assert_undecided(Outcome::NotEvaluated);
            let refused = self.clone().unavailable(&LOCAL_SETTINGS, Outcome::NoPermission).judge();
            refused.assert_pass();
            assert_eq!(refused.notes().len(), 1);
        }
    }
}
