//! Which deployment, and how to log in.

use super::environment;
use super::keys::Typed;
use super::origin::{ConfigError, Problem};
use super::{Auth, Deployment, Layers, SecretSource};
use url::Url;

/// The keys that say where the token or the password is; one of them is in force.
const AUTH: [(&str, Secret); 10] = [
    ("deployment.token_file", Secret::Token),
    ("deployment.token_env", Secret::Token),
    ("deployment.token_command", Secret::Token),
    ("deployment.token_fd", Secret::Token),
    ("deployment.token_credential", Secret::Token),
    ("deployment.login.password_file", Secret::Password),
    ("deployment.login.password_env", Secret::Password),
    ("deployment.login.password_command", Secret::Password),
    ("deployment.login.password_fd", Secret::Password),
    ("deployment.login.password_credential", Secret::Password),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Secret {
    Token,
    Password,
}

impl Layers {
    /// The deployment.
    ///
    /// # Errors
    /// When the configuration does not say which one, or not how to log in.
    pub fn deployment(&self) -> Result<Deployment, ConfigError> {
        let Some(url) = self.url() else {
            return Err(ConfigError::one(self.nothing_said("deployment.url", "which server to inspect")));
        };
        let Some(auth) = self.auth() else {
            return Err(ConfigError::one(
                self.nothing_said("deployment.token_file", "how to log in (token_file or another source)"),
            ));
        };
        let id = self.text("deployment.id");
        Ok(Deployment {
            id: id.or_else(|| url.host_str().map(str::to_owned)).unwrap_or_default(),
            url,
            auth,
            ca_file: self.path("deployment.ca_file"),
            questions: self.flag("deployment.questions"),
        })
    }

    /// The address of the deployment, where one is given.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        match self.get("deployment.url") {
            Some(Typed::Url(url)) => Some(url.clone()),
            _ => None,
        }
    }

    /// How to log in, where that is said.
    #[must_use]
    pub fn auth(&self) -> Option<Auth> {
        let (key, kind) = self.auth_key()?;
        let source = match (self.get(key)?, key.rsplit('_').next()?) {
            (Typed::Path(path), _) => SecretSource::File(path.clone()),
            (Typed::Words(words), _) => SecretSource::Command(words.clone()),
            (Typed::Count(number), _) => SecretSource::Fd(i32::try_from(*number).ok()?),
            (Typed::Text(name), "env") => SecretSource::Env(name.clone()),
            (Typed::Text(name), _) => SecretSource::Credential(name.clone()),
            _ => return None,
        };
        match kind {
            Secret::Token => Some(Auth::Token(source)),
            Secret::Password => Some(Auth::Login {
                user: self.text("deployment.login.user")?,
                domain: self.text("deployment.login.domain"),
                password: source,
            }),
        }
    }

    /// The strongest of the keys that say where the secret is.
    fn auth_key(&self) -> Option<(&'static str, Secret)> {
        let set = AUTH.into_iter().filter(|(key, _)| self.values.contains_key(key));
        set.max_by_key(|(key, _)| self.origin(key).rank())
    }

    /// What is wrong with the keys that say how to log in.
    pub(super) fn auth_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let Some((best, kind)) = self.auth_key() else {
            if let Some((_, origin)) = self.values.get("deployment.login.user") {
                let message = "a user without a password: set password_file or another source beside it";
                problems.push(Problem::at(origin, message));
            }
            return problems;
        };
        let origin = self.origin(best);
        for (key, _) in AUTH {
            let rival = self.origin(key);
            if key != best && self.values.contains_key(key) && rival.rank() == origin.rank() {
                let message = format!("both {key} and {best} are set; keep the one that is meant");
                problems.push(Problem::at(&rival, message));
            }
        }
        if kind == Secret::Password && !self.values.contains_key("deployment.login.user") {
            problems.push(Problem::at(&origin, "a password without a user: set deployment.login.user"));
        }
        problems
    }

    fn nothing_said(&self, key: &str, what: &str) -> String {
        let variable = environment::variable_of(key);
        match self.file() {
            Some(file) => format!("{} does not say {what}: set {key} there, or {variable}", file.display()),
            None => {
                let places: Vec<String> =
                    self.looked_for().iter().map(|path| path.display().to_string()).collect();
                format!(
                    "no configuration found (looked for {}); write one with \"tancheck init\", or set {variable}",
                    places.join(", ")
                )
            }
        }
    }
}
