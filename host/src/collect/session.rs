//! The session: login by token or password, who we are, what we may, and the end of it.
//!
//! **Invariant:** token and password leave this process only in requests to the configured origin; they live in
//! zeroizing memory and no `Debug`, error or log line shows them.

use super::http::{HttpTransport, Line};
use super::transport::{Call, Method, Problem, Transport};
use super::wire::{Failure, Outgoing, Wire};
use crate::config::{Auth, Deployment, Limits, secret};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tancheck_plugin_api::Outcome;

/// The privilege of the reserved administrator role, which holds all others.
const ADMINISTRATOR: &str = "administrator";

/// A login that the deployment accepted.
#[derive(Debug)]
pub struct Session {
    transport: HttpTransport,
    account: Account,
}

/// Who asks, and what the server lets that account see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The user's name; empty if the server did not tell.
    pub user: String,
    /// The persona the session runs as, if it has one.
    pub persona: Option<String>,
    /// Effective privileges in lower case; `None` if the server did not tell.
    pub privileges: Option<BTreeSet<String>>,
}

impl Account {
    /// Whether the account holds the reserved administrator role, and so every privilege.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.privileges.as_ref().is_some_and(|all| all.contains(ADMINISTRATOR))
    }

    /// Those of these privileges that the account is known to lack; none while its privileges are not known.
    #[must_use]
    pub fn lacking<'a>(&self, wanted: &'a [String]) -> Vec<&'a str> {
        let Some(held) = &self.privileges else { return Vec::new() };
        if held.contains(ADMINISTRATOR) {
            return Vec::new();
        }
        wanted.iter().map(String::as_str).filter(|name| !held.contains(&name.to_ascii_lowercase())).collect()
    }
}

impl Session {
    /// Reads the secret from where the site keeps it, logs in, and asks who we are.
    ///
    /// # Errors
    /// When the secret cannot be read, or as [`Session::with_secret`].
    pub async fn open(deployment: &Deployment, limits: &Limits) -> Result<Self, Problem> {
        let source = match &deployment.auth {
            Auth::Token(source) | Auth::Login { password: source, .. } => source.clone(),
        };
        // A program that prints the secret may wait for a person.
        let read =
            tokio::task::spawn_blocking(move || secret::read(&source).map_err(|error| error.to_string()));
        let secret = read.await.unwrap_or_else(|error| Err(error.to_string()));
        let secret = secret.map_err(|reason| Problem::new(Outcome::NoPermission, reason))?;
        Self::with_secret(deployment, limits, secret).await
    }

    /// Logs in with this token or password, and asks who we are.
    ///
    /// # Errors
    /// When the deployment is not reached or does not accept the login; the sentence says what to do.
    pub async fn with_secret(
        deployment: &Deployment,
        limits: &Limits,
        secret: SecretString,
    ) -> Result<Self, Problem> {
        Self::begin(Line::new(Wire::new(deployment, limits)?), &deployment.auth, secret).await
    }

    pub(super) async fn begin(line: Line, auth: &Auth, secret: SecretString) -> Result<Self, Problem> {
        let credential = match auth {
            Auth::Token(_) => Credential::token(&line, secret).await?,
            Auth::Login { user, domain, .. } => {
                Credential::login(&line, user.clone(), domain.clone(), secret).await?
            }
        };
        let transport = HttpTransport::new(line, credential);
        let account = match read_account(&transport).await {
            Ok(account) => account,
            // Nothing so far was an answer of Tanium's: neither of the two routes is there.
            Err(problem) if !transport.credential().accepted && matches!(problem.status, Some(404 | 405)) => {
                return Err(not_tanium(transport.line(), problem));
            }
            // The route may be closed to the account, or missing on an old server; the rest may still be open.
            Err(problem) if matches!(problem.status, Some(403..=405)) => {
                tracing::warn!(reason = %problem, "the account's privileges are not known");
                Account::default()
            }
            Err(problem) => return Err(problem),
        };
        Ok(Self { transport, account })
    }

