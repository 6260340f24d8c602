//! The coverage that endpoints tell of themselves.

use std::collections::BTreeMap;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{ASK, columns_of, complete, unusable};
use tancheck_plugin_api::templates::panel::{Row, whole};

const SENSOR: &str = "Impact - Coverage Status";
const WHO: &str = "a user holding the Impact role permissions named in the Impact user guide";
const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Impact coverage", 29)];
const BOARD: &str = "Modules > Trends > Boards > Impact";

/// One question for both checks, of the sensors that the guide's own two questions name.
const COVERAGE: Input = Input::new("impact.coverage", "coverage of endpoints by operating system").sources(&[
    Source::question("Get Impact - Coverage Status and Operating System from all machines")
        .sampled_by("Get Computer Name from all machines with Impact - Coverage Status equals {value}")
        .needs(ASK),
    Source::export(
        "impact-coverage.csv",
        "Interact > Ask a Question",
        "ask Get Impact - Coverage Status and Operating System from all machines and export the results with these columns",
        &["Impact - Coverage Status", "Operating System", "Count"],
    ),
]);

const NEEDING: Input = Input::new("impact.needs-attention", "endpoints that need attention, as the board shows them")
    .sources(&[
        Source::export(
            "impact-needs-attention.csv",
            "Modules > Trends > Boards > Impact",
            "click the bar Needs Attention of the panel Impact Coverage Status, open View Current Endpoint Details and \
             export them with these columns",
            &["Computer Name", "Operating System", "IP Address", "Impact - Coverage Status"],
        ),
        Source::answer("the number in the bar Needs Attention of the panel Impact Coverage Status", Accepts::Number, 31),
    ]);

const BEYOND: Input = Input::new("impact.unsupported", "endpoints that are not supported, as the board shows them")
    .sources(&[
        Source::export(
            "impact-unsupported.csv",
            "Modules > Trends > Boards > Impact",
            "click the bar Unsupported of the panel Impact Coverage Status, open View Current Endpoint Details and \
             export them with these columns",
            &["Computer Name", "Operating System", "IP Address", "Impact - Coverage Status"],
        ),
        Source::answer(
            "the number in the bar Unsupported of the panel Impact Coverage Status, without the endpoints that you accept",
            Accepts::Number,
            31,
        ),
    ]);

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may need attention");

const ACCEPTED_OS: Setting = Setting::list("accepted_os", &[])
    .about("words in the names of operating systems whose endpoints need no Impact");

const HEALTHY_VALUES: Setting = Setting::list("healthy_values", &[])
    .about("answers of the sensor Impact - Coverage Status that are neither Needs Attention nor Unsupported and good");

const LIMITS: &str = "The guide names two words of the sensor. Other words are shown and not judged until \
    `healthy_values` names them. Endpoints that are offline do not answer; the board of Trends holds older answers too.";

/// No endpoint needs attention.
pub(crate) const NEEDS_ATTENTION: Check = Check::automated("impact.needs-attention")
    .title("No endpoint needs attention in Impact")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&COVERAGE, &NEEDING])
    .settings(&[&MAX_ENDPOINTS, &HEALTHY_VALUES])
    .guide(GUIDE)
    .what("Asks every endpoint for its coverage status and counts those that answer Needs Attention; more than `max_endpoints` are a finding.")
    .why("Without the Python tools that its sensors need, an endpoint is missing from every path that Impact shows.")
    .limits(LIMITS)
    .applies("Impact with Trends")
    .related(&["endpoint-configuration.tools-status", "trends.required-boards"])
    .remedy(&ATTENTION_REMEDY)
    .judge(needs_attention);

