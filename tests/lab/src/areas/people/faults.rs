//! What can be wrong with users, roles and personas.

use super::{
    ADMINISTRATOR_ROLE, CLIENT_MANAGEMENT_ROLE, CONNECT_OWNER, CONNECT_PERSONA, CONNECT_ROLE,
    LOCAL_ADMINISTRATOR, MAINTAINER, MAINTAINER_ROLE, OPERATOR, OPERATOR_ROLE, Persona, User,
};
use crate::areas::groups::{ALL_WINDOWS, NO_COMPUTERS};
use crate::faults::Fault;

/// The checks of modules that jo.lindqvist maintains.
const MAINTAINED: [&str; 30] = [
    "api-gateway.maintenance-roles",
    "asset.maintenance-roles",
    "benchmark.maintenance-roles",
    "certificate-manager.maintenance-roles",
    "comply.maintenance-roles",
    "criticality.maintenance-roles",
    "deploy.maintenance-roles",
    "direct-connect.maintenance-roles",
    "directory-query.maintenance-roles",
    "discover.maintenance-roles",
    "end-user-notifications.maintenance-roles",
    "endpoint-configuration.maintenance-roles",
    "enforce.maintenance-roles",
    "engage.maintenance-roles",
    "feed.maintenance-roles",
    "health-check.maintenance-roles",
    "impact.maintenance-roles",
    "integrity-monitor.maintenance-roles",
    "interact.maintenance-roles",
    "map.maintenance-roles",
    "network-quarantine.maintenance-roles",
    "patch.maintenance-roles",
    "performance.maintenance-roles",
    "provision.maintenance-roles",
    "reporting.maintenance-roles",
    "reputation.maintenance-roles",
    "reveal.maintenance-roles",
    "risk.maintenance-roles",
    "threat-response.maintenance-roles",
    "trends.maintenance-roles",
];

