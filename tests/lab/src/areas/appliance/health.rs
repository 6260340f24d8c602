//! The output of the TanOS Health Check. Its sections are the guide's; its texts are the lab's, because none are public.

use super::Appliance;
use crate::clock::iso;

const SECTIONS: [&str; 8] = [
    "operating system",
    "hardware",
    "users",
    "network",
    "services",
    "applications",
    "database replication",
    "Postgres SSL",
];

/// One row for each line of the output.
pub(super) fn output(one: &Appliance) -> Vec<Vec<String>> {
    let Some(checked) = one.checked else { return Vec::new() };
    let date = iso(checked);
    let line = |(section, level, text): (&str, &str, &str)| {
        [one.name, date.as_str(), section, level, text].map(str::to_owned).into()
    };
    let own = if one.hardware == "virtual" { "virtual machine" } else { "RAID security" };
    let well = SECTIONS.into_iter().chain([own]).map(|section| (section, "ok", "no problem"));
    let actions = one.troubles.iter().filter(|(section, ..)| *section == "summary").count();
    let summary = (actions == 0).then_some(("summary", "ok", "no actionable items"));
    well.chain(one.troubles.iter().copied()).chain(summary).map(line).collect()
}
