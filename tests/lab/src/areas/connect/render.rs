//! How connections, their elements and runs look in JSON and in export files.

use super::{Connection, Destination, Format, Run, Source, Status, certificate};
use crate::areas::Export;
use crate::clock::iso_millis;
use crate::state::State;
use serde_json::{Value, json};

/// The element routes of a connection, in the order of the data's way.
fn streams(connection: &Connection) -> Vec<String> {
    let id = connection.id;
    vec![
        format!("/v1/sources/{}/{id}", connection.source.kind()),
        format!("/v1/formats/{}/{id}", connection.format.kind()),
        format!("/v1/destinations/{}/{id}", connection.destination.kind()),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "gigabytes are shown as a fraction")]
pub(super) fn connection(connection: &Connection) -> Value {
    let last = connection.runs.first();
    let count = |status: Status| connection.runs.iter().filter(|run| run.status == status).count();
    let bytes: u64 = connection.runs.iter().map(Run::bytes).sum();
    json!({
        "id": connection.id,
        "name": connection.name,
        "userId": connection.owner,
        "personaId": connection.persona,
        "description": "",
        "enabled": connection.enabled,
        "minimumPassPercentage": 80,
        "logLevel": 30,
        "tempLogLevel": if connection.verbose_runs > 0 { 20 } else { 30 },
        "tempLogLevelRuns": connection.verbose_runs,
        "destinationType": connection.destination.kind(),
        "lastRunTime": last.map_or_else(String::new, |run| iso_millis(run.started)),
        "lastRunStatus": last.map_or("Finished", |run| run.status.name()),
        "lastRunDuration": last.map_or(0, |run| run.seconds),
        "maxRunDuration": connection.runs.iter().map(|run| run.seconds.min(60)).max().unwrap_or(0),
        "totalRunDuration": connection.runs.iter().map(|run| run.seconds).sum::<i64>(),
        "finishedRunCount": count(Status::Finished),
        "failedRunCount": count(Status::Failed),
        "totalGigabytes": bytes as f64 / 1e9,
        "schedule": connection.schedule.cron(),
        "scheduleTimeZone": "UTC",
        "maxOldSpaceSize": f64::from(connection.memory),
        "streams": streams(connection),
        "createdAt": iso_millis(connection.created),
        "updatedAt": iso_millis(connection.updated),
    })
}

pub(super) fn run(connection: &Connection, run: &Run) -> Value {
    json!({
        "id": run.id,
        "connectionId": connection.id,
        "status": run.status.name(),
        "sourceRowCount": run.source_rows,
        "destinationRowCount": run.destination_rows,
        "sourceByteCount": run.bytes(),
        "destinationByteCount": run.bytes(),
        "createdAt": iso_millis(run.started),
        "updatedAt": iso_millis(run.updated()),
    })
}

/// Level, time and text of the lines of a run; 30 is the level of information, 50 that of errors.
pub(super) fn log_lines(connection: &Connection, run: &Run) -> Vec<(u8, String, String)> {
    let line = |level, at, text: String| (level, iso_millis(at), text);
    let mut lines = vec![
        line(30, run.started, format!("Starting connection {}", connection.name)),
        line(30, run.started, format!("Destination {}", connection.destination.host())),
    ];
    match run.status {
        Status::Finished => {
            lines.push(line(30, run.updated(), format!("Finished: {} rows sent", run.destination_rows)));
        }
        Status::Failed => lines.push(line(50, run.updated(), run.error.to_owned())),
        Status::Running => {}
    }
    lines
}

pub(super) fn job(connection: &Connection, state: &State) -> Value {
    let next = connection.schedule.next(state.now);
    json!({
        "connectionId": connection.id,
        "schedule": connection.schedule.cron(),
        "scheduleTimeZone": "UTC",
        "nextRunTime": next.map(iso_millis),
    })
}

pub(super) fn event_schema(schema: &(&'static str, Vec<&'static str>)) -> Value {
    let events = schema.1.iter().map(|name| json!({"Name": name, "Description": "", "Headers": []}));
    json!({"ProductName": schema.0, "label": null, "Events": events.collect::<Vec<_>>()})
}

fn dated(connection: &Connection, mut value: Value) -> Value {
    value["id"] = connection.id.into();
    value["createdAt"] = iso_millis(connection.created).into();
    value["updatedAt"] = iso_millis(connection.updated).into();
    value
}

pub(super) fn source(connection: &Connection) -> Value {
    let value = match &connection.source {
        Source::SystemStatuses => json!({"lastRegistrationMinutes": 60, "batchSize": 1000}),
        Source::ActionLogs => json!({
            "actionNameFilter": "",
            "batchSize": 1000,
            "commentFilter": "",
            "lastId": 0,
            "packageNameFilter": "",
        }),
        Source::SavedQuestion(name) => json!({
            "savedQuestionName": name,
            "contextGroupName": "All Computers",
            "percentComplete": 95,
            "batchSize": 1000,
            "hideErrors": false,
            "hideNoResults": false,
            "flatten": false,
            "mostRecent": false,
            "resolveErrors": false,
            "recentResultBuckets": "",
            "filterString": "",
            "sortColumns": [],
            "timeout": 600,
        }),
        Source::Events { group, events } => json!({"source": group, "events": events}),
    };
    dated(connection, value)
}

