//! What these checks read: throttles, and the words that they share.

use ipnet::IpNet;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::plain_range;
use tancheck_plugin_api::records::settings::{SYSTEM_SETTINGS, SystemSetting};
use tancheck_plugin_api::serde_json::Value;

/// The sections of the guide.
pub(crate) const GLOBAL_SECTION: &str = "Review and update global bandwidth throttles";
/// See above.
pub(crate) const SITE_SECTION: &str = "Review and update site bandwidth throttles";
/// The guide prints no path to it.
pub(crate) const PAGE: &str = "the bandwidth throttles page of the Console";
/// Who may change them.
pub(crate) const WHO: &str = "a Console user with the Administrator reserved role, or a custom role that may write bandwidth throttles, after the networking team agreed";
/// Where the checks apply.
pub(crate) const APPLIES: &str = "Appliance or Windows; Tanium Cloud manages its throttles itself";
/// A caution of every change.
pub(crate) const SMALL_STEPS: &str = "Change in small steps and watch the delays: a limit that is too high floods WAN links, one that is too low starves the platform.";

const GLOBAL_NEEDS: &[&str] = &["read global bandwidth throttles"];
const SITE_NEEDS: &[&str] = &["read subnet bandwidth throttles"];

const FILE: Source = Source::export(
    "bandwidth-throttles.csv",
    PAGE,
    "write all throttles into one file with these columns; Scope is Global or Site, limits are in bytes per second and 0 \
     for none, and ranges in Subnets are separated by semicolons",
    &[
        "Scope",
        "Name",
        "Subnets",
        "Overall Limit",
        "Sensor Limit",
        "Download Limit",
        "Overall Connections",
        "Sensor Connections",
        "Download Connections",
        "Delay ms",
    ],
);

/// Global throttles; the API calls them server throttles.
pub(crate) const GLOBAL_THROTTLES: Input = Input::new("bandwidth.global-throttles", "global throttles")
    .sources(&[Source::rest("/api/v2/server_throttles").needs(GLOBAL_NEEDS), FILE]);

/// The present delays of global throttles.
pub(crate) const GLOBAL_DELAYS: Input =
    Input::new("bandwidth.global-delays", "present delays of global throttles")
        .sources(&[Source::rest("/api/v2/server_throttle_statuses").needs(GLOBAL_NEEDS), FILE]);

/// Site throttles.
pub(crate) const SITE_THROTTLES: Input = Input::new("bandwidth.site-throttles", "site throttles")
    .sources(&[Source::rest("/api/v2/site_throttles").needs(SITE_NEEDS), FILE]);

/// The present delays of site throttles.
pub(crate) const SITE_DELAYS: Input = Input::new("bandwidth.site-delays", "present delays of site throttles")
    .sources(&[Source::rest("/api/v2/site_throttle_statuses").needs(SITE_NEEDS), FILE]);

/// A throttle: global (`GET /api/v2/server_throttles`) or of a site (`GET /api/v2/site_throttles`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Throttle {
    /// `Global` or `Site`; only in exported files.
    #[serde(rename = "Scope", deserialize_with = "lenient::text")]
    pub(crate) scope: String,
    /// Its id. Of several global throttles, the one with the lowest id is in force.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    /// Its name; often empty.
    #[serde(alias = "Name", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// A global throttle with an address is not in force.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) ip_address: String,
    /// `0` or `1`; often left out.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) deleted_flag: Option<bool>,
    /// A site throttle of all subnets: `0` or `1`.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) all_subnets_flag: Option<bool>,
    /// All traffic, in bytes; 0 is no limit.
    #[serde(rename = "bandwidth_bytes_limit", alias = "Overall Limit", deserialize_with = "lenient::number")]
    pub(crate) overall: Option<f64>,
    /// Downloads, in bytes; 0 is no limit.
    #[serde(
        rename = "download_bandwidth_bytes_limit",
        alias = "Download Limit",
        deserialize_with = "lenient::number"
    )]
    pub(crate) download: Option<f64>,
    /// Sensors, in bytes; 0 is no limit.
    #[serde(
        rename = "sensor_bandwidth_bytes_limit",
        alias = "Sensor Limit",
        deserialize_with = "lenient::number"
    )]
    pub(crate) sensor: Option<f64>,
    /// Connections to the server, of all kinds; only global throttles.
    #[serde(alias = "Overall Connections", deserialize_with = "lenient::number")]
    pub(crate) connection_limit: Option<f64>,
    /// The ranges of a site throttle.
    pub(crate) subnets: Vec<Ranged>,
    /// The same in an exported file.
    #[serde(rename = "Subnets", deserialize_with = "lenient::text")]
    pub(crate) exported_ranges: String,
}

