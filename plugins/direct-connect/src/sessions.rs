//! Active sessions and test connections.

use crate::chapters::{CONNECTION_TEST, SESSIONS as SESSIONS_CHAPTER};
use crate::inputs::HOME;
use crate::inputs::endpoints::{Families, Family, OPERATING_SYSTEMS};
use crate::inputs::pages::{ACTIVE_CONNECTIONS, ActiveConnection};
use crate::zone_proxies::zone_servers;
use std::collections::BTreeMap;
use tancheck_plugin_api::jiff::{Span, SpanRelativeTo, Unit};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{CLIENT_STATUS, ClientStatus};

const WHO: &str = "a user with the role Direct Connect User or Direct Connect Administrator";

/// What the word for an Open Session action says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Underway,
    Failed,
    Ended,
}

/// The eight words that the guide lists.
fn progress(word: &str) -> Option<Progress> {
    match word.trim().to_lowercase().as_str() {
        "creating" | "downloading" | "running" => Some(Progress::Underway),
        "error" | "not succeeded" => Some(Progress::Failed),
        "succeeded" | "complete" | "closed" => Some(Progress::Ended),
        _ => None,
    }
}

/// Whether a session did not open.
pub(crate) fn has_failed(session: &ActiveConnection) -> bool {
    progress(&session.action_status) == Some(Progress::Failed)
}

impl ActiveConnection {
    fn subject(&self) -> Subject {
        let key = if self.client.is_empty() { self.host.to_lowercase() } else { self.client.clone() };
        Subject::new("session", key, &self.host)
    }

    fn is_open(&self) -> bool {
        self.session_status.to_lowercase().contains("open")
    }
}

/// Minutes of a time that passed, as people and pages write it: `00:05:00`, `5 minutes ago`, `2h 3m`, `a minute`.
fn minutes(text: &str) -> Option<f64> {
    let text = text.trim().to_lowercase();
    let text = text.strip_suffix("ago").unwrap_or(&text).trim();
    if matches!(text, "just now" | "now" | "a few seconds") {
        return Some(0.0);
    }
    let text = match text.strip_prefix("an ").or_else(|| text.strip_prefix("a ")) {
        Some(rest) => format!("1 {rest}"),
        None => text.to_owned(),
    };
    let span: Span = text.parse().ok()?;
    span.total((Unit::Minute, SpanRelativeTo::days_are_24_hours())).ok().map(f64::abs)
}

/// The sessions in numbers.
pub(crate) const LIST: Check = Check::automated("direct-connect.sessions-list")
    .title("It is known which sessions are open")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Info)
    .reads(&[&ACTIVE_CONNECTIONS])
    .guide(SESSIONS_CHAPTER)
    .what("Counts the sessions of the grid Active Connections by action status, session status and proxy, and remarks the oldest one and the longest silence.")
    .why("The numbers are what a later question about sessions is compared with.")
    .limits("The grid has no public route: the file is as old as its time says.")
    .related(&["direct-connect.sessions-failed", "direct-connect.sessions-stuck"])
    .remedy(&LIST_REMEDY)
    .judge(list);

const LIST_REMEDY: Remedy =
    Remedy::new(&[Step::console(HOME, "look at the section Active Connections")]).who(WHO);

fn list(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sessions: Vec<ActiveConnection> = facts.rows(&ACTIVE_CONNECTIONS)?;
    report.measure("direct-connect.active-sessions", sessions.len() as f64, "sessions");
    if sessions.is_empty() {
        report.note("no session is open");
        return Ok(());
    }
    for (what, of) in [
        ("action status", (|one| &one.action_status) as fn(&ActiveConnection) -> &String),
        ("session status", |one| &one.session_status),
        ("proxy", |one| &one.proxy),
    ] {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for session in &sessions {
            *counts.entry(of(session).trim()).or_default() += 1;
        }
        let shown = counts
            .iter()
            .map(|(word, count)| format!("{} {count}", if word.is_empty() { "none" } else { word }));
        report.note(format!("by {what}: {}", shown.collect::<Vec<_>>().join(", ")));
    }
    let longest = |of: fn(&ActiveConnection) -> &String| {
        let known =
            sessions.iter().filter_map(|session| minutes(of(session)).map(|minutes| (minutes, session)));
        known.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, session)| session)
    };
    if let Some(session) = longest(|one| &one.duration) {
        report.note(format!("the oldest, with {}, began {} ago", session.host, session.duration.trim()));
    }
    if let Some(session) = longest(|one| &one.last_message) {
        report.note(format!("the longest silence: {}, {}", session.host, session.last_message.trim()));
    }
    Ok(())
}

/// Sessions open.
pub(crate) const FAILED: Check = Check::automated("direct-connect.sessions-failed")
    .title("No session in the grid failed to open")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&ACTIVE_CONNECTIONS])
    .guide(SESSIONS_CHAPTER)
    .what("Looks in the grid Active Connections for the action status Error or Not Succeeded: medium, and high where no session succeeded.")
    .why("Somebody wanted to see this endpoint and did not.")
    .limits("The grid has no public route: the file is as old as its time says.")
    .related(&["direct-connect.connections", "direct-connect.sessions-stuck"])
    .caused_by(crate::HINDERED)
    .remedy(&FAILED_REMEDY)
    .judge(failed);

