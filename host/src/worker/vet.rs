//! What a worker says is untrusted: it is read here, measured, and refused where it does not answer what was asked.

use super::protocol::MANIFEST_LIMIT;
use serde::Deserialize;
use tancheck_plugin_api::facts::{Body, Supplied};
use tancheck_plugin_api::finding::{Evidence, Finding};
use tancheck_plugin_api::manifest::{API_VERSION, FEATURES, Manifest};
use tancheck_plugin_api::validate;
use tancheck_plugin_api::wire::{Inspection, Judgement, Reply};
use tancheck_plugin_api::{Outcome, Proposal};

/// Most findings of one check.
const FINDINGS: usize = 50_000;
/// Most measures, notes, or pieces of evidence of one finding.
const ITEMS: usize = 1000;
/// Most bytes of an id, a key, a name, a unit.
const NAME: usize = 1024;
/// Most bytes of a sentence.
const TEXT: usize = 16 << 10;
/// Most bytes of a value for a setting.
const PROPOSED: usize = 1 << 20;

/// Reads a manifest: features first, so that what this host does not know is refused by name and not by a parser.
pub(crate) fn manifest(text: &[u8]) -> Result<Manifest, String> {
    manifest_for(text, FEATURES)
}

/// Reads a manifest as a host does that offers these features.
fn manifest_for(text: &[u8], offered: &[&str]) -> Result<Manifest, String> {
    /// What every version of a manifest has.
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        failed: Option<String>,
        #[serde(default)]
        api: String,
        #[serde(default)]
        features: Vec<String>,
    }
    if text.len() > MANIFEST_LIMIT {
        return Err(format!("its manifest has {} bytes, more than {MANIFEST_LIMIT}", text.len()));
    }
    let unreadable = |error: serde_json::Error| format!("its manifest is not understood ({error})");
    let head: Head = serde_json::from_slice(text).map_err(unreadable)?;
    if let Some(failed) = head.failed {
        return Err(format!("it cannot tell its manifest: {}", cut(&failed)));
    }
    let unknown: Vec<String> = head
        .features
        .iter()
        .filter(|feature| !offered.contains(&feature.as_str()))
        .map(|feature| format!("{:?}", cut(feature)))
        .collect();
    if !unknown.is_empty() {
        return Err(format!(
            "it needs the feature{} {} of plugin API {}, this tancheck has {API_VERSION}: use a later tancheck",
            if unknown.len() == 1 { "" } else { "s" },
            cut(&unknown.join(", ")),
            cut(&head.api)
        ));
    }
    let manifest: Manifest = serde_json::from_slice(text).map_err(unreadable)?;
    let problems = validate::problems(&manifest);
    match problems.as_slice() {
        [] => Ok(manifest),
        [one] => Err(format!("its manifest is not good: {}", cut(one))),
        [first, others @ ..] => {
            Err(format!("its manifest is not good: {} (and {} more problems)", cut(first), others.len()))
        }
    }
}

/// Why there is no judgement, and whether the worker can go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The judge panicked or could not read the request; its process is well.
    Failed(String),
    /// The answer breaks the contract; nothing that follows is believed.
    Contract(String),
}

/// Reads the answer to an inspection.
pub(super) fn judgement(text: &[u8], asked: &Inspection) -> Result<Judgement, Refused> {
    let reply: Reply = serde_json::from_slice(text)
        .map_err(|error| Refused::Contract(format!("its answer is not understood ({error})")))?;
    match reply {
        Reply::Judged(judgement) => match problem(&judgement, asked) {
            None => Ok(judgement),
            Some(problem) => Err(Refused::Contract(problem)),
        },
        Reply::Failed(sentence) => Err(Refused::Failed(cut(&sentence))),
        _ => Err(Refused::Contract("its answer is of an unknown kind".to_owned())),
    }
}