/// A range of a site throttle.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ranged {
    /// The range.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) range: String,
}

impl Throttle {
    /// Its name, or its id.
    pub(crate) fn label(&self) -> String {
        match (self.name.as_str(), self.id.as_str()) {
            ("", "") => "the throttle".to_owned(),
            ("", id) => format!("throttle {id}"),
            (name, _) => name.to_owned(),
        }
    }

    /// What it is known by: the id, or the name in a file without ids.
    pub(crate) fn key(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }

    /// The three limits by kind; a limit that the server does not tell is no limit of 0.
    pub(crate) fn limits(&self) -> Result<[(&'static str, f64); 3], Undecided> {
        let known = |kind: &'static str, limit: Option<f64>| {
            let unknown = || Undecided::not_evaluated(format!("{} tells no {kind} limit", self.label()));
            limit.map(|limit| (kind, limit)).ok_or_else(unknown)
        };
        Ok([
            known("overall", self.overall)?,
            known("download", self.download)?,
            known("sensor", self.sensor)?,
        ])
    }

    /// Its ranges.
    pub(crate) fn ranges(&self) -> Result<Vec<IpNet>, Undecided> {
        let exported = self.exported_ranges.split([';', ',', ' ']).filter(|range| !range.is_empty());
        let texts = self.subnets.iter().map(|ranged| ranged.range.as_str()).chain(exported);
        texts
            .map(|text| {
                range(text).ok_or_else(|| {
                    Undecided::not_evaluated(format!(
                        "{} has the range {text:?}, which is no CIDR",
                        self.label()
                    ))
                })
            })
            .collect()
    }
}

/// A range, without bits behind its length.
pub(crate) fn range(text: &str) -> Option<IpNet> {
    plain_range(text).parse::<IpNet>().ok().map(|net| net.trunc())
}

fn of_scope(throttle: &Throttle, scope: &str) -> bool {
    throttle.deleted_flag != Some(true)
        && (throttle.scope.is_empty() || throttle.scope.eq_ignore_ascii_case(scope))
}

/// All global throttles, the one with the lowest id first.
pub(crate) fn global_throttles(facts: &Facts<'_>) -> Result<Vec<Throttle>, Undecided> {
    let mut all: Vec<Throttle> = facts.rows(&GLOBAL_THROTTLES)?;
    all.retain(|throttle| of_scope(throttle, "Global"));
    all.sort_by_key(|throttle| throttle.id.parse::<u64>().unwrap_or(u64::MAX));
    Ok(all)
}

/// The global throttle that is in force: of those without an address, the one with the lowest id.
pub(crate) fn active(throttles: &[Throttle]) -> Option<&Throttle> {
    throttles.iter().find(|throttle| throttle.ip_address.is_empty())
}

/// All site throttles.
pub(crate) fn site_throttles(facts: &Facts<'_>) -> Result<Vec<Throttle>, Undecided> {
    let mut all: Vec<Throttle> = facts.rows(&SITE_THROTTLES)?;
    all.retain(|throttle| of_scope(throttle, "Site"));
    Ok(all)
}

/// Ends a check on Tanium Cloud. Where the settings cannot be read, the deployment is taken for one of the site's own.
pub(crate) fn not_on_cloud(facts: &Facts<'_>) -> Result<(), Undecided> {
    let settings: Vec<SystemSetting> = facts.rows(&SYSTEM_SETTINGS).unwrap_or_default();
    if settings.iter().any(|setting| setting.name == "console_is_taas" && setting.value == "1") {
        return Err(Undecided::not_applicable("Tanium Cloud manages its throttles itself"));
    }
    Ok(())
}

/// A number as the diagnostics write it: plain, or as text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}
