//! What can be wrong with Direct Connect.

use super::{READ_ONLY_ROLE, SERVICE_ROLE};
use crate::areas::actions::{
    DIRECT_CONNECT_CONFIGURATION, DIRECT_CONNECT_GROUP, DIRECT_CONNECT_SESSION, DIRECT_CONNECT_TOOLS, change,
};
use crate::areas::endpoint_tools::some_tell;
use crate::areas::fleet::{Endpoint, Os};
use crate::areas::groups::{NO_COMPUTERS, PLANT};
use crate::areas::people::{CHECKER, CHECKER_ROLE, DIRECT_CONNECT, Role};
use crate::clock::minutes;
use crate::faults::Fault;
use crate::state::State;

/// What every product loses with it.
pub(crate) const LOST: [&str; 4] = [
    "direct-connect.integration-client-management",
    "direct-connect.integration-performance",
    "direct-connect.integration-reveal",
    "direct-connect.integration-threat-response",
];

/// These checks, and what every product loses.
macro_rules! and_lost {
    ($($check:expr),*) => {{
        use $crate::areas::direct_connect::LOST;
        &[$($check,)* LOST[0], LOST[1], LOST[2], LOST[3]]
    }};
}
pub(crate) use and_lost;

pub(super) const FAULTS: &[Fault] = &[
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
        name: "direct-connect-service-down",
        about: "the Tanium Server does not reach the service of Direct Connect",
        breaks: and_lost!["direct-connect.service-running"],
        apply: |state| state.direct_connect.running = false,
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
        breaks: &["direct-connect.deploy-tools-action", "actions.service-account-issued"],
        apply: |state| disable(state, DIRECT_CONNECT_TOOLS),
    },
    Fault {
        name: "direct-connect-configuration-disabled",
        about: "the scheduled action that brings the settings of Direct Connect is disabled since yesterday",
        breaks: &["direct-connect.configure-extension-action", "actions.service-account-issued"],
        apply: |state| disable(state, DIRECT_CONNECT_CONFIGURATION),
    },
    Fault {
        name: "direct-connect-group-emptied",
        about: "the action group of Direct Connect holds No Computers",
        breaks: and_lost!["direct-connect.action-group-target", "direct-connect.action-group-coverage"],
        apply: |state| hold(state, NO_COMPUTERS),
    },
    Fault {
        name: "direct-connect-group-narrowed",
        about: "the action group of Direct Connect holds a group that Threat Response goes beyond",
        breaks: &["direct-connect.action-group-coverage"],
        apply: |state| hold(state, PLANT),
    },
    Fault {
        name: "direct-connect-packages-gone",
        about: "the packages of Direct Connect were renamed",
        breaks: &["direct-connect.content-build"],
        apply: |state| {
            let packages = state.actions.packages.iter_mut();
            for package in packages.filter(|package| package.name.starts_with("Direct Connect - Tools")) {
                package.name = "Old Direct Connect Tools";
            }
        },
    },
    Fault {
        name: "direct-connect-version-behind",
        about: "the page of Direct Connect shows an older version than the imported one",
        breaks: &["direct-connect.version-module"],
        apply: |state| state.answers.say("direct-connect.info-version", "2.0.9.0001"),
    },
    Fault {
        name: "module-server-old",
        about: "the Module Server is of a line that Direct Connect does not support",
        breaks: and_lost!["direct-connect.version-core-platform"],
        apply: |state| state.direct_connect.module_server = "7.1.314.3071",
    },
    Fault {
        name: "zone-server-tanos-old",
        about: "TanOS of a Zone Server is too old for the zone proxy",
        breaks: &["direct-connect.version-tanos"],
        apply: |state| state.direct_connect.tanos = "1.5.1",
    },
    Fault {
        name: "direct-connect-solaris",
        about: "some endpoints run Solaris",
        breaks: &["direct-connect.os-supported"],
        apply: |state| some_tell(state, 0.01, linux, "operating system", "Oracle Solaris 11.4"),
    },
    Fault {
        name: "direct-connect-tools-missing",
        about: "some Windows endpoints lack the tools of Direct Connect",
        breaks: &["direct-connect.tools-installed"],
        apply: |state| some_tell(state, 0.02, windows, "direct connect", "Windows Package Required"),
    },
    Fault {
        name: "direct-connect-locks-block",
        about: "Direct Connect blocks everything on locked endpoints, and some are locked",
        breaks: &["direct-connect.action-lock-conflict"],
        apply: |state| {
            state.answers.say("direct-connect.action-lock", "Block All Direct Connection Actions");
            some_tell(state, 0.01, windows, "action lock", "Action Lock On");
        },
    },
    Fault {
        name: "direct-connect-lock-setting-unknown",
        about: "the page shows an action lock behaviour that no guide names",
        breaks: &["direct-connect.action-lock-policy"],
        apply: |state| state.answers.say("direct-connect.action-lock", "Ask"),
    },
    Fault {
        name: "direct-connect-file-quarantined",
        about: "security software took a library of Direct Connect away",
        breaks: &["direct-connect.exclusion-targets-present"],
        apply: |state| state.direct_connect.quarantined = true,
    },
    Fault {
        name: "direct-connect-role-deleted",
        about: "the read-only role of Direct Connect was deleted",
        breaks: &["direct-connect.rbac-roles-present", "rbac.effective-permissions-review"],
        apply: |state| {
            state.people.roles.remove(&READ_ONLY_ROLE);
            for user in &mut state.people.users {
                user.roles.retain(|role| *role != READ_ONLY_ROLE);
            }
        },
    },
    Fault {
        name: "direct-connect-role-drifted",
        about: "the role of the service account of Direct Connect may not write actions any more",
        breaks: &["direct-connect.rbac-role-drift"],
        apply: |state| {
            change_role(state, SERVICE_ROLE, |role| {
                role.content.retain(|(privilege, _)| *privilege != "write action");
            });
        },
    },
    Fault {
        name: "direct-connect-account-without-role",
        about: "the service account of Direct Connect lost its role",
        breaks: &["direct-connect.rbac-service-account"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(DIRECT_CONNECT) {
                user.roles.clear();
            }
        },
    },
    Fault {
        name: "direct-connect-account-locked",
        about: "the service account of Direct Connect is locked out",
        breaks: &["direct-connect.service-account-usable", "console-users.locked-out"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(DIRECT_CONNECT) {
                user.locked_out = 3;
            }
        },
    },
    Fault {
        name: "direct-connect-account-unset",
        about: "Direct Connect has no service account",
        breaks: &["direct-connect.service-account-set"],
        apply: |state| state.answers.say("direct-connect.service-account", "none"),
    },
    Fault {
        name: "direct-connect-account-personal",
        about: "the service of Direct Connect works under a person's account",
        breaks: &["direct-connect.service-account-personal", "direct-connect.rbac-service-account"],
        apply: |state| state.answers.say("direct-connect.service-account", "sam.novak"),
    },
    Fault {
        name: "direct-connect-reader-limited",
        about: "the role of the health checks may not see Direct Connect any more",
        breaks: &["direct-connect.rbac-operator", "rbac.effective-permissions-review"],
        apply: |state| {
            change_role(state, CHECKER_ROLE, |role| {
                role.privileges.retain(|privilege| *privilege != "show direct connect");
            });
            if let Some(user) = state.people.user_mut(CHECKER) {
                user.roles.retain(|role| *role != READ_ONLY_ROLE);
            }
        },
    },
    Fault {
        name: "direct-connect-administrator-added",
        about: "an operator was made administrator of Direct Connect",
        breaks: &[
            "direct-connect.rbac-admin-review",
            "rbac.effective-permissions-review",
            "rbac.excess-permissions",
        ],
        apply: |state| {
            if let Some(user) = state.people.user_mut(crate::areas::people::OPERATOR) {
                user.roles.push(super::ADMINISTRATOR_ROLE);
            }
        },
    },
    Fault {
        name: "direct-connect-setup-open",
        about: "a step of the configuration of Direct Connect was never done",
        breaks: and_lost!["direct-connect.setup-complete"],
        apply: |state| state.answers.say("direct-connect.open-steps", "endpoint connection"),
    },
    Fault {
        name: "zone-proxy-missing",
        about: "a Zone Server has no zone proxy",
        breaks: &["direct-connect.zone-proxy-required"],
        apply: |state| state.direct_connect.proxies.truncate(1),
    },
    Fault {
        name: "zone-proxy-disconnected",
        about: "a zone proxy is not connected",
        breaks: &["direct-connect.zone-proxy-status"],
        apply: |state| state.direct_connect.proxies[1].status = "Disconnected",
    },
    Fault {
        name: "zone-proxy-inner-host",
        about: "endpoints outside are told to connect to an inner address",
        breaks: &["direct-connect.zone-proxy-fields"],
        apply: |state| state.direct_connect.proxies[0].endpoint_host = "10.20.0.9".to_owned(),
    },
    Fault {
        name: "zone-proxy-payload-readable",
        about: "everybody on a Zone Server can read the payload of its zone proxy",
        breaks: &["direct-connect.zone-proxy-payload-file"],
        apply: |state| state.answers.say("direct-connect.payload-file", "everyone can read it"),
    },
    Fault {
        name: "zone-proxy-payload-cut",
        about: "half of a provision payload was entered for a zone proxy",
        breaks: &["direct-connect.zone-proxy-payload-format"],
        apply: |state| state.answers.say("direct-connect.zone-proxy-payload", "malformed"),
    },
    Fault {
        name: "zone-proxy-payload-of-the-guide",
        about: "the sample of the guide was entered for a zone proxy",
        breaks: &["direct-connect.zone-proxy-payload-sample"],
        apply: |state| state.answers.say("direct-connect.zone-proxy-payload", "sample"),
    },
    Fault {
        name: "zone-proxy-balancer-forgets",
        about: "a load balancer in front of a Zone Server does not keep connections",
        breaks: &["direct-connect.zone-proxy-load-balancer"],
        apply: |state| state.answers.say("direct-connect.load-balancer", "not persistent"),
    },
    Fault {
        name: "zone-proxy-firewall-closed",
        about: "nobody opened TCP 17488 on the Windows Zone Servers",
        breaks: &["direct-connect.zone-proxy-windows-firewall"],
        apply: |state| state.answers.say("direct-connect.windows-firewall", "not open"),
    },
    Fault {
        name: "direct-connect-session-not-succeeded",
        about: "a session in the grid did not succeed",
        breaks: &["direct-connect.sessions-failed"],
        apply: |state| {
            state.direct_connect.sessions[0].action_status = "Not Succeeded";
            state.direct_connect.sessions[0].session_status = "";
        },
    },
    Fault {
        name: "direct-connect-session-stuck",
        about: "a session in the grid hangs",
        breaks: &["direct-connect.sessions-stuck"],
        apply: |state| {
            state.direct_connect.sessions[1].action_status = "Downloading";
            state.direct_connect.sessions[1].session_status = "Pending";
        },
    },
    Fault {
        name: "direct-connect-log-refused",
        about: "the log of an endpoint tells of refused connections",
        breaks: &["direct-connect.extension-log"],
        apply: |state| state.direct_connect.refused = true,
    },
    Fault {
        name: "direct-connect-debug-log",
        about: "the service of Direct Connect logs at the level trace",
        breaks: &["direct-connect.log-level"],
        apply: |state| state.answers.say("direct-connect.log-level", "trace"),
    },
];

fn disable(state: &mut State, id: u64) {
    let at = state.now - minutes(1440);
    change(state, id, |saved| {
        saved.status = 1;
        saved.modified = at;
        saved.last_start = at - minutes(30);
    });
}

fn hold(state: &mut State, computers: u64) {
    for group in state.actions.groups.iter_mut().filter(|group| group.id == DIRECT_CONNECT_GROUP) {
        group.groups = vec![computers];
    }
}

/// Changes a role.
fn change_role(state: &mut State, id: u64, change: impl FnOnce(&mut Role)) {
    if let Some(role) = state.people.roles.get_mut(&id) {
        change(role);
    }
}

fn windows(endpoint: &Endpoint) -> bool {
    endpoint.os == Os::Windows
}

fn linux(endpoint: &Endpoint) -> bool {
    endpoint.os == Os::Linux
}
