//! What can be wrong with Appliances.

use super::{Appliance, PHYSICAL, TanosUser, VIRTUAL};
use crate::areas::answers::day;
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "appliance-unmonitored",
        about: "one Appliance is not monitored in any way",
        breaks: &[
            "appliance.monitoring-in-place",
            "appliance.alerts-configured",
            "appliance.syslog-forwarding",
            "appliance.snmp",
        ],
        apply: |state| {
            let one = appliance(state, VIRTUAL);
            (one.alert_syslog, one.alert_email, one.syslog_forward, one.snmp) =
                ("none", "none", "none", "no");
        },
    },
    Fault {
        name: "tanos-alerts-nowhere",
        about: "the TanOS alerts of one Appliance have no recipient",
        breaks: &["appliance.alerts-configured"],
        apply: |state| {
            let one = appliance(state, VIRTUAL);
            (one.alert_syslog, one.alert_email) = ("none", "none");
        },
    },
    Fault {
        name: "tanos-alerts-syslog-only",
        about: "the TanOS alerts of one Appliance go to the syslog server alone",
        breaks: &["appliance.alert-email"],
        apply: |state| appliance(state, VIRTUAL).alert_email = "none",
    },
    Fault {
        name: "appliance-logs-not-forwarded",
        about: "one Appliance does not forward its logs",
        breaks: &["appliance.syslog-forwarding"],
        apply: |state| appliance(state, VIRTUAL).syslog_forward = "none",
    },
    Fault {
        name: "syslog-server-silent",
        about: "the syslog server has heard nothing of an Appliance since yesterday",
        breaks: &["appliance.syslog-delivery"],
        apply: |state| {
            let yesterday = state.now - days(1);
            state
                .answers
                .say("appliance.last-syslog-message", yesterday.strftime("%Y-%m-%d %H:%M").to_string());
        },
    },
    Fault {
        name: "appliance-snmp-silent",
        about: "one Appliance does not answer the SNMP manager",
        breaks: &["appliance.snmp"],
        apply: |state| appliance(state, VIRTUAL).snmp_test_ok = "no",
    },
    Fault {
        name: "idrac-not-polled",
        about: "the iDRAC interface of the physical Appliance is not polled",
        breaks: &["appliance.snmp-idrac"],
        apply: |state| appliance(state, PHYSICAL).idrac_snmp = "no",
    },
    Fault {
        name: "tanremote-missing",
        about: "the account tanremote of the physical Appliance is gone",
        breaks: &["appliance.idrac-tanremote"],
        apply: |state| appliance(state, PHYSICAL).tanremote = "no",
    },
    Fault {
        name: "tanos-health-check-missing",
        about: "the TanOS Health Check never ran on one Appliance",
        breaks: &["appliance.health-check-run"],
        apply: |state| appliance(state, VIRTUAL).checked = None,
    },
    Fault {
        name: "tanos-operating-system",
        about: "the TanOS Health Check warns of a full file system",
        breaks: &["appliance.hc-operating-system"],
        apply: |state| {
            trouble(state, VIRTUAL, "operating system", "warning", "a file system is 93 percent full")
        },
    },
    Fault {
        name: "tanos-hardware",
        about: "the TanOS Health Check reports a failed power supply",
        breaks: &["appliance.hc-hardware"],
        apply: |state| trouble(state, PHYSICAL, "hardware", "failure", "power supply 2 has failed"),
    },
    Fault {
        name: "tanos-users",
        about: "the TanOS Health Check warns of an expired account",
        breaks: &["appliance.hc-users"],
        apply: |state| trouble(state, VIRTUAL, "users", "warning", "the password of novak has expired"),
    },
    Fault {
        name: "tanos-network",
        about: "the TanOS Health Check reports that time is not synchronized",
        breaks: &["appliance.hc-network"],
        apply: |state| trouble(state, VIRTUAL, "network", "failure", "no NTP server answers"),
    },
    Fault {
        name: "tanos-services",
        about: "the TanOS Health Check reports a service that does not run",
        breaks: &["appliance.hc-services"],
        apply: |state| trouble(state, VIRTUAL, "services", "failure", "the service tanium-db is stopped"),
    },
    Fault {
        name: "tanos-applications",
        about: "the TanOS Health Check reports an application that does not answer",
        breaks: &["appliance.hc-applications"],
        apply: |state| {
            trouble(state, VIRTUAL, "applications", "failure", "the Tanium Server does not answer")
        },
    },
    Fault {
        name: "tanos-database-replication",
        about: "the TanOS Health Check reports that replication stopped",
        breaks: &["appliance.hc-database-replication"],
        apply: |state| {
            trouble(state, VIRTUAL, "database replication", "failure", "replication is not running")
        },
    },
    Fault {
        name: "tanos-raid-security",
        about: "the TanOS Health Check warns of a RAID key that is not set",
        breaks: &["appliance.hc-raid-security"],
        apply: |state| trouble(state, PHYSICAL, "RAID security", "warning", "the security key is not set"),
    },
    Fault {
        name: "tanos-postgres-ssl",
        about: "the TanOS Health Check warns of an expired Postgres certificate",
        breaks: &["appliance.hc-postgres-ssl"],
        apply: |state| trouble(state, VIRTUAL, "Postgres SSL", "warning", "a certificate has expired"),
    },
    Fault {
        name: "tanos-virtual-machine",
        about: "the TanOS Health Check warns of a virtual machine with too little memory",
        breaks: &["appliance.hc-virtual-machine"],
        apply: |state| trouble(state, VIRTUAL, "virtual machine", "warning", "less memory than recommended"),
    },
    Fault {
        name: "tanos-action-needed",
        about: "the TanOS Health Check ends with an actionable item",
        breaks: &["appliance.hc-actionable-items"],
        apply: |state| trouble(state, VIRTUAL, "summary", "action", "update the firmware"),
    },
    Fault {
        name: "tanos-agreement-open",
        about: "the End User License Agreement of one Appliance is not accepted",
        breaks: &["appliance.eula-accepted", "appliance.hc-actionable-items"],
        apply: |state| {
            let text = "the End User License Agreement (EULA) is not accepted";
            trouble(state, VIRTUAL, "summary", "action", text);
        },
    },
    Fault {
        name: "server-cpu-busy",
        about: "the load of the Tanium Server is far above its usual level",
        breaks: &["appliance.perf-cpu-load"],
        apply: |state| measure(state, "tanium_system_cpu_load_average", 64.0),
    },
    Fault {
        name: "server-memory-full",
        about: "the memory of the Tanium Server is nearly used up",
        breaks: &["appliance.perf-memory-utilization"],
        apply: |state| measure(state, "tanium_system_memory_used_bytes", 1e12),
    },
    Fault {
        name: "server-paging",
        about: "the Tanium Server moved most of its memory to the page file",
        breaks: &["appliance.perf-memory-paging", "appliance.perf-swap"],
        apply: |state| measure(state, "tanium_system_pagefile_used_bytes", 8e9),
    },
    Fault {
        name: "server-network-busy",
        about: "far more bytes than usual arrive at the Tanium Server",
        breaks: &["appliance.perf-network-io"],
        apply: |state| measure(state, "tanium_system_network_recv_bytes_total", 9e16),
    },
    Fault {
        name: "server-disk-busy",
        about: "the Tanium Server writes far more than usual",
        breaks: &["appliance.perf-io-by-process"],
        apply: |state| measure(state, "tanium_process_io_write_bytes_total", 9e16),
    },
    Fault {
        name: "server-function-busy",
        about: "one function takes far more CPU time than usual",
        breaks: &["appliance.perf-cpu-by-function"],
        apply: |state| state.appliances.busiest_function = 78.5,
    },
    Fault {
        name: "server-process-grown",
        about: "the memory of the Tanium Server's process has grown far beyond its usual size",
        breaks: &["appliance.perf-process-detail"],
        apply: |state| measure(state, "tanium_process_memory_resident_bytes", 4e10),
    },
    Fault {
        name: "grub-key-password-changed",
        about: "the password of a grub key was changed after the key was exported",
        breaks: &["appliance.grub-key-backup-current"],
        apply: |state| state.answers.say("appliance.grub-key-changed", day(state.now - days(2))),
    },
    Fault {
        name: "tanos-user-left",
        about: "a person with a TanOS account left the organization",
        breaks: &["appliance.tanos-users-access"],
        apply: |state| user(state, "copy", |user| user.person_active = "no"),
    },
    Fault {
        name: "tanadmin-alone",
        about: "one Appliance has only one tanadmin user",
        breaks: &["appliance.tanadmin-count", "appliance.tanos-role-fit"],
        apply: |state| appliance(state, VIRTUAL).users.retain(|user| user.name != "novak"),
    },
    Fault {
        name: "tanos-role-widened",
        about: "a user who copies files became a tanadmin",
        breaks: &["appliance.tanos-role-fit"],
        apply: |state| user(state, "copy", |user| user.role = "tanadmin"),
    },
    Fault {
        name: "tanos-policy-weak",
        about: "the TanOS password policy is weaker than the organization's",
        breaks: &["appliance.tanos-auth-settings"],
        apply: |state| state.answers.say("appliance.password-length", "8"),
    },
];

fn appliance(state: &mut State, which: usize) -> &mut Appliance {
    &mut state.appliances.all[which]
}

fn trouble(state: &mut State, which: usize, section: &'static str, level: &'static str, text: &'static str) {
    appliance(state, which).troubles.push((section, level, text));
}

fn user(state: &mut State, name: &str, change: impl Fn(&mut TanosUser)) {
    appliance(state, VIRTUAL).users.iter_mut().filter(|user| user.name == name).for_each(change);
}

fn measure(state: &mut State, family: &'static str, value: f64) {
    state.server.metrics.insert(family, value);
}
