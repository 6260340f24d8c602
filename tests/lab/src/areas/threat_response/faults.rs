//! What can be wrong with Threat Response.

use super::Issue;
use crate::areas::endpoint_tools::some_tell;
use crate::areas::fleet::{Endpoint, Os, fail_extension};
use crate::faults::Fault;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "threat-response-uncovered",
        about: "a tenth of the endpoints lacks a package that Threat Response needs",
        breaks: &["threat-response.coverage-low"],
        apply: |state| some_tell(state, 0.1, windows, "threat response", "Windows Package Required"),
    },
    Fault {
        name: "threat-response-profile-lost",
        about: "some endpoints have no Threat Response profile",
        breaks: &["threat-response.profile-missing"],
        apply: |state| some_tell(state, 0.01, |_| true, "profile", "None"),
    },
    Fault {
        name: "threat-response-profile-outdated",
        about: "a profile was changed and not deployed",
        breaks: &["threat-response.profile-wrong"],
        apply: |state| state.threat_response.profiles[0].state = "Outdated",
    },
    Fault {
        name: "threat-response-profile-priority",
        about: "somebody changed the priority of a profile",
        breaks: &["threat-response.profile-wrong"],
        apply: |state| state.threat_response.profiles[0].priority = 7,
    },
    Fault {
        name: "direct-connect-extension-failures",
        about: "the extension of Direct Connect failed on some endpoints",
        breaks: &[
            "client-management.cx-other",
            "direct-connect.extension-health",
            "threat-response.failure-dec",
        ],
        apply: |state| fail_extension(state, "dec", "the extension could not connect"),
    },
    Fault {
        name: "stream-extension-failures",
        about: "the extension that streams events failed on some endpoints",
        breaks: &["client-management.cx-other", "threat-response.failure-stream"],
        apply: |state| fail_extension(state, "stream", "the destination could not be reached"),
    },
    Fault {
        name: "threat-response-extension-failures",
        about: "the Threat Response Client Extension failed on some endpoints",
        breaks: &["client-management.cx-other", "threat-response.failure-threatresponse"],
        apply: |state| fail_extension(state, "threatresponse", "the engine did not start"),
    },
    Fault {
        name: "recorder-setting-changed",
        about: "somebody changed a setting of the recorder on single endpoints",
        breaks: &["threat-response.nondefault-settings"],
        apply: |state| some_tell(state, 0.01, |e| e.index % 25 == 7, "cpu limit", "90"),
    },
    Fault {
        name: "threat-response-tools-old",
        about: "some endpoints have older Threat Response tools",
        breaks: &["threat-response.tools-versions"],
        apply: |state| some_tell(state, 0.01, |_| true, "tools version", "3.3.9"),
    },
    Fault {
        name: "index-extension-old",
        about: "some endpoints have an older Client Index Extension",
        breaks: &["threat-response.extension-versions"],
        apply: |state| some_tell(state, 0.01, |_| true, "index version", "3.1.8"),
    },
    Fault {
        name: "tanium-driver-old",
        about: "some Windows endpoints have an older Tanium Driver",
        breaks: &["threat-response.driver-version"],
        apply: |state| some_tell(state, 0.01, windows, "driver version", "2.9.0"),
    },
    Fault {
        name: "tanium-driver-stopped",
        about: "the Tanium Driver is stopped on some Windows endpoints",
        breaks: &["threat-response.driver-status"],
        apply: |state| some_tell(state, 0.01, windows, "driver status", "Stopped"),
    },
    Fault {
        name: "bpf-unsupported",
        about: "the kernel of some Linux endpoints does not support BPF",
        breaks: &["threat-response.bpf-support"],
        apply: |state| some_tell(state, 0.01, |e| e.os == Os::Linux, "bpf", "Unsupported"),
    },
    Fault {
        name: "threat-response-service-error",
        about: "the scheduled plugin of Threat Response fails",
        breaks: &["threat-response.other-issues"],
        apply: |state| {
            for schedule in
                state.server.schedules.iter_mut().filter(|schedule| schedule.name.starts_with("Threat"))
            {
                schedule.exit_code = u32::MAX;
                schedule.text =
                    "ERROR: PluginServerRequestTimedOut: The request to the module server timed out."
                        .to_owned();
            }
        },
    },
    Fault {
        name: "threat-response-issue-open",
        about: "the page Health Status shows an issue",
        breaks: &["threat-response.other-issues"],
        apply: |state| {
            let issue = Issue { component: "Recorder", issue: "Low disk space", endpoints: 12 };
            state.threat_response.issues.push(issue);
        },
    },
];

fn windows(endpoint: &Endpoint) -> bool {
    endpoint.os == Os::Windows
}
