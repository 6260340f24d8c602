//! What can be wrong with actions.

use super::{ALL_COMPUTERS_GROUP, Action, AuditEntry, DEFAULT_GROUP, SavedAction};
use crate::areas::fleet::OLD_CLIENT_VERSION;
use crate::areas::groups::{ALL_COMPUTERS, NO_COMPUTERS};
use crate::areas::people::{ENDPOINT_CONFIGURATION, OPERATOR};
use crate::clock::{days, minutes};
use crate::faults::Fault;
use crate::state::State;
use std::borrow::Cow;

const UTILITIES: u64 = 1;
const SOLUTION_ACTION: u64 = 2;
const OPERATOR_ACTION: u64 = 3;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "default-group-assigned",
        about: "All Computers was assigned to the action group Default",
        breaks: &["actions.default-group-members"],
        apply: |state| set_default_members(state, &[NO_COMPUTERS, ALL_COMPUTERS]),
    },
    Fault {
        name: "default-group-emptied",
        about: "No Computers was taken out of the action group Default",
        breaks: &["actions.default-group-members"],
        apply: |state| set_default_members(state, &[]),
    },
    Fault {
        name: "action-on-default",
        about: "an operator's scheduled action targets the action group Default and never deploys",
        breaks: &["actions.scheduled-actions-on-default", "actions.default-target-intent"],
        apply: |state| change(state, OPERATOR_ACTION, |saved| saved.action_group = DEFAULT_GROUP),
    },
    Fault {
        name: "action-disabled",
        about: "an operator's scheduled action was disabled half a year ago and forgotten",
        breaks: &["actions.disabled"],
        apply: |state| {
            let at = state.now - days(180);
            change(state, OPERATOR_ACTION, move |saved| {
                saved.status = 1;
                saved.created = at - days(30);
                saved.modified = at;
                saved.last_start = at - minutes(60);
            });
        },
    },
    Fault {
        name: "action-not-approved",
        about: "an operator's scheduled action waits for an approval",
        breaks: &["actions.never-reissued"],
        apply: |state| change(state, OPERATOR_ACTION, |saved| saved.approved = false),
    },
    Fault {
        name: "duplicate-action",
        about: "the same package is scheduled twice for the same targets",
        breaks: &["actions.duplicate"],
        apply: |state| {
            let copy = state.actions.saved.iter().find(|saved| saved.id == OPERATOR_ACTION).cloned();
            if let Some(copy) = copy {
                let name = format!("{} (copy)", copy.name);
                state.actions.schedule(SavedAction { id: 40, name, issue_seconds: 28_800, ..copy });
            }
        },
    },
    Fault {
        name: "failing-action",
        about: "a scheduled action fails on a third of its targets",
        breaks: &["actions.failing"],
        apply: |state| change_run(state, OPERATOR_ACTION, |run| run.failed_permille = 333),
    },
    Fault {
        name: "unreached-action",
        about: "the package of a scheduled action was never cached, so the action reached nobody",
        breaks: &["actions.failing", "health-check.package-files", "health-check.database-connections"],
        apply: |state| {
            change_run(state, OPERATOR_ACTION, |run| run.unreached = true);
            for file in state.actions.packages.iter_mut().filter(|p| p.id == 4).flat_map(|p| &mut p.files) {
                file.status = 404;
                file.cache_status = "ERROR";
            }
        },
    },
    Fault {
        name: "stale-user-action",
        about: "an operator's scheduled action has not been touched for a year",
        breaks: &["actions.user-issued-stale"],
        apply: |state| {
            let at = state.now - days(365);
            change(state, OPERATOR_ACTION, move |saved| {
                saved.created = at;
                saved.modified = at;
            });
        },
    },
    Fault {
        name: "action-issuer-deleted",
        about: "the operator who scheduled actions was deleted, and the server no longer issues them",
        breaks: &["actions.user-issued-stale", "health-check.schedule-owner-gone"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(OPERATOR) {
                user.deleted = true;
            }
        },
    },
    Fault {
        name: "service-action-disabled",
        about: "a scheduled action of the Administrator account is disabled since yesterday",
        breaks: &["actions.service-account-issued"],
        apply: |state| disable_yesterday(state, UTILITIES),
    },
    Fault {
        name: "solution-action-disabled",
        about: "a scheduled action of Endpoint Configuration is disabled since yesterday",
        breaks: &["actions.solution-issued"],
        apply: |state| disable_yesterday(state, SOLUTION_ACTION),
    },
    Fault {
        name: "solution-action-deleted",
        about: "a scheduled action of Endpoint Configuration was deleted",
        breaks: &["actions.solution-issued"],
        apply: |state| {
            state.actions.saved.retain(|saved| saved.user != ENDPOINT_CONFIGURATION);
        },
    },
    Fault {
        name: "client-upgrade-failed",
        about: "the client upgrade of ten days ago failed on some endpoints, which still run the older version",
        breaks: &[
            "client-management.version-upgrade-failed",
            "client-management.version-outdated",
            "direct-connect.version-client",
        ],
        apply: |state| {
            for run in state.actions.runs.iter_mut().filter(|run| run.name.starts_with("Client Upgrade")) {
                run.failed_permille = 10;
            }
            state.fleet.change_some(0.01, |_| true, |e| e.version = Cow::Borrowed(OLD_CLIENT_VERSION));
        },
    },
];

fn set_default_members(state: &mut State, groups: &[u64]) {
    for group in state.actions.groups.iter_mut().filter(|group| group.id == DEFAULT_GROUP) {
        group.groups = groups.to_vec();
        group.modified = state.now - minutes(45);
    }
}

/// Changes a scheduled action and writes its audit trail anew.
pub(crate) fn change(state: &mut State, id: u64, change: impl FnOnce(&mut SavedAction)) {
    let actions = &mut state.actions;
    if let Some(saved) = actions.saved_mut(id) {
        change(saved);
        let trail = AuditEntry::of_saved_action(saved);
        let (group, start) = (saved.action_group, saved.last_start);
        actions.audit.retain(|entry| entry.object != id);
        actions.audit.extend(trail);
        for run in actions.runs.iter_mut().filter(|run| run.saved_action == Some(id)) {
            let life = run.expires.duration_since(run.start);
            (run.action_group, run.start, run.expires) = (group, start, start + life);
        }
    }
}

fn change_run(state: &mut State, saved: u64, change: impl FnOnce(&mut Action)) {
    if let Some(run) = state.actions.runs.iter_mut().find(|run| run.saved_action == Some(saved)) {
        change(run);
    }
}

fn disable_yesterday(state: &mut State, id: u64) {
    let at = state.now - days(1);
    change(state, id, |saved| {
        saved.status = 1;
        saved.modified = at;
        saved.last_start = at - minutes(30);
        saved.action_group = ALL_COMPUTERS_GROUP;
    });
}
