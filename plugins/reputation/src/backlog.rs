//! The panels Inbound Items, Outbound Items and Outbound Processing Queue: Reputation falls behind only where both signs
//! are there, more comes in than goes out, and the queue stays high.

use crate::{BOARD, GUIDE, SOURCES_CHAPTER, WHO, WITH_TRENDS, board_is_there};
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::{Baseline, median};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SOLUTIONS;
use tancheck_plugin_api::templates::panel::{Row, Shown, shown};

const INBOUND: &str = "Inbound Items";
const OUTBOUND: &str = "Outbound Items";
const QUEUE: &str = "Outbound Processing Queue";
const SERIES: &str = "reputation.outbound-queue";
/// The stored runs that a usual value needs.
const RUNS: usize = 4;

const ITEMS: Input =
    Input::new("reputation.items", "items that came in, went out, and wait in Reputation").sources(&[
        Source::export(
            "reputation-processing-backlog.csv",
            BOARD,
            "export the data of the panels Inbound Items, Outbound Items and Outbound Processing Queue into one file with \
             these columns",
            &["Panel", "Time", "Value"],
        ),
        Source::answer(
            "Do more items arrive in the panel Inbound Items than leave in Outbound Items, and is Outbound Processing \
             Queue consistently high? (yes only where both hold. Modules > Trends > Boards > Reputation)",
            Accepts::YesNo,
            30,
        ),
    ]);

const EARLIER: Input = Input::new("reputation.earlier-queue", "the outbound queue of earlier runs")
    .sources(&[Source::history(SERIES, 182)]);

const QUEUE_HIGH: Setting = Setting::integer_unset("queue_high", 0, 1_000_000_000).unit("items").about(
    "above how many items the outbound queue counts as high; where unset, half as much again as it usually was",
);

const CONSISTENT_DAYS: Setting = Setting::integer("consistent_days", 7, 1, 90)
    .unit("days")
    .about("how many days in a row the queue has to be high");

/// Reputation keeps up with what comes in.
pub(crate) const BACKLOG: Check = Check::automated("reputation.processing-backlog")
    .title("Reputation keeps up with what comes in")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&ITEMS, &EARLIER, &SOLUTIONS])
    .settings(&[&QUEUE_HIGH, &CONSISTENT_DAYS])
    .guide(GUIDE)
    .what("Over the last `consistent_days`: adds up what came in and what went out, and takes the median of the outbound queue of each day. It is a finding where more came in than went out and every day's median is above `queue_high`.")
    .why("What waits in the queue is not rated; a queue that only grows never catches up.")
    .limits("Trends has no public route: the exported data of the panels, or an answer, decides. The guide gives no number for a high queue; without `queue_high` it is learned from at least four runs.")
    .related(&["reputation.failed-requests", "trends.required-boards"])
    .applies(WITH_TRENDS)
    .remedy(&REMEDY)
    .judge(backlog);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        BOARD,
        "compare Inbound Items with Outbound Items, and see since when Outbound Processing Queue is high",
    ),
    Step::decision(
        "requests to a source fail as well",
        "repair the source first (reputation.failed-requests): the queue may empty by itself",
    ),
    Step::consult(
        SOURCES_CHAPTER,
        "lower Maximum Hashes Processed Per Day of the sources, so that fewer hashes are sent",
    ),
    Step::console(BOARD, "watch for a week that Outbound Processing Queue falls"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["A lower maximum of hashes leaves files unrated for longer: write down the old value."])
.references(&[SOURCES_CHAPTER]);

/// What one day shows.
#[derive(Default)]
struct Day {
    inbound: f64,
    outbound: f64,
    queue: Vec<f64>,
}

