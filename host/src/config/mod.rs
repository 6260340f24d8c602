//! The configuration: file, environment, flags; typed, with ranges, and every value can say where it comes from.

pub mod edit;
pub mod entries;
mod environment;
mod explain;
mod file;
mod keys;
mod layers;
mod login;
mod origin;
mod places;
pub mod secret;
pub mod settings;
mod site;
#[cfg(test)]
mod tests;
mod typed;
mod units;

pub use entries::Entry;
pub use explain::Explanation;
pub use file::Raw;
pub use layers::{Layers, show_duration};
pub use origin::{ConfigError, Origin, Problem};
pub use places::Surroundings;
pub(crate) use typed::list_as_text;

use crate::calendar::Almanac;
use crate::run::waiver::Rules;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tancheck_plugin_api::records::probe::Vantage;
use url::Url;

/// Everything a command needs to know, after file, environment and flags were merged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The deployment that is inspected.
    pub deployment: Deployment,
    /// Which plugins are enabled, and their settings.
    pub modules: Modules,
    /// Inputs that the site re-points, by input id.
    pub inputs: BTreeMap<String, InputOverride>,
    /// Limits of requests and workers.
    pub limits: Limits,
    /// How listeners are probed.
    pub probing: Probing,
    /// Folders.
    pub places: Places,
    /// What the site does when, and who answers for it.
    pub calendar: Almanac,
    /// What the site allows of waivers.
    pub waivers: Rules,
}

impl Config {
    /// Reads file, environment and flags. Settings are as they were written; [`Layers`] checks them against manifests.
    ///
    /// # Errors
    /// When the file cannot be read, anything in it is wrong, or it does not say which deployment and how to log in.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Layers::load(flags)?.config(&[])
    }
}

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The file that `--config` names.
    pub config: Option<PathBuf>,
    /// Values of keys.
    pub set: Vec<Assignment>,
}

/// The value of a key, from the command line.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The key, with dots.
    pub key: String,
    /// The value, as text.
    pub value: String,
    /// The flag as it was written, for messages.
    pub flag: String,
}

/// The deployment that is inspected.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `https://…`, without a path; plain http for loopback addresses only.
    pub url: Url,
    /// The name under which history and fingerprints are kept; the URL's host unless the site sets it.
    pub id: String,
    /// How to log in.
    pub auth: Auth,
    /// A PEM file with the authority that signed the server's certificate.
    pub ca_file: Option<PathBuf>,
    /// Whether questions may be asked.
    pub questions: bool,
}

/// How to log in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// An API token, sent as it is in the `session` header.
    Token(SecretSource),
    /// A user and a password, for a session.
    Login {
        /// The user's name.
        user: String,
        /// The user's domain.
        domain: Option<String>,
        /// The password.
        password: SecretSource,
    },
}

/// Where a secret is read from; never from an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The first line of a command's output: program and arguments.
    Command(Vec<String>),
    /// An open file descriptor.
    Fd(i32),
    /// A systemd credential, by name.
    Credential(String),
}

/// Which plugins are enabled.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    /// Their ids; `None`: those whose solutions the deployment has installed and licensed (`enable = "licensed"`).
    pub enable: Option<Vec<String>>,
    /// Settings, by plugin id, then key; checked against the manifests.
    pub settings: BTreeMap<String, Map<String, Value>>,
}

/// A site's own way to an input, because module services change and are often undocumented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputOverride {
    /// The service in `/plugin/products/<service>`; none for a platform route.
    pub service: Option<String>,
    /// The path below it, or the platform route.
    pub path: String,
    /// JSON pointer to the rows.
    pub rows: Option<String>,
}

/// Limits of requests and workers.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Questions that run at the same time.
    pub questions_in_flight: usize,
    /// Other requests at the same time.
    pub calls_in_flight: usize,
    /// Requests of one run.
    pub total_calls: u64,
    /// Bytes of one answer.
    pub response_bytes: u64,
    /// Bytes of all answers of one run.
    pub total_bytes: u64,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How long one question may take.
    pub question_timeout: Duration,
    /// How often a request is repeated after 429, 503 or a broken connection.
    pub retries: u32,
    /// The share of endpoints that have to answer before a question can prove health (0 to 1).
    pub complete_share: f64,
    /// How long a probe waits for a name, for a connection, and for the server's first flight.
    pub probe_timeout: Duration,
    /// How long a probe leaves a listener alone between two connections.
    pub probe_pause: Duration,
    /// How long text that is piped in may take to arrive.
    pub stdin_timeout: Duration,
    /// Address space of one worker, in bytes.
    pub worker_memory: u64,
    /// How long one check may judge.
    pub check_time: Duration,
    /// Runs plugins in a weaker sandbox where the kernel has no better one.
    pub allow_weak_sandbox: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            questions_in_flight: 4,
            calls_in_flight: 8,
            total_calls: 10_000,
            response_bytes: 1 << 30,
            total_bytes: 8 << 30,
            request_timeout: Duration::from_secs(60),
            question_timeout: Duration::from_secs(600),
            retries: 4,
            complete_share: 0.95,
            probe_timeout: Duration::from_secs(5),
            probe_pause: Duration::from_millis(200),
            stdin_timeout: Duration::from_secs(120),
            worker_memory: 256 << 20,
            check_time: Duration::from_secs(10),
            allow_weak_sandbox: false,
        }
    }
}

/// How listeners are probed.
#[derive(Clone, Debug, Default)]
pub struct Probing {
    /// Where this machine stands.
    pub vantage: Vantage,
    /// One handshake for each listener.
    pub quick: bool,
    /// Reports of runs at other places.
    pub merge_evidence: Vec<PathBuf>,
    /// Listeners (`host:port`), and the addresses that probes of them connect to.
    pub connect_to: BTreeMap<String, SocketAddr>,
}

/// Folders.
#[derive(Clone, Debug)]
pub struct Places {
    /// Where plugins are looked for, in this order.
    pub plugins: Vec<PathBuf>,
    /// Where exported files are put.
    pub exports: PathBuf,
    /// History, answers and attestations.
    pub state: PathBuf,
    /// What can be made again: manifests.
    pub cache: PathBuf,
    /// The file of waivers, where there is a place for one.
    pub waivers: Option<PathBuf>,
}