pub(super) fn format(connection: &Connection) -> Value {
    let escape = json!({"valueEscape": "", "valueEscapeReplace": ""});
    let mut value = match connection.format {
        Format::Csv => json!({"includeHeaders": true, "detectDde": false}),
        Format::Json => json!({
            "surroundWithSource": false, "enhancedJson": false, "rowSeparator": "\\n", "generateDocument": false
        }),
    };
    for key in ["valueEscape", "valueEscapeReplace"] {
        value[key] = escape[key].clone();
    }
    dated(connection, value)
}

/// Secrets are never shown; a pinned certificate is PEM.
pub(super) fn destination(connection: &Connection) -> Value {
    let cert = |host: &str, pinned: &Option<(jiff::Timestamp, jiff::Timestamp)>| match pinned {
        Some((from, until)) => certificate::pem(host, *from, *until).unwrap_or_default(),
        None => String::new(),
    };
    let value = match &connection.destination {
        Destination::Https { host, pinned } => json!({
            "name": host,
            "url": format!("https://{host}/services/collector"),
            "headers": [],
            "method": "POST",
            "useAuthentication": "none",
            "username": "",
            "password": "",
            "authHeader": "",
            "secret": "",
            "useProxy": false,
            "batchSize": 1000,
            "batchSizeBytes": 1_048_576,
            "connectionTimeout": 30_000,
            "trustOnFirstUse": true,
            "cert": cert(host, pinned),
        }),
        Destination::Socket { host, port, pinned } => json!({
            "name": host,
            "host": host,
            "port": port,
            "protocol": "TCP",
            "secure": pinned.is_some(),
            "trustOnFirstUse": true,
            "cert": cert(host, pinned),
        }),
        Destination::Mail { host } => json!({
            "name": host,
            "host": host,
            "port": 587,
            "timeout": 30_000,
            "useAuthentication": false,
            "username": "",
            "emailSubject": connection.name,
            "emailFrom": "tanium@lab.example",
            "emailTo": "operators@lab.example",
            "emailCc": "",
            "emailBcc": "",
            "attachment": true,
            "attachmentFilename": "export.csv",
            "compressionType": "none",
            "secure": false,
            "fileNameTimeStampFormat": "",
            "emptyEmailMessage": "",
        }),
    };
    dated(connection, value)
}

/// What an administrator can export from the Connections page.
pub(super) fn exports(state: &State) -> Vec<Export> {
    let all = &state.connect.connections;
    let user = |id: u64| state.people.user(id).map_or("", |user| user.name.as_str()).to_owned();
    let persona = |id: u64| {
        let found = state.people.personas.iter().find(|persona| persona.id == id);
        found.map_or("Default", |persona| persona.name).to_owned()
    };
    let events = |source: &Source| match source {
        Source::Events { group, events } => ("Event".to_owned(), (*group).to_owned(), events.join("; ")),
        other => (other.kind().to_owned(), String::new(), String::new()),
    };
    let connections = all.iter().map(|connection| {
        let last = connection.runs.first();
        let (source, group, _) = events(&connection.source);
        vec![
            connection.name.to_owned(),
            user(connection.owner),
            persona(connection.persona),
            connection.enabled.to_string(),
            connection.schedule.cron(),
            connection
                .schedule
                .next(state.now)
                .filter(|_| connection.enabled)
                .map_or_else(String::new, iso_millis),
            last.map_or_else(String::new, |run| iso_millis(run.started)),
            last.map_or("", |run| run.status.name()).to_owned(),
            connection.destination.kind().to_owned(),
            source,
            group,
        ]
    });
    let report =
        all.iter().filter(|c| matches!(&c.source, Source::Events { group: "Connect", .. })).map(|c| {
            let (source, group, names) = events(&c.source);
            vec![
                c.name.to_owned(),
                source,
                group,
                names,
                c.destination.kind().to_owned(),
                c.enabled.to_string(),
            ]
        });
    let metrics = all.iter().flat_map(|c| {
        c.runs.iter().map(|run| {
            vec![
                c.name.to_owned(),
                iso_millis(run.started),
                run.source_rows.to_string(),
                run.bytes().to_string(),
                run.seconds.to_string(),
            ]
        })
    });
    vec![
        Export {
            file: "connect-connections.csv",
            columns: &[
                "Name",
                "Owner",
                "Run as Persona",
                "Enabled",
                "Schedule",
                "Next Run",
                "Last Run",
                "Status",
                "Destination",
                "Source",
                "Event Group",
            ],
            rows: connections.collect(),
        },
        Export {
            file: "connect-failed-report.csv",
            columns: &["Name", "Source", "Event Group", "Events", "Destination", "Listen"],
            rows: report.collect(),
        },
        Export {
            file: "connect-run-metrics.csv",
            columns: &["Connection", "Run Time", "Rows", "Bytes", "Duration"],
            rows: metrics.collect(),
        },
    ]
}
