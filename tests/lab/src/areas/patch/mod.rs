//! The Patch service: scans, deployments, maintenance windows, block lists, patch lists, and what its pages show.

mod exports;
mod faults;
mod render;
mod routes;

use crate::areas::Area;
use crate::areas::actions::{ActionGroup, Package, PackageFile, SavedAction};
use crate::areas::groups::{ALL_LINUX, ALL_WINDOWS, Group};
use crate::areas::people::OPERATOR;
use crate::areas::reports::Report;
use crate::clock::{days, minutes};
use crate::state::State;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

pub(crate) const AREA: Area =
    Area { routes: routes::routes, faults: faults::FAULTS, exports: exports::exports };

/// Where all routes of the service begin.
pub(crate) const BASE: &str = "/plugin/products/patch";
/// How the service is called in the list of workbenches.
pub(crate) const WORKBENCH: &str = "Patch";

/// The reports that Patch brings. The guide names the report; its columns are the lab's own.
pub(crate) const REPORTS: &[Report] = &[Report {
    name: "Patch Coverage Status",
    module: WORKBENCH,
    columns: &[
        "Computer Name",
        "Operating System",
        "IP Address",
        "Patch Coverage Status",
        "Patch Coverage Details",
    ],
    rows: exports::coverage,
    error: None,
}];

/// The computer group that Patch makes for itself, with the id of the vendor's example.
const SUPPORTED: u64 = 534;
const PATCH_ACTION_GROUP: u64 = 534;
/// An action group that an operator made for Patch.
const CUSTOM_ACTION_GROUP: u64 = 535;
const START_ACTION: u64 = 534;

/// A computer group on which something is enforced, and the endpoints that do not obey.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) group: u64,
    pub(crate) initialized: bool,
    pub(crate) unenforced: u64,
    pub(crate) old_version: u64,
}

impl Target {
    fn on(group: u64) -> Self {
        Self { group, initialized: true, unenforced: 0, old_version: 0 }
    }
}

/// A block list.
#[derive(Debug, Clone)]
pub(crate) struct BlockList {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) os: &'static str,
    pub(crate) rules: u64,
    pub(crate) targets: Vec<Target>,
}

/// A maintenance window.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) os: &'static str,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) repeat: Option<&'static str>,
    pub(crate) targets: Vec<Target>,
}

/// A scan configuration.
#[derive(Debug, Clone)]
pub(crate) struct ScanConfiguration {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) os: &'static str,
    pub(crate) technique: &'static str,
    pub(crate) hours: u64,
    pub(crate) delay_minutes: u64,
    pub(crate) updated: Timestamp,
    pub(crate) targets: Vec<Target>,
}

/// A deployment.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) os: &'static str,
    pub(crate) ongoing: bool,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    pub(crate) updated: Timestamp,
    pub(crate) initialized: bool,
    /// Computer groups; without any it is targeted by question.
    pub(crate) groups: Vec<u64>,
    /// Groups among these that were deleted.
    pub(crate) deleted: BTreeSet<u64>,
    pub(crate) patch_list: u64,
    pub(crate) overrides_windows: bool,
    pub(crate) complete: u64,
    pub(crate) needs_attention: u64,
}

impl Deployment {
    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.start <= now && self.end.is_none_or(|end| now < end)
    }

    pub(crate) fn is_ended(&self, now: Timestamp) -> bool {
        self.end.is_some_and(|end| end <= now)
    }
}

/// A patch list; how often its patches are missing, for each endpoint of the deployment.
#[derive(Debug, Clone)]
pub(crate) struct PatchList {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) os: &'static str,
    pub(crate) managed: bool,
    pub(crate) missing_permille: u64,
}

/// A patch that applies to a share of the endpoints, in thousandths.
#[derive(Debug, Clone)]
pub(crate) struct Patch {
    pub(crate) title: &'static str,
    pub(crate) article: &'static str,
    pub(crate) os: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) released: Timestamp,
    pub(crate) applies_permille: u64,
}

/// A job with its only task.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) kind: &'static str,
    pub(crate) description: &'static str,
    pub(crate) task_status: &'static str,
    pub(crate) log: &'static str,
}