    /// Who we are.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The user's name; empty if the server did not tell.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.account.user
    }

    /// The account's effective privileges, in lower case; `None` if the server did not tell. The reserved
    /// administrator has just `administrator`, which stands for all: ask [`Account::lacking`].
    #[must_use]
    pub fn privileges(&self) -> Option<&BTreeSet<String>> {
        self.account.privileges.as_ref()
    }

    /// What sends requests in this session.
    #[must_use]
    pub fn transport(&self) -> HttpTransport {
        self.transport.clone()
    }

    /// Ends a session that was opened by password; a token has none to end. A failure costs nothing: the server
    /// forgets the session after five idle minutes.
    pub async fn close(self) {
        if let Err(problem) = self.transport.credential().logout(self.transport.line()).await {
            tracing::debug!(reason = %problem, "no logout");
        }
    }
}

/// What became of a refused session.
pub(super) enum Renewal {
    /// There is a new session: ask again.
    Again,
    /// The session is good: it is the account that may not.
    Pointless,
    /// The session is gone for good.
    Lost(Problem),
}

/// The secret, and the session it bought.
#[derive(Debug)]
pub(super) struct Credential {
    kind: Kind,
    current: Mutex<(Arc<SecretString>, u64)>,
    renewing: tokio::sync::Mutex<()>,
    /// Whether the server said that it takes the secret; an old one cannot say.
    accepted: bool,
}

#[derive(Debug)]
enum Kind {
    Token,
    Password { user: String, domain: Option<String>, password: SecretString },
}

impl Credential {
    /// A token is sent as it is; the server is asked whether it takes it.
    async fn token(line: &Line, token: SecretString) -> Result<Self, Problem> {
        let mut credential = Self::holding(Kind::Token, token);
        match credential.validate(line).await {
            Ok(true) => Ok(credential),
            Ok(false) => Err(unknown_token(line, "Invalid session")),
            Err(Failure::Refused(problem)) => Err(match problem.status {
                Some(401) => untrusted_token(line, &problem.said),
                _ => unknown_token(line, &problem.said),
            }),
            // Before 7.4.3 tokens cannot be validated; the first request will tell.
            Err(Failure::Final(problem)) if is_old_server(&problem) => {
                credential.accepted = false;
                Ok(credential)
            }
            Err(failure) => Err(not_tanium(line, failure.into_problem())),
        }
    }

    async fn login(
        line: &Line,
        user: String,
        domain: Option<String>,
        password: SecretString,
    ) -> Result<Self, Problem> {
        let session = log_in(line, &user, domain.as_deref(), &password).await?;
        Ok(Self::holding(Kind::Password { user, domain, password }, session))
    }

    fn holding(kind: Kind, session: SecretString) -> Self {
        let current = Mutex::new((Arc::new(session), 0));
        Self { kind, current, renewing: tokio::sync::Mutex::new(()), accepted: true }
    }

    /// The session to send, and its number.
    pub(super) fn session(&self) -> (Arc<SecretString>, u64) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&current.0), current.1)
    }

    /// After 401 or 403 with the session of this number: a new session where the old one has gone. Of many requests
    /// that are refused at the same time, one logs in.
    pub(super) async fn renew(&self, line: &Line, used: u64, refused: &Problem) -> Renewal {
        if is_about_privileges(&refused.said) {
            return Renewal::Pointless;
        }
        let _one_at_a_time = self.renewing.lock().await;
        if self.session().1 > used {
            return Renewal::Again;
        }
        match self.validate(line).await {
            Ok(true) => return Renewal::Pointless,
            Ok(false) | Err(Failure::Refused(_)) => {}
            Err(failure) => return Renewal::Lost(failure.into_problem()),
        }
        match &self.kind {
            Kind::Token => Renewal::Lost(gone(
                line,
                "no longer accepts the API token: it expired or was revoked during the run; make a new one and run again",
            )),
            Kind::Password { user, domain, password } => {
                match log_in(line, user, domain.as_deref(), password).await {
                    Ok(session) => {
                        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
                        *current = (Arc::new(session), used + 1);
                        Renewal::Again
                    }
                    Err(problem) => Renewal::Lost(gone(
                        line,
                        &format!("ended the session during the run, and did not open a new one: {problem}"),
                    )),
                }
            }
        }
    }

    /// Whether the server takes the session. The documents show the refusal with status 200 too: the body decides.
    async fn validate(&self, line: &Line) -> Result<bool, Failure> {
        let (session, _) = self.session();
        let body = json!({"session": session.expose_secret()});
        let answer = post(line, "/api/v2/session/validate", &body, Some(&session), None).await?;
        match (session_in(&answer), answer.get("text")) {
            (Some(_), _) => Ok(true),
            (None, Some(_)) => Ok(false),
            (None, None) => {
                let reason = format!(
                    "{} answered the question for the session with neither a session nor a refusal: it does not \
                     answer like a Tanium server; check deployment.url",
                    line.wire.origin()
                );
                Err(Failure::Final(Problem::new(Outcome::Unreachable, reason)))
            }
        }
    }

    async fn logout(&self, line: &Line) -> Result<(), Problem> {
        if matches!(self.kind, Kind::Token) {
            return Ok(());
        }
        let (session, _) = self.session();
        let body = json!({"session": session.expose_secret()});
        let answer = post(line, "/api/v2/session/logout", &body, Some(&session), None).await;
        answer.map(|_| ()).map_err(Failure::into_problem)
    }
}

