//! What the servers know of each other: heartbeats, trust, requests to join, and the settings of the server that answers.

use super::{MODULE_SERVER, Server};
use crate::clock::{NEVER, days, iso};
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The server that answers trusts this one, or not.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    pub(crate) name: String,
    pub(crate) current: bool,
    pub(crate) reverse: bool,
    pub(crate) decommissioned: bool,
}

/// A server that asked to join.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) fqdn: String,
    pub(crate) role: &'static str,
    pub(crate) approved: bool,
    pub(crate) last_asked: Timestamp,
}

/// All of it.
pub(crate) struct Peers {
    /// The last sign of the other Tanium Servers.
    pub(crate) heart_beat: Timestamp,
    pub(crate) trusts: Vec<Trust>,
    pub(crate) requests: Vec<Request>,
    pub(crate) local_settings: Vec<(&'static str, Value)>,
}

impl Peers {
    /// Both Tanium Servers trust each other; both Zone Servers were approved.
    pub(crate) fn new(tanium_servers: &[&str], zone_servers: &[&str], version: &str, now: Timestamp) -> Self {
        let trust = |name: &&str| Trust {
            name: format!("{name}:17472"),
            current: true,
            reverse: true,
            decommissioned: false,
        };
        let request = |name: &&str| Request {
            fqdn: (*name).to_owned(),
            role: "Zone Server",
            approved: true,
            last_asked: now - days(1),
        };
        Self {
            heart_beat: now - crate::clock::minutes(1),
            trusts: tanium_servers.iter().skip(1).map(trust).collect(),
            requests: zone_servers.iter().map(request).collect(),
            // Names and kinds are those of the vendor's example.
            local_settings: vec![
                // The lowest byte first: 255.255.255.0.
                ("AddressMask", json!(16_777_215)),
                ("LogVerbosityLevel", json!(1)),
                ("Logs.MiniDumpMessages.LogVerbosityLevel", json!(1)),
                ("ModuleServer", json!(MODULE_SERVER.split(':').next())),
                ("ModuleServerPort", json!(17477)),
                ("ProxyType", json!("NONE")),
                ("SQLConnectionString", json!("postgres:localhost@dbname=postgres port=5432")),
                ("ServerPort", json!(17472)),
                ("Version", json!(version)),
            ],
        }
    }

    pub(crate) fn set_local(&mut self, name: &str, value: Value) {
        self.local_settings
            .iter_mut()
            .filter(|(known, _)| *known == name)
            .for_each(|one| one.1 = value.clone());
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/api/v2/server_trusts", Need::Session, server_trusts),
        // The document demands the Administrator reserved role, which the health reader of the lab does not have; what the
        // route shows matters more here than who may see it.
        get("/api/v2/server_registration_requests", Need::Session, registration_requests),
        get("/api/v2/local_settings", Need::Session, local_settings),
    ]
}

fn peers<'a>(call: &'a Call<'_>) -> &'a Peers {
    let server: &Server = &call.state.server;
    &server.peers
}

fn server_trusts(call: &Call<'_>) -> Answer {
    let trust = |(trust, id): (&Trust, u64)| {
        json!({
            "current_server_trust_id": id,
            "current_server_trusts_flag": trust.current,
            "decommissioned_flag": trust.decommissioned,
            "modified_time": NEVER,
            "pki_root_keys": [],
            "reverse_server_trust_id": id,
            "reverse_server_trusts_flag": trust.reverse,
            "server_address": format!("10.0.0.{}", id + 1),
            "server_creation_time": NEVER,
            "server_guid": (16_400_095_971_905_400_527 + id).to_string(),
            "server_name": trust.name,
        })
    };
    Ok(Reply::data(peers(call).trusts.iter().zip(1..).map(trust).collect::<Vec<_>>()))
}

/// A bare list, as in the document's example; its schema declares an object.
fn registration_requests(call: &Call<'_>) -> Answer {
    let request = |(request, id): (&Request, u64)| {
        json!({
            "approved_flag": request.approved,
            "fingerprint": format!("{id:0128x}"),
            "fqdn": request.fqdn,
            "id": id,
            "last_claimed_by": 0,
            "last_registered_time": iso(request.last_asked),
            "local_address": format!("10.0.1.{id}"),
            "modified_time": NEVER,
            "rejected_flag": false,
            "revoked_flag": false,
            "server_guid": (1_772_572_899_522_735_190 + id).to_string(),
            "short_fingerprint": "00:00:00:00:00:00",
            "source_address": format!("10.0.1.{id}"),
            "type": request.role,
        })
    };
    let all: Vec<Value> = peers(call).requests.iter().zip(1..).map(request).collect();
    Ok(Reply::json(&all.into()))
}

fn local_settings(call: &Call<'_>) -> Answer {
    let setting = |(name, value): &(&str, Value)| {
        let kind = if value.is_number() { "number" } else { "string" };
        json!({"name": name, "type": kind, "value": value})
    };
    Ok(Reply::data(peers(call).local_settings.iter().map(setting).collect::<Vec<_>>()))
}