fn backlog(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    board_is_there(facts)?;
    let rows = match shown::<Row>(facts, &ITEMS)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            if answer.value == true {
                report.finding(
                    finding()
                        .says(format!("{} answered that it falls behind", answer.by))
                        .evidence(facts.seen(&ITEMS, true)),
                );
            }
            return Ok(());
        }
    };
    let wanted = usize::try_from(facts.integer(&CONSISTENT_DAYS)?).unwrap_or(usize::MAX);
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for row in &rows {
        let (Some(time), Some(value)) = (row.time("Time")?, row.number("Value")?) else {
            return Err(Undecided::not_evaluated("a row of the exported panels has no time or no value"));
        };
        let day = days.entry(time.strftime("%Y-%m-%d").to_string()).or_default();
        match row.cell("Panel") {
            panel if panel.eq_ignore_ascii_case(INBOUND) => day.inbound += value,
            panel if panel.eq_ignore_ascii_case(OUTBOUND) => day.outbound += value,
            panel if panel.eq_ignore_ascii_case(QUEUE) => day.queue.push(value),
            _ => {}
        }
    }
    let last: Vec<Day> = days.into_values().filter(|day| !day.queue.is_empty()).rev().take(wanted).collect();
    let medians: Vec<f64> = last.iter().filter_map(|day| median(&day.queue)).collect();
    if let Some(usual) = median(&medians) {
        report.measure(SERIES, usual, "items");
    }
    if last.len() < wanted {
        return Err(Undecided::not_evaluated(format!(
            "the export holds {} days with a value of {QUEUE}, {wanted} are needed",
            last.len()
        )));
    }
    let inbound: f64 = last.iter().map(|day| day.inbound).sum();
    let outbound: f64 = last.iter().map(|day| day.outbound).sum();
    if inbound <= outbound {
        return Ok(());
    }
    let limit = high(facts)?;
    if medians.iter().all(|median| *median > limit) {
        let says = format!(
            "within {wanted} days {inbound} items came in and {outbound} went out, and the queue was above {limit} on each day"
        );
        report.finding(finding().says(says).evidence(facts.seen(&ITEMS, &medians)));
    }
    Ok(())
}

fn finding() -> Finding {
    Finding::on(Subject::new("queue", "outbound", "the outbound queue of Reputation"))
        .expected("as many items out as in, or a queue that empties")
}

/// Above what the queue is high: the setting, else half as much again as in earlier runs, or as far as it swings.
fn high(facts: &Facts<'_>) -> Result<f64, Undecided> {
    if let Ok(limit) = facts.integer(&QUEUE_HIGH) {
        return Ok(limit as f64);
    }
    let earlier: Vec<f64> = facts.points(&EARLIER)?.iter().map(|point| point.value).collect();
    match Baseline::known(&earlier, RUNS) {
        Some(usual) => Ok(usual.ceiling(50.0)),
        None => Err(Undecided::not_evaluated(format!(
            "more comes in than goes out, and what is high is learned from {RUNS} runs ({} are stored): wait, or set \
             `queue_high`",
            earlier.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(days: u32, inbound: u32, outbound: u32, queue: u32) -> Case {
        let day = |day: u32| {
            let row = |panel: &str, value: u32| json!({"Panel": panel, "Time": format!("2026-06-{day:02} 12:00:00"), "Value": value.to_string()});
            [row(INBOUND, inbound), row(OUTBOUND, outbound), row(QUEUE, queue), row(QUEUE, queue)]
        };
        let rows: Value = (1..=days).flat_map(day).collect();
        Case::of(&BACKLOG).rows(&ITEMS, rows).weekly(&EARLIER, SERIES, &[100.0, 100.0, 120.0, 80.0])
    }

    #[test]
    fn both_signs_are_needed() {
        case(7, 50, 40, 151).judge().assert_findings(&["outbound"]);
        case(7, 50, 40, 150).judge().assert_pass();
        case(7, 40, 40, 900).judge().assert_pass();
        assert_eq!(case(7, 40, 40, 900).judge().measures()[0].value, 900.0);
    }

    #[test]
    fn the_setting_wins_over_what_was_learned() {
        case(7, 50, 40, 151).setting("queue_high", 200).judge().assert_pass();
        case(7, 50, 40, 201).setting("queue_high", 200).judge().assert_findings(&["outbound"]);
    }

    #[test]
    fn too_few_days_or_runs_decide_nothing() {
        case(6, 50, 40, 151).judge().assert_undecided(Outcome::NotEvaluated);
        let young = case(7, 50, 40, 151).weekly(&EARLIER, SERIES, &[100.0]);
        young.judge().assert_undecided(Outcome::NotEvaluated);
        case(7, 50, 40, 151).assert_needs_its_inputs();
    }

    #[test]
    fn an_answer_will_do() {
        case(7, 50, 40, 151).rows(&SOLUTIONS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        Case::of(&BACKLOG).answer(&ITEMS, false).judge().assert_pass();
        Case::of(&BACKLOG).answer(&ITEMS, true).judge().assert_findings(&["outbound"]);
    }
}