async fn log_in(
    line: &Line,
    user: &str,
    domain: Option<&str>,
    password: &SecretString,
) -> Result<SecretString, Problem> {
    let mut body = json!({"username": user, "password": password.expose_secret()});
    if let Some(domain) = domain {
        body["domain"] = domain.into();
    }
    let answer = post(line, "/api/v2/session/login", &body, None, Some(password)).await;
    match answer {
        Ok(answer) => session_in(&answer).ok_or_else(|| {
            let what =
                format!("{} answered the login without a session; check deployment.url", line.wire.origin());
            Problem::new(Outcome::Unreachable, what)
        }),
        Err(Failure::Refused(problem)) => {
            let reason = format!(
                "{} refuses the login of {user}: check user, domain and password, or use an API token where password \
                 logins are switched off ({})",
                line.wire.origin(),
                in_short(&problem)
            );
            Err(Problem { reason, ..problem })
        }
        Err(failure) => Err(not_tanium(line, failure.into_problem())),
    }
}

/// One of the three session routes: the only requests with a secret in their body.
async fn post(
    line: &Line,
    path: &'static str,
    body: &Value,
    session: Option<&SecretString>,
    secret: Option<&SecretString>,
) -> Result<Value, Failure> {
    let body = Some(SecretString::from(body.to_string()));
    let outgoing = Outgoing { method: Method::Post, path: path.into(), options: None, body, session, secret };
    let bytes = line.carry(outgoing, &Vec::<u8>::new, true).await?;
    serde_json::from_slice(&bytes).map_err(|_| {
        let reason =
            format!("POST {path}: {} did not answer with JSON; check deployment.url", line.wire.origin());
        Failure::Final(Problem::new(Outcome::Unreachable, reason))
    })
}

fn session_in(answer: &Value) -> Option<SecretString> {
    let session = answer.pointer("/data/session").or_else(|| answer.get("session"))?.as_str()?;
    (!session.is_empty()).then(|| SecretString::from(session))
}

/// `GET session/current`: user, persona, privileges.
async fn read_account(transport: &HttpTransport) -> Result<Account, Problem> {
    let call = Call::get("/api/v2/session/current");
    let bytes = transport.send(&call, Vec::<u8>::new).await?;
    let answer: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let reason = format!("{}: the answer is not JSON ({error}); check deployment.url", call.label());
        Problem::new(Outcome::Unreachable, reason)
    })?;
    Ok(account_in(&answer))
}

/// Servers wrap objects in their type's name or do not; both are read.
fn account_in(answer: &Value) -> Account {
    let data = answer.get("data").unwrap_or(answer);
    let user = data.get("user").unwrap_or(data);
    let name = |value: &Value| value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let persona = ["as_persona", "persona"].iter().find_map(|key| user.get(key).or_else(|| data.get(key)));
    let persona = persona.map(|persona| name(persona.get("persona").unwrap_or(persona)));
    Account {
        user: name(user),
        persona: persona.filter(|name| !name.is_empty()),
        privileges: privileges_in(user),
    }
}

fn privileges_in(user: &Value) -> Option<BTreeSet<String>> {
    if let Some(named) = user.pointer("/authorization/privileges").and_then(Value::as_object) {
        return Some(named.keys().map(|name| name.to_ascii_lowercase()).collect());
    }
    let sets = user.get("effective_content_set_privileges")?.as_array()?;
    let bare = |value: &Value, wrapper: &str| value.get(wrapper).unwrap_or(value).clone();
    let mut all = BTreeSet::new();
    for set in sets {
        let set = bare(set, "effective_content_set_privilege");
        for privilege in set.get("content_set_privilege_list").and_then(Value::as_array).into_iter().flatten()
        {
            let privilege = bare(privilege, "content_set_privilege");
            all.extend(privilege.get("name").and_then(Value::as_str).map(str::to_ascii_lowercase));
        }
    }
    Some(all)
}

