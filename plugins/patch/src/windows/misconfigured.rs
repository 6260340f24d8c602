//! `patch.windows-misconfigured`: windows are correct and useful.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{Enforcement, WINDOW_ENFORCEMENTS, WINDOWS, Window, windows};
use tancheck_plugin_api::prelude::*;

/// Windows are correct and useful.
pub(crate) const MISCONFIGURED: Check = Check::hybrid("patch.windows-misconfigured")
    .title("Maintenance windows are correct and useful")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&WINDOWS, &WINDOW_ENFORCEMENTS])
    .guide(GUIDE)
    .what("Lists every window with its times, repetition, time zone and computer groups; somebody confirms each month that it is right, and when one of these changes it is listed at once. A window that ends before it begins, never closes or has no time zone is named as such.")
    .why("A window at the wrong hour, in the wrong zone or on the wrong group lets endpoints restart in the middle of the working day, or keeps them unpatched.")
    .limits("Whether a window is useful is a decision of people; tancheck shows what it is.")
    .related(&["patch.windows-expired", "patch.windows-unenforced"])
    .remedy(&REMEDY)
    .judge(misconfigured);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owners of the endpoints", "whether {subject} is still what was agreed: {state}"),
    Step::decision("it is", "confirm it here; the confirmation ends when the window changes"),
    Step::console("Modules > Patch > Maintenance Windows > {subject}", "otherwise edit the window"),
    Step::decision("it is of no use", "delete it, after a look at patch.windows-expired"),
])
.cautions(&[
    "A change applies to deployments that are active now.",
    "Windows in the past may block on purpose, and without any window deployments run at any time.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[
    "Patch User Guide: Edit a maintenance window",
    "Patch User Guide: Delete a maintenance window",
]);

fn misconfigured(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let windows = windows(facts)?;
    let enforcements: Vec<Enforcement> = facts.rows(&WINDOW_ENFORCEMENTS)?;
    for window in &windows {
        let problems = problems(window);
        let state = state(window, &enforcements);
        let says = if problems.is_empty() {
            format!("has to be confirmed: {state}")
        } else {
            format!("{} ({state})", problems.join("; "))
        };
        report.finding(
            Finding::on(window.subject())
                .says(says)
                .expected("a window as it was agreed with the owners of the endpoints")
                .fill("state", &state)
                .evidence(facts.seen(&WINDOWS, &state))
                .confirms(state),
        );
    }
    Ok(())
}

/// What is wrong with a window whatever was agreed.
fn problems(window: &Window) -> Vec<&'static str> {
    let mut problems = Vec::new();
    if let (Some(start), Some(end)) = (window.start_time, window.end_time) {
        let length = end.duration_since(start);
        if length <= SignedDuration::ZERO {
            problems.push("ends before it begins");
        }
        if period(window).is_some_and(|period| length >= period) {
            problems.push("is longer than the time until it repeats, so it never closes");
        }
    }
    if window.use_tanium_client_time_zone == Some(false) && window.issuer_timezone.trim().is_empty() {
        problems.push("has no time zone");
    }
    problems
}

/// The time from one occurrence to the next, where it is the same each time.
fn period(window: &Window) -> Option<SignedDuration> {
    let days = match window.repeat_type.to_ascii_lowercase().as_str() {
        "daily" => 1,
        "weekly" => 7,
        "monthly" => 28,
        "yearly" => 365,
        _ => return None,
    };
    if window.repeat_on_weekly.contains(',') {
        return None;
    }
    let every = i64::try_from(window.repeat_every.unwrap_or(1).max(1)).ok()?;
    Some(SignedDuration::from_hours(24 * days * every))
}

/// Everything that somebody confirms about a window.
fn state(window: &Window, enforcements: &[Enforcement]) -> String {
    let time = |time: Option<Timestamp>| {
        time.map_or("?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
    };
    let own = enforcements.iter().filter(|one| !window.id.is_empty() && one.model_id == window.id);
    let mut groups: Vec<String> = own.map(|one| one.tanium_group_name.clone()).collect();
    groups.extend(window.exported_groups());
    groups.sort();
    let repeat = if window.repeats() {
        let every = window.repeat_every.map_or(String::new(), |every| format!(" every {every}"));
        let on: Vec<&str> = [&window.repeat_on_weekly, &window.repeat_by_monthly]
            .into_iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
            .collect();
        let on = if on.is_empty() { String::new() } else { format!(" on {}", on.join(" ")) };
        format!("{}{every}{on}", window.repeat_type)
    } else {
        "once".to_owned()
    };
    let zone = match (window.use_tanium_client_time_zone, window.issuer_timezone.trim()) {
        (Some(true), _) => "the endpoint's time",
        (_, "") => "no time zone",
        (_, zone) => zone,
    };
    let groups = if groups.is_empty() { "no computer group".to_owned() } else { groups.join(", ") };
    format!("{} to {}, {repeat}, {zone}, on {groups}", time(window.start_time), time(window.end_time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(extra: Value) -> Case {
        let mut window = json!({"id": 3, "name": "Night", "startTime": "2026-01-01T22:00:00Z",
            "endTime": "2026-01-02T04:00:00Z", "repeatType": "daily", "repeatEvery": 1,
            "useTaniumClientTimeZone": true, "issuerTimezone": ""});
        for (key, value) in extra.as_object().unwrap() {
            window[key] = value.clone();
        }
        Case::of(&MISCONFIGURED)
            .rows(&WINDOWS, json!([window]))
            .rows(&WINDOW_ENFORCEMENTS, json!([{"modelId": 3, "taniumGroupName": "All Windows"}]))
    }

    fn says(extra: Value) -> String {
        let verdict = case(extra).judge();
        verdict.assert_findings(&["3"]);
        verdict.findings()[0].says.clone()
    }

    #[test]
    fn a_window_awaits_a_confirmation_that_ends_with_a_change() {
        assert!(says(json!({})).starts_with("has to be confirmed"));
        let state = |extra| case(extra).judge().findings()[0].state.clone();
        assert_eq!(
            state(json!({})).as_deref(),
            Some("2026-01-01 22:00 to 2026-01-02 04:00, daily every 1, the endpoint's time, on All Windows")
        );
        assert_ne!(state(json!({})), state(json!({"endTime": "2026-01-02T05:00:00Z"})));
        assert_ne!(state(json!({})), state(json!({"repeatType": "weekly"})));
        let moved = case(json!({})).rows(&WINDOW_ENFORCEMENTS, json!([]));
        assert_ne!(state(json!({})), moved.judge().findings()[0].state);
        case(json!({})).assert_needs_its_inputs();
    }

    #[test]
    fn what_is_wrong_in_any_case_is_said() {
        assert!(says(json!({"endTime": "2026-01-01T22:00:00Z"})).contains("ends before it begins"));
        assert!(says(json!({"endTime": "2026-01-02T22:00:00Z"})).contains("never closes"));
        assert!(!says(json!({"endTime": "2026-01-02T21:59:00Z"})).contains("never closes"));
        assert!(says(json!({"useTaniumClientTimeZone": false})).contains("has no time zone"));
        let weekly = |days: &str| json!({"repeatType": "weekly", "repeatOnWeekly": days, "endTime": "2026-01-09T22:00:00Z"});
        assert!(says(weekly("1")).contains("never closes"));
        assert!(!says(weekly("1,3")).contains("never closes"));
    }

    #[test]
    fn no_windows_do_not_apply() {
        let none = case(json!({})).rows(&WINDOWS, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }
}