const ATTENTION_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Operating System and IP Address and Impact - Coverage Status equals Needs Attention from all machines with Impact - Coverage Status equals Needs Attention",
        "list the endpoints",
    ),
    Step::console(BOARD, "or click the bar Needs Attention of the panel Impact Coverage Status and open View Current Endpoint Details"),
    Step::consult("Impact User Guide: Monitor and troubleshoot Impact Coverage", "go through its contributing factors"),
    Step::consult("Impact User Guide: Monitor and troubleshoot Impact Coverage", "deploy the Python tools to these endpoints as described there"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Impact User Guide: Monitor and troubleshoot Impact Coverage"]);

/// Unsupported endpoints are known.
pub(crate) const UNSUPPORTED: Check = Check::automated("impact.unsupported")
    .title("Endpoints Impact does not support are known")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .reads(&[&COVERAGE, &BEYOND])
    .settings(&[&ACCEPTED_OS, &HEALTHY_VALUES])
    .guide(GUIDE)
    .what("Asks every endpoint for its coverage status and reports operating systems of those that answer Unsupported, unless their name holds a word of `accepted_os`.")
    .why("What is not supported and was never accepted is a gap that nobody decided about.")
    .limits(LIMITS)
    .applies("Impact with Trends")
    .related(&["trends.required-boards"])
    .remedy(&UNSUPPORTED_REMEDY)
    .judge(unsupported);

const UNSUPPORTED_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Operating System and IP Address and Impact - Coverage Status equals Unsupported from all machines with Impact - Coverage Status equals Unsupported",
        "list the endpoints",
    ),
    Step::console(BOARD, "or click the bar Unsupported of the panel Impact Coverage Status and open View Current Endpoint Details"),
    Step::decision("they are to be left as they are", "name their operating system in `accepted_os`"),
    Step::decision("a newer operating system is supported", "plan its upgrade with the owner of the endpoints"),
])
.who(WHO)
.references(&["Impact User Guide: Requirements"]);

/// Endpoints with one answer on one operating system.
struct Held {
    status: String,
    os: String,
    count: u64,
    sample: Vec<String>,
}

/// What endpoints answered; those without a usable answer are too few to matter.
struct Told {
    held: Vec<Held>,
    answered: u64,
    unknown: u64,
}

impl Told {
    fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        if let Body::Rows(_) = facts.body(&COVERAGE)? {
            let mut held = Vec::new();
            for row in facts.rows::<Row>(&COVERAGE)? {
                held.push(Held {
                    status: row.cell(SENSOR),
                    os: row.cell("Operating System"),
                    count: row.number("Count")?.unwrap_or(1.0).max(0.0) as u64,
                    sample: Vec::new(),
                });
            }
            return Ok(Self::sorted(held, 0, None));
        }
        let tally = facts.tally(&COVERAGE)?;
        let (Some(status), Some(os)) = (tally.column(SENSOR), tally.column("Operating System")) else {
            return Err(Undecided::not_evaluated(format!(
                "the answers have no column {SENSOR} or Operating System; found: {}",
                columns_of(tally)
            )));
        };
        let cell = |cells: &[String], at: usize| cells.get(at).cloned().unwrap_or_default();
        let held = tally.rows.iter().map(|row| Held {
            status: cell(&row.cells, status).trim().to_owned(),
            os: cell(&row.cells, os),
            count: row.count,
            sample: row.sample.clone(),
        });
        Ok(Self::sorted(held.collect(), unusable(tally), Some(tally.answered)))
    }

    /// A status that is empty is no answer, also where the operating system is told.
    fn sorted(held: Vec<Held>, unknown: u64, answered: Option<u64>) -> Self {
        let special = |held: &Held| {
            held.status.is_empty() || held.status.starts_with('[') || held.status.starts_with("TSE-")
        };
        let (without, held): (Vec<Held>, Vec<Held>) = held.into_iter().partition(special);
        let count = |all: &[Held]| all.iter().map(|one| one.count).sum::<u64>();
        let unknown = unknown + count(&without);
        let answered = answered.unwrap_or(count(&held) + unknown);
        Self { held, answered, unknown }
    }

    fn with(&self, status: &str) -> Vec<&Held> {
        self.held.iter().filter(|held| held.status.eq_ignore_ascii_case(status)).collect()
    }

    /// Refuses a clean result where answers are missing or nobody explained them.
    fn settle(&self, facts: &Facts<'_>) -> Result<(), Undecided> {
        complete(SENSOR, self.answered, self.unknown)?;
        let healthy = facts.list(&HEALTHY_VALUES);
        let known = |status: &str| {
            ["Needs Attention", "Unsupported"]
                .iter()
                .chain(&healthy)
                .any(|word| word.eq_ignore_ascii_case(status))
        };
        let mut odd: BTreeMap<&str, u64> = BTreeMap::new();
        for held in self.held.iter().filter(|held| !known(&held.status)) {
            *odd.entry(&held.status).or_default() += held.count;
        }
        let odd = odd.into_iter().map(|(status, count)| {
            format!("{count} endpoints answer {status:?}; name it in `healthy_values` if it is good")
        });
        settle(&odd.collect::<Vec<_>>())
    }
}

