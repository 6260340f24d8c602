//! Direct Connect: its scheduled actions and sessions are among the actions.

use crate::areas::actions::{DIRECT_CONNECT_GROUP, DIRECT_CONNECT_SESSION, DIRECT_CONNECT_TOOLS, change};
use crate::areas::groups::NO_COMPUTERS;
use crate::areas::{Area, no_exports};
use crate::clock::minutes;
use crate::faults::Fault;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports: no_exports };

const FAULTS: &[Fault] = &[
    Fault {
        name: "direct-connect-session-failed",
        about: "yesterday a session to an endpoint did not open",
        breaks: &["direct-connect.connections"],
        apply: |state| {
            for run in state.actions.runs.iter_mut().filter(|run| run.id == DIRECT_CONNECT_SESSION) {
                run.failed_permille = 1000;
            }
        },
    },
    Fault {
        name: "direct-connect-service-error",
        about: "the scheduled plugin of Direct Connect fails",
        breaks: &["direct-connect.connections"],
        apply: |state| {
            let schedules = state.server.schedules.iter_mut();
            for schedule in schedules.filter(|schedule| schedule.name.starts_with("Direct Connect")) {
                schedule.exit_code = 1;
                schedule.text = "ERROR: PluginServerRequestTimedOut: The request timed out.".to_owned();
            }
        },
    },
    Fault {
        name: "screen-sharing-problems",
        about: "people report problems with screen sharing",
        breaks: &["direct-connect.screen-sharing"],
        apply: |state| state.answers.say("direct-connect.screen-sharing-state", "problems"),
    },
    Fault {
        name: "direct-connect-action-disabled",
        about: "the scheduled action that brings the tools of Direct Connect is disabled since yesterday",
        breaks: &["direct-connect.actions", "actions.service-account-issued"],
        apply: |state| {
            let at = state.now - minutes(1440);
            change(state, DIRECT_CONNECT_TOOLS, |saved| {
                saved.status = 1;
                saved.modified = at;
                saved.last_start = at - minutes(30);
            });
        },
    },
    Fault {
        name: "direct-connect-group-emptied",
        about: "the action group of Direct Connect holds No Computers",
        breaks: &["direct-connect.actions"],
        apply: |state| {
            for group in state.actions.groups.iter_mut().filter(|group| group.id == DIRECT_CONNECT_GROUP) {
                group.groups = vec![NO_COMPUTERS];
            }
        },
    },
];
