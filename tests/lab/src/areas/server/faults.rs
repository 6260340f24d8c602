//! What can be wrong with the servers.

use super::{HEALTH_CHECK_SOLUTION, Schedule};
use crate::clock::minutes;
use crate::faults::Fault;
use crate::state::State;
use serde_json::json;

const HEALTH_CHECK_SCHEDULE: &str = "health-check-scheduleplugin";

/// The colleague who is no longer here.
const DEPARTED: u64 = 9;

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
        breaks: &["health-check.module-load-attempt"],
        apply: |state| {
            state.server.module_loaded = "Failed".to_owned();
            state.server.module_count = 0;
        },
    },
    Fault {
        name: "module-server-silent",
        about: "the Module Server has not reported its health for two hours",
        breaks: &["health-check.module-server-connected", "health-check.server-disk"],
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
        breaks: &["health-check.service-review", "health-check.plugin-schedule-failed"],
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
        name: "module-lost",
        about: "the Module Server loads one module less than it did in all the weeks before",
        breaks: &["health-check.module-load-attempt"],
        apply: |state| state.server.module_count -= 1,
    },
    Fault {
        name: "schedule-owner-deleted",
        about: "the user who owns the schedule of a module service was deleted",
        breaks: &["health-check.schedule-owner-gone"],
        apply: |state| with_schedule(state, |schedule| schedule.owner = DEPARTED),
    },
    Fault {
        name: "server-disk-full",
        about: "hardly anything of a Zone Server's disk is free",
        breaks: &["health-check.server-disk"],
        apply: |state| {
            for machine in state.server.zone_servers.iter_mut().take(1) {
                machine.available = machine.capacity / 50;
            }
        },
    },
    Fault {
        name: "peer-silent",
        about: "the second Tanium Server has given no sign of life for an hour",
        breaks: &["health-check.peer-heartbeat"],
        apply: |state| state.server.peers.heart_beat = state.now - minutes(60),
    },
    Fault {
        name: "zone-server-waiting",
        about: "the request of a Zone Server to join was never decided",
        breaks: &["health-check.pending-trust"],
        apply: |state| {
            for request in state.server.peers.requests.iter_mut().take(1) {
                request.approved = false;
            }
        },
    },
    Fault {
        name: "trust-one-way",
        about: "the second Tanium Server does not trust the first one",
        breaks: &["health-check.pending-trust"],
        apply: |state| state.server.peers.trusts.iter_mut().for_each(|trust| trust.reverse = false),
    },
    Fault {
        name: "database-refuses",
        about: "connections of the Tanium Server to its database began to fail",
        breaks: &["health-check.database-connections"],
        apply: |state| {
            state.server.metrics.insert("tanium_dbconnectionpool_db_connect_failure_total", 17.0);
        },
    },
    Fault {
        name: "server-log-verbose",
        about: "the Tanium Server was left at logging level 91",
        breaks: &["health-check.server-log-level"],
        apply: |state| state.server.peers.set_local("LogVerbosityLevel", json!(91)),
    },
    Fault {
        name: "sign-in-lockouts",
        about: "users and addresses are locked out after failed sign-ins",
        breaks: &["health-check.lockouts"],
        apply: |state| (state.server.locked_users, state.server.locked_addresses) = (2, 1),
    },
    Fault {
        name: "platform-upgraded",
        about: "the Tanium Server was upgraded since the last run",
        breaks: &["backup.dr-plan-current", "support.case-facts"],
        apply: |state| state.server.version = "7.6.2.1001".to_owned(),
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
