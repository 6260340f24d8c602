//! Guide: *Review and update tags*, page 12: what is not as in earlier weeks, and the reviews.

use crate::inputs::{
    APPLIES, COUNTS, CUSTOM_SECTION, MOVES, NO_TAG_TEXTS, TAG_OWNER, TAGS_SECTION, counts, goes_by_tags,
    groups,
};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::facts::{Baseline, Point, weekly};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::GROUPS;

/// Custom tags on endpoints were reviewed.
pub(crate) const CUSTOM: Check = Check::hybrid("tags.custom-tag-review")
    .title("Custom tags on endpoints were reviewed")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&COUNTS, &HISTORY, &GROUPS])
    .settings(&[&USES_CUSTOM_TAGS, &TOLERANCE_PCT, &NO_TAG_TEXTS])
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide(CUSTOM_SECTION, 13), guide(TAGS_SECTION, 12)])
    .applies(APPLIES)
    .what("Counts the endpoints of each custom tag and compares with the median of earlier weeks: a tag that is new or gone, or whose count is off by more than `tolerance_pct`, is listed until somebody confirms it. Where earlier weeks swing more than that anyway, three times their usual swing counts instead. Passes only while the weekly review is attested.")
    .why("Groups, and with them actions and maintenance windows, follow the tags: a wrong tag acts on endpoints that nobody meant.")
    .limits("Needs three earlier weeks. Counts the endpoints that answer: those that are switched off are missing. The public lists name the sensor Custom Tags, not what an endpoint without tags answers: see `no_tag_texts`.")
    .related(&["tags.custom-tag-missing", "tags.custom-tag-surplus"])
    .remedy(&CUSTOM_REMEDY)
    .judge(custom_tag_review);

const USES_CUSTOM_TAGS: Setting = Setting::choice("uses_custom_tags", Some("auto"), &["auto", "yes", "no"])
    .about("whether custom tags are used; auto: when an endpoint carries one or a group goes by them");

const TOLERANCE_PCT: Setting = Setting::integer("tolerance_pct", 20, 0, 1000)
    .unit("percent")
    .about("how far the number of endpoints of a tag may be from that of earlier weeks");

const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("review_due_every_days", 7, 1, 366)
    .unit("days")
    .about("how often tags are reviewed")
    .from_guide();

const HISTORY: Input = Input::new("tags.count", "endpoints by custom tag in earlier runs")
    .sources(&[Source::history("tags.count.*", 63)]);

const CUSTOM_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Custom Tags from all machines",
        "look which endpoints gained or lost {subject}",
    ),
    Step::consult("the owner of the tag", "whether the change was meant"),
    Step::console("Interact", "correct the tags of the endpoints, as the Console User Guide says"),
    Step::command("tancheck attest tags.custom-tag-review --result done", "records the weekly review"),
])
.cautions(&[MOVES])
.who(TAG_OWNER)
.risk(Risk::Medium, Reversible::Yes)
.references(&[
    "Console User Guide: Review custom tags",
    "Console User Guide: Manage custom tags for computer groups",
]);

fn custom_tag_review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let uses = facts.text(&USES_CUSTOM_TAGS)?;
    if uses == "no" {
        return Err(Undecided::not_applicable("the site says that it uses no custom tags"));
    }
    let counts = counts(facts)?;
    for (tag, count) in &counts {
        report.measure(&format!("{}.{tag}", HISTORY.id()), *count as f64, "endpoints");
    }
    let by_tags = groups(facts)?.iter().filter(|group| goes_by_tags(group)).count();
    if uses == "auto" && counts.is_empty() && by_tags == 0 {
        return Err(facts.absent(&COUNTS, "no endpoint carries a custom tag, and no group goes by them"));
    }
    let tolerance = facts.integer(&TOLERANCE_PCT)? as f64;
    for (tag, usual) in usual(facts, counts.keys())? {
        let now = counts.get(&tag).copied().unwrap_or(0) as f64;
        let then = usual.median;
        if (usual.floor(tolerance)..=usual.ceiling(tolerance)).contains(&now) {
            continue;
        }
        let says = match (then == 0.0, now == 0.0) {
            (true, _) => format!("is new, carried by {now}; usually by none"),
            (_, true) => format!("is gone, carried by none; usually by {then}"),
            _ => format!("carried by {now}; usually by {then}"),
        };
        report.finding(
            Finding::on(Subject::new("tag", &tag, &tag))
                .says(says)
                .expected(format!("a change of at most {tolerance} percent"))
                .affected((now - then).abs() as u64, None)
                .confirms(format!("{now}"))
                .evidence(facts.seen(&COUNTS, now))
                .evidence(facts.seen(&HISTORY, then)),
        );
    }
    Ok(())
}

