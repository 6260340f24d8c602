//! Users, personas, roles, privileges and API tokens.

mod faults;
mod privileges;
mod render;
mod routes;

use crate::areas::Area;
use crate::areas::api_gateway::REPORT_TOKEN;
use crate::areas::direct_connect;
use crate::clock::{days, minutes};
use crate::random;
use crate::session::ADMINISTRATOR;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use privileges::{PRIVILEGES, privilege_id};
pub(crate) use render::user_reference;

pub(crate) const AREA: Area =
    Area { routes: routes::routes, faults: faults::FAULTS, exports: render::exports };

/// The account that the installation makes.
pub(crate) const LOCAL_ADMINISTRATOR: u64 = 1;
/// The user whose token and password the lab hands out.
pub(crate) const CHECKER: u64 = 2;
/// Owns most connections.
pub(crate) const CONNECT_OWNER: u64 = 3;
/// Schedules actions.
pub(crate) const OPERATOR: u64 = 4;
/// Answers for the tasks of modules.
pub(crate) const MAINTAINER: u64 = 5;
/// The service account of a solution.
pub(crate) const ENDPOINT_CONFIGURATION: u64 = 7;
/// The account under which the service of Direct Connect works.
pub(crate) const DIRECT_CONNECT: u64 = 8;
/// The alternative persona that one connection runs as.
pub(crate) const CONNECT_PERSONA: u64 = 3;

const ADMINISTRATOR_ROLE: u64 = 1;
const CONTENT_ADMINISTRATOR_ROLE: u64 = 2;
pub(crate) const CHECKER_ROLE: u64 = 20;
pub(crate) const CONNECT_ROLE: u64 = 21;
pub(crate) const CLIENT_MANAGEMENT_ROLE: u64 = 22;
pub(crate) const OPERATOR_ROLE: u64 = 23;
pub(crate) const MAINTAINER_ROLE: u64 = 24;

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) domain: String,
    pub(crate) deleted: bool,
    /// 0 no, 1 disabled by LDAP sync, 2 missing by LDAP sync, 3 for another reason.
    pub(crate) locked_out: u8,
    pub(crate) local_admin: bool,
    pub(crate) last_login: Option<Timestamp>,
    pub(crate) created: Timestamp,
    pub(crate) roles: Vec<u64>,
    pub(crate) group: u64,
}

impl User {
    pub(crate) fn may_sign_in(&self) -> bool {
        !self.deleted && self.locked_out == 0
    }

    /// Names are written with and without the domain.
    pub(crate) fn signs_in_as(&self, name: &str) -> bool {
        name == self.name || name.rsplit_once('\\') == Some((self.domain.as_str(), self.name.as_str()))
    }
}

/// A role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    pub(crate) reserved_name: &'static str,
    pub(crate) deny: bool,
    pub(crate) privileges: BTreeSet<&'static str>,
    /// Privileges on one content set each.
    pub(crate) content: Vec<(&'static str, &'static str)>,
}

/// A persona.
#[derive(Debug, Clone)]
pub(crate) struct Persona {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) roles: Vec<u64>,
    pub(crate) group: u64,
    pub(crate) users: Vec<u64>,
    pub(crate) user_groups: Vec<u64>,
}

/// A group of users.
#[derive(Debug, Clone)]
pub(crate) struct UserGroup {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) users: Vec<u64>,
    pub(crate) roles: Vec<u64>,
}

/// An API token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) notes: &'static str,
    pub(crate) secret: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) expire_in_days: i64,
    pub(crate) trusted: &'static str,
    pub(crate) used: Option<Timestamp>,
}

/// All of it.
pub(crate) struct People {
    pub(crate) users: Vec<User>,
    pub(crate) roles: BTreeMap<u64, Role>,
    pub(crate) personas: Vec<Persona>,
    pub(crate) user_groups: Vec<UserGroup>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) password: String,
    /// The global setting of Tanium Cloud: only the summary view of users is allowed.
    pub(crate) summary_only: bool,
}