const FAILED_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck diagnose direct-connect --endpoint {subject}",
        "leads through what can keep this endpoint from connecting",
    ),
    Step::console(
        "Administration > Actions > Action History",
        "look at the Open Session action for {subject}",
    ),
])
.who(WHO)
.references(&["Direct Connect User Guide: Troubleshoot endpoint connection issues"]);

fn failed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sessions: Vec<ActiveConnection> = facts.rows(&ACTIVE_CONNECTIONS)?;
    let all_failed = sessions.len() > 1
        && sessions.iter().all(|session| progress(&session.action_status) == Some(Progress::Failed));
    for session in sessions.iter().filter(|one| progress(&one.action_status) == Some(Progress::Failed)) {
        report.finding(
            Finding::on(session.subject())
                .says(format!("has the action status {}", session.action_status.trim()))
                .expected("Succeeded, Complete or Closed")
                .severity(if all_failed { Severity::High } else { Severity::Medium })
                .evidence(facts.seen(&ACTIVE_CONNECTIONS, [&session.action_status, &session.proxy])),
        );
    }
    Ok(())
}

const UNDERWAY_MINUTES: Setting = Setting::integer("session_underway_minutes", 10, 1, 1440)
    .unit("minutes")
    .about("how long a session may take to open");
const SILENT_MINUTES: Setting = Setting::integer("session_silent_minutes", 30, 1, 1440)
    .unit("minutes")
    .about("how long an open session may be silent");

/// Sessions do not hang.
pub(crate) const STUCK: Check = Check::automated("direct-connect.sessions-stuck")
    .title("No session hangs")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&ACTIVE_CONNECTIONS])
    .settings(&[&UNDERWAY_MINUTES, &SILENT_MINUTES])
    .guide(SESSIONS_CHAPTER)
    .what("Looks in the grid Active Connections for sessions that are Creating, Downloading or Running for more than `session_underway_minutes`, and for open ones whose last message is older than `session_silent_minutes`.")
    .why("A session that hangs holds its endpoint, and the next one may not open.")
    .limits("The guide lists no words for the session status: one that holds Open counts as open. Times that cannot be read, and words that are not known, leave the check undecided.")
    .related(&["direct-connect.sessions-failed"])
    .caused_by(crate::HINDERED)
    .remedy(&STUCK_REMEDY)
    .judge(stuck);

const STUCK_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever works in the module that opened it", "close the session with {subject} there"),
    Step::command("tancheck diagnose direct-connect --endpoint {subject}", "if it hangs again"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Reviewing active endpoint sessions"]);

fn stuck(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sessions: Vec<ActiveConnection> = facts.rows(&ACTIVE_CONNECTIONS)?;
    let underway = facts.integer(&UNDERWAY_MINUTES)? as f64;
    let silent = facts.integer(&SILENT_MINUTES)? as f64;
    let mut undecided = Vec::new();
    for session in &sessions {
        let progress = progress(&session.action_status);
        if progress.is_none() {
            undecided.push(format!(
                "what the action status {:?} of {} means is not known",
                session.action_status, session.host
            ));
        }
        let mut look =
            |says: &str, text: &str, most: f64| match minutes(text) {
                Some(minutes) if minutes > most => report.finding(
                    Finding::on(session.subject())
                        .says(format!("{says} {}", text.trim()))
                        .expected(format!("at most {most} minutes"))
                        .evidence(facts.seen(
                            &ACTIVE_CONNECTIONS,
                            [&session.action_status, &session.session_status, text],
                        )),
                ),
                Some(_) => {}
                None => undecided.push(format!("how long {text:?} of {} is cannot be told", session.host)),
            };
        if progress == Some(Progress::Underway) {
            look(&format!("is {} for", session.action_status.trim()), &session.duration, underway);
        } else if session.is_open() {
            look("is open and was last heard of", &session.last_message, silent);
        }
    }
    settle(&undecided)
}

const TEST_DAYS: Setting = Setting::integer("test_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often a connection is tested on each way and each operating system");

/// Somebody tested a connection on each way.
pub(crate) const TEST: Check = Check::attested("direct-connect.connection-test")
    .title("A connection was tested on each way and each operating system")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&OPERATING_SYSTEMS, &CLIENT_STATUS])
    .due_every(&TEST_DAYS)
    .guide(CONNECTION_TEST)
    .what("Asks for an attestation of a test connection to one endpoint of each supported operating system that is there, and to one behind each Zone Server that endpoints register through.")
    .why("A test opens no session and shows in a minute what otherwise shows when it matters.")
    .limits("A test makes the platform issue an action, so tancheck never runs one itself.")
    .related(&["direct-connect.connections", "direct-connect.sessions-failed"])
    .remedy(&TEST_REMEDY)
    .judge(test);

