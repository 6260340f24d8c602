//! Actions: action groups, scheduled actions, their runs, packages, and the audit log of changes.

mod audit;
mod faults;
mod render;
mod routes;

use crate::areas::groups::{ALL_COMPUTERS, ALL_WINDOWS, NO_COMPUTERS, PLANT, VDI};
use crate::areas::people::{ENDPOINT_CONFIGURATION, OPERATOR};
use crate::areas::{Area, Export};
use crate::clock::{days, minutes};
use crate::state::State;
use jiff::{SignedDuration, Timestamp};

pub(crate) use audit::AuditEntry;
pub(crate) use faults::change;

pub(crate) const AREA: Area = Area { routes: all_routes, faults: faults::FAULTS, exports };

/// The action group that should hold No Computers only.
pub(crate) const DEFAULT_GROUP: u64 = 3;
const ALL_COMPUTERS_GROUP: u64 = 25;
/// The action group of Direct Connect, its scheduled actions, and a session that it opened.
pub(crate) const DIRECT_CONNECT_GROUP: u64 = 61;
pub(crate) const DIRECT_CONNECT_TOOLS: u64 = 7;
pub(crate) const DIRECT_CONNECT_CONFIGURATION: u64 = 8;
pub(crate) const DIRECT_CONNECT_SESSION: u64 = 99_002;
/// The name of the scheduled actions that bring the manifest of Endpoint Configuration, and one of them.
const MANIFEST: &str = "Endpoint Configuration - Manifest";
pub(crate) const MANIFEST_WINDOWS: u64 = 5;
const WINDOWS_GROUP: u64 = 54;
pub(crate) const TAGGED_GROUP: u64 = 60;

/// An action group.
#[derive(Debug, Clone)]
pub(crate) struct ActionGroup {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) groups: Vec<u64>,
    pub(crate) modified: Timestamp,
}

/// A file of a package. `status` is 200 once it is cached.
#[derive(Debug, Clone)]
pub(crate) struct PackageFile {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) size: u64,
    pub(crate) status: u32,
    pub(crate) cache_status: &'static str,
}

impl PackageFile {
    pub(crate) fn cached(&self) -> bool {
        self.status == 200 && self.cache_status == "Cached"
    }
}

/// A package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) command: &'static str,
    pub(crate) content_set: &'static str,
    pub(crate) files: Vec<PackageFile>,
    pub(crate) modified: Timestamp,
}

/// A scheduled action.
#[derive(Debug, Clone)]
pub(crate) struct SavedAction {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// 0 enabled, 1 disabled, 2 deleted.
    pub(crate) status: u8,
    pub(crate) approved: bool,
    pub(crate) action_group: u64,
    pub(crate) target_group: u64,
    pub(crate) package: u64,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) user: u64,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) end: Option<Timestamp>,
    pub(crate) last_start: Timestamp,
    pub(crate) issue_seconds: u32,
    pub(crate) expire_seconds: u32,
    pub(crate) issue_count: u64,
}

impl SavedAction {
    /// An approved action that is issued every four hours, and was two hours ago.
    pub(crate) fn enabled(
        now: Timestamp,
        id: u64,
        name: &str,
        package: u64,
        action_group: u64,
        target_group: u64,
        user: u64,
    ) -> Self {
        Self {
            id,
            name: name.to_owned(),
            status: 0,
            approved: true,
            action_group,
            target_group,
            package,
            parameters: Vec::new(),
            user,
            created: now - days(60),
            modified: now - days(21),
            end: None,
            last_start: now - minutes(120),
            issue_seconds: 14_400,
            expire_seconds: 3600,
            issue_count: 23,
        }
    }

    pub(crate) fn next_start(&self) -> Timestamp {
        self.last_start + SignedDuration::from_secs(i64::from(self.issue_seconds))
    }

    /// The id of the newest run.
    pub(crate) fn last_action(&self) -> u64 {
        self.id * 1000 + self.issue_count
    }
}

/// How endpoints fared with an action that has ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Results {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) expired: u64,
}

/// An action: one run of a scheduled action, or one that was issued once.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) id: u64,
    pub(crate) saved_action: Option<u64>,
    pub(crate) name: String,
    pub(crate) package: u64,
    pub(crate) action_group: u64,
    pub(crate) target_group: u64,
    pub(crate) user: u64,
    pub(crate) start: Timestamp,
    pub(crate) expires: Timestamp,
    /// Shares of the targets in thousandths: failed, then expired; the rest completed.
    pub(crate) failed_permille: u64,
    pub(crate) expired_permille: u64,
    /// Nothing ever reached a target.
    pub(crate) unreached: bool,
    /// How many endpoints it targets; all, where that is not told.
    pub(crate) targets: Option<u64>,
}

