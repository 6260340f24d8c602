//! What an administrator writes down from Console pages, and the report about coverage.

use super::render::{members, share};
use crate::areas::Export;
use crate::areas::fleet::{Endpoint, Os};
use crate::clock::{days, iso};
use crate::state::State;

pub(super) fn exports(state: &State) -> Vec<Export> {
    let mut all = vec![block_lists(state), windows(state), scan_configurations(state), process(state)];
    all.extend(board(state));
    all.push(Export {
        file: "patch-coverage.csv",
        columns: &["Computer Name", "Operating System", "IP Address", "Patch coverage status", "Details"],
        rows: coverage(state).into_iter().filter(|row| row[3] == ATTENTION).collect(),
    });
    all
}

/// The only coverage status that the guide names; the other one is the lab's own.
const ATTENTION: &str = "Needs Attention";
const COVERED: &str = "Optimal";

/// Computer name, operating system and address.
fn machine(endpoint: &Endpoint) -> Vec<String> {
    let os = match endpoint.os {
        Os::Windows => "Windows",
        Os::Linux => "Linux",
        Os::Mac => "Mac",
    };
    vec![endpoint.name(), os.to_owned(), endpoint.address()]
}

/// The endpoints that Patch supports.
fn supported(state: &State) -> impl Iterator<Item = Endpoint> {
    state.fleet.all().filter(|endpoint| endpoint.os != Os::Mac)
}

/// One row for each supported endpoint.
pub(super) fn coverage(state: &State) -> Vec<Vec<String>> {
    let bad = share(state, state.patch.attention_permille);
    let row = |(at, endpoint): (u64, Endpoint)| {
        let (status, details) = if at < bad { (ATTENTION, "Tools are missing") } else { (COVERED, "") };
        [machine(&endpoint), vec![status.to_owned(), details.to_owned()]].concat()
    };
    (0..).zip(supported(state)).map(row).collect()
}

/// The endpoints above No and Error; a healthy deployment has none.
fn process(state: &State) -> Export {
    let stopped = share(state, state.patch.stopped_permille);
    let failed = share(state, state.patch.failed_permille);
    let row = |(at, endpoint): (u64, Endpoint)| {
        let status = if at < stopped { "No" } else { "Error" };
        [machine(&endpoint), vec![status.to_owned()]].concat()
    };
    Export {
        file: "patch-process-status.csv",
        columns: &["Computer Name", "Operating System", "IP Address", "Patch process status"],
        rows: (0..stopped + failed).zip(supported(state)).map(row).collect(),
    }
}

fn block_lists(state: &State) -> Export {
    let rows = state.patch.block_lists.iter().map(|list| {
        let all: u64 = list.targets.iter().map(|target| members(state, target.group)).sum();
        let unenforced: u64 = list.targets.iter().map(|target| target.unenforced).sum();
        let old: u64 = list.targets.iter().map(|target| target.old_version).sum();
        let numbers = [list.targets.len() as u64, all.saturating_sub(unenforced + old), unenforced, old];
        let names = [list.name.to_owned(), list.os.to_owned()];
        names.into_iter().chain(numbers.iter().map(u64::to_string)).collect()
    });
    Export {
        file: "patch-block-lists.csv",
        columns: &["Name", "OS", "Targets", "Enforced", "Unenforced", "Old Version"],
        rows: rows.collect(),
    }
}

fn windows(state: &State) -> Export {
    let rows = state.patch.windows.iter().map(|window| {
        let groups: Vec<&str> = window.targets.iter().map(|target| state.groups.name(target.group)).collect();
        vec![
            window.name.to_owned(),
            window.os.to_owned(),
            iso(window.start),
            iso(window.end),
            window.repeat.unwrap_or_default().to_owned(),
            "endpoint".to_owned(),
            groups.join(", "),
        ]
    });
    Export {
        file: "patch-maintenance-windows.csv",
        columns: &["Name", "OS", "Start", "End", "Repeat", "Time Zone", "Computer Groups"],
        rows: rows.collect(),
    }
}

fn scan_configurations(state: &State) -> Export {
    let rows = state.patch.scan_configurations.iter().map(|one| {
        vec![
            one.name.to_owned(),
            one.os.to_owned(),
            one.technique.to_owned(),
            one.hours.to_string(),
            one.delay_minutes.to_string(),
            "no".to_owned(),
            one.targets.len().to_string(),
        ]
    });
    Export {
        file: "patch-scan-configurations.csv",
        columns: &["Name", "OS", "Technique", "Frequency Hours", "Random Delay", "Scan Window", "Targets"],
        rows: rows.collect(),
    }
}

/// The Trends board Patch, panel by panel, as of yesterday.
fn board(state: &State) -> Vec<Export> {
    let board = &state.patch.board;
    let yesterday = iso(state.now - days(1));
    let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let late = share(state, board.late_scans_permille);
    let (missing, all) = (share(state, board.critical_missing_permille), state.fleet.count);
    let compliance = board.compliance_pct.to_string();
    vec![
        Export {
            file: "trends-patch-summary.csv",
            columns: &["Panel", "Value", "Date", "Error"],
            rows: vec![text(&["Mean Time to Patch", "9", &yesterday, board.summary_error])],
        },
        Export {
            file: "trends-patch-missing.csv",
            columns: &["Panel", "Date", "Series", "Value", "Error"],
            rows: vec![text(&["Missing Patches", &yesterday, "Critical", "120", board.missing_error])],
        },
        Export {
            file: "trends-patch-sla.csv",
            columns: &["Panel", "Date", "Series", "Value", "Error"],
            rows: vec![text(&["SLA Compliance", &yesterday, "Critical", &compliance, ""])],
        },
        Export {
            file: "trends-patch-days-since-scan.csv",
            columns: &["Days", "Endpoints"],
            rows: vec![text(&["0-7", &(all - late.min(all)).to_string()]), text(&[">7", &late.to_string()])],
        },
        Export {
            file: "trends-patch-critical-30d.csv",
            columns: &["Date", "Endpoints Missing", "Endpoints Total"],
            rows: vec![text(&[&yesterday, &missing.to_string(), &all.to_string()])],
        },
    ]
}
