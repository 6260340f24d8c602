//! Guide: *Review and update custom tags*, page 13: endpoints against the site's rules for tags.

use crate::inputs::{APPLIES, CUSTOM_SECTION, ENDPOINTS, MOVES, NO_TAG_TEXTS, TAG_OWNER, Tagged, endpoints};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::{address, plain_range};

const TAG_RULES: Setting = Setting::table("tag_rules").about(
    "which endpoints carry a tag: { Plant = [\"10.1.0.0/16\"], VDI = [\"vdi-*\"] }; a pattern is a range of addresses or a \
     name with *",
);

const KNOWN_TAGS: Setting =
    Setting::list("known_tags", &[]).about("tags that may be used beside those of `tag_rules`; empty: any");

/// How many names a finding tells.
const NAMES: usize = 20;
/// The longest text that a confirmation is bound to.
const LONGEST_STATE: usize = 8000;

/// Endpoints that should carry a tag carry it.
pub(crate) const MISSING: Check = Check::hybrid("tags.custom-tag-missing")
    .title("Endpoints that should carry a tag carry it")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&ENDPOINTS])
    .settings(&[&TAG_RULES, &NO_TAG_TEXTS])
    .guide(&[guide(CUSTOM_SECTION, 13)])
    .applies(APPLIES)
    .what("Compares each endpoint's name and address with `tag_rules` and lists, by tag, the endpoints that fit a rule and lack the tag.")
    .why("An endpoint without its tag is missing from every group that goes by it: no patches, no policy.")
    .limits("Needs `tag_rules`. Sees only endpoints in the computer groups of tancheck's account.")
    .related(&["tags.custom-tag-surplus", "rbac.tag-operator-scope"])
    .remedy(&MISSING_REMEDY)
    .judge(custom_tag_missing);

const MISSING_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the tag", "whether {names} are meant to carry {subject}"),
    Step::console(
        "Interact",
        "select these endpoints and add the tag {subject}, as the Console User Guide says",
    ),
    Step::question(
        "Get Computer Name and Custom Tags from all machines",
        "see that they carry it after the action ran",
    ),
    Step::decision("they are not meant to", "correct `tag_rules`, or confirm the finding"),
])
.cautions(&[MOVES])
.who(TAG_OWNER)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Manage custom tags for computer groups"]);

fn custom_tag_missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (endpoints, rules) = known(facts)?;
    for (tag, rule) in &rules {
        let lacking = endpoints.iter().filter(|endpoint| rule.fits(endpoint) && !endpoint.carries(tag));
        found(facts, report, tag, lacking, "endpoints that fit its rule and lack it", "the tag");
    }
    Ok(())
}

/// Endpoints do not carry tags they should not have.
pub(crate) const SURPLUS: Check = Check::hybrid("tags.custom-tag-surplus")
    .title("Endpoints do not carry tags they should not have")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&ENDPOINTS])
    .settings(&[&TAG_RULES, &KNOWN_TAGS, &NO_TAG_TEXTS])
    .learns(&[&KNOWN_TAGS])
    .guide(&[guide(CUSTOM_SECTION, 13)])
    .applies(APPLIES)
    .what("Lists, by tag, the endpoints that carry a tag of `tag_rules` without fitting its rule, and those that carry a tag that neither `tag_rules` nor `known_tags` names.")
    .why("An endpoint with a foreign tag is in groups that it does not belong to, and gets their actions.")
    .limits("Needs `tag_rules`. Without `known_tags`, tags that no rule names are not judged.")
    .related(&["tags.custom-tag-missing", "rbac.tag-operator-scope"])
    .remedy(&SURPLUS_REMEDY)
    .judge(custom_tag_surplus);

const SURPLUS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the tag", "why {names} carry {subject}"),
    Step::console(
        "Interact",
        "select these endpoints and remove the tag {subject}, as the Console User Guide says",
    ),
    Step::console(GROUPS, "see which groups the endpoints are in now"),
    Step::decision("the tag is meant", "correct `tag_rules` or `known_tags`, or confirm the finding"),
])
.cautions(&[MOVES])
.who(TAG_OWNER)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Manage custom tags for computer groups"]);

