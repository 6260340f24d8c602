//! What only people know: the answers that the administrator of this deployment would give, by input.

use crate::areas::{Area, Export};
use crate::clock::{days, minutes};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// Answers by the input that they are for, spelled as the input accepts them.
pub(crate) struct Answers {
    by_input: BTreeMap<&'static str, String>,
}

impl Answers {
    /// One line for each input that people have to answer because nothing else tells it.
    pub(crate) fn new(now: Timestamp) -> Self {
        let answers = [
            ("appliance.grub-key-changed", day(now - days(200))),
            ("appliance.grub-key-exported", day(now - days(60))),
            ("appliance.last-syslog-message", (now - minutes(4)).strftime("%Y-%m-%d %H:%M").to_string()),
            ("appliance.password-age", "90".to_owned()),
            ("appliance.password-history", "10".to_owned()),
            ("appliance.password-length", "14".to_owned()),
            ("appliance.password-lockout", "5".to_owned()),
            ("appliance.syslog-failure-notices", "no".to_owned()),
            ("client-management.redeployment", "yes".to_owned()),
            ("client-management.retention", "30".to_owned()),
            ("direct-connect.client-certificate", day(now + days(600))),
            ("direct-connect.screen-sharing-state", "works".to_owned()),
            ("direct-connect.info-version", "2.1.0.0100".to_owned()),
            ("direct-connect.install-mode", "custom".to_owned()),
            ("direct-connect.open-steps", "none".to_owned()),
            ("direct-connect.service-account", "Direct Connect".to_owned()),
            ("direct-connect.action-lock", "Allow New Connections and Configuration Changes".to_owned()),
            ("direct-connect.log-level", "info".to_owned()),
            ("direct-connect.zone-proxy-payload", "good".to_owned()),
            ("direct-connect.payload-file", "administrators only".to_owned()),
            ("direct-connect.load-balancer", "none".to_owned()),
            ("direct-connect.windows-firewall", "open".to_owned()),
            ("direct-connect.server-certificate", day(now + days(600))),
            ("comply.disk-used", "120".to_owned()),
            ("connect.report-arrived", day(now - days(1))),
            ("health-check.last-report-copy", day(now - days(2))),
            ("support.component-versions", "Module Server and Zone Servers 7.6.1.6246".to_owned()),
            ("support.database-version", "PostgreSQL 16.4".to_owned()),
            ("support.hardware", "virtual machines, but for ts1".to_owned()),
            ("support.operating-systems", "TanOS 1.8.4".to_owned()),
            ("bandwidth.disturbance", "no".to_owned()),
            ("subnets.vpn-used", "yes".to_owned()),
            ("tags.enhanced-used", "no".to_owned()),
        ];
        Self { by_input: answers.into() }
    }

    /// Answers differently.
    pub(crate) fn say(&mut self, input: &'static str, answer: impl Into<String>) {
        self.by_input.insert(input, answer.into());
    }
}

/// A date, as `tancheck answer` takes it.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "redeployment-undecided",
        about: "nobody decided whether clients are redeployed to unmanaged endpoints",
        breaks: &["client-management.auto-redeploy"],
        apply: |state| state.answers.say("client-management.redeployment", "no"),
    },
    Fault {
        name: "retention-differs",
        about: "endpoints are counted over 7 days instead of 30",
        breaks: &["client-management.endpoint-retention"],
        apply: |state| state.answers.say("client-management.retention", "7"),
    },
    Fault {
        name: "tpan-report-not-archived",
        about: "the latest TPAN report was not copied to the diagnostics store",
        breaks: &["health-check.tpan-report-archived"],
        apply: |state| state.answers.say("health-check.last-report-copy", day(state.now - days(60))),
    },
];

/// The columns are the lab's own: `answers.csv` is for tests, no Console page exports it.
fn exports(state: &State) -> Vec<Export> {
    let rows = state.answers.by_input.iter();
    let rows = rows.map(|(input, answer)| vec![(*input).to_owned(), answer.clone()]);
    vec![Export { file: "answers.csv", columns: &["input", "answer"], rows: rows.collect() }]
}