/// How many endpoints usually carry each tag of now and of earlier weeks. A week in which a tag was not counted had none
/// that carried it.
fn usual<'t>(
    facts: &Facts<'_>,
    present: impl Iterator<Item = &'t String>,
) -> Result<BTreeMap<String, Baseline>, Undecided> {
    let beginning = format!("{}.", HISTORY.id());
    let points = facts.points(&HISTORY)?;
    let of_point = |point: &Point| point.series.strip_prefix(&beginning).map(str::to_owned);
    let runs = weekly(points.iter().map(|point| (point.at, 0.0)), facts.now());
    // Where nothing was ever counted, nothing is known to be as it was.
    Baseline::of_weeks(runs.iter().copied(), facts.now(), "the counts of tags")?;
    let counted = |tag: &String, at: Timestamp| {
        let mut same = points.iter().filter(|point| point.at == at && of_point(point).as_ref() == Some(tag));
        same.next().map_or(0.0, |point| point.value)
    };
    let mut tags: BTreeSet<String> = present.cloned().collect();
    tags.extend(points.iter().filter(|point| runs.iter().any(|run| run.0 == point.at)).filter_map(of_point));
    let baseline = |tag: String| {
        let values = runs.iter().map(|&(at, _)| (at, counted(&tag, at)));
        let usual = Baseline::of_weeks(values, facts.now(), "the counts of tags")?;
        Ok((tag, usual))
    };
    tags.into_iter().map(baseline).collect()
}

/// Enhanced tags were reviewed.
pub(crate) const ENHANCED: Check = Check::attested("tags.enhanced-tags-review")
    .title("Enhanced tags were reviewed")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&ENHANCED_USED])
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide("Review and update enhanced tags", 12), guide(TAGS_SECTION, 12)])
    .applies("enhanced tags used")
    .what("Asks each week whether the enhanced tags were reviewed, unless somebody answered that none are used for computer groups.")
    .why("Groups follow enhanced tags as they follow custom ones.")
    .limits("No public route, sensor or document tells about enhanced tags.")
    .related(&["tags.custom-tag-review"])
    .remedy(&ENHANCED_REMEDY)
    .judge(enhanced_tags_review);

const ENHANCED_USED: Input =
    Input::new("tags.enhanced-used", "whether enhanced tags are used for computer groups")
        .sources(&[Source::answer("Are enhanced tags used for computer groups?", Accepts::YesNo, 365)]);

const ENHANCED_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the Enhanced Tags Documentation in the Tanium Knowledge Base (sign-in needed)",
        "the steps to review which endpoints have which tags",
    ),
    Step::console("Interact", "deploy the changes of tags that are needed"),
    Step::command(
        "tancheck attest tags.enhanced-tags-review --subject deployment --result done",
        "records the review",
    ),
    Step::command("tancheck answer tags.enhanced-used no", "if no computer group goes by enhanced tags"),
])
.cautions(&[MOVES])
.who("the owner of the tags")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Tanium Knowledge Base: Enhanced Tags Documentation"]);