fn needs_attention(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let most = facts.integer(&MAX_ENDPOINTS)?.unsigned_abs();
    let told = match Told::of(facts) {
        Ok(told) => told,
        Err(unseen) => {
            let count = shown(facts, &NEEDING, &[]).map_err(|_| unseen)??;
            if count > most {
                report.finding(attention(facts, &NEEDING, count, None, &[]));
            }
            return Ok(());
        }
    };
    let needing = told.with("Needs Attention");
    let count: u64 = needing.iter().map(|held| held.count).sum();
    if count > most {
        report.finding(attention(facts, &COVERAGE, count, Some(told.answered), &needing));
    }
    told.settle(facts)?;
    // What Impact does not support needs none of its tools.
    let known: u64 = told.held.iter().map(|held| held.count).sum();
    let beyond: u64 = told.with("Unsupported").iter().map(|held| held.count).sum();
    let supported = known.saturating_sub(beyond);
    report.measure_share("impact.tools-coverage", supported.saturating_sub(count), supported);
    Ok(())
}

fn attention(
    facts: &Facts<'_>,
    input: &'static Input,
    count: u64,
    of: Option<u64>,
    held: &[&Held],
) -> Finding {
    let systems: Vec<String> = held.iter().map(|held| format!("{}: {}", held.os, held.count)).collect();
    let systems = if systems.is_empty() { String::new() } else { format!(" ({})", systems.join(", ")) };
    Finding::on(Subject::new("coverage", "needs-attention", "Impact coverage"))
        .says(format!(
            "{count} endpoints need attention{systems}: Python tools that Impact needs are missing"
        ))
        .expected("no endpoint that needs attention")
        .affected(count, of)
        .sample(held.iter().flat_map(|held| &held.sample).take(5))
        .evidence(facts.seen(input, count))
}

fn unsupported(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let accepted = facts.list(&ACCEPTED_OS);
    let told = match Told::of(facts) {
        Ok(told) => told,
        Err(unseen) => {
            let count = shown(facts, &BEYOND, &accepted).map_err(|_| unseen)??;
            if count > 0 {
                report.finding(unsupported_on(facts, &BEYOND, "operating systems of the board", count, &[]));
            }
            return Ok(());
        }
    };
    let mut systems: BTreeMap<&str, (u64, Vec<&String>)> = BTreeMap::new();
    for held in told.with("Unsupported").into_iter().filter(|held| !is_accepted(&held.os, &accepted)) {
        let system = systems.entry(held.os.as_str()).or_default();
        system.0 += held.count;
        system.1.extend(&held.sample);
    }
    for (os, (count, sample)) in systems {
        report.finding(unsupported_on(facts, &COVERAGE, os, count, &sample));
    }
    told.settle(facts)
}

fn is_accepted(os: &str, accepted: &[&str]) -> bool {
    accepted.iter().any(|word| os.to_lowercase().contains(&word.to_lowercase()))
}

fn unsupported_on(
    facts: &Facts<'_>,
    input: &'static Input,
    os: &str,
    count: u64,
    sample: &[&String],
) -> Finding {
    Finding::on(Subject::new("operating system", os.to_lowercase(), os))
        .says(format!("{count} endpoints are not supported by Impact, and nobody accepted that"))
        .expected("a supported operating system, or a place in `accepted_os`")
        .affected(count, None)
        .sample(sample.iter().take(5).map(|name| name.as_str()))
        .evidence(facts.seen(input, count))
}