impl Action {
    /// `Open` while it runs, `Closed` once it has expired.
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        if now < self.start {
            "Pending"
        } else if now < self.expires {
            "Open"
        } else {
            "Closed"
        }
    }

    /// Counts over its targets: nearly all actions of the lab target every online endpoint.
    pub(crate) fn results(&self, state: &State) -> Results {
        if self.unreached {
            return Results::default();
        }
        let targets = self.targets.unwrap_or(state.fleet.totals().online);
        let failed = (targets * self.failed_permille).div_ceil(1000);
        let expired = (targets * self.expired_permille).div_ceil(1000).min(targets - failed);
        Results { completed: targets - failed - expired, failed, expired }
    }
}

/// All of it.
pub(crate) struct Actions {
    pub(crate) groups: Vec<ActionGroup>,
    pub(crate) packages: Vec<Package>,
    pub(crate) saved: Vec<SavedAction>,
    pub(crate) runs: Vec<Action>,
    pub(crate) audit: Vec<AuditEntry>,
}

impl Actions {
    pub(crate) fn new(now: Timestamp) -> Self {
        let saved = saved_actions(now);
        let mut runs: Vec<Action> = saved.iter().map(Action::run_of).collect();
        runs.push(client_upgrade(now));
        runs.push(session(now));
        let audit = saved.iter().flat_map(AuditEntry::of_saved_action).collect();
        Self { groups: groups(now), packages: packages(now), saved, runs, audit }
    }

    pub(crate) fn group_name(&self, id: u64) -> &str {
        self.groups.iter().find(|group| group.id == id).map_or("", |group| group.name)
    }

    pub(crate) fn package(&self, id: u64) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    pub(crate) fn run(&self, id: u64) -> Option<&Action> {
        self.runs.iter().find(|run| run.id == id)
    }

    pub(crate) fn saved_mut(&mut self, id: u64) -> Option<&mut SavedAction> {
        self.saved.iter_mut().find(|saved| saved.id == id)
    }

    /// Adds a scheduled action together with its newest run and its audit trail.
    pub(crate) fn schedule(&mut self, saved: SavedAction) {
        self.runs.push(Action::run_of(&saved));
        self.audit.extend(AuditEntry::of_saved_action(&saved));
        self.saved.push(saved);
    }
}

impl Action {
    fn run_of(saved: &SavedAction) -> Self {
        Self {
            id: saved.last_action(),
            saved_action: Some(saved.id),
            name: saved.name.clone(),
            package: saved.package,
            action_group: saved.action_group,
            target_group: saved.target_group,
            user: saved.user,
            start: saved.last_start,
            expires: saved.last_start + SignedDuration::from_secs(i64::from(saved.expire_seconds)),
            failed_permille: 4,
            expired_permille: 6,
            unreached: false,
            targets: None,
        }
    }
}

/// A client upgrade that everybody went through, ten days ago.
fn client_upgrade(now: Timestamp) -> Action {
    Action {
        id: 99_001,
        saved_action: None,
        name: "Client Upgrade to 7.4.4.1362".to_owned(),
        package: 8,
        action_group: WINDOWS_GROUP,
        target_group: ALL_WINDOWS,
        user: OPERATOR,
        start: now - days(10),
        expires: now - days(10) + minutes(240),
        failed_permille: 0,
        expired_permille: 0,
        unreached: false,
        targets: None,
    }
}

/// Somebody opened a session to one endpoint by Direct Connect, yesterday.
fn session(now: Timestamp) -> Action {
    Action {
        id: DIRECT_CONNECT_SESSION,
        saved_action: None,
        name: "Deploy Direct Connect - Open Session - srv-0000005.lab.example".to_owned(),
        package: 11,
        action_group: DIRECT_CONNECT_GROUP,
        target_group: ALL_COMPUTERS,
        user: OPERATOR,
        start: now - minutes(1440),
        expires: now - minutes(1430),
        failed_permille: 0,
        expired_permille: 0,
        unreached: false,
        targets: Some(1),
    }
}

fn groups(now: Timestamp) -> Vec<ActionGroup> {
    let group = |id, name, groups: &[u64]| ActionGroup {
        id,
        name,
        groups: groups.to_vec(),
        modified: now - days(120),
    };
    vec![
        group(DEFAULT_GROUP, "Default", &[NO_COMPUTERS]),
        group(ALL_COMPUTERS_GROUP, "All Computers", &[ALL_COMPUTERS]),
        group(WINDOWS_GROUP, "Windows computers", &[ALL_WINDOWS]),
        group(DIRECT_CONNECT_GROUP, "Tanium Direct Connect", &[ALL_COMPUTERS]),
        group(TAGGED_GROUP, "Tagged computers", &[PLANT, VDI]),
        group(62, "Tanium Threat Response", &[ALL_COMPUTERS]),
        // Deploy makes it for its tools.
        group(63, "Tanium Deploy", &[ALL_COMPUTERS]),
    ]
}

