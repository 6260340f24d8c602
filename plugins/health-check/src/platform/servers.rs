//! The servers themselves: disks, heartbeats, logging, lockouts.

use super::{SERVER_GUIDE, SERVER_WHO, beyond};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{
    LOCAL_SETTINGS, LocalSetting, SERVER_HEALTH, SERVER_HOSTS, ServerHealth, ServerHosts, host_name,
};
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};

/// How much of a disk has to be free.
const DISK_FREE_PCT: Setting = Setting::integer("disk_free_pct", 10, 1, 99)
    .unit("percent")
    .about("how much of a server's disk has to be free");

/// How old a server's report about itself may be.
const REPORT_MINUTES: Setting = Setting::integer("server_report_minutes", 60, 1, 10_080)
    .unit("minutes")
    .about("how old a server's report about its disk may be");

/// Disks have room.
pub(crate) const SERVER_DISK: Check = beyond("health-check.server-disk", Severity::High)
    .title("The disks of all servers have room")
    .reads(&[&SERVER_HEALTH])
    .settings(&[&DISK_FREE_PCT, &REPORT_MINUTES])
    .what("Compares the free part of each server's disk with `disk_free_pct`, for Tanium Servers, Module Servers and Zone Servers, and the time of its report with `server_report_minutes`.")
    .why("A server whose disk is full stops in the middle of its work; one that no longer reports may have stopped already.")
    .limits("Each server reports one disk: the one that Tanium is installed on.")
    .related(&["health-check.module-server-connected", "appliance.hc-operating-system", "appliance.hc-hardware"])
    .remedy(&DISK_REMEDY)
    .judge(server_disk);

const DISK_REMEDY: Remedy = Remedy::new(&[
    Step::decision("the report is late", "see whether {subject} is up, and whether its service runs"),
    Step::command(
        "the disk of {subject}",
        "find what fills it: logs, downloads of packages, dumps, backups left there",
    ),
    Step::decision(
        "it is Tanium's own data",
        "extend the disk, as the sizing guidelines say; on an Appliance use the TanOS menus",
    ),
    Step::support("before you delete anything below Tanium's own folders"),
])
.cautions(&[
    "Never delete below Tanium's folders on your own: databases and caches are repaired, not cleaned.",
])
.who(SERVER_WHO)
.risk(Risk::Medium, Reversible::No)
.references(&[SERVER_GUIDE]);

fn server_disk(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let health: ServerHealth = facts.object(&SERVER_HEALTH)?;
    let least = facts.integer(&DISK_FREE_PCT)?;
    let limit = facts.integer(&REPORT_MINUTES)?;
    let mut unknown = Vec::new();
    let mut seen = 0;
    for (role, server) in health.all() {
        seen += 1;
        let (Some(capacity), Some(available), Some(reported)) =
            (server.capacity, server.available, server.timestamp)
        else {
            unknown.push(format!("the {role} {} does not tell its disk, or when it reported", server.name));
            continue;
        };
        let minutes = facts.since(reported).as_mins();
        let free = if capacity > 0.0 { 100.0 * available / capacity } else { 0.0 };
        if minutes <= limit {
            let series = format!("health-check.disk-free.{}", host_name(&server.name).to_lowercase());
            report.measure_against(&series, free, "percent", least as f64);
        }
        let (says, expected) = if minutes > limit {
            (
                format!("has not reported its disk for {minutes} minutes"),
                format!("a report of the last {limit} minutes"),
            )
        } else if free < least as f64 {
            (format!("has {free:.1} % of its disk free"), format!("at least {least} %"))
        } else {
            continue;
        };
        report.finding(
            Finding::on(Subject::new(
                "server",
                host_name(&server.name).to_lowercase(),
                format!("{role} {}", server.name),
            ))
            .says(says)
            .expected(expected)
            .evidence(facts.seen(&SERVER_HEALTH, (capacity, available, reported))),
        );
    }
    settle(&unknown)?;
    if seen == 0 {
        return Err(Undecided::not_evaluated("server_health names no server"));
    }
    Ok(())
}

/// How old a heartbeat may be.
const HEARTBEAT_MINUTES: Setting = Setting::integer("heartbeat_minutes", 10, 1, 1440)
    .unit("minutes")
    .about("how old the last heartbeat of another Tanium Server may be");

/// The other Tanium Servers are alive.
pub(crate) const PEER_HEARTBEAT: Check = beyond("health-check.peer-heartbeat", Severity::High)
    .title("All Tanium Servers of the cluster give a sign of life")
    .reads(&[&SERVER_HOSTS])
    .settings(&[&HEARTBEAT_MINUTES])
    .applies("several Tanium Servers")
    .what("Compares the last heartbeat of each Tanium Server other than the answering one with `heartbeat_minutes`.")
    .why("A peer that is down halves the deployment and leaves no server to fail over to.")
    .limits("The time of the heartbeat is compared with this machine's clock; a clock that is wrong makes every peer late.")
    .related(&["health-check.pending-trust", "backup.failover-test", "appliance.hc-database-replication"])
    .remedy(&HEARTBEAT_REMEDY)
    .judge(peer_heartbeat);