fn problem(judgement: &Judgement, asked: &Inspection) -> Option<String> {
    let report = &judgement.report;
    if judgement.check != asked.check {
        return Some(format!("it answered for {:?} when asked for {}", cut(&judgement.check), asked.check));
    }
    let counts = [
        ("findings", report.findings.len(), FINDINGS),
        ("measures", report.measures.len(), ITEMS),
        ("notes", report.notes.len(), ITEMS),
        ("proposals", report.proposals.len(), ITEMS),
    ];
    for (what, count, limit) in counts {
        if count > limit {
            return Some(format!("it reports {count} {what}, more than {limit}"));
        }
    }
    let plugin = asked.check.split('.').next().unwrap_or_default();
    report
        .findings
        .iter()
        .find_map(|finding| finding_problem(finding, asked))
        .or_else(|| report.notes.iter().find_map(|note| too_long("a note", note, TEXT)))
        .or_else(|| {
            report.measures.iter().find_map(|measure| {
                let own = measure.series.strip_prefix(plugin).is_some_and(|rest| rest.starts_with('.'));
                let foreign =
                    || format!("it measures {:?}, which is not a series of {plugin}", cut(&measure.series));
                (!own)
                    .then(foreign)
                    .or_else(|| too_long("a series", &measure.series, NAME))
                    .or_else(|| too_long("a unit", &measure.unit, NAME))
            })
        })
        .or_else(|| report.proposals.iter().find_map(proposal_problem))
        .or_else(|| judgement.read.iter().find_map(|input| undeclared(input, asked)))
        .or_else(|| {
            let answer = judgement.answer.as_ref()?;
            too_long("what it read", answer, TEXT)
                .or_else(|| is_unreadable(answer).then(|| "what it read holds control characters".to_owned()))
        })
        .or_else(|| {
            let undecided = judgement.undecided.as_ref()?;
            let never = match undecided.outcome {
                Outcome::Pass | Outcome::Finding => true,
                // Only the user can skip, and then an input says so.
                Outcome::Skipped => !asked.inputs.values().any(is_skipped),
                _ => false,
            };
            never
                .then(|| format!("it is undecided with the outcome {}", undecided.outcome))
                .or_else(|| too_long("a reason", &undecided.reason, TEXT))
                .or_else(|| undecided.input.as_ref().and_then(|input| undeclared(input, asked)))
        })
}

/// What it proposes for which setting is compared with the manifest where the outcome is found.
fn proposal_problem(proposal: &Proposal) -> Option<String> {
    too_long("a setting", &proposal.setting, NAME)
        .or_else(|| too_long("what it saw", &proposal.seen, TEXT))
        .or_else(|| too_long("what it proposes", &proposal.value.to_string(), PROPOSED))
}

/// Lines are told apart; everything else that a terminal would obey has no place in a text.
fn is_unreadable(text: &str) -> bool {
    text.chars().any(|one| one.is_control() && one != '\n')
}

fn is_skipped(supplied: &Supplied) -> bool {
    matches!(&supplied.body, Body::Unavailable(missing) if missing.outcome == Outcome::Skipped)
}

fn finding_problem(finding: &Finding, asked: &Inspection) -> Option<String> {
    let subject = &finding.subject;
    if subject.kind.is_empty() || subject.key.is_empty() {
        return Some("it reports a finding without the kind or key of its subject".to_owned());
    }
    if finding.evidence.len() > ITEMS || finding.values.len() > ITEMS {
        return Some(format!("it reports a finding with more than {ITEMS} pieces of evidence or values"));
    }
    let names = [&subject.kind, &subject.key, &subject.name];
    let texts = [Some(&finding.says), Some(&finding.expected), finding.state.as_ref()];
    names
        .into_iter()
        .find_map(|name| too_long("a subject", name, NAME))
        .or_else(|| texts.into_iter().flatten().find_map(|text| too_long("a sentence", text, TEXT)))
        .or_else(|| finding.evidence.iter().find_map(|evidence| evidence_problem(evidence, asked)))
        .or_else(|| {
            let affected = finding.affected.as_ref()?;
            (affected.sample.len() > ITEMS)
                .then(|| format!("it names more than {ITEMS} examples"))
                .or_else(|| affected.sample.iter().find_map(|name| too_long("an example", name, TEXT)))
        })
        .or_else(|| finding.values.values().find_map(|value| too_long("a value", value, TEXT)))
}

fn evidence_problem(evidence: &Evidence, asked: &Inspection) -> Option<String> {
    undeclared(&evidence.input, asked)
        .or_else(|| too_long("a source", &evidence.source, NAME))
        .or_else(|| too_long("a request", &evidence.request, TEXT))
}