/// What only the Trends board shows. The names of its panels are the lab's own, those of its sections the guide's.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    /// What the panel of the section Summary says instead of a value.
    pub(crate) summary_error: &'static str,
    pub(crate) missing_error: &'static str,
    pub(crate) compliance_pct: u64,
    /// Endpoints, in thousandths, whose last scan is longer ago than a week.
    pub(crate) late_scans_permille: u64,
    pub(crate) critical_missing_permille: u64,
}

/// All of it.
pub(crate) struct PatchService {
    /// Type, description and action of warnings.
    pub(crate) alerts: Vec<(&'static str, &'static str, &'static str)>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) uup_failed: bool,
    pub(crate) block_lists: Vec<BlockList>,
    pub(crate) windows: Vec<Window>,
    pub(crate) scan_configurations: Vec<ScanConfiguration>,
    /// Scan configuration, message and number of errors.
    pub(crate) scan_errors: Vec<(u64, &'static str, u64)>,
    /// Categories that Tanium Scan for Windows includes: id and name.
    pub(crate) scanned: Vec<(&'static str, &'static str)>,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) patch_lists: Vec<PatchList>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) board: Board,
    /// Endpoints, in thousandths, whose process does not run, is in error, whose coverage needs attention.
    pub(crate) stopped_permille: u64,
    pub(crate) failed_permille: u64,
    pub(crate) attention_permille: u64,
}

impl PatchService {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            alerts: Vec::new(),
            jobs: vec![
                Job {
                    id: 14,
                    kind: "AddMaintenanceWindowTzOffsets",
                    description: "Add tzOffset values to maintenance windows",
                    task_status: "success",
                    log: "",
                },
                Job {
                    id: 15,
                    kind: "RefreshCaches",
                    description: "Refresh caches",
                    task_status: "success",
                    log: "",
                },
            ],
            uup_failed: false,
            block_lists: block_lists(),
            windows: windows(),
            scan_configurations: scan_configurations(now),
            scan_errors: Vec::new(),
            scanned: CATEGORIES.iter().map(|(guid, name, ..)| (*guid, *name)).collect(),
            deployments: deployments(now),
            patch_lists: vec![
                PatchList { id: 1, name: "All Patches", os: "all", managed: true, missing_permille: 900 },
                PatchList {
                    id: 2,
                    name: "[Tanium Patch Recommended Updates] - Windows",
                    os: "windows",
                    managed: true,
                    missing_permille: 400,
                },
                PatchList { id: 7, name: "Baseline", os: "windows", managed: false, missing_permille: 100 },
            ],
            patches: patches(now),
            board: Board {
                summary_error: "",
                missing_error: "",
                compliance_pct: 96,
                late_scans_permille: 0,
                critical_missing_permille: 12,
            },
            stopped_permille: 0,
            failed_permille: 0,
            attention_permille: 0,
        }
    }
}

/// What Patch puts into other parts of the deployment: a computer group, an action group, an action; and what an
/// operator made for it.
pub(crate) fn furnish(state: &mut State) {
    let now = state.now;
    state.groups.all.push(Group {
        id: SUPPORTED,
        name: "Patch Supported Systems".to_owned(),
        creator: 1,
        text: "Is Mac not contains True".to_owned(),
        management_rights: true,
        computers: Vec::new(),
        created: now - days(400),
    });
    let group = |id, name, group| ActionGroup { id, name, groups: vec![group], modified: now - days(120) };
    state.actions.groups.push(group(PATCH_ACTION_GROUP, "Patch", SUPPORTED));
    state.actions.groups.push(group(CUSTOM_ACTION_GROUP, "Patch - Linux", ALL_LINUX));
    let package = |id: u64, name, file| Package {
        id,
        name,
        command: "/bin/sh run.sh",
        content_set: WORKBENCH,
        files: vec![PackageFile { id: id * 10, name: file, size: 3356, status: 200, cache_status: "Cached" }],
        modified: now - days(150),
    };
    state.actions.packages.push(package(534, "Patch - Start Patch Process", "start-patch-process.sh"));
    state.actions.packages.push(package(535, "Collect Patch logs", "collect-patch-logs.sh"));
    let action = |id, name, package, action_group, target_group, user| SavedAction {
        last_start: now - minutes(90),
        ..SavedAction::enabled(now, id, name, package, action_group, target_group, user)
    };
    state.actions.schedule(action(
        START_ACTION,
        "Patch - Start Patch Process",
        534,
        PATCH_ACTION_GROUP,
        SUPPORTED,
        1,
    ));
    state.actions.schedule(action(535, "Collect Patch logs", 535, CUSTOM_ACTION_GROUP, ALL_LINUX, OPERATOR));
}

