//! What can be wrong with Deploy.

use super::{Deploy, Package, READER, WORKBENCH, ZIP};
use crate::areas::actions::ActionGroup;
use crate::areas::groups::{ALL_COMPUTERS, ALL_WINDOWS};
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "deploy-coverage-gap",
        about: "a few endpoints need attention in Deploy's coverage",
        breaks: &["deploy.coverage-needs-attention"],
        apply: |state| state.deploy.attention_of = 100,
    },
    Fault {
        name: "deploy-coverage-fallen",
        about: "every fifth endpoint needs attention in Deploy's coverage",
        breaks: &["deploy.coverage-needs-attention", "deploy.metric-coverage"],
        apply: |state| state.deploy.attention_of = 5,
    },
    Fault {
        name: "deploy-process-stopped",
        about: "the Deploy process does not run on every tenth endpoint",
        breaks: &["deploy.process-not-running"],
        apply: |state| state.deploy.stopped_of = 10,
    },
    Fault {
        name: "deploy-slow",
        about: "software takes twice as long to reach endpoints",
        breaks: &["deploy.metric-mean-time"],
        apply: |state| state.deploy.mean_days = 9,
    },
    Fault {
        name: "deploy-updates-missing",
        about: "many more endpoints miss old software updates",
        breaks: &["deploy.metric-missing-updates"],
        apply: |state| state.deploy.missing_updates = 70,
    },
    Fault {
        name: "self-service-fallen",
        about: "users install much less by self service than last week",
        breaks: &["deploy.metric-self-service"],
        apply: |state| state.deploy.self_service_percent = 15,
    },
    Fault {
        name: "self-service-failing",
        about: "a software fails when users install it",
        breaks: &["deploy.self-service-failures", "deploy.self-service-profiles"],
        apply: |state| state.deploy.activity[0].failed = 3,
    },
    Fault {
        name: "self-service-for-nobody",
        about: "a self-service profile has no target",
        breaks: &["deploy.self-service-profiles"],
        apply: |state| state.deploy.profiles[0].computer_groups.clear(),
    },
    Fault {
        name: "package-superseded",
        about: "an old version of a software lies around, newly imported by mistake",
        breaks: &["deploy.packages-superseded"],
        apply: |state| add_package(state, "24.08.00.0", "7-Zip", "Igor Pavlov", 10),
    },
    Fault {
        name: "package-unused",
        about: "a software package was imported two years ago and never used",
        breaks: &["deploy.packages-unused"],
        apply: |state| add_package(state, "9.8", "Forgotten Tool", "Somebody", 700),
    },
    Fault {
        name: "package-files-failed",
        about: "the server cannot cache the files of a software package",
        breaks: &["deploy.file-sync"],
        apply: |state| {
            let message = "Could not cache some items: File hashes do not match.";
            state.deploy.sync_errors.push((READER, message));
            uncache(&mut state.deploy);
        },
    },
    Fault {
        name: "package-files-missing",
        about: "the server has a part of the files of a package that is deployed",
        breaks: &["deploy.file-sync"],
        apply: |state| uncache(&mut state.deploy),
    },
    Fault {
        name: "deployment-endless",
        about: "a deployment without end goes on since last year",
        breaks: &["deploy.deployments-unneeded"],
        apply: |state| {
            let start = state.now - days(300);
            let deployment = state.deploy.deployments.iter_mut().find(|deployment| deployment.package == ZIP);
            if let Some(deployment) = deployment {
                deployment.start = start;
            }
        },
    },
    Fault {
        name: "automatic-deployment-ineligible",
        about: "an automatic deployment needs attention",
        breaks: &["deploy.automatic-needs-attention"],
        apply: |state| state.deploy.needing_attention.push(("Google Chrome", "Internet Browsers")),
    },
    Fault {
        name: "deploy-action-group-narrow",
        about: "the action group Tanium Deploy holds Windows computers only",
        breaks: &["deploy.action-group-targets"],
        apply: |state| {
            let groups = state.actions.groups.iter_mut();
            groups
                .filter(|group| group.name == "Tanium Deploy")
                .for_each(|group| group.groups = vec![ALL_WINDOWS]);
        },
    },
    Fault {
        name: "deploy-action-group-custom",
        about: "somebody made a custom action group for Deploy that nothing uses",
        breaks: &["deploy.custom-action-groups"],
        apply: |state| {
            let modified = state.now - days(3);
            state.actions.groups.push(ActionGroup {
                id: 62,
                name: "Deploy - everywhere",
                groups: vec![ALL_COMPUTERS],
                modified,
            });
        },
    },
    Fault {
        name: "deploy-missing",
        about: "Deploy is not imported; checks of it do not apply",
        breaks: &[],
        apply: |state| state.server.solutions.retain(|solution| solution.workbench != Some(WORKBENCH)),
    },
];

fn add_package(
    state: &mut State,
    version: &'static str,
    title: &'static str,
    vendor: &'static str,
    age: i64,
) {
    let created = state.now - days(age);
    state.deploy.packages.push(Package {
        id: 99,
        vendor,
        title,
        version,
        platform: "windows",
        created,
        cached_percent: 100,
    });
}

/// The server lost some of the files of a package in use.
fn uncache(deploy: &mut Deploy) {
    let package = deploy.packages.iter_mut().find(|package| package.id == READER);
    if let Some(package) = package {
        package.cached_percent = 40;
    }
}
