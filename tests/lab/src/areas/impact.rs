//! Impact: what endpoints say of their coverage is in the sensors.

use super::endpoint_tools::{counted, some_tell};
use crate::areas::fleet::Os;
use crate::areas::{Area, Export};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

const FAULTS: &[Fault] = &[
    Fault {
        name: "impact-needs-attention",
        about: "some endpoints lack the Python tools that Impact needs",
        breaks: &["impact.needs-attention"],
        apply: |state| some_tell(state, 0.01, |_| true, "impact", "Needs Attention"),
    },
    Fault {
        name: "impact-unsupported",
        about: "Impact does not support some endpoints, and nobody accepted their operating system",
        breaks: &["impact.unsupported"],
        apply: |state| some_tell(state, 0.01, |e| e.os == Os::Windows, "impact", "Unsupported"),
    },
];

fn exports(state: &State) -> Vec<Export> {
    let rows =
        counted(state, "Get Impact - Coverage Status and Operating System from all machines").into_iter();
    vec![Export {
        file: "impact-coverage.csv",
        columns: &["Impact - Coverage Status", "Operating System", "Count"],
        rows: rows.map(|(row, count)| [row, vec![count.to_string()]].concat()).collect(),
    }]
}