fn undeclared(input: &str, asked: &Inspection) -> Option<String> {
    let declared = asked.inputs.contains_key(input);
    (!declared).then(|| format!("it read {:?}, which {} does not declare", cut(input), asked.check))
}

fn too_long(what: &str, text: &str, limit: usize) -> Option<String> {
    (text.len() > limit).then(|| format!("{what} has {} bytes, more than {limit}", text.len()))
}

/// A text of a plugin, short enough and plain enough for a sentence of ours.
pub(super) fn cut(text: &str) -> String {
    let plain = super::noise::readable(text.as_bytes()).replace('\n', " ");
    match plain.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::prelude::*;

    fn asked() -> Inspection {
        let supplied = json!({"at": "2026-01-01T00:00:00Z", "body": {"rows": []}});
        let inspection =
            json!({"check": "x.good", "now": "2026-01-01T00:00:00Z", "inputs": {"x.rows": supplied}});
        serde_json::from_value(inspection).unwrap()
    }

    fn read(judged: Value) -> Result<Judgement, Refused> {
        judgement(json!({ "judged": judged }).to_string().as_bytes(), &asked())
    }

    #[test]
    fn what_a_reading_reads_is_text_that_no_terminal_obeys() {
        let reading = |answer: &str| read(json!({"check": "x.good", "answer": answer}));
        assert_eq!(reading("one\ntwo").unwrap().answer.as_deref(), Some("one\ntwo"));
        for wrong in ["\u{1b}[31mred", "bell\u{7}", &"x".repeat(TEXT + 1)] {
            assert!(matches!(reading(wrong), Err(Refused::Contract(_))), "{wrong:?}");
        }
    }

    fn finding(change: impl FnOnce(&mut Value)) -> Value {
        let mut finding = json!({"subject": {"kind": "row", "key": "7", "name": "seven"}, "says": "is odd",
            "evidence": [{"input": "x.rows", "source": "rest", "request": "GET /", "at": "2026-01-01T00:00:00Z",
            "value": 1}]});
        change(&mut finding);
        json!({"check": "x.good", "findings": [finding], "read": ["x.rows"]})
    }

    fn proposal(setting: &str, value: Value) -> Value {
        json!({"check": "x.good", "proposals": [{"setting": setting, "value": value, "seen": "one"}]})
    }

    #[test]
    fn a_proposal_is_taken() {
        let judgement = read(proposal("limit", json!(7))).unwrap();
        assert_eq!(judgement.report.proposals[0].value, 7);
    }

    #[test]
    fn a_good_answer_is_taken() {
        let judgement = read(finding(|_| ())).unwrap();
        assert_eq!(judgement.report.findings.len(), 1);
    }

    #[test]
    fn every_breach_of_the_contract_is_refused() {
        let long = "x".repeat(20_000);
        let table: Vec<(Value, &str)> = vec![
            (json!({"check": "x.other"}), "answered for \"x.other\""),
            (json!({"check": "x.good", "read": ["y.rows"]}), "does not declare"),
            (json!({"check": "x.good", "notes": vec![""; 1001]}), "1001 notes"),
            (json!({"check": "x.good", "notes": [long]}), "a note has 20000 bytes"),
            (
                json!({"check": "x.good", "measures": [{"series": "y.a", "value": 1.0, "unit": ""}]}),
                "not a series of x",
            ),
            (json!({"check": "x.good", "undecided": {"outcome": "pass", "reason": ""}}), "outcome pass"),
            (
                json!({"check": "x.good", "undecided": {"outcome": "skipped", "reason": ""}}),
                "outcome skipped",
            ),
            (
                json!({"check": "x.good", "undecided": {"outcome": "unreachable", "reason": "", "input": "y.z"}}),
                "does not declare",
            ),
            (proposal(&long, json!(1)), "a setting has 20000 bytes"),
            (proposal("limit", json!(long.repeat(60))), "what it proposes has 1200002 bytes"),
            (finding(|finding| finding["subject"]["key"] = json!("")), "without the kind or key"),
            (finding(|finding| finding["subject"]["name"] = json!(long)), "a subject has 20000 bytes"),
            (finding(|finding| finding["evidence"][0]["input"] = json!("y.z")), "does not declare"),
            (finding(|finding| finding["says"] = json!(3)), "not understood"),
        ];
        for (judged, words) in table {
            let Err(Refused::Contract(problem)) = read(judged) else { panic!("{words}: taken") };
            assert!(problem.contains(words), "{words}: {problem}");
        }
    }

    #[test]
    fn a_panic_is_a_failure_and_no_breach() {
        let failed = judgement(br#"{"failed": "the plugin panicked: \u001b[31mboom"}"#, &asked());
        assert_eq!(failed, Err(Refused::Failed("the plugin panicked: boom".to_owned())));
    }

    #[test]
    fn an_unknown_feature_is_refused_by_name_whatever_else_is_new() {
        let text =
            json!({"id": "x", "api": "1.9.0", "features": ["rest", "teleport"], "checks": 7}).to_string();
        let problem = manifest(text.as_bytes()).unwrap_err();
        assert!(problem.contains("teleport") && problem.contains("1.9.0") && problem.contains(API_VERSION));
    }

    const ROWS: Source = Source::rest("/api/v2/users");
    const LINES: Source = Source::lines("x.txt", "a page", "copy it", &["dec"]);
    const HOST: Setting = Setting::text("host", None).about("a host");
    const REMEDY: Remedy = Remedy::new(&[Step::consult("somebody", "repair it")]).who("anybody");
    const TREE: Tree = Tree::new("Why it fails", "thing", "there")
        .nodes(&[Node::new("there", "Is it there?")
            .look("Look.")
            .branches(&[Branch::leaf("yes", "it is", "end"), Branch::leaf("no", "it is not", "end")])])
        .leaves(&[Leaf::new("end", "that was it", &REMEDY)]);

    /// The manifest of a plugin whose one input has this source.
    fn with(source: Source, tree: Option<&'static Tree>) -> String {
        let sources: &'static [Source] = Box::leak(Box::new([source]));
        let input: &'static Input = Box::leak(Box::new(Input::new("x.rows", "rows").sources(sources)));
        let reads: &'static [&'static Input] = Box::leak(Box::new([input]));
        let check = Check::automated("x.good")
            .title("It is good")
            .cadence(&[Cadence::Weekly])
            .severity(Severity::Low)
            .reads(reads)
            .settings(&[&HOST])
            .beyond()
            .what("Looks.")
            .why("It was promised.")
            .remedy(&REMEDY)
            .judge(|_, _| Ok(()));
        let check: &'static Check = Box::leak(Box::new(check));
        let checks: &'static [&'static Check] = Box::leak(Box::new([check]));
        let plugin = Plugin::new("x", "X", "1.0.0").checks(checks);
        let plugin = tree.into_iter().fold(plugin, |plugin, tree| plugin.diagnosis(tree));
        serde_json::to_string(&Manifest::of(&plugin)).unwrap()
    }

    #[test]
    fn a_host_without_a_feature_refuses_the_plugin_that_needs_it_and_no_other() {
        let old = with(ROWS, None);
        let table = [
            ("lines", with(LINES, None)),
            ("pasted", with(Source::pasted("a payload", &[]), None)),
            ("probe", with(Source::probe("host", 443), None)),
            ("diagnosis", with(ROWS, Some(&TREE))),
        ];
        for (feature, text) in table {
            assert!(FEATURES.contains(&feature));
            manifest_for(text.as_bytes(), FEATURES).unwrap();
            let without: Vec<&str> = FEATURES.iter().copied().filter(|known| *known != feature).collect();
            let problem = manifest_for(text.as_bytes(), &without).unwrap_err();
            let wanted = format!("it needs the feature \"{feature}\" of plugin API {API_VERSION}");
            assert!(problem.starts_with(&wanted) && problem.ends_with(": use a later tancheck"), "{problem}");
            manifest_for(old.as_bytes(), &without).unwrap();
        }
        let both = json!({"api": "1.9.0", "features": ["rest", "probe", "warp"]}).to_string();
        let problem = manifest_for(both.as_bytes(), &["rest"]).unwrap_err();
        assert!(problem.contains("the features \"probe\", \"warp\" of plugin API 1.9.0"), "{problem}");
    }

    #[test]
    fn a_manifest_that_fails_says_why() {
        assert!(manifest(br#"{"failed": "the plugin panicked"}"#).unwrap_err().contains("panicked"));
        assert!(manifest(b"\xff").unwrap_err().contains("not understood"));
    }
}