impl People {
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        Self {
            users: users(now),
            roles: roles().into_iter().chain(direct_connect::roles()).map(|role| (role.id, role)).collect(),
            personas: vec![Persona {
                id: CONNECT_PERSONA,
                name: "Connect exports",
                roles: vec![CONNECT_ROLE],
                group: crate::areas::groups::ALL_COMPUTERS,
                users: vec![CONNECT_OWNER],
                user_groups: Vec::new(),
            }],
            user_groups: vec![UserGroup {
                id: 1,
                name: "Tanium operators",
                users: vec![OPERATOR],
                roles: vec![OPERATOR_ROLE],
            }],
            tokens: vec![
                Token {
                    id: 6,
                    user: CHECKER,
                    notes: "Health checks",
                    secret: format!("token-{}", random::hex(seed, "token", CHECKER, 58)),
                    created: now - days(30),
                    expires: now + days(60),
                    expire_in_days: 90,
                    trusted: "127.0.0.1",
                    used: Some(now),
                },
                Token {
                    id: REPORT_TOKEN,
                    user: OPERATOR,
                    notes: "Inventory report",
                    secret: format!("token-{}", random::hex(seed, "token", OPERATOR, 58)),
                    created: now - days(20),
                    expires: now + days(70),
                    expire_in_days: 90,
                    trusted: "10.0.0.20",
                    used: Some(now - minutes(45)),
                },
            ],
            password: format!("lab-{}", random::hex(seed, "password", 0, 24)),
            summary_only: false,
        }
    }

    pub(crate) fn user(&self, id: u64) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(crate) fn user_mut(&mut self, id: u64) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.id == id)
    }

    pub(crate) fn persona_mut(&mut self, id: u64) -> Option<&mut Persona> {
        self.personas.iter_mut().find(|persona| persona.id == id)
    }

    /// The roles of a user, its own and those of its groups.
    pub(crate) fn roles_of(&self, id: u64) -> Vec<u64> {
        let own = self.user(id).map(|user| user.roles.clone()).unwrap_or_default();
        let groups = self.user_groups.iter().filter(|group| group.users.contains(&id));
        let all: BTreeSet<u64> =
            own.into_iter().chain(groups.flat_map(|group| group.roles.clone())).collect();
        all.into_iter().collect()
    }

    /// What a user may do: all that its roles grant less all that they deny.
    pub(crate) fn privileges_of(&self, id: u64) -> BTreeSet<String> {
        self.privileges_by(&self.roles_of(id))
    }

    /// What these roles grant, less what they deny.
    pub(crate) fn privileges_by(&self, roles: &[u64]) -> BTreeSet<String> {
        let roles: Vec<&Role> = roles.iter().filter_map(|id| self.roles.get(id)).collect();
        let named = |deny: bool| {
            let some = roles.iter().filter(move |role| role.deny == deny);
            some.flat_map(|role| role.privileges.iter()).map(|name| (*name).to_owned())
        };
        let denied: BTreeSet<String> = named(true).collect();
        named(false).filter(|name| !denied.contains(name)).collect()
    }
}

fn users(now: Timestamp) -> Vec<User> {
    let user = |id: u64, name: &str, display_name: &str, domain: &str, roles: &[u64]| User {
        id,
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        domain: domain.to_owned(),
        deleted: false,
        locked_out: 0,
        local_admin: id == 1,
        last_login: Some(now - minutes(17 * i64::try_from(id).unwrap_or(1))),
        created: now - days(400),
        roles: roles.to_vec(),
        group: crate::areas::groups::ALL_COMPUTERS,
    };
    vec![
        user(
            LOCAL_ADMINISTRATOR,
            "Administrator",
            "",
            "",
            &[ADMINISTRATOR_ROLE, direct_connect::ADMINISTRATOR_ROLE],
        ),
        user(CHECKER, "tancheck", "Health checks", "", &[CHECKER_ROLE, direct_connect::READ_ONLY_ROLE]),
        user(CONNECT_OWNER, "alex.rivera", "Alex Rivera", "LAB", &[CONNECT_ROLE]),
        user(
            OPERATOR,
            "sam.novak",
            "Sam Novak",
            "LAB",
            &[OPERATOR_ROLE, CLIENT_MANAGEMENT_ROLE, direct_connect::USER_ROLE],
        ),
        user(MAINTAINER, "jo.lindqvist", "Jo Lindqvist", "LAB", &[MAINTAINER_ROLE]),
        user(ENDPOINT_CONFIGURATION, "Endpoint Configuration", "", "<[tanium]>", &[ADMINISTRATOR_ROLE]),
        user(DIRECT_CONNECT, "Direct Connect", "", "<[tanium]>", &[direct_connect::SERVICE_ROLE]),
        User { deleted: true, ..user(9, "former.colleague", "Former Colleague", "LAB", &[OPERATOR_ROLE]) },
    ]
}

fn roles() -> Vec<Role> {
    let role = |id: u64, name: &'static str, category: &'static str, privileges: BTreeSet<&'static str>| {
        Role { id, name, category, reserved_name: "", deny: false, privileges, content: Vec::new() }
    };
    let starting = |beginnings: &[&str]| -> BTreeSet<&'static str> {
        PRIVILEGES.iter().filter(|name| beginnings.iter().any(|b| name.starts_with(b))).copied().collect()
    };
    let reading = [
        "read ",
        "define question",
        "use token",
        "show console",
        "show interact",
        "interact",
        "execute plugin",
        "gateway use api",
        "show api gateway",
    ];
    let with = |beginnings: &[&str]| starting(&[reading.as_slice(), beginnings].concat());
    vec![
        Role {
            reserved_name: ADMINISTRATOR,
            ..role(ADMINISTRATOR_ROLE, "Administrator", "reserved", BTreeSet::from([ADMINISTRATOR]))
        },
        Role {
            reserved_name: "content administrator",
            ..role(
                CONTENT_ADMINISTRATOR_ROLE,
                "Content Administrator",
                "reserved",
                starting(&["import", "export"]),
            )
        },
        role(CHECKER_ROLE, "Health Reader", "advanced", PRIVILEGES.iter().copied().collect()),
        role(CONNECT_ROLE, "Connect Administrator", "module", with(&["connect ", "show connect"])),
        role(
            CLIENT_MANAGEMENT_ROLE,
            "Client Management Administrator",
            "module",
            with(&["client-management ", "show client"]),
        ),
        role(
            MAINTAINER_ROLE,
            "Module Maintainer",
            "advanced",
            privileges::MAINTAINED.iter().copied().chain(with(&[])).collect(),
        ),
        role(
            OPERATOR_ROLE,
            "Action Author",
            "advanced",
            with(&["write action", "write computer group", "write saved question"]),
        ),
    ]
}
