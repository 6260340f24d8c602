//! Certificates as the server lists them, and how old they may become.

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::serde_json::Value;

pub(crate) const ROTATE: GuideReference =
    guide("Rotate certificates for Tanium Console, Module Server, and API access", 44);
pub(crate) const DOCUMENT: &str =
    "Core Platform Deployment Reference Guide: Securing Tanium Console, API, and Module Server access";
pub(crate) const WHO: &str = "the server administrator, with the certificate authority or the network security team; on an appliance a TanOS user with the tanadmin role";
pub(crate) const LOCK_OUT: &str = "A wrong certificate or key can lock people out of Console and API and cut off the Module Server: keep the old pair for the way back, and work in a change window.";

/// The server's certificates. On-premises only; the vendor documents no privilege for the route.
pub(crate) const CERTIFICATES: Input =
    Input::new("certificates.https", "TLS certificates of the servers").sources(&[REST]);

const REST: Source = Source::rest("/api/v2/https_certificates");

/// The same for the dates of the Console's certificate, which a person can read off as well.
pub(crate) const CONSOLE: Input = Input::new("certificates.console", "TLS certificate of Console and API")
    .sources(&[
        REST,
        Source::answer(
            "Until when is the certificate valid that the browser shows for the Console (SOAPServer.crt)?",
            Accepts::Date,
            30,
        ),
    ]);

/// The same for its issuer.
pub(crate) const CONSOLE_ISSUER: Input =
    Input::new("certificates.console-issuer", "who signed the certificate of Console and API").sources(&[
        REST,
        Source::answer("Is the certificate of the Console self-signed?", Accepts::YesNo, 90),
    ]);

/// How old a certificate may become.
pub(crate) const ROTATION_DAYS: Setting = Setting::integer_unset("rotation_days", 1, 7300)
    .unit("days")
    .about("how old a certificate may become by the policy of the organization; without it only the expiry is judged");

/// How long before its expiry a certificate is due.
pub(crate) const WARN_DAYS: Setting = Setting::integer("warn_days", 30, 0, 3650)
    .unit("days")
    .about("how long before its expiry a certificate is due for replacement");

/// A certificate (`GET /api/v2/https_certificates`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Certificate {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) serial: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) sha256_fingerprint: String,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) not_before_time: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) not_after_time: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) matches_private_key_flag: Option<bool>,
    pub(crate) subject: Name,
    pub(crate) issuer: Name,
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) subject_alternative_names: Vec<String>,
}

/// A distinguished name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Name {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) common_name: String,
    #[serde(deserialize_with = "lenient::text")]
    organizational_unit: String,
    #[serde(deserialize_with = "lenient::text")]
    organization: String,
    #[serde(deserialize_with = "lenient::text")]
    locality: String,
    #[serde(deserialize_with = "lenient::text")]
    state_or_province: String,
    #[serde(deserialize_with = "lenient::text")]
    country: String,
}

impl Certificate {
    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        let key = [&self.sha256_fingerprint, &self.serial].into_iter().find(|text| !text.is_empty());
        let key = key.map_or(self.subject.common_name.as_str(), String::as_str);
        Subject::new("certificate", key, format!("certificate of {}", self.subject.common_name))
    }

    /// What is seen of it, for the evidence.
    pub(crate) fn dates(&self) -> [Option<String>; 2] {
        [self.not_before_time, self.not_after_time].map(|time| time.map(|time| time.to_string()))
    }

    /// Whether its own key seems to have signed it: the same name on both sides, or an issuer that is one of the hosts
    /// it is for.
    pub(crate) fn looks_self_signed(&self) -> bool {
        let issuer = &self.issuer.common_name;
        let is_host = |name: &String| name.eq_ignore_ascii_case(issuer);
        self.issuer == self.subject
            || !issuer.is_empty() && self.subject_alternative_names.iter().any(is_host)
    }
}

/// Why a certificate with these dates should be replaced.
pub(crate) fn aging(
    facts: &Facts<'_>,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
) -> Result<Option<String>, String> {
    let Some(not_after) = not_after else { return Err("does not tell when it expires".to_owned()) };
    let left = -facts.since(not_after);
    let warn = facts.integer(&WARN_DAYS).unwrap_or_default();
    if left.is_negative() {
        return Ok(Some(format!("expired {} days ago", facts.days_since(not_after))));
    }
    if left.as_hours() < warn * 24 {
        return Ok(Some(format!("expires in {} days", left.as_hours() / 24)));
    }
    let Ok(limit) = facts.integer(&ROTATION_DAYS) else { return Ok(None) };
    let made = not_before.ok_or("does not tell how old it is")?;
    let age = facts.days_since(made);
    Ok((age > limit).then(|| format!("is {age} days old; the policy allows {limit}")))
}

/// What a certificate should be, for findings.
pub(crate) fn expected(facts: &Facts<'_>) -> String {
    let warn = facts.integer(&WARN_DAYS).unwrap_or_default();
    match facts.integer(&ROTATION_DAYS) {
        Ok(limit) => format!("at most {limit} days old, with more than {warn} days left"),
        Err(_) => format!("more than {warn} days left"),
    }
}

/// The serial numbers of the Module Server's certificates, as the server sees them.
pub(crate) fn module_server_serials(facts: &Facts<'_>) -> Result<Vec<String>, Undecided> {
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let certificates = info.section("Module_Cache").filter(|(key, _)| key.ends_with("_Certificate"));
    let serial = |value: &Value| {
        value.pointer("/CertificateDetails/SerialNumber").and_then(Value::as_str).map(str::to_owned)
    };
    Ok(certificates.filter_map(|(_, value)| serial(value)).collect())
}

/// The certificates with a private key on the server that may be the Console's.
pub(crate) fn of_console(facts: &Facts<'_>, all: Vec<Certificate>) -> Result<Vec<Certificate>, Undecided> {
    let with_key: Vec<Certificate> =
        all.into_iter().filter(|one| one.matches_private_key_flag == Some(true)).collect();
    if with_key.is_empty() {
        return Err(Undecided::not_evaluated("no certificate of the list has its private key on the server"));
    }
    let serials = module_server_serials(facts).unwrap_or_default();
    let is_other = |one: &Certificate| serials.iter().any(|serial| serial.eq_ignore_ascii_case(&one.serial));
    if with_key.iter().all(is_other) {
        return Ok(with_key);
    }
    Ok(with_key.into_iter().filter(|one| !is_other(one)).collect())
}