fn block_lists() -> Vec<BlockList> {
    let list = |id, name, os, group| BlockList { id, name, os, rules: 1, targets: vec![Target::on(group)] };
    vec![
        list(1, "[Global Block List] - Windows", "windows", ALL_WINDOWS),
        list(2, "[Global Block List] - Linux", "linux", ALL_LINUX),
    ]
}

/// Six hours each night for Windows, eight each Sunday for Linux.
fn windows() -> Vec<Window> {
    let start: Timestamp = "2025-01-05T22:00:00Z".parse().expect("a valid time");
    let window = |id, name, os, hours, repeat, group| Window {
        id,
        name,
        os,
        start,
        end: start + SignedDuration::from_hours(hours),
        repeat: Some(repeat),
        targets: vec![Target::on(group)],
    };
    vec![
        window(1, "Nights - Windows", "windows", 6, "daily", ALL_WINDOWS),
        window(2, "Sundays - Linux", "linux", 8, "weekly", ALL_LINUX),
    ]
}

fn scan_configurations(now: Timestamp) -> Vec<ScanConfiguration> {
    let configuration = |id, name, os, technique, group| ScanConfiguration {
        id,
        name,
        os,
        technique,
        hours: 24,
        delay_minutes: 120,
        updated: now - days(100),
        targets: vec![Target::on(group)],
    };
    vec![
        configuration(1, "[Tanium Scan] - Windows", "windows", "tanium", ALL_WINDOWS),
        configuration(2, "[Tanium Scan] - Linux", "linux", "repo", ALL_LINUX),
    ]
}

fn deployments(now: Timestamp) -> Vec<Deployment> {
    let deployment = |id, name: &str, os, start: i64, end: Option<i64>, group| Deployment {
        id,
        name: name.to_owned(),
        os,
        ongoing: end.is_none(),
        start: now - days(start),
        end: end.map(|end| now + days(end)),
        updated: now - days(start),
        initialized: true,
        groups: vec![group],
        deleted: BTreeSet::new(),
        patch_list: 2,
        overrides_windows: false,
        complete: 40,
        needs_attention: 0,
    };
    vec![
        deployment(4, "Security updates - Windows", "windows", 40, None, ALL_WINDOWS),
        deployment(5, "Updates of this month - Linux", "linux", 5, Some(2), ALL_LINUX),
        deployment(6, "Updates of last month - Linux", "linux", 35, Some(-10), ALL_LINUX),
    ]
}

fn patches(now: Timestamp) -> Vec<Patch> {
    let patch = |title, article, severity, released, applies_permille| Patch {
        title,
        article,
        os: "windows",
        severity,
        released: now - days(released),
        applies_permille,
    };
    vec![
        patch("Cumulative Update for Windows 11 (KB5031358)", "KB5031358", "Critical", 12, 700),
        patch("Cumulative Update for Windows 11 (KB5030219)", "KB5030219", "Critical", 45, 12),
        patch("Windows Malicious Software Removal Tool x64 (KB890830)", "KB890830", "None", 60, 700),
    ]
}

/// What Tanium Scan for Windows offers: id and name of a category, id and name of its product.
const CATEGORIES: &[(&str, &str, &str, &str)] = &[
    (
        "4756f399-b049-8e6e-94e9-ff63d0e236a7",
        "ASP.NET Web and Data Frameworks",
        "fa5ef799-b817-439e-abf7-c76ba0cacb75",
        "ASP.NET Web Frameworks",
    ),
    (
        "03c7c488-f8ed-496c-b6e0-be608abb8a79",
        "Office Live",
        "8f7ba0cd-5d2b-4a34-b5a7-b2a4c7a3a3f1",
        "Office Live Add-in",
    ),
];
