//! The Tanium Server itself: diagnostics, health, settings, license, solutions, plugin schedules, metrics.

mod faults;
mod info;
mod machine;
mod metrics;
mod modules;
mod peers;
mod routes;

use crate::areas::fleet::{SERVERS, ZONE_SERVERS};
use crate::areas::{Area, no_exports};
use crate::clock::{days, minutes};
use crate::config::Setup;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const AREA: Area = Area { routes: routes::routes, faults: faults::FAULTS, exports: no_exports };

/// The Module Server, as it stands in the diagnostics.
pub(crate) const MODULE_SERVER: &str = "ms1.lab.example:17477";
/// A platform version from the vendor's own examples.
pub(crate) const PLATFORM_VERSION: &str = "7.6.1.6246";
/// The solution id of Health Check.
pub(crate) const HEALTH_CHECK_SOLUTION: &str = "99-200-0258";

/// A server of the deployment and its disk.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) capacity: u64,
    pub(crate) available: u64,
    pub(crate) reported: Timestamp,
}

/// An imported solution. `workbench` is its name in the list of workbenches, where it has one.
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) category: &'static str,
    pub(crate) workbench: Option<&'static str>,
    pub(crate) imported: Timestamp,
}

/// A solution that the license allows: a pattern over solution ids.
#[derive(Debug, Clone)]
pub(crate) struct Licensed {
    pub(crate) name: &'static str,
    pub(crate) matches: &'static str,
    pub(crate) seats: Option<u64>,
    pub(crate) expires: Option<Timestamp>,
}

/// The license.
#[derive(Debug, Clone)]
pub(crate) struct License {
    pub(crate) seats: u64,
    pub(crate) days: i64,
    pub(crate) expires: Timestamp,
    pub(crate) solutions: Vec<Licensed>,
}

/// A plugin schedule.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) plugin: &'static str,
    pub(crate) enabled: bool,
    pub(crate) every_seconds: u32,
    pub(crate) exit_code: u32,
    pub(crate) text: String,
    pub(crate) last_run: Option<Timestamp>,
    pub(crate) owner: u64,
}

/// A global setting.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) default: Option<Value>,
    pub(crate) client: bool,
    pub(crate) modified: Option<Timestamp>,
}

/// All of it.
pub(crate) struct Server {
    pub(crate) started: Timestamp,
    pub(crate) tanium_servers: Vec<Machine>,
    pub(crate) module_servers: Vec<Machine>,
    pub(crate) zone_servers: Vec<Machine>,
    /// How the connection to the Module Server stands; only `Success` is documented.
    pub(crate) module_connected: String,
    pub(crate) module_loaded: String,
    pub(crate) module_count: u64,
    pub(crate) solutions: Vec<Solution>,
    pub(crate) license: License,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) version: String,
    pub(crate) peers: peers::Peers,
    /// Users and addresses that are locked out after failed sign-ins.
    pub(crate) locked_users: u64,
    pub(crate) locked_addresses: u64,
    /// Metrics that differ from those that follow from the state.
    pub(crate) metrics: BTreeMap<&'static str, f64>,
}

impl Server {
    pub(crate) fn new(setup: &Setup, now: Timestamp) -> Self {
        let machine = |name: &str| Machine {
            name: name.to_owned(),
            capacity: 512_110_190_592,
            available: 318_767_104_000,
            reported: now - minutes(1),
        };
        // Room for a quarter more than there are, in hundreds.
        let seats = (setup.endpoints + setup.endpoints / 4 + 1).div_ceil(100) * 100;
        Self {
            started: now - days(20),
            tanium_servers: SERVERS.iter().map(|name| machine(name)).collect(),
            module_servers: vec![machine("ms1.lab.example")],
            zone_servers: ZONE_SERVERS.iter().map(|name| machine(name)).collect(),
            module_connected: "Success".to_owned(),
            module_loaded: "Success".to_owned(),
            module_count: 23,
            solutions: modules::solutions(now),
            license: modules::license(seats, now),
            schedules: schedules(now),
            settings: settings(now),
            version: PLATFORM_VERSION.to_owned(),
            peers: peers::Peers::new(&SERVERS, &ZONE_SERVERS, PLATFORM_VERSION, now),
            locked_users: 0,
            locked_addresses: 0,
            metrics: BTreeMap::new(),
        }
    }

    /// Is a workbench there?
    pub(crate) fn has_workbench(&self, name: &str) -> bool {
        self.solutions.iter().any(|solution| solution.workbench == Some(name))
    }

    pub(crate) fn setting_mut(&mut self, name: &str) -> Option<&mut Setting> {
        self.settings.iter_mut().find(|setting| setting.name == name)
    }
}

fn schedules(now: Timestamp) -> Vec<Schedule> {
    let schedule = |id, name, plugin, every_seconds: u32| Schedule {
        id,
        name,
        plugin,
        enabled: true,
        every_seconds,
        exit_code: 0,
        text: String::new(),
        last_run: Some(now - jiff::SignedDuration::from_secs(i64::from(every_seconds) / 3)),
        owner: 1,
    };
    vec![
        schedule(1, "Trends Service", "trends-scheduleplugin", 30),
        schedule(2, "Connect Service", "connect-scheduleplugin", 60),
        schedule(3, "Health Check Service", "health-check-scheduleplugin", 3600),
        schedule(4, "Threat Response Service", "threat-response-scheduleplugin", 300),
        schedule(5, "Direct Connect Service", "direct-connect-scheduleplugin", 300),
    ]
}

fn settings(now: Timestamp) -> Vec<Setting> {
    let client = |name, value: i64| Setting {
        name,
        value: json!(value),
        default: Some(json!(value)),
        client: true,
        modified: None,
    };
    let server = |name, value: Value, default: Option<Value>| Setting {
        name,
        value,
        default,
        client: false,
        modified: Some(now - days(200)),
    };
    vec![
        client("AllQuestionsRequireSignatureFlag", 1),
        client("MessageBufferLimit", 500),
        client("ChunkMessageExtraHops", 10),
        client("SymmetricEncryptionMultiplexEnabled", 1),
        client("RequireIncomingEncryption", 0),
        server("sign_all_questions_flag", json!(1), Some(json!(1))),
        server("require_client_tls_315_flag", json!(1), Some(json!(1))),
        server("require_action_approval", json!(1), Some(json!(0))),
        server("max_soap_sessions_per_user", json!(1024), Some(json!(0))),
        // As many as there are users: see `State::new`.
        server("max_soap_sessions_total", json!(0), Some(json!(0))),
        server("max_console_idle_seconds", json!(900), Some(json!(900))),
        server("default_percent_when_complete", json!(99), Some(json!(99))),
        server("api_token_expiration_in_days", json!(7), Some(json!(7))),
        server("api_token_trusted_ip_address_list", json!("127.0.0.1"), None),
        server("console_is_taas", json!(0), Some(json!(0))),
    ]
}
