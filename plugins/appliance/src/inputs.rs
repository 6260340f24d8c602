//! What these checks read, and which servers are Appliances. TanOS has no public API, and its Health Check and performance
//! commands no public format: an administrator writes down what the TanOS menus show, in files with the columns that the
//! inputs state.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{SERVER_HEALTH, ServerHealth, same_host};
use tancheck_plugin_api::records::server::{LICENSE, License};

/// Who works in TanOS.
pub(crate) const TANADMIN: &str = "a TanOS user with the role tanadmin";
/// The vendor's chapter on troubles.
pub(crate) const TROUBLESHOOTING: &str = "Appliance Deployment Guide: Troubleshooting";

/// Whether there are Appliances at all.
pub(crate) const APPLIANCES: Setting = Setting::choice("appliances", Some("auto"), &["auto", "yes", "no"])
    .about("whether the servers are Tanium Appliances; auto: as the licence says");

/// Servers that are none.
pub(crate) const OTHER_SERVERS: Setting = Setting::list("other_servers", &[])
    .about("names of servers that are no Appliances, such as a Zone Server on Windows");

/// How alerts, logs and polls of each Appliance are set up.
pub(crate) const MONITORING: Input =
    Input::new("appliance.monitoring", "alerts, syslog, SNMP and iDRAC of each Appliance").sources(&[
        Source::export(
            "tanos-monitoring.csv",
            "the TanOS menus of each Appliance",
            "write one row for each Appliance: hardware is physical, virtual or cloud; alert_syslog, alert_email and \
             syslog_forward hold the recipient or the word none; the other columns yes or no; leave empty what you do \
             not know; captured_at is when you looked",
            &[
                "appliance",
                "hardware",
                "alert_syslog",
                "alert_email",
                "syslog_forward",
                "snmp",
                "snmp_test_ok",
                "idrac_configured",
                "idrac_snmp",
                "tanremote_present",
                "captured_at",
            ],
        ),
    ]);

/// One Appliance, as somebody read it off its menus. Empty texts are unknown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Appliance {
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) appliance: String,
    /// `physical`, `virtual` or `cloud`.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) hardware: String,
    /// The syslog server that gets alerts, or `none`.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) alert_syslog: String,
    /// The mail recipient of alerts, or `none`.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) alert_email: String,
    /// The syslog server that gets the logs, or `none`.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) syslog_forward: String,
    /// Credentials of `tansnmp` are set.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) snmp: Option<bool>,
    /// A poll by the SNMP manager succeeded.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) snmp_test_ok: Option<bool>,
    /// The iDRAC interface is set up.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) idrac_configured: Option<bool>,
    /// The iDRAC interface is polled.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) idrac_snmp: Option<bool>,
    /// The account `tanremote` is there.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) tanremote_present: Option<bool>,
    /// When it was written down.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) captured_at: Option<Timestamp>,
}

/// What an Appliance runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hardware {
    /// A machine of its own.
    Physical,
    /// A virtual machine in the own data centre.
    Virtual,
    /// A virtual machine of a cloud.
    Cloud,
}

impl Appliance {
    /// What it runs on.
    pub(crate) fn hardware(&self) -> Result<Hardware, String> {
        match self.hardware.trim().to_ascii_lowercase().as_str() {
            "physical" => Ok(Hardware::Physical),
            "virtual" => Ok(Hardware::Virtual),
            "cloud" => Ok(Hardware::Cloud),
            "" => Err(format!("{}: the column hardware is empty", self.appliance)),
            _ => Err(format!("{}: {:?} is no hardware that is known", self.appliance, self.hardware)),
        }
    }

    /// When it was written down, for a sentence.
    pub(crate) fn as_of(&self) -> String {
        let day = |time: Timestamp| format!(" (as of {})", time.strftime("%Y-%m-%d"));
        self.captured_at.map(day).unwrap_or_default()
    }

    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        subject(&self.appliance)
    }
}

/// The subject of a finding about an Appliance.
pub(crate) fn subject(appliance: &str) -> Subject {
    Subject::new("appliance", appliance.trim().to_ascii_lowercase(), appliance)
}

