//! What can be wrong with Patch.

use super::{
    BlockList, CUSTOM_ACTION_GROUP, Deployment, PATCH_ACTION_GROUP, START_ACTION, ScanConfiguration,
    WORKBENCH,
};
use crate::areas::actions::ActionGroup;
use crate::areas::groups::ALL_WINDOWS;
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;
use jiff::SignedDuration;

/// The ongoing deployment.
const ONGOING: u64 = 4;
/// The action group Windows computers.
const WINDOWS_ACTION_GROUP: u64 = 54;
/// A manual computer group without a maintenance window.
const PILOTS: u64 = 30;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "patch-process-stopped",
        about: "the Patch process does not run on a few endpoints",
        breaks: &["patch.process-not-running"],
        apply: |state| state.patch.stopped_permille = 8,
    },
    Fault {
        name: "patch-process-failed",
        about: "the Patch process is in error on a few endpoints",
        breaks: &["patch.process-error"],
        apply: |state| state.patch.failed_permille = 8,
    },
    Fault {
        name: "patch-coverage-attention",
        about: "a few endpoints need attention in the coverage of Patch",
        breaks: &["patch.coverage-needs-attention"],
        apply: |state| state.patch.attention_permille = 8,
    },
    Fault {
        name: "patch-scans-late",
        about: "a tenth of the endpoints was not scanned for missing patches for more than a week",
        breaks: &["patch.days-since-scan"],
        apply: |state| state.patch.board.late_scans_permille = 100,
    },
    Fault {
        name: "patch-scan-errors",
        about: "scans of Linux endpoints end with an error",
        breaks: &["patch.scan-errors"],
        apply: |state| state.patch.scan_errors.push((2, "scan failed with code -9", 7)),
    },
    Fault {
        name: "patch-scan-changed",
        about: "Windows endpoints are scanned once a week instead of once a day",
        breaks: &["patch.scan-config-conforms"],
        apply: |state| scan(state, |one| one.hours = 168),
    },
    Fault {
        name: "patch-scan-without-delay",
        about: "all Windows endpoints begin to scan at the same time",
        breaks: &["patch.scan-delay", "patch.scan-config-conforms"],
        apply: |state| scan(state, |one| one.delay_minutes = 0),
    },
    Fault {
        name: "patch-scan-unused",
        about: "a scan configuration has been enforced nowhere for half a year",
        breaks: &["patch.scan-config-obsolete"],
        apply: |state| {
            let unused = ScanConfiguration {
                id: 3,
                name: "Old WSUS scan",
                technique: "wsus",
                updated: state.now - days(180),
                targets: Vec::new(),
                ..state.patch.scan_configurations[0].clone()
            };
            state.patch.scan_configurations.push(unused);
        },
    },
    Fault {
        name: "patch-product-left-out",
        about: "Tanium Scan for Windows no longer includes a product that has to be patched",
        breaks: &["patch.scan-products"],
        apply: |state| state.patch.scanned.retain(|(_, name)| *name != "Office Live"),
    },
    Fault {
        name: "patch-board-error",
        about: "a panel in section Summary of the Patch board shows an error",
        breaks: &["patch.board-summary"],
        apply: |state| state.patch.board.summary_error = "the source failed",
    },
    Fault {
        name: "patch-missing-board-error",
        about: "a panel in section Missing Patches of the Patch board shows an error",
        breaks: &["patch.board-missing"],
        apply: |state| state.patch.board.missing_error = "the source failed",
    },
    Fault {
        name: "patch-missing-rises",
        about: "half as many patches more are missing than a month ago",
        breaks: &["patch.board-missing"],
        apply: |state| {
            for list in &mut state.patch.patch_lists {
                list.missing_permille += list.missing_permille / 2;
            }
        },
    },
    Fault {
        name: "patch-sla-missed",
        about: "the agreed compliance with patches is missed",
        breaks: &["patch.board-sla"],
        apply: |state| state.patch.board.compliance_pct = 71,
    },
    Fault {
        name: "patch-critical-missing",
        about: "a fifth of the endpoints misses a critical patch of last month",
        breaks: &["patch.critical-missing-30d"],
        apply: |state| {
            state.patch.board.critical_missing_permille = 210;
            for patch in state.patch.patches.iter_mut().filter(|patch| patch.article == "KB5030219") {
                patch.applies_permille = 200;
            }
        },
    },
    Fault {
        name: "patch-deployment-errors",
        about: "a deployment needs attention on some endpoints",
        breaks: &["patch.deployment-errors"],
        apply: |state| deployment(state, |one| one.needs_attention = 6),
    },
    Fault {
        name: "patch-deployments-scattered",
        about: "twenty deployments target one endpoint each",
        breaks: &["patch.deployment-fragmented"],
        apply: |state| {
            let model = state.patch.deployments[1].clone();
            state.patch.deployments.extend((20..40).map(|id| Deployment {
                id,
                name: format!("Single endpoint {id}"),
                groups: Vec::new(),
                complete: 1,
                ..model.clone()
            }));
        },
    },
    Fault {
        name: "patch-deployment-overrides",
        about: "a deployment overrides maintenance windows against the practice",
        breaks: &["patch.deployment-misconfigured"],
        apply: |state| deployment(state, |one| one.overrides_windows = true),
    },
    Fault {
        name: "patch-deployment-idle",
        about: "an ongoing deployment of half a year ago never finished anywhere",
        breaks: &["patch.deployment-obsolete"],
        apply: |state| {
            let began = state.now - days(180);
            deployment(state, |one| {
                (one.start, one.updated, one.complete) = (began, began, 0);
            });
        },
    },
    Fault {
        name: "patch-deployment-superseded",
        about: "a newer deployment installs the same patches on the same computers",
        breaks: &["patch.deployment-obsolete"],
        apply: |state| {
            let mut newer = state.patch.deployments[0].clone();
            (newer.id, newer.start) = (9, state.now - days(3));
            newer.name.push_str(" (new)");
            state.patch.deployments.push(newer);
        },
    },
    Fault {
        name: "patch-deployment-uninitialized",
        about: "an active deployment was never set up on the server",
        breaks: &["patch.deployment-uninitialized"],
        apply: |state| deployment(state, |one| one.initialized = false),
    },
    Fault {
        name: "patch-target-deleted",
        about: "the computer group that a deployment targets was deleted",
        breaks: &["patch.target-deleted"],
        apply: |state| {
            deployment(state, |one| {
                one.deleted.insert(ALL_WINDOWS);
            });
        },
    },
    Fault {
        name: "patch-windows-missing",
        about: "there is no maintenance window for patches at all",
        breaks: &["patch.windows-none"],
        apply: |state| state.patch.windows.clear(),
    },
    Fault {
        name: "patch-windows-unenforced",
        about: "the maintenance windows for patches are enforced on no computer group",
        breaks: &["patch.windows-none", "patch.windows-unenforced", "patch.windows-misconfigured"],
        apply: |state| state.patch.windows.iter_mut().for_each(|window| window.targets.clear()),
    },
    Fault {
        name: "patch-deployment-without-window",
        about: "a deployment targets a computer group that has no maintenance window",
        breaks: &["patch.windows-unenforced"],
        apply: |state| deployment(state, |one| one.groups.push(PILOTS)),
    },
    Fault {
        name: "patch-window-expired",
        about: "a maintenance window for patches ended a year ago and does not repeat",
        breaks: &["patch.windows-expired", "patch.windows-misconfigured"],
        apply: |state| state.patch.windows[1].repeat = None,
    },
    Fault {
        name: "patch-window-changed",
        about: "a maintenance window for patches lasts into the working day",
        breaks: &["patch.windows-misconfigured"],
        apply: |state| state.patch.windows[0].end += SignedDuration::from_hours(6),
    },
    Fault {
        name: "patch-action-group-changed",
        about: "the action group Patch holds Windows computers only, and Patch warns of the change",
        breaks: &["patch.action-group-targets"],
        apply: |state| {
            action_group(state, PATCH_ACTION_GROUP, |group| group.groups = vec![ALL_WINDOWS]);
            state.patch.alerts.push((
                "action-group-change-warning",
                "The Patch Action Group has changed after the last initialization.",
                "Re-Initialize",
            ));
        },
    },
    Fault {
        name: "patch-custom-group-emptied",
        about: "an action group that an operator made for Patch holds no computer group any more",
        breaks: &["patch.custom-action-groups"],
        apply: |state| action_group(state, CUSTOM_ACTION_GROUP, |group| group.groups.clear()),
    },
    Fault {
        name: "patch-start-narrowed",
        about: "the action that starts the Patch process reaches Windows computers only",
        breaks: &["patch.start-process-action-group"],
        apply: |state| {
            if let Some(saved) = state.actions.saved_mut(START_ACTION) {
                saved.action_group = WINDOWS_ACTION_GROUP;
            }
        },
    },
    Fault {
        name: "patch-block-list-without-effect",
        about: "a block list is not enforced on some of its endpoints",
        breaks: &["patch.block-list-unenforced"],
        apply: |state| state.patch.block_lists[0].targets[0].unenforced = 4,
    },
    Fault {
        name: "patch-block-list-outdated",
        about: "some endpoints have an older version of a block list",
        breaks: &["patch.block-list-old-version"],
        apply: |state| state.patch.block_lists[0].targets[0].old_version = 4,
    },
    Fault {
        name: "patch-block-list-without-targets",
        about: "a block list is enforced on no computer group",
        breaks: &["patch.block-list-no-target"],
        apply: |state| {
            let list = BlockList { id: 3, name: "No drivers", os: "windows", rules: 1, targets: Vec::new() };
            state.patch.block_lists.push(list);
        },
    },
    Fault {
        name: "patch-warns",
        about: "the Patch service warns that sensors are missing",
        breaks: &["patch.alerts"],
        apply: |state| {
            let warning = ("missing-sensors-warning", "Sensors that Patch needs are missing.", "Update");
            state.patch.alerts.push(warning);
        },
    },
    Fault {
        name: "patch-job-failed",
        about: "a job of the Patch service failed",
        breaks: &["patch.job-failed"],
        apply: |state| {
            for job in state.patch.jobs.iter_mut().filter(|job| job.kind == "RefreshCaches") {
                (job.task_status, job.log) = ("failure", "the Tanium Server did not answer");
            }
        },
    },
    Fault {
        name: "uup-sync-failed",
        about: "the synchronisation with the Unified Update Platform failed",
        breaks: &["patch.uup-update"],
        apply: |state| state.patch.uup_failed = true,
    },
    Fault {
        name: "patch-missing",
        about: "Patch is not imported; checks of it do not apply",
        breaks: &[],
        apply: |state| state.server.solutions.retain(|solution| solution.workbench != Some(WORKBENCH)),
    },
];

fn scan(state: &mut State, change: impl FnOnce(&mut ScanConfiguration)) {
    if let Some(one) = state.patch.scan_configurations.first_mut() {
        change(one);
    }
}

fn deployment(state: &mut State, change: impl FnOnce(&mut Deployment)) {
    if let Some(one) = state.patch.deployments.iter_mut().find(|one| one.id == ONGOING) {
        change(one);
    }
}

fn action_group(state: &mut State, id: u64, change: impl FnOnce(&mut ActionGroup)) {
    if let Some(group) = state.actions.groups.iter_mut().find(|group| group.id == id) {
        change(group);
    }
}
