//! What can be wrong with the servers.

use super::{HEALTH_CHECK_SOLUTION, Schedule};
use crate::clock::minutes;
use crate::faults::Fault;
use crate::state::State;
use serde_json::json;

const HEALTH_CHECK_SCHEDULE: &str = "health-check-scheduleplugin";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "module-server-disconnected",
        about: "the Tanium Server cannot connect to the Module Server",
        breaks: &["health-check.module-server-connected"],
        apply: |state| state.server.module_connected = "Failed".to_owned(),
    },
    Fault {
        name: "module-server-without-plugins",
        about: "the Module Server is connected but loaded no module",
        breaks: &["health-check.module-server-connected"],
        apply: |state| {
            state.server.module_loaded = "Failed".to_owned();
            state.server.module_count = 0;
        },
    },
    Fault {
        name: "module-server-silent",
        about: "the Module Server has not reported its health for two hours",
        breaks: &["health-check.module-server-connected"],
        apply: |state| {
            for machine in &mut state.server.module_servers {
                machine.reported = state.now - minutes(120);
            }
        },
    },
    Fault {
        name: "health-check-missing",
        about: "Health Check is licensed but not imported",
        breaks: &["health-check.installed"],
        apply: |state| state.server.solutions.retain(|solution| solution.id != HEALTH_CHECK_SOLUTION),
    },
    Fault {
        name: "health-check-service-error",
        about: "the scheduled plugin of Health Check times out",
        breaks: &["health-check.service-review"],
        apply: |state| {
            with_schedule(state, |schedule| {
                schedule.exit_code = u32::MAX;
                schedule.text = format!(
                    "ERROR: PluginServerRequestTimedOut: The request to the module server timed out. Request to module \
                     server /module/products/{HEALTH_CHECK_SCHEDULE}/0 failed, timed out after: 10 for plugin \
                     products/{HEALTH_CHECK_SCHEDULE}"
                );
            });
        },
    },
    Fault {
        name: "health-check-schedule-disabled",
        about: "the scheduled plugin of Health Check is disabled and has never run",
        breaks: &["health-check.tpan-report-age", "health-check.tpan-schedule"],
        apply: |state| {
            with_schedule(state, |schedule| {
                schedule.enabled = false;
                schedule.last_run = None;
            });
        },
    },
    Fault {
        name: "license-exceeded",
        about: "the license allows fewer endpoints than there are",
        breaks: &["client-management.license-exceeded", "client-management.license-headroom"],
        apply: |state| set_seats(state, |endpoints| endpoints - endpoints / 10),
    },
    Fault {
        name: "license-nearly-full",
        about: "the license allows hardly more endpoints than there are",
        breaks: &["client-management.license-headroom"],
        apply: |state| set_seats(state, |endpoints| endpoints + endpoints / 50 + 1),
    },
    Fault {
        name: "approval-not-required",
        about: "actions need no approval any more",
        breaks: &["rbac.hardening"],
        apply: |state| {
            if let Some(setting) = state.server.setting_mut("require_action_approval") {
                setting.value = json!(0);
                setting.modified = Some(state.now - minutes(90));
            }
        },
    },
    Fault {
        name: "client-setting-changed",
        about: "a global client setting differs from its default",
        breaks: &["client-management.setting-values"],
        apply: |state| {
            if let Some(setting) = state.server.setting_mut("MessageBufferLimit") {
                setting.value = json!(5000);
                setting.modified = Some(state.now - minutes(90));
            }
        },
    },
];

fn with_schedule(state: &mut State, change: impl FnOnce(&mut Schedule)) {
    if let Some(schedule) = state.server.schedules.iter_mut().find(|s| s.plugin == HEALTH_CHECK_SCHEDULE) {
        change(schedule);
    }
}

fn set_seats(state: &mut State, seats: impl Fn(u64) -> u64) {
    let seats = seats(state.fleet.count);
    state.server.license.seats = seats;
    for licensed in &mut state.server.license.solutions {
        licensed.seats = licensed.seats.map(|_| seats);
    }
}