fn enhanced_tags_review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let answer = facts.answer(&ENHANCED_USED)?;
    if answer.value.as_bool() == Some(false) {
        return Err(Undecided::not_applicable(
            "no enhanced tags are used for computer groups, as a person answered",
        ));
    }
    report.finding(
        Finding::on(Subject::deployment())
            .says("enhanced tags are used for computer groups")
            .expected("a review each week")
            .evidence(facts.seen(&ENHANCED_USED, "yes")),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::{Case, tally};

    fn case(now: &[(&str, u64)], before: &[(&str, i64, f64)]) -> Case {
        let at: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
        let mut points: Vec<Point> = before
            .iter()
            .map(|&(tag, days, value)| Point {
                series: format!("tags.count.{tag}"),
                at: at - SignedDuration::from_hours(24 * days),
                value,
            })
            .collect();
        points.sort_by_key(|point| point.at);
        Case::of(&CUSTOM).tally(&COUNTS, "Custom Tags", now).body(&HISTORY, Body::Points(points)).rows(
            &GROUPS,
            json!([{"id": 50, "name": "Plant", "type": 0, "text": " Custom Tags contains Plant"}]),
        )
    }

    /// These counts, in each of the last three weeks.
    fn weeks(counts: &[(&'static str, f64)]) -> Vec<(&'static str, i64, f64)> {
        [21, 14, 7]
            .iter()
            .flat_map(|days| counts.iter().map(move |&(tag, count)| (tag, *days, count)))
            .collect()
    }

    #[test]
    fn counts_are_compared_with_those_of_earlier_weeks() {
        let before = [&weeks(&[("Plant", 10.0)])[..], &[("Plant", 28, 1.0), ("Plant", 1, 99.0)]].concat();
        case(&[("Plant", 12)], &before).judge().assert_pass();
        let verdict = case(&[("Plant", 13)], &before).judge();
        verdict.assert_findings(&["Plant"]);
        assert_eq!(verdict.findings()[0].says, "carried by 13; usually by 10");
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("13"));
        case(&[("Plant", 7)], &before).judge().assert_findings(&["Plant"]);
        case(&[("Plant", 13)], &before).setting("tolerance_pct", 30).judge().assert_pass();
        let short = case(&[("Plant", 10)], &[("Plant", 14, 10.0), ("Plant", 7, 10.0), ("Plant", 1, 10.0)]);
        short.judge().assert_undecided(Outcome::NotEvaluated);
        case(&[("Plant", 13)], &before).assert_needs_its_inputs();
    }

    #[test]
    fn new_and_gone_tags_are_listed_and_several_tags_of_one_endpoint_count_each() {
        let before = weeks(&[("Plant", 10.0), ("Old", 3.0)]);
        case(&[("Plant\nNew", 10)], &before).judge().assert_findings(&["New", "Old"]);
        let none = case(&[("Plant", 10), ("no tags", 90), ("[no results]", 7)], &weeks(&[("Plant", 10.0)]));
        none.judge().assert_pass();
    }

    #[test]
    fn sites_without_tags_are_left_out() {
        let none = case(&[("No Tags", 10)], &[]).rows(&GROUPS, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
        none.setting("uses_custom_tags", "yes").judge().assert_undecided(Outcome::NotEvaluated);
        let no = case(&[("Plant", 13)], &[("Plant", 7, 1.0)]).setting("uses_custom_tags", "no");
        no.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn answers_that_cannot_be_counted_decide_nothing() {
        let mut many = tally("Custom Tags", &[("Plant", 10)]);
        many.other = 5;
        let before = [("Plant", 7, 10.0)];
        case(&[], &before).body(&COUNTS, Body::Tally(many)).judge().assert_undecided(Outcome::NotEvaluated);
        let mut failed = tally("Custom Tags", &[("Plant", 10)]);
        failed.without_value.insert("TSE-Error: x".to_owned(), 5);
        failed.answered += 5;
        case(&[], &before).body(&COUNTS, Body::Tally(failed)).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn enhanced_tags_await_a_review_where_they_are_used() {
        let case = Case::of(&ENHANCED);
        case.clone().answer(&ENHANCED_USED, true).judge().assert_findings(&["deployment"]);
        case.clone().answer(&ENHANCED_USED, false).judge().assert_undecided(Outcome::NotApplicable);
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
