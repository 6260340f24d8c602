//! Security advisories, as an administrator wrote them down. They are the lab's own; none of the vendor's is public.

use crate::areas::{Area, Export};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// An advisory: id, solution, affected from, fixed with, severity.
type Advisory = [&'static str; 5];

/// All of them.
pub(crate) struct Advisories {
    all: Vec<Advisory>,
}

impl Advisories {
    /// What is installed has all repairs.
    pub(crate) fn new() -> Self {
        Self {
            all: vec![
                ["LAB-2026-001", "99-200-0008", "4.0", "4.11.0.0001", "High"],
                ["LAB-2026-002", "Tanium Server", "7.4", "7.5.5", "Critical"],
                ["LAB-2026-003", "Tanium Client", "6.0", "7.2", "Medium"],
            ],
        }
    }
}

const FAULTS: &[Fault] = &[Fault {
    name: "advisory-affects-connect",
    about: "an advisory names the imported version of Connect as vulnerable",
    breaks: &["advisories.affected-solution", "advisories.mitigation-applied"],
    apply: |state| {
        state.advisories.all.push(["LAB-2026-004", "99-200-0008", "4.0", "4.12.0.0001", "Critical"]);
    },
}];

fn exports(state: &State) -> Vec<Export> {
    let published = state.now.strftime("%Y-%m-01").to_string();
    let row = |[id, solution, from, fixed, severity]: &Advisory| {
        [id, solution, from, fixed, fixed, severity, &published.as_str()]
            .map(|cell| (*cell).to_owned())
            .to_vec()
    };
    vec![Export {
        file: "advisories.csv",
        columns: &[
            "Advisory",
            "Solution ID",
            "Affected From",
            "Affected To",
            "Fixed Version",
            "Severity",
            "Published",
        ],
        rows: state.advisories.all.iter().map(row).collect(),
    }]
}