/// Ends a judge where there are no Appliances.
pub(crate) fn in_use(facts: &Facts<'_>) -> Result<(), Undecided> {
    match facts.text(&APPLIANCES)? {
        "yes" => return Ok(()),
        "no" => return Err(Undecided::not_applicable("`appliances` says that no server is an Appliance")),
        _ => {}
    }
    let license: License = facts.object(&LICENSE)?;
    if license.licensed_features.appliance.kind.trim().is_empty() {
        return Err(
            facts.absent(&LICENSE, "the licence names no Appliance (licensed_features.appliance.type)")
        );
    }
    Ok(())
}

/// The names of all Appliances: every server that reports its health, but for those that are none.
pub(crate) fn appliances(facts: &Facts<'_>) -> Result<Vec<String>, Undecided> {
    let health: ServerHealth = facts.object(&SERVER_HEALTH)?;
    let others = facts.list(&OTHER_SERVERS);
    let mut names: Vec<String> = Vec::new();
    for (_, server) in health.all() {
        let is_known = names.iter().any(|name| same_host(name, &server.name));
        let is_other = others.iter().any(|other| same_host(other, &server.name));
        if !is_known && !is_other && !server.name.trim().is_empty() {
            names.push(server.name.clone());
        }
    }
    if names.is_empty() {
        return Err(facts.absent(&SERVER_HEALTH, "no server reports its health that is an Appliance"));
    }
    Ok(names)
}

/// Appliances that a list says nothing about, each as a sentence.
pub(crate) fn uncovered<'a>(
    facts: &Facts<'_>,
    listed: impl Iterator<Item = &'a str> + Clone,
    file: &str,
) -> Result<Vec<String>, Undecided> {
    let missing = |name: &String| !listed.clone().any(|one| same_host(one, name));
    let names = appliances(facts)?.into_iter().filter(missing);
    Ok(names.map(|name| format!("{name} has no row in {file}")).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    /// A deployment of these Appliances; without any, for checks that do not ask which servers there are.
    pub(crate) fn deployment(check: &'static Check, names: &[&str]) -> Case {
        let case = Case::of(check)
            .object(&LICENSE, json!({"licensed_features": {"appliance": {"type": "Virtual"}}}));
        let servers: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        let health = json!({"servers": {"tanium_servers": servers}});
        if names.is_empty() { case } else { case.object(&SERVER_HEALTH, health) }
    }

    const WHETHER: Check = Check::automated("appliance.whether")
        .reads(&[&LICENSE])
        .settings(&[&APPLIANCES])
        .judge(|facts, _| in_use(facts));

    const NAMES: Check = Check::automated("appliance.names")
        .reads(&[&SERVER_HEALTH])
        .settings(&[&OTHER_SERVERS])
        .judge(|facts, report| {
            for name in appliances(facts)? {
                report.finding(Finding::on(subject(&name)));
            }
            Ok(())
        });

    #[test]
    fn the_licence_tells_unless_the_site_does() {
        let windows = json!({"licensed_features": {"infrastructure": "Windows"}});
        let case = Case::of(&WHETHER).object(&LICENSE, windows);
        case.judge().assert_undecided(Outcome::NotApplicable);
        case.clone().setting("appliances", "yes").judge().assert_pass();
        deployment(&WHETHER, &[]).judge().assert_pass();
        deployment(&WHETHER, &[])
            .setting("appliances", "no")
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        let unread = case.unavailable(&LICENSE, Outcome::NoPermission);
        unread.judge().assert_undecided(Outcome::NoPermission);
    }

    #[test]
    fn every_server_counts_once_unless_it_is_none() {
        let case = deployment(&NAMES, &["ts1.example.com", "TS1", "zs1.example.com"]);
        case.judge().assert_findings(&["ts1.example.com", "zs1.example.com"]);
        case.setting("other_servers", json!(["zs1"])).judge().assert_findings(&["ts1.example.com"]);
        let none = Case::of(&NAMES).object(&SERVER_HEALTH, json!({"servers": {}}));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }
}
