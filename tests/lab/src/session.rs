//! Who is calling: sign-in sessions with a sliding life of five minutes, and API tokens.

use crate::random;
use crate::state::State;
use crate::wire::Refusal;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// A session string lives this long after its last use.
const SESSION_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// The privilege of the Administrator role, which implies every other.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// The user a request is made by.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: u64,
    pub(crate) name: String,
    pub(crate) privileges: Arc<BTreeSet<String>>,
}

impl Caller {
    /// The caller of routes that demand none.
    pub(crate) fn nobody() -> Self {
        Self { user: 0, name: String::new(), privileges: Arc::default() }
    }

    pub(crate) fn may(&self, privilege: &str) -> bool {
        self.privileges.contains(privilege) || self.privileges.contains(ADMINISTRATOR)
    }
}

/// A token that was handed out while the lab runs.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) user_name: String,
    /// The privileges of a user who exists only for this token; `None` for a user of the deployment.
    pub(crate) privileges: Option<BTreeSet<String>>,
    pub(crate) notes: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) expire_in_days: i64,
    pub(crate) trusted: String,
}

#[derive(Debug, Default)]
struct Held {
    serial: u64,
    sessions: HashMap<String, (u64, Timestamp)>,
    granted: HashMap<String, Granted>,
    revoked: BTreeSet<String>,
    withheld: BTreeSet<String>,
}

/// All sessions and the tokens handed out at run time.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Held>);

impl Sessions {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().expect("the lock is never held across a panic")
    }

    /// Signs a user in; every enabled user of the lab has the same password.
    pub(crate) fn login(
        &self,
        state: &State,
        now: Timestamp,
        name: &str,
        password: &str,
    ) -> Result<String, Refusal> {
        let user = state.people.users.iter().find(|user| user.signs_in_as(name));
        let user = user.filter(|user| user.may_sign_in() && password == state.people.password);
        let Some(user) = user else {
            return Err(Refusal::new(401, "Unauthorized: the user name or the password is wrong"));
        };
        let mut held = self.held();
        held.serial += 1;
        let secret = random::hex(state.setup.seed, "session", held.serial, 64);
        let session = format!("1-{}-{secret}", held.serial);
        held.sessions.insert(session.clone(), (user.id, now));
        Ok(session)
    }

    /// Ends a session.
    pub(crate) fn logout(&self, session: &str) -> Result<(), Refusal> {
        self.held().sessions.remove(session).map(|_| ()).ok_or_else(invalid_session)
    }

    /// Finds the caller of a request and renews the session.
    pub(crate) fn caller(&self, state: &State, now: Timestamp, session: &str) -> Result<Caller, Refusal> {
        let mut held = self.held();
        if session.starts_with("token-") {
            return token_caller(&held, state, now, session);
        }
        let Some((user, used)) = held.sessions.get_mut(session) else { return Err(invalid_session()) };
        let user = *user;
        if now.duration_since(*used) > SESSION_LIFE {
            held.sessions.remove(session);
            return Err(invalid_session());
        }
        *used = now;
        user_caller(&held, state, user).ok_or_else(invalid_session)
    }

    /// Makes a token for a user of the deployment, or for a user with just these privileges.
    pub(crate) fn grant(&self, state: &State, mut granted: Granted) -> (String, Granted) {
        let mut held = self.held();
        held.serial += 1;
        granted.id = 1000 + held.serial;
        if granted.privileges.is_some() {
            granted.user = 9000 + held.serial;
        }
        let token = format!("token-{}", random::hex(state.setup.seed, "granted token", held.serial, 58));
        held.granted.insert(token.clone(), granted.clone());
        (token, granted)
    }

    pub(crate) fn granted(&self) -> Vec<Granted> {
        let mut all: Vec<Granted> = self.held().granted.values().cloned().collect();
        all.sort_by_key(|token| token.id);
        all
    }

    pub(crate) fn active(&self, user: u64) -> usize {
        self.held().sessions.values().filter(|(owner, _)| *owner == user).count()
    }

    pub(crate) fn end_all(&self) {
        self.held().sessions.clear();
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.held().revoked.insert(token.to_owned());
    }

    pub(crate) fn withhold(&self, privilege: &str) {
        self.held().withheld.insert(privilege.to_owned());
    }

    pub(crate) fn restore(&self) {
        let mut held = self.held();
        held.withheld.clear();
        held.revoked.clear();
    }
}

/// The documents give this body; clients in the field see it with 403.
fn invalid_session() -> Refusal {
    Refusal::new(403, "Invalid session")
}

/// Expired, revoked and unknown tokens look the same from outside, as does a token from an untrusted address.
fn untrusted_token() -> Refusal {
    Refusal::new(401, "Unauthorized")
}

fn token_caller(held: &Held, state: &State, now: Timestamp, token: &str) -> Result<Caller, Refusal> {
    if held.revoked.contains(token) {
        return Err(untrusted_token());
    }
    if let Some(granted) = held.granted.get(token) {
        if granted.expires <= now {
            return Err(untrusted_token());
        }
        return match &granted.privileges {
            Some(own) => Ok(Caller {
                user: granted.user,
                name: granted.user_name.clone(),
                privileges: Arc::new(own.difference(&held.withheld).cloned().collect()),
            }),
            None => user_caller(held, state, granted.user).ok_or_else(untrusted_token),
        };
    }
    let known = state.people.tokens.iter().find(|known| known.secret == token && known.expires > now);
    known.and_then(|known| user_caller(held, state, known.user)).ok_or_else(untrusted_token)
}

fn user_caller(held: &Held, state: &State, id: u64) -> Option<Caller> {
    let user = state.people.user(id).filter(|user| user.may_sign_in())?;
    let privileges = state.people.privileges_of(id).difference(&held.withheld).cloned().collect();
    Some(Caller { user: id, name: user.name.clone(), privileges: Arc::new(privileges) })
}
