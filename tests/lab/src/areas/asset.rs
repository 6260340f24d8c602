//! Asset: the service with views, and the pages that only export files show.

use crate::areas::{Area, Export};
use crate::clock::{days, iso, minutes};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: FAULTS, exports };

/// The service's routes, and the workbench that must be there for them.
pub(crate) const SERVICE: (&str, &str) = ("/plugin/products/asset", "Asset");

const READ: Need = Need::Privilege("asset report read");

/// An import or export schedule.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) log_level: &'static str,
    pub(crate) last_run: Timestamp,
    pub(crate) state: &'static str,
}

/// A view or a report with its attributes.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(crate) name: &'static str,
    pub(crate) custom: bool,
    pub(crate) status: &'static str,
    /// Ids of attributes.
    pub(crate) attributes: Vec<usize>,
}

/// All of it.
pub(crate) struct Asset {
    pub(crate) down: bool,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) views: Vec<Sheet>,
    pub(crate) reports: Vec<Sheet>,
    /// Attributes that are disabled.
    pub(crate) disabled: Vec<usize>,
    /// The view that takes too long, by its place.
    pub(crate) slow_view: Option<usize>,
}

const ATTRIBUTES: [(&str, &str); 4] = [
    ("Computer Name", "computer_name"),
    ("Model", "model"),
    ("Serial Number", "serial_number"),
    ("User", "user_name"),
];

impl Asset {
    /// Every night an import and an export; two sheets of Asset's own and a custom one, of each kind.
    pub(crate) fn new(now: Timestamp) -> Self {
        let schedule = |kind, name| Schedule {
            kind,
            name,
            log_level: "Info",
            last_run: now - minutes(9 * 60),
            state: "Success",
        };
        let sheet = |name, custom, status| Sheet { name, custom, status, attributes: vec![0, 1, 2] };
        Self {
            down: false,
            schedules: vec![schedule("import", "Tanium Database"), schedule("export", "CMDB")],
            // The document lists no values of a view's status; this one is the lab's.
            views: vec![
                sheet("All Assets", false, "READY"),
                sheet("Software Inventory", false, "READY"),
                sheet("Laptops by owner", true, "READY"),
            ],
            reports: vec![sheet("All Assets", false, "Enabled"), sheet("Leases", true, "Enabled")],
            disabled: Vec::new(),
            slow_view: None,
        }
    }
}

fn routes() -> Vec<Route> {
    vec![
        get("/plugin/products/asset/status", Need::Session, status),
        get("/plugin/products/asset/v1/views", READ, views),
        get("/plugin/products/asset/v1/attributes", READ, attributes),
        get("/plugin/products/asset/v1/assets", READ, assets),
    ]
}

/// The document describes no body.
fn status(call: &Call<'_>) -> Answer {
    if call.state.asset.down {
        Err(Refusal::new(503, "Service Unavailable"))
    } else {
        Ok(Reply::json(&json!({})))
    }
}

fn views(call: &Call<'_>) -> Answer {
    let view = |(view, id): (&Sheet, u64)| {
        let attributes: Vec<Value> = view.attributes.iter().map(|&at| attribute(at)).collect();
        json!({"id": id, "viewName": view.name, "description": "", "createdAt": 1_700_000_000, "updatedAt": 1_700_000_000,
            "definition": {"filter": {}, "relatedFilters": [], "attributes": attributes, "userName": "",
                "status": view.status, "reserved": !view.custom}})
    };
    Ok(Reply::data(call.state.asset.views.iter().zip(1..).map(view).collect::<Vec<_>>()))
}

/// An attribute of a view. One that is not imported yet has neither field nor table.
fn attribute(at: usize) -> Value {
    match ATTRIBUTES.get(at) {
        Some((name, field)) => json!({"id": at, "entityId": 1, "entityName": "Asset", "tableName": "ci_item",
            "displayName": name, "fieldName": field, "dataType": "string"}),
        None => {
            json!({"id": at, "entityId": 1, "entityName": "Asset", "tableName": null, "displayName": "Warranty",
            "fieldName": null, "dataType": "string"})
        }
    }
}

/// The document describes the parameters and no body: the lab answers with their names.
fn attributes(call: &Call<'_>) -> Answer {
    let known = ATTRIBUTES.iter().enumerate().map(|(at, (name, field))| {
        json!({"id": at, "entityId": 1, "attributeName": name, "displayName": name, "fieldName": field,
            "enabled": !call.state.asset.disabled.contains(&at)})
    });
    Ok(Reply::data(known.collect::<Vec<_>>()))
}