const HEARTBEAT_REMEDY: Remedy = Remedy::new(&[
    Step::command("the Tanium Server {subject}", "see on the host whether it is up and its service runs"),
    Step::command(
        "the network between the Tanium Servers",
        "see whether it lets them through, and whether their clocks agree",
    ),
    Step::consult(SERVER_GUIDE, "follow it for active-active servers"),
    Step::support("if the servers do not find each other again: bring the logs of both"),
])
.cautions(&["Do not remove the server from the cluster to silence this: its trust has to be made anew then."])
.who(SERVER_WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[SERVER_GUIDE]);

fn peer_heartbeat(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let hosts: ServerHosts = facts.object(&SERVER_HOSTS)?;
    let limit = facts.integer(&HEARTBEAT_MINUTES)?;
    match hosts.servers.len() {
        0 => return Err(Undecided::not_evaluated("server_host names no Tanium Server")),
        1 => return Err(facts.absent(&SERVER_HOSTS, "there is one Tanium Server")),
        _ => {}
    }
    let mut unknown = Vec::new();
    for server in hosts.servers.iter().filter(|server| server.current != Some(true)) {
        let Some(beat) = server.heart_beat else {
            unknown.push(format!("{} has no heartbeat on record", server.name));
            continue;
        };
        let minutes = facts.since(beat).as_mins();
        if minutes > limit {
            report.finding(
                Finding::on(Subject::new("tanium server", &server.id, host_name(&server.name)))
                    .says(format!("gave its last sign of life {minutes} minutes ago"))
                    .expected(format!("within {limit} minutes"))
                    .evidence(facts.seen(&SERVER_HOSTS, (&server.address, beat))),
            );
        }
    }
    settle(&unknown)
}

/// The server's logging level.
const SERVER_LOG_LEVEL: Setting = Setting::integer("server_log_level", 1, 0, 99)
    .about("the highest logging level that the Tanium Server is left at");

/// The server does not log too much.
pub(crate) const LOG_LEVEL: Check = Check::hybrid("health-check.server-log-level")
    .title("The Tanium Server is not left at a high logging level")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .even_if_absent()
    .beyond()
    .reads(&[&LOCAL_SETTINGS])
    .settings(&[&SERVER_LOG_LEVEL])
    .what("Compares the settings of the Tanium Server whose names end in LogVerbosityLevel with `server_log_level`. A level that is meant, during an investigation, can be confirmed; the confirmation ends when the level changes.")
    .why("High levels are turned on for a case and forgotten; they fill the disk and slow the server.")
    .limits("Only the server that answers is looked at.")
    .related(&["health-check.server-disk", "client-management.log-level-default"])
    .remedy(&LOG_REMEDY)
    .judge(server_log_level);

const LOG_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever works on a case at Tanium Support", "whether the level is still needed"),
    Step::decision("it is", "confirm it: `tancheck attest health-check.server-log-level --subject NAME --result done --note 'case number'`"),
    Step::decision("it is not", "set {subject} back to 1 on the Tanium Server, as its deployment guide says"),
])
.who(SERVER_WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[SERVER_GUIDE]);

fn server_log_level(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let settings: Vec<LocalSetting> = facts.rows(&LOCAL_SETTINGS)?;
    let limit = facts.integer(&SERVER_LOG_LEVEL)?;
    let mut unknown = Vec::new();
    let mut has_own = false;
    for setting in settings.iter().filter(|setting| setting.name.ends_with("LogVerbosityLevel")) {
        has_own |= setting.name == "LogVerbosityLevel";
        match setting.value.trim().parse::<i64>() {
            Ok(level) if level <= limit => {}
            Ok(level) => report.finding(
                Finding::on(Subject::new("server setting", &setting.name, &setting.name))
                    .says(format!("is {level}"))
                    .expected(format!("at most {limit}"))
                    .confirms(level.to_string())
                    .evidence(facts.seen(&LOCAL_SETTINGS, level)),
            ),
            Err(_) => unknown.push(format!("{} is {:?}, which is no level", setting.name, setting.value)),
        }
    }
    if !has_own {
        unknown.push("the settings of the server do not tell LogVerbosityLevel".to_owned());
    }
    settle(&unknown)
}

/// Nobody is locked out.
pub(crate) const LOCKOUTS: Check = beyond("health-check.lockouts", Severity::Low)
    .title("The server locks nobody out after failed sign-ins")
    .reads(&[&SERVER_INFO])
    .what("Reads from the server's diagnostics how many users and addresses are locked out of the API after failed sign-ins.")
    .why("It is either a service whose password expired and that stands still, or somebody who tries passwords.")
    .limits("The diagnostics tell how many, not who.")
    .related(&["console-users.locked-out"])
    .remedy(&LOCKOUTS_REMEDY)
    .judge(lockouts);

