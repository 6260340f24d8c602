//! Custom tags: endpoints carry them, groups go by them.

use crate::areas::actions::TAGGED_GROUP;
use crate::areas::fleet::{Endpoint, Kind};
use crate::areas::groups::PLANT;
use crate::areas::{Area, Export};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

const FAULTS: &[Fault] = &[
    Fault {
        name: "tag-lost",
        about: "most of the plant's machines lost their tag",
        breaks: &["tags.custom-tag-missing", "tags.custom-tag-review"],
        apply: |state| retag(state, 0.04, |e| e.index < 31 && e.kind != Kind::Vdi, &[]),
    },
    Fault {
        name: "tag-foreign",
        about: "some machines outside of the plant carry its tag",
        breaks: &["tags.custom-tag-surplus"],
        apply: |state| retag(state, 0.01, is_untagged, &["Plant"]),
    },
    Fault {
        name: "tag-unknown",
        about: "some machines carry a tag that nobody knows",
        breaks: &["tags.custom-tag-review", "tags.custom-tag-surplus"],
        apply: |state| retag(state, 0.01, is_untagged, &["Experiment"]),
    },
    Fault {
        name: "tag-group-missing",
        about: "the group of the plant's machines was deleted",
        breaks: &[
            "tags.group-missing-for-tag",
            "tags.group-wrong-definition",
            "tags.action-groups-cover-tag-groups",
        ],
        apply: |state| state.groups.all.retain(|group| group.id != PLANT),
    },
    Fault {
        name: "tag-group-misspelt",
        about: "the definition of the plant's group misspells the tag",
        breaks: &["tags.group-missing-for-tag", "tags.group-without-members", "tags.group-wrong-definition"],
        apply: |state| {
            if let Some(group) = state.groups.by_id_mut(PLANT) {
                "Custom Tags contains Plnat".clone_into(&mut group.text);
            }
        },
    },
    Fault {
        name: "tag-group-without-actions",
        about: "the group of the plant's machines is in no action group any more",
        breaks: &["tags.action-groups-cover-tag-groups", "computer-groups.unused"],
        apply: |state| {
            let tagged = state.actions.groups.iter_mut().filter(|group| group.id == TAGGED_GROUP);
            tagged.for_each(|group| group.groups.retain(|id| *id != PLANT));
        },
    },
    Fault {
        name: "enhanced-tags-used",
        about: "enhanced tags are used for computer groups, and nobody reviewed them",
        breaks: &["tags.enhanced-tags-review"],
        apply: |state| state.answers.say("tags.enhanced-used", "yes"),
    },
];

fn is_untagged(endpoint: &Endpoint) -> bool {
    endpoint.tags().is_empty()
}

fn retag(state: &mut State, share: f64, fits: impl Fn(&Endpoint) -> bool, tags: &'static [&'static str]) {
    state.fleet.change_some(share, fits, move |endpoint| endpoint.retagged = Some(tags));
}

fn exports(state: &State) -> Vec<Export> {
    let row = |endpoint: Endpoint| vec![endpoint.name(), endpoint.tags().join("\n"), endpoint.address()];
    vec![Export {
        file: "custom-tags.csv",
        columns: &["Computer Name", "Custom Tags", "Tanium Client IP Address"],
        rows: state.fleet.all().map(row).collect(),
    }]
}