const GROUPS: &str = crate::inputs::GROUPS_PAGE;

fn custom_tag_surplus(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (endpoints, rules) = known(facts)?;
    for (tag, rule) in &rules {
        let foreign = endpoints.iter().filter(|endpoint| endpoint.carries(tag) && !rule.fits(endpoint));
        found(
            facts,
            report,
            tag,
            foreign,
            "endpoints that carry it and do not fit its rule",
            "only endpoints of the rule",
        );
    }
    let known = facts.list(&KNOWN_TAGS);
    let has_rule = |tag: &str| rules.keys().any(|one| one.eq_ignore_ascii_case(tag));
    let tags: BTreeSet<&String> = endpoints.iter().flat_map(|endpoint| &endpoint.tags).collect();
    let others =
        facts.called(&KNOWN_TAGS, tags.iter().filter(|tag| !has_rule(tag)).map(|tag| [tag.as_str()]));
    let seen = format!("tags: {}, on endpoints: {}", tags.len(), endpoints.len());
    report.propose(&KNOWN_TAGS, others, seen);
    if known.is_empty() {
        return Ok(());
    }
    let names = |tag: &str| has_rule(tag) || known.iter().any(|one| one.eq_ignore_ascii_case(tag));
    for tag in tags.into_iter().filter(|tag| !names(tag)) {
        let carrying = endpoints.iter().filter(|endpoint| endpoint.carries(tag));
        found(facts, report, tag, carrying, "is not known; endpoints that carry it", "a tag of `known_tags`");
    }
    Ok(())
}

/// The endpoints and the rules, where there are any.
fn known<'a>(facts: &Facts<'a>) -> Result<(Vec<Tagged>, BTreeMap<&'a str, Rule<'a>>), Undecided> {
    let endpoints = endpoints(facts)?;
    let rules: BTreeMap<&str, Rule<'_>> =
        facts.table(&TAG_RULES).into_iter().map(|(tag, patterns)| (tag, Rule::new(&patterns))).collect();
    if rules.is_empty() {
        return Err(match endpoints.iter().any(|endpoint| !endpoint.tags.is_empty()) {
            false => facts.absent(&ENDPOINTS, "no endpoint carries a custom tag, and `tag_rules` names none"),
            true => Undecided::not_evaluated(
                "endpoints carry custom tags, but nobody said which should: set `tag_rules` under [modules.tags]",
            ),
        });
    }
    Ok((endpoints, rules))
}

/// One finding for a tag, if any endpoint is concerned.
fn found<'a>(
    facts: &Facts<'_>,
    report: &mut Report,
    tag: &str,
    endpoints: impl Iterator<Item = &'a Tagged>,
    what: &str,
    expected: &str,
) {
    let mut names: Vec<&str> = endpoints.map(|endpoint| endpoint.name.as_str()).collect();
    if names.is_empty() {
        return;
    }
    names.sort_unstable();
    let shown = &names[..names.len().min(NAMES)];
    let state: String = names.join(", ").chars().take(LONGEST_STATE).collect();
    report.finding(
        Finding::on(Subject::new("tag", tag, tag))
            .says(format!("{what}: {}", names.len()))
            .expected(expected)
            .affected(names.len() as u64, None)
            .sample(shown.iter().copied())
            .fill("names", shown.join(", "))
            .confirms(format!("{}: {state}", names.len()))
            .evidence(facts.seen(&ENDPOINTS, shown)),
    );
}

/// Which endpoints carry a tag: those in one of the ranges, or with one of the names.
struct Rule<'a> {
    ranges: Vec<IpNet>,
    names: Vec<&'a str>,
}