const TEST_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Operating System from all machines",
        "choose {subject} that is online; the test wants its name exactly as this sensor has it",
    ),
    Step::console(
        HOME,
        "section Connection Test: enter the name or the IP address, select the endpoint, and start the test",
    ),
    Step::decision("it fails", "run tancheck diagnose direct-connect --endpoint with its name"),
    Step::command(
        "tancheck attest direct-connect.connection-test --subject {key} --result done",
        "records that it succeeded",
    ),
])
.cautions(&["A test needs the permission Direct Connect Session Write."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Testing direct endpoint connections"]);

fn test(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tally = facts.tally(&OPERATING_SYSTEMS)?;
    let mut ask = |key: &str, name: String, count: u64, input: &'static Input| {
        report.finding(
            Finding::on(Subject::new("test connection", key, name))
                .says(format!("one of {count} endpoints has to be tested"))
                .confirms("tested")
                .fill("key", key)
                .evidence(facts.seen(input, count)),
        );
    };
    for (family, count) in Families::of(tally).counts {
        if family != Family::Other {
            let key = family.name().to_lowercase();
            ask(&key, format!("an endpoint with {}", family.name()), count, &OPERATING_SYSTEMS);
        }
    }
    let status: Vec<ClientStatus> = facts.rows(&CLIENT_STATUS)?;
    let Some(servers) = zone_servers(&status) else {
        return Err(Undecided::not_evaluated(
            "this server does not tell how many endpoints register through which Zone Server",
        ));
    };
    for server in servers {
        let address = &server.zone_server_address;
        ask(&address.to_lowercase(), format!("an endpoint behind {address}"), server.count, &CLIENT_STATUS);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("00:05:00", Some(5.0)),
            ("5 minutes ago", Some(5.0)),
            ("2h 3m", Some(123.0)),
            ("1 day, 2 hours", Some(1560.0)),
            ("a minute", Some(1.0)),
            ("an hour ago", Some(60.0)),
            ("a few seconds ago", Some(0.0)),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    fn session(action: &str, status: &str, duration: &str, last: &str) -> Value {
        json!({"Host Name": "PC1", "Tanium Client ID": 7, "IP Address": "10.0.0.1", "Proxy": "",
               "Action Status": action, "Session Status": status, "Duration": duration, "Last Message": last})
    }

    fn case(check: &'static Check, rows: Value) -> Case {
        Case::of(check).rows(&ACTIVE_CONNECTIONS, rows)
    }

    #[test]
    fn sessions_are_counted() {
        let verdict = case(&LIST, json!([session("Complete", "Open", "00:05:00", "00:00:10")])).judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].value, 1.0);
        assert_eq!(verdict.notes()[0], "by action status: Complete 1");
        assert_eq!(verdict.notes()[2], "by proxy: none 1");
        assert!(verdict.notes()[3].contains("00:05:00 ago"), "{:?}", verdict.notes());
        case(&LIST, json!([])).judge().assert_pass();
        case(&LIST, json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn failed_sessions_are_found() {
        let good = session("Succeeded", "Open", "00:05:00", "00:00:10");
        let bad = session("not succeeded", "", "00:05:00", "00:00:10");
        case(&FAILED, json!([good])).judge().assert_pass();
        case(&FAILED, json!([good])).assert_needs_its_inputs();
        let some = case(&FAILED, json!([good, bad])).judge();
        some.assert_findings(&["7"]);
        assert_eq!(some.findings()[0].severity, Some(Severity::Medium));
        let all = case(&FAILED, json!([bad, session("Error", "", "", "")])).judge();
        assert_eq!(all.findings()[0].severity, Some(Severity::High));
    }

    #[test]
    fn sessions_that_hang_are_found() {
        for good in [
            session("Running", "Pending", "00:09:00", "00:09:00"),
            session("Complete", "Open", "5 hours", "29 minutes"),
            session("Closed", "Closed", "5 hours", "5 hours"),
        ] {
            case(&STUCK, json!([good])).judge().assert_pass();
            case(&STUCK, json!([good])).assert_needs_its_inputs();
        }
        let slow = case(&STUCK, json!([session("downloading", "Pending", "11 minutes", "")]));
        slow.judge().assert_findings(&["7"]);
        slow.setting("session_underway_minutes", 11).judge().assert_pass();
        case(&STUCK, json!([session("Complete", "Open", "1h", "31m")])).judge().assert_findings(&["7"]);
        for odd in [session("Dancing", "", "", ""), session("Complete", "Open", "1h", "soon")] {
            case(&STUCK, json!([odd])).judge().assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn each_way_is_tested() {
        let case = |zone: Value| {
            Case::of(&TEST)
                .tally(
                    &OPERATING_SYSTEMS,
                    "Operating System",
                    &[("Windows 10", 5), ("AIX 7.2", 1), ("macOS 13", 2)],
                )
                .rows(&CLIENT_STATUS, json!([{"leader_count": 1, "zone_servers": zone}]))
        };
        case(json!([])).judge().assert_findings(&["windows", "macos"]);
        let used =
            json!([{"zone_server_address": "zs1", "count": 4}, {"zone_server_address": "zs2", "count": 0}]);
        case(used.clone()).judge().assert_findings(&["windows", "macos", "zs1"]);
        case(used).assert_needs_its_inputs();
    }
}