/// What the board shows: a list of endpoints, or a number that somebody read off. The outer error: it is not there.
fn shown(
    facts: &Facts<'_>,
    input: &'static Input,
    accepted: &[&str],
) -> Result<Result<u64, Undecided>, Undecided> {
    Ok(match facts.body(input)? {
        Body::Answer(answer) => whole(answer),
        _ => {
            let rows: Vec<Row> = facts.rows(input)?;
            let counted = rows.iter().filter(|row| !is_accepted(&row.cell("Operating System"), accepted));
            Ok(counted.count() as u64)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::TallyRow;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, rows: &[(&str, &str, u64)]) -> Case {
        let tally = Tally {
            columns: [SENSOR, "Operating System"].map(str::to_owned).to_vec(),
            rows: rows
                .iter()
                .map(|(status, os, count)| TallyRow {
                    cells: vec![(*status).to_owned(), (*os).to_owned()],
                    count: *count,
                    sample: vec!["one".to_owned()],
                })
                .collect(),
            answered: 100,
            expected: 100,
            ..Tally::default()
        };
        Case::of(check).body(&COVERAGE, Body::Tally(tally)).setting("healthy_values", json!(["covered"]))
    }

    #[test]
    fn each_check_counts_its_own_word() {
        let healthy: &[(&str, &str, u64)] = &[("Covered", "Windows 10", 100)];
        let needing: &[(&str, &str, u64)] =
            &[("Covered", "Windows 10", 96), ("Needs Attention", "Windows 10", 4)];
        let beyond: &[(&str, &str, u64)] = &[("Covered", "Windows 10", 96), ("Unsupported", "Solaris 11", 4)];
        for check in [&NEEDS_ATTENTION, &UNSUPPORTED] {
            case(check, healthy).judge().assert_pass();
            case(check, healthy).assert_needs_its_inputs();
        }
        case(&NEEDS_ATTENTION, needing).judge().assert_findings(&["needs-attention"]);
        case(&NEEDS_ATTENTION, needing).setting("max_endpoints", 4).judge().assert_pass();
        case(&NEEDS_ATTENTION, beyond).judge().assert_pass();
        let share = |rows| {
            let verdict = case(&NEEDS_ATTENTION, rows).judge();
            verdict.measures().iter().map(|kept| (kept.series.clone(), kept.value)).collect::<Vec<_>>()
        };
        let covered = |value| vec![("impact.tools-coverage".to_owned(), value)];
        assert_eq!((share(needing), share(beyond)), (covered(96.0), covered(100.0)));
        assert_eq!(share(&[("Purple", "Windows 10", 100)]), Vec::new(), "who knows what purple means");
        case(&UNSUPPORTED, beyond).judge().assert_findings(&["solaris 11"]);
        case(&UNSUPPORTED, beyond).setting("accepted_os", json!(["solaris"])).judge().assert_pass();
        case(&UNSUPPORTED, needing).judge().assert_pass();
    }

    #[test]
    fn words_that_the_guide_does_not_name_are_shown() {
        for check in [&NEEDS_ATTENTION, &UNSUPPORTED] {
            let odd = case(check, &[("Purple", "Windows 10", 100)]);
            odd.judge().assert_undecided(Outcome::NotEvaluated);
            odd.setting("healthy_values", json!(["purple"])).judge().assert_pass();
        }
    }

    #[test]
    fn endpoints_without_an_answer_are_unknown() {
        let silent = case(&NEEDS_ATTENTION, &[("Covered", "Windows 10", 90), ("", "Windows 10", 10)]);
        silent.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_and_the_board_are_read() {
        let rows = json!([{"Impact - Coverage Status": "Needs Attention", "Operating System": "macOS 13", "Count": 3}]);
        let exported = Case::of(&NEEDS_ATTENTION).rows(&COVERAGE, rows);
        exported.judge().assert_findings(&["needs-attention"]);
        Case::of(&NEEDS_ATTENTION).answer(&NEEDING, 0).judge().assert_pass();
        Case::of(&NEEDS_ATTENTION).answer(&NEEDING, 1).judge().assert_findings(&["needs-attention"]);
        let board = json!([{"Computer Name": "one", "Operating System": "Solaris 11"}]);
        let case = Case::of(&UNSUPPORTED).rows(&BEYOND, board);
        case.judge().assert_findings(&["operating systems of the board"]);
        case.setting("accepted_os", json!(["Solaris"])).judge().assert_pass();
        Case::of(&UNSUPPORTED).answer(&BEYOND, "many").judge().assert_undecided(Outcome::NotEvaluated);
    }
}