/// These, and what people with other roles do.
const MAINTAINED_OR_OWNED: [&str; 33] = {
    let mut all = [""; 33];
    let (first, rest) = all.split_at_mut(3);
    first.copy_from_slice(&[
        "client-management.maintenance-roles",
        "connect.maintenance-roles",
        "connect.owner-permissions",
    ]);
    rest.copy_from_slice(&MAINTAINED);
    all
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "owner-deleted",
        about: "the user who owns the connections was deleted",
        breaks: &["connect.owner-active", "console-users.missing-remote", "rbac.maintenance-owners"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(CONNECT_OWNER) {
                user.deleted = true;
            }
        },
    },
    Fault {
        name: "owner-locked-out",
        about: "the user who owns the connections was disabled by the LDAP synchronization",
        breaks: &["connect.owner-active", "console-users.locked-out", "rbac.maintenance-owners"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(CONNECT_OWNER) {
                user.locked_out = 1;
            }
        },
    },
    Fault {
        name: "owner-without-permissions",
        about: "the role of the connection owner lost its Connect and sensor privileges",
        breaks: &[
            "connect.owner-permissions",
            "rbac.effective-permissions-review",
            "rbac.missing-permissions",
            "rbac.owner-assignments",
        ],
        apply: |state| {
            if let Some(user) = state.people.user_mut(CONNECT_OWNER) {
                user.roles.clear();
            }
        },
    },
    Fault {
        name: "persona-deleted",
        about: "the persona that a connection runs as was deleted",
        breaks: &["connect.persona-exists"],
        apply: |state| state.people.personas.retain(|persona| persona.id != CONNECT_PERSONA),
    },
    Fault {
        name: "persona-without-permissions",
        about: "the persona that a connection runs as lost its roles",
        breaks: &["connect.persona-permissions"],
        apply: |state| {
            if let Some(persona) = state.people.persona_mut(CONNECT_PERSONA) {
                persona.roles.clear();
            }
        },
    },
    Fault {
        name: "persona-without-computers",
        about: "the persona that a connection runs as sees No Computers",
        breaks: &["connect.persona-permissions"],
        apply: |state| {
            if let Some(persona) = state.people.persona_mut(CONNECT_PERSONA) {
                persona.group = NO_COMPUTERS;
            }
        },
    },
    Fault {
        name: "connect-role-emptied",
        about: "nobody but administrators and the health reader holds the Connect privileges any more",
        breaks: &["connect.maintenance-roles", "connect.owner-permissions", "connect.persona-permissions"],
        apply: |state| strip(state, CONNECT_ROLE, &["connect ", "show connect"]),
    },
    Fault {
        name: "client-management-role-emptied",
        about: "the Client Management role lost its Client Management privileges",
        breaks: &["client-management.maintenance-roles"],
        apply: |state| strip(state, CLIENT_MANAGEMENT_ROLE, &["client-management ", "show client"]),
    },
    Fault {
        name: "maintainer-role-emptied",
        about: "the role of the people who maintain the modules lost all of its privileges",
        breaks: &MAINTAINED,
        apply: |state| {
            if let Some(role) = state.people.roles.get_mut(&MAINTAINER_ROLE) {
                role.privileges.clear();
            }
        },
    },
    Fault {
        name: "maintainers-without-roles",
        about: "the people who maintain the deployment lost their roles; administrators and the health reader kept theirs",
        breaks: &MAINTAINED_OR_OWNED,
        apply: |state| {
            let people = &mut state.people;
            for user in people.users.iter_mut().filter(|user| user.domain == "LAB") {
                user.roles.clear();
            }
            for group in &mut people.user_groups {
                group.roles.clear();
            }
        },
    },
    Fault {
        name: "local-account-added",
        about: "somebody made a local account that nobody knows",
        breaks: &[
            "console-users.auth-service",
            "console-users.departed-accounts",
            "rbac.effective-permissions-review",
            "rbac.local-auth-users",
        ],
        apply: |state| {
            if let Some(like) = state.people.user(OPERATOR).cloned() {
                state.people.users.push(User {
                    id: 11,
                    name: "contractor".to_owned(),
                    display_name: "Contractor".to_owned(),
                    domain: String::new(),
                    roles: Vec::new(),
                    ..like
                });
            }
        },
    },
    Fault {
        name: "local-administrator-deleted",
        about: "the local Administrator account was deleted",
        breaks: &["console-users.missing-local", "rbac.local-admin-account"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(LOCAL_ADMINISTRATOR) {
                user.deleted = true;
            }
        },
    },
    Fault {
        name: "administrator-role-granted",
        about: "the maintainer of the modules was given the Administrator reserved role",
        breaks: &["rbac.effective-permissions-review", "rbac.excess-permissions"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(MAINTAINER) {
                user.roles.push(ADMINISTRATOR_ROLE);
            }
        },
    },
    Fault {
        name: "operator-limited",
        about: "the operator who tags endpoints was limited to Windows computers",
        breaks: &["rbac.effective-permissions-review", "rbac.tag-operator-scope"],
        apply: |state| {
            if let Some(user) = state.people.user_mut(OPERATOR) {
                user.group = ALL_WINDOWS;
            }
        },
    },
    Fault {
        name: "tag-permission-missing",
        about: "the role of those who build groups from tags may not write computer groups any more",
        breaks: &["rbac.tag-group-permissions"],
        apply: |state| strip(state, OPERATOR_ROLE, &["write computer group"]),
    },
    Fault {
        name: "persona-unused",
        about: "there is a persona that nobody may take on",
        breaks: &["rbac.stale-rbac-objects"],
        apply: |state| {
            state.people.personas.push(Persona {
                id: 8,
                name: "Forgotten",
                roles: vec![OPERATOR_ROLE],
                group: NO_COMPUTERS,
                users: Vec::new(),
                user_groups: Vec::new(),
            });
        },
    },
    Fault {
        name: "users-summary-only",
        about: "the global setting UsersNonSummaryViewDisallowed is 1, as on Tanium Cloud; nothing is wrong with that",
        breaks: &[],
        apply: |state| state.people.summary_only = true,
    },
];

fn strip(state: &mut crate::state::State, role: u64, beginnings: &[&str]) {
    if let Some(role) = state.people.roles.get_mut(&role) {
        role.privileges.retain(|name| !beginnings.iter().any(|beginning| name.starts_with(beginning)));
    }
}
