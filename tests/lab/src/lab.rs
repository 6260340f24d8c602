//! A running lab and everything a test can do to it.

use crate::behaviour::Behaviour;
use crate::builder::Builder;
use crate::clock::days;
use crate::core::Core;
use crate::exports;
use crate::faults;
use crate::log::LoggedRequest;
use crate::server::Running;
use crate::session::Granted;
use jiff::{SignedDuration, Timestamp};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A running deployment. It stops when it is dropped.
pub struct Lab {
    pub(crate) core: Arc<Core>,
    pub(crate) running: Running,
    pub(crate) token: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) authority: Option<String>,
}

/// Why a lab does not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No fault has this name.
    #[error("unknown fault '{0}': `tancheck-lab --list-faults` shows all")]
    UnknownFault(String),
    /// The address cannot be served.
    #[error("start the lab: {0}")]
    Start(#[source] io::Error),
    /// No certificate could be made.
    #[error("{0}")]
    Tls(String),
    /// A file cannot be written.
    #[error("write {path}: {source}")]
    Write {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

impl LabError {
    pub(crate) fn tls(error: impl std::fmt::Display) -> Self {
        Self::Tls(error.to_string())
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Lab {
    /// Describes a lab.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.running.address)
    }

    /// An API token of a user who has every privilege.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The name of the user whose token this is.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password of that user, and of every other.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The PEM of the authority behind the lab's certificate, where it serves HTTPS.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Writes that PEM to a file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_authority(&self, path: &Path) -> Result<(), LabError> {
        let pem = self.authority.as_deref().unwrap_or_default();
        std::fs::write(path, pem)
            .map_err(|source| LabError::Write { path: path.display().to_string(), source })
    }

    /// The lab's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    /// Lets time pass. The deployment moves with it: its last runs and registrations stay recent.
    pub fn advance(&self, by: Duration) {
        self.core.clock.advance(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX));
        self.core.refresh();
    }

    /// Lets so many endpoints join the deployment now; they stay. The licence does not grow with them.
    pub fn join(&self, endpoints: u64) {
        self.core.join(endpoints);
    }

    /// Everything that was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.core.log.all()
    }

    /// How long each question that was asked so far takes, in no order.
    #[must_use]
    pub fn question_times(&self) -> Vec<Duration> {
        self.core.questions.times()
    }

    /// Forgets what was asked.
    pub fn clear_requests(&self) {
        self.core.log.clear();
    }

    /// Puts a fault into the running deployment.
    ///
    /// # Errors
    /// If no fault has this name.
    pub fn inject(&self, name: &str) -> Result<(), LabError> {
        let fault = faults::named(name).ok_or_else(|| LabError::UnknownFault(name.to_owned()))?;
        self.core.set_faults(|faults| faults.push(fault));
        self.running.listeners.apply(&self.core).map_err(LabError::Start)
    }

    /// Takes all faults out of the deployment.
    ///
    /// # Panics
    /// When a port that the lab holds cannot be listened on again.
    pub fn clear_faults(&self) {
        self.core.set_faults(Vec::clear);
        self.running.listeners.apply(&self.core).expect("the lab holds its ports");
    }

    /// The listeners of Direct Connect: the name and port that people know, and where it really is.
    #[must_use]
    pub fn listeners(&self) -> Vec<(String, SocketAddr)> {
        self.running.listeners.places()
    }

    /// Makes routes misbehave; the newest behaviour whose pattern fits decides.
    pub fn behaviour(&self, pattern: &str, behaviour: Behaviour) {
        self.core.behaviours.add(pattern, behaviour);
    }

    /// Lets all routes behave again.
    pub fn clear_behaviours(&self) {
        self.core.behaviours.clear();
    }

    /// Takes a privilege away from every caller.
    pub fn withhold_privilege(&self, name: &str) {
        self.core.sessions.withhold(name);
    }

    /// Gives back all withheld privileges and revoked tokens.
    pub fn restore_privileges(&self) {
        self.core.sessions.restore();
    }

    /// Ends all sessions, as five idle minutes do. Tokens stay valid.
    pub fn expire_session(&self) {
        self.core.sessions.end_all();
    }

    /// Makes a token invalid.
    pub fn revoke_token(&self, token: &str) {
        self.core.sessions.revoke(token);
    }

    /// A token of a user of the deployment.
    #[must_use]
    pub fn token_of(&self, user: &str) -> Option<String> {
        let state = self.core.state();
        let user = state.people.users.iter().find(|known| known.signs_in_as(user) && known.may_sign_in())?;
        Some(self.grant(user.id, &user.name, None))
    }

    /// A token of a user who has exactly these privileges.
    #[must_use]
    pub fn token_with(&self, privileges: &[&str]) -> String {
        self.grant(0, "least.privilege", Some(privileges.iter().map(|name| (*name).to_owned()).collect()))
    }

    fn grant(&self, user: u64, name: &str, privileges: Option<std::collections::BTreeSet<String>>) -> String {
        let now = self.now();
        let granted = Granted {
            id: 0,
            user,
            user_name: name.to_owned(),
            privileges,
            notes: "granted by the lab".to_owned(),
            created: now,
            expires: now + days(7),
            expire_in_days: 7,
            trusted: "127.0.0.1".to_owned(),
        };
        self.core.sessions.grant(&self.core.state(), granted).0
    }

    /// Every GET route of the lab, as `(pattern, privileges that it names)`: for tests that walk all of them.
    #[must_use]
    pub fn get_routes(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let gets = self.core.routes.iter().filter(|route| route.method == "GET");
        gets.map(|route| (route.pattern, route.need.names())).collect()
    }

    /// Writes the files that an administrator would export from Console pages without a public API.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_exports(&self, folder: &Path) -> Result<(), LabError> {
        exports::write(&self.core.state(), folder)
            .map_err(|source| LabError::Write { path: folder.display().to_string(), source })
    }
}