fn assets(call: &Call<'_>) -> Answer {
    let view = call.query_number("viewId").unwrap_or(1);
    if call.state.asset.slow_view == Some(view) {
        return Err(Refusal::new(504, "Gateway Timeout"));
    }
    let asset = json!({"id": 1, "computer_name": "ws-0000001.lab.example"});
    let meta = json!({"endOfReader": false, "message": {"code": "", "text": ""}, "nextAssetId": 2});
    Ok(Reply::json(&json!({"response": {"data": [asset], "meta": meta}})))
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "asset-down",
        about: "the Asset service does not answer",
        breaks: &["asset.api-down"],
        apply: |state| state.asset.down = true,
    },
    Fault {
        name: "asset-import-failed",
        about: "the nightly import of Asset failed",
        breaks: &["asset.import-last-run", "asset.recent-jobs-failed", "asset.source-import-failed"],
        apply: |state| state.asset.schedules[0].state = "Failed",
    },
    Fault {
        name: "asset-export-late",
        about: "the nightly export of Asset has not run for five days",
        breaks: &["asset.export-last-run"],
        apply: |state| state.asset.schedules[1].last_run = state.now - days(5),
    },
    Fault {
        name: "asset-trace-left-on",
        about: "somebody forgot the log level Trace on an export of Asset",
        breaks: &["asset.trace-log-left-on"],
        apply: |state| state.asset.schedules[1].log_level = "Trace",
    },
    Fault {
        name: "asset-report-disabled",
        about: "a custom report of Asset is disabled because of a missing attribute",
        breaks: &["asset.report-attributes", "asset.report-disabled"],
        apply: |state| {
            let report = &mut state.asset.reports[1];
            report.status = "Disabled";
            report.attributes.push(ATTRIBUTES.len());
        },
    },
    Fault {
        name: "asset-view-stale",
        about: "a custom view of Asset is not ready",
        breaks: &["asset.view-disabled"],
        apply: |state| state.asset.views[2].status = "STALE",
    },
    Fault {
        name: "asset-view-pending",
        about: "a custom view of Asset shows an attribute that is not imported",
        breaks: &["asset.view-attributes"],
        apply: |state| state.asset.views[2].attributes.push(ATTRIBUTES.len()),
    },
    Fault {
        name: "asset-attribute-disabled",
        about: "an attribute that a custom view of Asset and a custom report show is disabled",
        breaks: &["asset.report-attributes", "asset.view-attributes"],
        apply: |state| state.asset.disabled.push(1),
    },
    Fault {
        name: "asset-view-slow",
        about: "a view of Asset ends with a timeout",
        breaks: &["asset.report-timeout"],
        apply: |state| state.asset.slow_view = Some(3),
    },
];

fn exports(state: &State) -> Vec<Export> {
    let asset = &state.asset;
    let schedules = asset.schedules.iter().map(|one| {
        let next = iso(one.last_run + days(1));
        [one.kind, one.name, "yes", "1 day", one.log_level, &iso(one.last_run), one.state, &next]
            .map(str::to_owned)
            .to_vec()
    });
    let jobs = asset.schedules.iter().map(|one| {
        let (start, end) = (iso(one.last_run), iso(one.last_run + minutes(60)));
        [one.name, one.kind, &start, &end, one.state].map(str::to_owned).to_vec()
    });
    let imports = asset.schedules.iter().filter(|one| one.kind == "import");
    let loads =
        imports.map(|one| [one.name, &iso(one.last_run), one.state, "340"].map(str::to_owned).to_vec());
    let attribute = |at: usize| match ATTRIBUTES.get(at) {
        None => ("Warranty", "Missing"),
        Some((name, _)) if asset.disabled.contains(&at) => (*name, "Disabled"),
        Some((name, _)) => (*name, "Enabled"),
    };
    let reports = asset.reports.iter().flat_map(|report| {
        let custom = if report.custom { "yes" } else { "no" };
        let row = |(name, state): (&str, &str)| {
            [report.name, custom, report.status, name, state].map(str::to_owned).to_vec()
        };
        match report.custom {
            true => report.attributes.iter().map(|&at| row(attribute(at))).collect(),
            false => vec![row(("", ""))],
        }
    });
    vec![
        Export {
            file: "asset-schedules.csv",
            columns: &[
                "type",
                "name",
                "enabled",
                "interval",
                "log level",
                "last run",
                "last state",
                "next run",
            ],
            rows: schedules.collect(),
        },
        Export {
            file: "asset-jobs.csv",
            columns: &["job", "type", "start", "end", "state"],
            rows: jobs.collect(),
        },
        Export {
            file: "asset-source-loads.csv",
            columns: &["source", "last run", "last state", "load seconds"],
            rows: loads.collect(),
        },
        Export {
            file: "asset-reports.csv",
            columns: &["report", "custom", "status", "attribute", "attribute status"],
            rows: reports.collect(),
        },
    ]
}
