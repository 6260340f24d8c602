//! Tanium Appliances: what an administrator reads off the TanOS menus, as files. No route shows any of it.

mod faults;
mod health;

use crate::areas::fleet::{SERVERS, ZONE_SERVERS};
use crate::areas::{Area, Export};
use crate::clock::{days, iso, minutes};
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: faults::FAULTS, exports };

/// Positions of Appliances: the first is physical.
const PHYSICAL: usize = 0;
const VIRTUAL: usize = 1;

/// An Appliance, and what its menus show.
#[derive(Debug, Clone)]
pub(crate) struct Appliance {
    pub(crate) name: &'static str,
    pub(crate) hardware: &'static str,
    pub(crate) alert_syslog: &'static str,
    pub(crate) alert_email: &'static str,
    pub(crate) syslog_forward: &'static str,
    pub(crate) snmp: &'static str,
    pub(crate) snmp_test_ok: &'static str,
    pub(crate) idrac: &'static str,
    pub(crate) idrac_snmp: &'static str,
    pub(crate) tanremote: &'static str,
    /// When its Health Check last ran.
    pub(crate) checked: Option<Timestamp>,
    /// What its Health Check found beside what is well: section, level, text.
    pub(crate) troubles: Vec<(&'static str, &'static str, &'static str)>,
    pub(crate) users: Vec<TanosUser>,
}

/// A TanOS user.
#[derive(Debug, Clone)]
pub(crate) struct TanosUser {
    pub(crate) name: &'static str,
    pub(crate) role: &'static str,
    pub(crate) auth: &'static str,
    pub(crate) person: &'static str,
    pub(crate) person_active: &'static str,
    pub(crate) policy_covered: &'static str,
}

/// All of them.
pub(crate) struct Appliances {
    pub(crate) all: Vec<Appliance>,
    /// The share of CPU time of the busiest function, as perf-top shows it.
    pub(crate) busiest_function: f64,
}

impl Appliances {
    /// Every server of the deployment is a monitored Appliance, and the first one a physical machine.
    pub(crate) fn new(now: Timestamp) -> Self {
        let names = SERVERS.iter().chain(&["ms1.lab.example"]).chain(&ZONE_SERVERS);
        let mut all: Vec<Appliance> = names.map(|name| Appliance::new(name, now)).collect();
        let physical = &mut all[PHYSICAL];
        physical.hardware = "physical";
        (physical.idrac, physical.idrac_snmp, physical.tanremote) = ("yes", "yes", "yes");
        Self { all, busiest_function: 11.5 }
    }
}

impl Appliance {
    fn new(name: &'static str, now: Timestamp) -> Self {
        let user = |name, role, auth, person| TanosUser {
            name,
            role,
            auth,
            person,
            person_active: "yes",
            policy_covered: if auth == "key" { "" } else { "yes" },
        };
        Self {
            name,
            hardware: "virtual",
            alert_syslog: "syslog.lab.example",
            alert_email: "tanium-ops@lab.example",
            syslog_forward: "syslog.lab.example",
            snmp: "yes",
            snmp_test_ok: "yes",
            idrac: "no",
            idrac_snmp: "",
            tanremote: "",
            checked: Some(now - days(6)),
            troubles: Vec::new(),
            users: vec![
                user("tanadmin", "tanadmin", "both", "Jo Lindqvist"),
                user("novak", "tanadmin", "key", "Sam Novak"),
                user("copy", "tanacopy", "key", "Alex Rivera"),
                user("look", "tanuser", "password", "Alex Rivera"),
                TanosUser { person_active: "", ..user("tansnmp", "tansnmp", "password", "") },
            ],
        }
    }
}

fn exports(state: &State) -> Vec<Export> {
    let appliances = &state.appliances;
    let captured = iso(state.now - days(3));
    vec![
        Export {
            file: "tanos-monitoring.csv",
            columns: &[
                "appliance",
                "hardware",
                "alert_syslog",
                "alert_email",
                "syslog_forward",
                "snmp",
                "snmp_test_ok",
                "idrac_configured",
                "idrac_snmp",
                "tanremote_present",
                "captured_at",
            ],
            rows: appliances.all.iter().map(|one| monitoring(one, &captured)).collect(),
        },
        Export {
            file: "tanos-users.csv",
            columns: &[
                "appliance",
                "user",
                "role",
                "auth",
                "person",
                "person_active",
                "policy_covered",
                "captured_at",
            ],
            rows: appliances.all.iter().flat_map(|one| users(one, &captured)).collect(),
        },
        Export {
            file: "tanos-health-check.csv",
            columns: &["appliance", "run_date", "section", "level", "text"],
            rows: appliances.all.iter().flat_map(health::output).collect(),
        },
        Export {
            file: "tanos-performance.csv",
            columns: &["appliance", "command", "sampled_at", "metric", "subject", "value", "unit"],
            rows: functions(state),
        },
    ]
}

fn monitoring(one: &Appliance, captured: &str) -> Vec<String> {
    let texts = [
        one.name,
        one.hardware,
        one.alert_syslog,
        one.alert_email,
        one.syslog_forward,
        one.snmp,
        one.snmp_test_ok,
        one.idrac,
        one.idrac_snmp,
        one.tanremote,
        captured,
    ];
    texts.map(str::to_owned).into()
}

fn users(one: &Appliance, captured: &str) -> Vec<Vec<String>> {
    let row = |user: &TanosUser| {
        let texts = [
            one.name,
            user.name,
            user.role,
            user.auth,
            user.person,
            user.person_active,
            user.policy_covered,
            captured,
        ];
        texts.map(str::to_owned).into()
    };
    one.users.iter().map(row).collect()
}

/// Three samples of perf-top; the metrics of the server tell the rest.
fn functions(state: &State) -> Vec<Vec<String>> {
    let name = state.appliances.all[PHYSICAL].name;
    let row = |sample: i64, function: &str, share: f64| {
        let at = iso(state.now - minutes(30 * sample));
        let texts = [name, "perf-top", at.as_str(), "overhead", function];
        let mut row: Vec<String> = texts.map(str::to_owned).into();
        row.extend([format!("{share:.2}"), "%".to_owned()]);
        row
    };
    (1..=3)
        .flat_map(|sample| {
            [row(sample, "memcpy", state.appliances.busiest_function), row(sample, "hash_find", 4.25)]
        })
        .collect()
}