fn packages(now: Timestamp) -> Vec<Package> {
    let package = |id: u64, name, command, file, size| Package {
        id,
        name,
        command,
        content_set: "Client Management",
        files: vec![PackageFile { id: id * 10, name: file, size, status: 200, cache_status: "Cached" }],
        modified: now - days(150),
    };
    vec![
        package(
            4,
            "Modify Tanium Client Setting",
            "cmd.exe /c cscript.exe //E:VBScript set-client-settings-parameterized.vbs \"/RegType:$1\" \
             \"/SettingName:$2\" \"/SettingValue:$3\"",
            "set-client-settings-parameterized.vbs",
            22_236,
        ),
        package(
            5,
            "Distribute Tanium Standard Utilities",
            "cmd.exe /c cscript.exe //E:VBScript install-standard-utils.vbs \"Tools\\StdUtils\"",
            "7za.exe",
            733_696,
        ),
        package(
            6,
            "Client Configuration and Support [Linux](x86)",
            "/bin/sh -c 'chmod u+x TaniumCX && ./TaniumCX bootstrap --zip bootstrap.zip --copy-third-party-libs'",
            "TaniumCX",
            16_181_172,
        ),
        package(
            7,
            "Set Mac Tanium Client Logging Level",
            "/bin/sh set-log-level.sh $1",
            "set-log-level.sh",
            3356,
        ),
        package(8, "Client Upgrade", "cmd.exe /c upgrade-client.bat", "SetupClient.exe", 41_943_040),
        package(
            9,
            "Endpoint Configuration - Manifest [Windows] (v. 128)",
            "cmd.exe /c TaniumCX.exe config apply manifest.json",
            "manifest.json",
            10_240,
        ),
        package(
            10,
            "Endpoint Configuration - Manifest [Non-Windows] (v. 128)",
            "/bin/sh -c './TaniumCX config apply manifest.json'",
            "manifest.json",
            10_240,
        ),
        package(11, "Direct Connect - Tools", "cmd.exe /c install-direct-connect.bat", "dec.zip", 4_194_304),
    ]
}

fn saved_actions(now: Timestamp) -> Vec<SavedAction> {
    let saved = |id, name, package, action_group, target_group, user| {
        SavedAction::enabled(now, id, name, package, action_group, target_group, user)
    };
    vec![
        saved(1, "Distribute Tanium Standard Utilities", 5, ALL_COMPUTERS_GROUP, ALL_COMPUTERS, 1),
        saved(
            2,
            "Deploy Client Configuration and Support [Linux](x86)",
            6,
            ALL_COMPUTERS_GROUP,
            13,
            ENDPOINT_CONFIGURATION,
        ),
        SavedAction {
            parameters: vec![
                ("$1".to_owned(), "REG_DWORD".to_owned()),
                ("$2".to_owned(), "LogVerbosityLevel".to_owned()),
                ("$3".to_owned(), "0".to_owned()),
            ],
            ..saved(3, "VDI - Set LogVerbosityLevel", 4, WINDOWS_GROUP, 11, OPERATOR)
        },
        saved(4, "Set Mac Tanium Client Logging Level", 7, ALL_COMPUTERS_GROUP, 14, OPERATOR),
        saved(MANIFEST_WINDOWS, MANIFEST, 9, ALL_COMPUTERS_GROUP, ALL_WINDOWS, ENDPOINT_CONFIGURATION),
        saved(6, MANIFEST, 10, ALL_COMPUTERS_GROUP, ALL_COMPUTERS, ENDPOINT_CONFIGURATION),
        saved(
            DIRECT_CONNECT_TOOLS,
            "Deploy Direct Connect - Tools",
            11,
            DIRECT_CONNECT_GROUP,
            ALL_COMPUTERS,
            1,
        ),
        SavedAction {
            parameters: vec![("$1".to_owned(), "configure".to_owned())],
            ..saved(
                DIRECT_CONNECT_CONFIGURATION,
                "Deploy Direct Connect - Configure Extension",
                11,
                DIRECT_CONNECT_GROUP,
                ALL_COMPUTERS,
                1,
            )
        },
    ]
}

fn all_routes() -> Vec<crate::wire::Route> {
    let mut all = routes::routes();
    all.extend(audit::routes());
    all
}

fn exports(state: &State) -> Vec<Export> {
    render::exports(state)
}
