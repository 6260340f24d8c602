//! The directory that the deployment synchronizes its users with: LDAP connectors, and who works here.

use crate::areas::people::{MAINTAINER, OPERATOR};
use crate::areas::{Area, Export};
use crate::clock::{NEVER, days, iso, minutes};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: FAULTS, exports };

/// The domain of the directory's users.
pub(crate) const DOMAIN: &str = "LAB";

/// A connector to an LDAP server.
pub(crate) struct Connector {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) enabled: bool,
    pub(crate) paused: bool,
    /// 0 none, 1 signed and encrypted, 2 StartTLS, 3 LDAPS.
    pub(crate) secure: u8,
    pub(crate) last_sync: Option<Timestamp>,
    pub(crate) failed: bool,
}

/// All of it.
pub(crate) struct Directory {
    pub(crate) connectors: Vec<Connector>,
    /// Names of the people who work here.
    pub(crate) active: Vec<String>,
    /// Names of the members of the groups that may use Tanium.
    pub(crate) members: Vec<String>,
}

impl Directory {
    /// One connector that synchronized three minutes ago; everybody with a remote account works here.
    pub(crate) fn new(users: &[crate::areas::people::User], now: Timestamp) -> Self {
        let remote = users.iter().filter(|user| user.domain == DOMAIN && !user.deleted);
        let names: Vec<String> = remote.map(|user| user.name.clone()).collect();
        Self {
            connectors: vec![Connector {
                id: 1,
                name: "Lab directory",
                enabled: true,
                paused: false,
                secure: 3,
                last_sync: Some(now - minutes(3)),
                failed: false,
            }],
            active: names.clone(),
            members: names,
        }
    }
}

fn routes() -> Vec<Route> {
    // No privilege is documented: any session may read them here.
    vec![get("/api/v2/ldap_sync_connectors", Need::Session, connectors)]
}

fn connectors(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.directory.connectors.iter().map(connector).collect::<Vec<_>>()))
}

fn connector(connector: &Connector) -> Value {
    json!({
        "base_groups": "DC=lab,DC=example",
        "base_users": "DC=lab,DC=example",
        "disable_ldap_auth": 1,
        "disable_referrals_flag": 0,
        "enable": u8::from(connector.enabled),
        "filter_groups": "objectClass=group",
        "filter_users": "objectClass=user",
        "group_id": "objectGUID",
        "group_member": "member",
        "group_name": "cn",
        "host": "ldap.lab.example",
        "id": connector.id,
        "last_sync_result": if connector.failed { "the lab could not bind" } else { "" },
        "last_sync_timestamp": connector.last_sync.map_or_else(|| NEVER.to_owned(), iso),
        "ldap_sync_state": u8::from(connector.paused),
        "ldap_user": "",
        "members_only_flag": 0,
        "name": connector.name,
        "port": 636,
        "secure": connector.secure,
        "use_ntlm": 0,
        "user_display_name": "displayName",
        "user_domain": DOMAIN,
        "user_group_key": "",
        "user_id": "objectGUID",
        "user_member_of": "",
        "user_name": "cn",
    })
}

fn exports(state: &State) -> Vec<Export> {
    let directory = &state.directory;
    let servers = directory.connectors.iter().map(|one| {
        vec![
            one.name.to_owned(),
            "ldap.lab.example".to_owned(),
            if one.enabled { "Yes" } else { "No" }.to_owned(),
            one.last_sync.map_or_else(|| "Never".to_owned(), iso),
            if one.failed { "the lab could not bind" } else { "" }.to_owned(),
        ]
    });
    let mail = |name: &String| vec![name.clone(), DOMAIN.to_owned(), format!("{name}@lab.example")];
    vec![
        Export {
            file: "ldap-sync.csv",
            columns: &["Name", "Server", "Enabled", "Last Sync", "Last Sync Result"],
            rows: servers.collect(),
        },
        Export {
            file: "active-people.csv",
            columns: &["Name", "Domain", "Mail"],
            rows: directory.active.iter().map(mail).collect(),
        },
        Export {
            file: "expected-users.csv",
            columns: &["Name", "Domain"],
            rows: directory.members.iter().map(|name| vec![name.clone(), DOMAIN.to_owned()]).collect(),
        },
    ]
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "ldap-disabled",
        about: "the connector to the directory was switched off",
        breaks: &["console-users.ldap-sync"],
        apply: |state| each(state, |connector| connector.enabled = false),
    },
    Fault {
        name: "ldap-paused",
        about: "the synchronization with the directory is paused",
        breaks: &["console-users.ldap-paused", "console-users.ldap-sync"],
        apply: |state| each(state, |connector| connector.paused = true),
    },
    Fault {
        name: "ldap-silent",
        about: "the directory was last synchronized three days ago",
        breaks: &["console-users.ldap-sync"],
        apply: |state| {
            let at = state.now - days(3);
            each(state, move |connector| connector.last_sync = Some(at));
        },
    },
    Fault {
        name: "ldap-sync-failed",
        about: "the last synchronization with the directory failed",
        breaks: &["console-users.ldap-sync"],
        apply: |state| each(state, |connector| connector.failed = true),
    },
    Fault {
        name: "ldap-unencrypted",
        about: "the connection to the directory is not encrypted",
        breaks: &["console-users.ldap-paused"],
        apply: |state| each(state, |connector| connector.secure = 0),
    },
    Fault {
        name: "person-left",
        about: "a person with an account left, and the account can still be used",
        breaks: &["console-users.departed-accounts"],
        apply: |state| {
            let leaver = state.people.user(OPERATOR).map(|user| user.name.clone()).unwrap_or_default();
            state.directory.active.retain(|name| *name != leaver);
        },
    },
    Fault {
        name: "person-without-account",
        about: "a new member of the directory's group has no account",
        breaks: &["console-users.missing-remote"],
        apply: |state| state.directory.members.push("new.colleague".to_owned()),
    },
    Fault {
        name: "account-unused",
        about: "nobody has signed in with an account for two hundred days",
        breaks: &["console-users.stale-sign-in"],
        apply: |state| {
            let at = state.now - days(200);
            if let Some(user) = state.people.user_mut(MAINTAINER) {
                user.last_login = Some(at);
            }
        },
    },
];

fn each(state: &mut State, change: impl Fn(&mut Connector)) {
    state.directory.connectors.iter_mut().for_each(change);
}
