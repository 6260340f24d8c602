//! Certificates of the servers and of solution services, and the root keys of the clients.

use crate::areas::{Area, Export};
use crate::clock::{NEVER, days, iso};
use crate::faults::Fault;
use crate::random;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: FAULTS, exports };

const CONSOLE: usize = 0;
const MODULE_SERVER: usize = 1;
const AUTHORITY: &str = "Lab Issuing CA";

/// A certificate.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) host: &'static str,
    pub(crate) issuer: &'static str,
    pub(crate) serial: String,
    pub(crate) fingerprint: String,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) with_key: bool,
}

/// A service of a solution, and how long its certificate is valid.
pub(crate) struct Service {
    name: &'static str,
    until: Timestamp,
}

/// All of it.
pub(crate) struct Certificates {
    /// The Console's, then the Module Server's.
    pub(crate) https: Vec<Certificate>,
    pub(crate) services: Vec<Service>,
    /// When the root key runs out.
    pub(crate) root_until: Timestamp,
}

impl Certificates {
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        let certificate = |host: &'static str, item: u64| Certificate {
            host,
            issuer: AUTHORITY,
            serial: random::hex(seed, "serial", item, 32).to_uppercase(),
            fingerprint: random::hex(seed, "fingerprint", item, 64),
            from: now - days(100),
            until: now + days(600),
            with_key: true,
        };
        Self {
            https: vec![certificate("ts1.lab.example", 1), certificate("ms1.lab.example", 2)],
            services: vec![
                Service { name: "Reporting", until: now + days(400) },
                Service { name: "Trends", until: now + days(500) },
            ],
            root_until: now + days(1000),
        }
    }

    /// The Module Server's certificate as the diagnostics show it: without dates.
    pub(crate) fn of_module_server(&self) -> Value {
        let Some(own) = self.https.get(MODULE_SERVER) else { return Value::Null };
        let name = |host: &str| format!("/CN={host}");
        json!({"CertificateDetails": {
            "ExtensionCount": 0,
            "Extensions": [],
            "Fingerprint": own.fingerprint.get(..40).unwrap_or_default(),
            "Issuer": name(own.issuer),
            "SerialNumber": own.serial,
            "Subject": name(own.host),
        }})
    }
}

fn routes() -> Vec<Route> {
    // No privilege is documented for either: any session may read them here.
    vec![
        get("/api/v2/https_certificates", Need::Session, https_certificates),
        get("/api/v2/pki_root_keys", Need::Session, root_keys),
    ]
}

fn https_certificates(call: &Call<'_>) -> Answer {
    let name = |host: &str| {
        json!({"common_name": host, "organizational_unit": "", "organization": "Lab", "locality": "",
            "state_or_province": "", "country": ""})
    };
    let all = call.state.certificates.https.iter().map(|one| {
        json!({
            "issuer": name(one.issuer),
            "key_algorithm": "RSA-2048",
            "matches_private_key_flag": one.with_key,
            "not_after_time": iso(one.until),
            "not_before_time": iso(one.from),
            "serial": one.serial,
            "sha1_fingerprint": one.fingerprint.get(..40).unwrap_or_default(),
            "sha256_fingerprint": one.fingerprint,
            "subject": name(one.host),
            "subject_alternative_names": [one.host],
        })
    });
    Ok(Reply::data(all.collect::<Vec<Value>>()))
}

fn root_keys(call: &Call<'_>) -> Answer {
    let nobody = json!({"display_name": "", "domain": "", "id": 0, "name": ""});
    let none = json!({"id": 0, "name": ""});
    let until = call.state.certificates.root_until;
    let key = json!({
        "created_persona": none, "created_time": NEVER, "created_user": nobody,
        "fingerprint": "", "fingerprint_algorithm": "SHA512", "hsm_flag": false, "id": 1,
        "legacy_314_flag": false, "modified_persona": none, "modified_time": NEVER, "modified_user": nobody,
        "name": "ts1.lab.example Root 0", "not_after": iso(until), "not_before": iso(until - days(3650)),
        "revoked_by_persona": none, "revoked_by_user": nobody, "revoked_time": NEVER,
        "server_guid": "16400095971905400527", "short_fingerprint": "", "type": "EC",
    });
    Ok(Reply::data(json!({"active_keys": [key], "revoked_keys": [], "servers": []})))
}

fn exports(state: &State) -> Vec<Export> {
    let services = state.certificates.services.iter().map(|one| {
        let from = one.until - days(730);
        vec![one.name.to_owned(), "ms1.lab.example".to_owned(), "443".to_owned(), iso(from), iso(one.until)]
    });
    vec![Export {
        file: "solution-service-certificates.csv",
        columns: &["Service", "Host", "Port", "Not Before", "Not After"],
        rows: services.collect(),
    }]
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "console-certificate-expiring",
        about: "the certificate of the Console expires in ten days",
        breaks: &["certificates.console-rotation"],
        apply: |state| with(state, CONSOLE, |one, now| one.until = now + days(10)),
    },
    Fault {
        name: "console-certificate-old",
        about: "the certificate of the Console is older than the organization's policy allows",
        breaks: &["certificates.console-rotation"],
        apply: |state| with(state, CONSOLE, |one, now| one.from = now - days(800)),
    },
    Fault {
        name: "console-certificate-self-signed",
        about: "the Console has a certificate that its own key signed",
        breaks: &["certificates.console-self-signed"],
        apply: |state| with(state, CONSOLE, |one, _| one.issuer = one.host),
    },
    Fault {
        name: "module-server-certificate-expired",
        about: "the certificate of the Module Server expired yesterday",
        breaks: &["certificates.module-server-rotation"],
        apply: |state| with(state, MODULE_SERVER, |one, now| one.until = now - days(1)),
    },
    Fault {
        name: "service-certificate-expiring",
        about: "the certificate of a solution's service expires in ten days",
        breaks: &["certificates.solution-services-rotation"],
        apply: |state| {
            let until = state.now + days(10);
            if let Some(service) = state.certificates.services.first_mut() {
                service.until = until;
            }
        },
    },
    Fault {
        name: "certificate-without-key",
        about: "a certificate was uploaded that belongs to no key of the server",
        breaks: &["certificates.key-mismatch"],
        apply: |state| {
            if let Some(like) = state.certificates.https.first().cloned() {
                let fingerprint: String = like.fingerprint.chars().rev().collect();
                let serial: String = like.serial.chars().rev().collect();
                state.certificates.https.push(Certificate { with_key: false, fingerprint, serial, ..like });
            }
        },
    },
    Fault {
        name: "root-key-expiring",
        about: "the root key of the clients runs out in forty days",
        breaks: &["certificates.root-key-expiry"],
        apply: |state| state.certificates.root_until = state.now + days(40),
    },
];

fn with(state: &mut State, index: usize, change: impl FnOnce(&mut Certificate, Timestamp)) {
    let now = state.now;
    if let Some(certificate) = state.certificates.https.get_mut(index) {
        change(certificate, now);
    }
}
