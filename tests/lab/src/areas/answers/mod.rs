//! What only people know: the answers that the administrator of this deployment would give, by check.

use crate::areas::{Area, Export};
use crate::clock::{days, iso};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// Answers by the check that they decide.
pub(crate) struct Answers {
    pub(crate) by_check: BTreeMap<&'static str, String>,
}

const BUNDLES: [&str; 3] =
    ["client-management.support-bundle", "connect.support-bundle", "health-check.support-bundle"];

impl Answers {
    pub(crate) fn new(now: Timestamp) -> Self {
        let bundles = BUNDLES.iter().map(|check| (*check, iso(now - days(20))));
        let others = [
            ("client-management.auto-redeploy", "yes".to_owned()),
            ("client-management.endpoint-retention", "30".to_owned()),
            ("connect.failed-report-received", iso(now - days(1))),
            ("health-check.tpan-report-archived", iso(now - days(2))),
        ];
        Self { by_check: bundles.chain(others).collect() }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "support-bundles-old",
        about: "the newest support bundles are 200 days old",
        breaks: &BUNDLES,
        apply: |state| {
            for check in BUNDLES {
                state.answers.by_check.insert(check, iso(state.now - days(200)));
            }
        },
    },
    Fault {
        name: "redeployment-undecided",
        about: "nobody decided whether clients are redeployed to unmanaged endpoints",
        breaks: &["client-management.auto-redeploy"],
        apply: |state| say(state, "client-management.auto-redeploy", "no"),
    },
    Fault {
        name: "retention-differs",
        about: "endpoints are counted over 7 days instead of 30",
        breaks: &["client-management.endpoint-retention"],
        apply: |state| say(state, "client-management.endpoint-retention", "7"),
    },
    Fault {
        name: "tpan-report-not-archived",
        about: "the latest TPAN report was not copied to the diagnostics store",
        breaks: &["health-check.tpan-report-archived"],
        apply: |state| {
            let long_ago = iso(state.now - days(60));
            say(state, "health-check.tpan-report-archived", &long_ago);
        },
    },
];

fn say(state: &mut State, check: &'static str, answer: &str) {
    state.answers.by_check.insert(check, answer.to_owned());
}

/// The columns are the lab's own: `answers.csv` is for tests, no Console page exports it.
fn exports(state: &State) -> Vec<Export> {
    let rows = state.answers.by_check.iter();
    let rows = rows.map(|(check, answer)| vec![(*check).to_owned(), answer.clone(), iso(state.now)]);
    vec![Export { file: "answers.csv", columns: &["check", "answer", "at"], rows: rows.collect() }]
}
