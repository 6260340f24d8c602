//! The Solutions page of the Console, which offers updates, and what can be wrong with solutions and their licence.

use crate::areas::{Area, Export};
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use std::collections::BTreeMap;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

const CONNECT: &str = "99-200-0008";
const CLIENT_MAINTENANCE: &str = "01-001-0019";

/// What is not as it should be.
#[derive(Default)]
pub(crate) struct Solutions {
    /// Versions that can be imported, by solution id, where they are newer than the imported ones.
    offered: BTreeMap<&'static str, &'static str>,
    /// The workbench that stayed behind its solution, and its version.
    pub(crate) behind: Option<(&'static str, &'static str)>,
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "module-update-waiting",
        about: "an update of Connect can be imported",
        breaks: &["solutions.module-updates", "solutions.deferral-recorded"],
        apply: |state| {
            state.solutions.offered.insert(CONNECT, "4.12.0.0001");
        },
    },
    Fault {
        name: "content-update-waiting",
        about: "an update of the content for client maintenance can be imported",
        breaks: &["solutions.content-updates", "solutions.deferral-recorded"],
        apply: |state| {
            state.solutions.offered.insert(CLIENT_MAINTENANCE, "7.2.1.0001");
        },
    },
    Fault {
        name: "solution-untested",
        about: "an update of Connect was imported today, and nobody tested it in a lab",
        breaks: &["solutions.lab-tested"],
        apply: |state| {
            let now = state.now;
            for solution in state.server.solutions.iter_mut().filter(|solution| solution.id == CONNECT) {
                solution.version = "4.11.3.0001";
                solution.imported = now;
            }
        },
    },
    Fault {
        name: "workbench-behind",
        about: "the Module Server still has the workbench of an older Connect",
        breaks: &["solutions.versions-disagree"],
        apply: |state| state.solutions.behind = Some(("Connect", "4.10.0.0001")),
    },
    Fault {
        name: "license-expiring",
        about: "the license of all modules ends in 30 days",
        breaks: &["solutions.licence-expiry"],
        apply: |state| {
            let end = state.now + days(30);
            let license = &mut state.server.license;
            license.expires = end;
            license
                .solutions
                .iter_mut()
                .for_each(|licensed| licensed.expires = licensed.expires.map(|_| end));
        },
    },
];

fn exports(state: &State) -> Vec<Export> {
    let row = |solution: &crate::areas::server::Solution| {
        let kind = if solution.workbench.is_some() { "Module" } else { "Content" };
        let offered = state.solutions.offered.get(solution.id).unwrap_or(&solution.version);
        [solution.name, solution.id, kind, solution.version, offered].map(str::to_owned).to_vec()
    };
    vec![Export {
        file: "solutions.csv",
        columns: &["Name", "Solution ID", "Type", "Imported Version", "Available Version"],
        rows: state.server.solutions.iter().map(row).collect(),
    }]
}
