//! Backups and the disaster recovery plan: what an administrator writes down about them.

use crate::areas::fleet::{SERVERS, ZONE_SERVERS};
use crate::areas::{Area, Export};
use crate::clock::{days, iso};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// The newest backup of a server or database.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    pub(crate) server: &'static str,
    pub(crate) role: &'static str,
    pub(crate) made: Timestamp,
}

/// All of it.
pub(crate) struct Backups {
    pub(crate) all: Vec<Backup>,
    /// The servers that the plan names, with their roles.
    pub(crate) plan: Vec<(&'static str, &'static str)>,
}

impl Backups {
    /// Everything was backed up last week, and the plan names everything.
    pub(crate) fn new(now: Timestamp) -> Self {
        let tanium = SERVERS.map(|name| (name, "Tanium Server"));
        let zone = ZONE_SERVERS.map(|name| (name, "Zone Server"));
        let servers = tanium.into_iter().chain([("ms1.lab.example", "Module Server")]).chain(zone);
        let plan: Vec<_> = servers.chain(SERVERS.map(|name| (name, "Database"))).collect();
        let made = now - days(7);
        Self { all: plan.iter().map(|&(server, role)| Backup { server, role, made }).collect(), plan }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "server-backup-old",
        about: "the newest backup of a Zone Server is 200 days old",
        breaks: &["backup.core-servers-backed-up"],
        apply: |state| age(state, "Zone Server"),
    },
    Fault {
        name: "server-backup-missing",
        about: "the Module Server was never backed up",
        breaks: &["backup.core-servers-backed-up"],
        apply: |state| state.backups.all.retain(|backup| backup.role != "Module Server"),
    },
    Fault {
        name: "database-backup-old",
        about: "the newest backup of the database is 200 days old",
        breaks: &["backup.databases-backed-up"],
        apply: |state| age(state, "Database"),
    },
    Fault {
        name: "plan-forgets-server",
        about: "the disaster recovery plan does not name the Module Server",
        breaks: &["backup.dr-plan-covers-servers"],
        apply: |state| state.backups.plan.retain(|(_, role)| *role != "Module Server"),
    },
    Fault {
        name: "plan-names-gone-server",
        about: "the disaster recovery plan names a server that nobody has seen for a long time",
        breaks: &["backup.dr-plan-covers-servers"],
        apply: |state| state.backups.plan.push(("zs9.lab.example", "Zone Server")),
    },
];

fn age(state: &mut State, role: &str) {
    let made = state.now - days(200);
    state.backups.all.iter_mut().filter(|backup| backup.role == role).for_each(|backup| backup.made = made);
}

fn exports(state: &State) -> Vec<Export> {
    let row = |backup: &Backup| {
        let texts = [backup.server, backup.role, &iso(backup.made), "TanOS backup", "vault.lab.example"];
        texts.map(str::to_owned).into()
    };
    let named = |(server, role): &(&str, &str)| vec![(*server).to_owned(), (*role).to_owned()];
    vec![
        Export {
            file: "server-backups.csv",
            columns: &["server", "role", "backup_time", "method", "location"],
            rows: state.backups.all.iter().map(row).collect(),
        },
        Export {
            file: "dr-plan-servers.csv",
            columns: &["server", "role"],
            rows: state.backups.plan.iter().map(named).collect(),
        },
    ]
}