const LOCKOUTS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the authentication log of the Tanium Server", "find out who, and from where"),
    Step::decision("it is a service account", "correct its credentials where they are used"),
    Step::decision("it is nobody you know", "tell the security team"),
])
.cautions(&["Do not lift a lock before you know why it is there."])
.who(SERVER_WHO)
.risk(Risk::Low, Reversible::Yes);

fn lockouts(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    const COUNTS: [(&str, &str); 2] =
        [("Total_Locked_User_Count", "users"), ("Total_Locked_IP_Count", "addresses")];
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let mut unknown = Vec::new();
    for (wanted, name) in COUNTS {
        let value = info.section("API_Lockout").find(|(key, _)| *key == wanted).map(|(_, value)| value);
        let count = value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()));
        match count {
            None => unknown.push(format!("the diagnostics do not tell {wanted} (section API_Lockout)")),
            Some(0) => {}
            Some(count) => report.finding(
                Finding::on(Subject::new("lockout", name, format!("locked {name}")))
                    .says(format!("there are {count}"))
                    .expected("none")
                    .affected(count, None)
                    .evidence(facts.seen(&SERVER_INFO, count)),
            ),
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn disk(available: Value, reported: &str) -> Case {
        Case::of(&SERVER_DISK).object(
            &SERVER_HEALTH,
            json!({"servers": {"zone_servers": [{"name": "ZS1", "capacity": 1000, "available": available, "timestamp": reported}]}}),
        )
    }

    #[test]
    fn disks_need_room_and_servers_report() {
        disk(json!(100), "2026-06-30T11:00:00Z").judge().assert_pass();
        disk(json!(100), "2026-06-30T11:00:00Z").assert_needs_its_inputs();
        disk(json!(99), "2026-06-30T11:50:00Z").judge().assert_findings(&["zs1"]);
        disk(json!(100), "2026-06-30T10:59:00Z").judge().assert_findings(&["zs1"]);
        disk(json!(null), "2026-06-30T11:50:00Z").judge().assert_undecided(Outcome::NotEvaluated);
        disk(json!(99), "2026-06-30T11:50:00Z").setting("disk_free_pct", 5).judge().assert_pass();
        let none = Case::of(&SERVER_DISK).object(&SERVER_HEALTH, json!({}));
        none.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_silent_peer_is_found() {
        let case =
            |servers: Value| Case::of(&PEER_HEARTBEAT).object(&SERVER_HOSTS, json!({ "servers": servers }));
        let this =
            json!({"id": 1, "name": "ts1:17472", "current": true, "heart_beat": "2026-06-30T09:00:00Z"});
        let peer = |beat: &str| json!({"id": 2, "name": "ts2:17472", "current": false, "heart_beat": beat});
        case(json!([this, peer("2026-06-30T11:50:00Z")])).judge().assert_pass();
        case(json!([this, peer("2026-06-30T11:50:00Z")])).assert_needs_its_inputs();
        case(json!([this, peer("2026-06-30T11:49:00Z")])).judge().assert_findings(&["2"]);
        case(json!([this, peer("Never")])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([this])).judge().assert_undecided(Outcome::NotApplicable);
        case(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn high_levels_are_found_and_can_be_confirmed() {
        let case = |own: Value, other: Value| {
            Case::of(&LOG_LEVEL).rows(
                &LOCAL_SETTINGS,
                json!([{"name": "LogVerbosityLevel", "type": "number", "value": own},
                       {"name": "Logs.MiniDumpMessages.LogVerbosityLevel", "value": other}, {"name": "LogPath", "value": "x"}]),
            )
        };
        case(json!(1), json!("0")).judge().assert_pass();
        case(json!(1), json!(1)).assert_needs_its_inputs();
        let high = case(json!(41), json!(1)).judge();
        high.assert_findings(&["LogVerbosityLevel"]);
        assert_eq!(high.findings()[0].state.as_deref(), Some("41"));
        case(json!(1), json!(91)).judge().assert_findings(&["Logs.MiniDumpMessages.LogVerbosityLevel"]);
        case(json!("high"), json!(1)).judge().assert_undecided(Outcome::NotEvaluated);
        let none = Case::of(&LOG_LEVEL).rows(&LOCAL_SETTINGS, json!([]));
        none.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn lockouts_are_counted() {
        let case = |users: Value, addresses: Value| {
            let lockout = json!({"Total_Locked_User_Count": users, "Total_Locked_IP_Count": addresses});
            Case::of(&LOCKOUTS).object(&SERVER_INFO, json!({"Diagnostics": {"API_Lockout": lockout}}))
        };
        case(json!(0), json!("0")).judge().assert_pass();
        case(json!(0), json!(0)).assert_needs_its_inputs();
        case(json!(2), json!("1")).judge().assert_findings(&["users", "addresses"]);
        case(json!(0), json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