impl<'a> Rule<'a> {
    fn new(patterns: &[&'a str]) -> Self {
        let range = |pattern: &str| plain_range(pattern).parse::<IpNet>().ok();
        Self {
            ranges: patterns.iter().filter_map(|pattern| range(pattern)).collect(),
            names: patterns.iter().copied().filter(|pattern| range(pattern).is_none()).collect(),
        }
    }

    fn fits(&self, endpoint: &Tagged) -> bool {
        let address = address(&endpoint.address);
        address.is_some_and(|address| self.ranges.iter().any(|range| range.contains(&address)))
            || self.names.iter().any(|pattern| is_like(&endpoint.name, pattern))
    }
}

/// Whether a name is like a pattern in which `*` stands for any text, whatever the case.
fn is_like(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.to_lowercase(), pattern.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn endpoint(name: &str, address: &str, tags: &[&str]) -> Value {
        json!({"name": name, "ipAddress": address,
            "sensorReadings": {"columns": [{"name": "Custom Tags", "values": tags}]}})
    }

    fn case(check: &'static Check, endpoints: Value) -> Case {
        let rules = json!({"Plant": ["10.1.0.0/16"], "VDI": ["vdi-*"]});
        Case::of(check).rows(&ENDPOINTS, endpoints).setting("tag_rules", rules)
    }

    #[test]
    fn names_are_like_patterns() {
        assert!(
            is_like("VDI-7", "vdi-*") && is_like("a-b-c", "a*b*c") && is_like("x", "*") && is_like("x", "X")
        );
        assert!(!is_like("avdi-7", "vdi-*") && !is_like("xy", "x") && !is_like("ab", "a*b*b"));
    }

    #[test]
    fn endpoints_of_a_rule_carry_its_tag() {
        let good = json!([
            endpoint("ws-1", "10.1.0.5", &["plant", "Other"]),
            endpoint("ws-2", "10.2.0.5", &["No Tags"])
        ]);
        case(&MISSING, good.clone()).judge().assert_pass();
        let lacking =
            json!([endpoint("ws-1", "10.1.0.5", &["[no results]"]), endpoint("vdi-1", "10.2.0.5", &[])]);
        let verdict = case(&MISSING, lacking).judge();
        verdict.assert_findings(&["Plant", "VDI"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("1: ws-1"));
        case(&MISSING, good).assert_needs_its_inputs();
    }

    #[test]
    fn endpoints_carry_no_foreign_tag() {
        let foreign =
            json!([endpoint("ws-1", "10.2.0.5", &["Plant"]), endpoint("vdi-1", "", &["VDI", "Other"])]);
        case(&SURPLUS, foreign.clone()).judge().assert_findings(&["Plant"]);
        assert_eq!(case(&SURPLUS, foreign.clone()).judge().proposal("known_tags"), Some(&json!(["Other"])));
        let known = case(&SURPLUS, foreign.clone()).setting("known_tags", json!(["Some"]));
        known.judge().assert_findings(&["Plant", "Other"]);
        let known = case(&SURPLUS, foreign).setting("known_tags", json!(["other"]));
        known.judge().assert_findings(&["Plant"]);
    }

    #[test]
    fn without_rules_nothing_is_known() {
        let without =
            |tags: &[&str]| case(&MISSING, json!([endpoint("a", "", tags)])).setting("tag_rules", json!({}));
        without(&["Plant"]).judge().assert_undecided(Outcome::NotEvaluated);
        without(&[]).judge().assert_undecided(Outcome::NotApplicable);
        let failed = json!([endpoint("ws-1", "10.2.0.5", &["TSE-Error: timed out"])]);
        case(&MISSING, failed).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_answer_is_read() {
        let file = json!([{"Computer Name": "ws-1", "Custom Tags": "Other\nPlant", "Tanium Client IP Address": "10.1.0.5"},
            {"Computer Name": "ws-2", "Custom Tags": "", "Tanium Client IP Address": "10.1.0.6"}]);
        let verdict = case(&MISSING, file).judge();
        verdict.assert_findings(&["Plant"]);
        assert_eq!(verdict.findings()[0].values["names"], "ws-2");
    }
}