/// The platform names the error of a missing privilege; anything else may be about the session.
fn is_about_privileges(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    ["privilege", "permission", "usersnonsummaryviewdisallowed"].iter().any(|word| said.contains(word))
}

/// A server of Tanium that knows the route's folder but not the route says so in JSON.
fn is_old_server(problem: &Problem) -> bool {
    matches!(problem.status, Some(400 | 404 | 405))
        && !problem.said.is_empty()
        && problem.said != "an HTML page"
}

fn unknown_token(line: &Line, said: &str) -> Problem {
    let reason = format!(
        "{} does not know the API token ({said}): it is wrong, expired or revoked; make a new one in the Console under \
         Administration > API Tokens",
        line.wire.origin()
    );
    Problem::new(Outcome::NoPermission, reason)
}

fn untrusted_token(line: &Line, said: &str) -> Problem {
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let reason = format!(
        "{} does not accept the API token (HTTP 401{said}): it is wrong or expired, or this machine's address is not \
         among the token's trusted_ip_addresses or the global setting api_token_trusted_ip_address_list",
        line.wire.origin()
    );
    Problem { status: Some(401), ..Problem::new(Outcome::NoPermission, reason) }
}

fn gone(line: &Line, what: &str) -> Problem {
    Problem::new(Outcome::NoPermission, format!("{} {what}", line.wire.origin()))
}

/// Where the very first request finds nothing that it knows, the URL is the likely reason.
fn not_tanium(line: &Line, problem: Problem) -> Problem {
    if problem.status.is_none_or(|status| status >= 500) {
        return problem;
    }
    let reason = format!(
        "{} does not answer like a Tanium server; check deployment.url ({})",
        line.wire.origin(),
        in_short(&problem)
    );
    Problem { outcome: Outcome::Unreachable, reason, ..problem }
}

/// Status and words, without the sentence around them.
fn in_short(problem: &Problem) -> String {
    let status = problem.status.map_or_else(|| "no status".to_owned(), |status| format!("HTTP {status}"));
    if problem.said.is_empty() { status } else { format!("{status}: {}", problem.said) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(privileges: &[&str]) -> BTreeSet<String> {
        privileges.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn privileges_are_read_in_both_spellings() {
        let wrapped = json!({"data": {"user": {"name": "ann", "as_persona": {"id": 3, "name": "Auditor"},
            "effective_content_set_privileges": [{"effective_content_set_privilege": {"content_set": {"id": 1},
                "content_set_privilege_list": [{"content_set_privilege": {"name": "Read Sensor"}}]}}]}}});
        let account = account_in(&wrapped);
        assert_eq!((account.user.as_str(), account.persona.as_deref()), ("ann", Some("Auditor")));
        assert_eq!(account.privileges, Some(names(&["read sensor"])));

        let bare = json!({"data": {"name": "bob", "effective_content_set_privileges": [
            {"content_set": {"id": 1}, "content_set_privilege_list": [{"name": "connect read"}, {"name": "use token"}]}]}});
        assert_eq!(account_in(&bare).privileges, Some(names(&["connect read", "use token"])));

        let serialized =
            json!({"data": {"user": {"name": "eve", "authorization": {"privileges": {"administrator": 1}}}}});
        assert!(account_in(&serialized).is_administrator());
    }

    #[test]
    fn what_the_server_does_not_tell_is_not_known() {
        let account = account_in(&json!({"data": {"user": {"name": "ann"}}}));
        assert_eq!(account.privileges, None);
        assert!(account.lacking(&["read plugin".to_owned()]).is_empty());
    }

    #[test]
    fn the_administrator_lacks_nothing() {
        let wanted = ["Read Plugin".to_owned(), "read sensor".to_owned()];
        let of = |privileges| Account { privileges: Some(names(privileges)), ..Account::default() };
        assert!(of(&["administrator"]).lacking(&wanted).is_empty());
        assert_eq!(of(&["read sensor"]).lacking(&wanted), ["Read Plugin"]);
    }
}
