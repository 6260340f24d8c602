//! What can be wrong with computer groups.

use super::Group;
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "group-unused",
        about: "a group of a former project is used by nothing",
        breaks: &["computer-groups.unused"],
        apply: |state| add(state, 40, "Former project", "Computer Name starts with project-", 400),
    },
    Fault {
        name: "group-duplicate",
        about: "somebody made a second group of all Windows endpoints last week",
        breaks: &["computer-groups.duplicate"],
        apply: |state| add(state, 41, "Windows endpoints", "( is windows  contains true )", 7),
    },
    Fault {
        name: "group-temporary",
        about: "the group for the test of a new feature was never deleted",
        breaks: &["computer-groups.temporary", "computer-groups.unused"],
        apply: |state| add(state, 42, "Test of the new feature", "Computer Name starts with test-", 200),
    },
];

fn add(state: &mut State, id: u64, name: &str, text: &str, age: i64) {
    state.groups.all.push(Group {
        id,
        name: name.to_owned(),
        text: text.to_owned(),
        management_rights: false,
        computers: Vec::new(),
        created: state.now - days(age),
        creator: 1,
    });
}
