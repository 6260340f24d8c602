//! What the endpoint itself answers: whether it is there, what it runs, its lock, its tools, its group.

use crate::action_lock::Policy;
use crate::inputs::answers::ACTION_LOCK;
use crate::inputs::endpoints::Family;
use crate::inputs::platform::{MODULE, imported};
use crate::setup::{ACTION_GROUP, own_group};
use crate::versions::{CLIENT, REQUIREMENTS};
use tancheck_plugin_api::facts::TallyRow;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, GROUPS};
use tancheck_plugin_api::records::answers::ASK;
use tancheck_plugin_api::records::server::SOLUTIONS;
use tancheck_plugin_api::requirement::Verdict;

/// As many names are shown.
const SHOWN: usize = 10;

/// One question tells what several nodes need.
pub(super) const ENDPOINT: Input = Input::new("direct-connect.endpoint", "what the endpoint of this name or address answers")
    .sources(&[Source::question(
        "Get Computer Name and Operating System and Tanium Client Version and Action Lock Status from all machines \
         with ( Computer Name equals \"{subject}\" or Tanium Client IP Address equals \"{subject}\" )",
    )
    .needs(ASK)]);

pub(super) const SIMILAR: Input =
    Input::new("direct-connect.similar-endpoints", "endpoints whose names hold this name").sources(&[
        Source::question("Get Computer Name from all machines with Computer Name contains \"{subject}\"")
            .needs(ASK),
    ]);

pub(super) const ENDPOINT_TOOLS: Input =
    Input::new("direct-connect.endpoint-tools", "the tools on the endpoint of this name").sources(&[
        Source::question(
            "Get Direct Connect - Tools Version from all machines with Computer Name equals \"{subject}\"",
        )
        .needs(ASK),
    ]);

/// What an endpoint answered, by the names of the sensors.
struct Endpoint<'a> {
    columns: &'a [String],
    row: &'a TallyRow,
}

impl Endpoint<'_> {
    fn cell(&self, sensor: &str) -> &str {
        let column = self.columns.iter().position(|column| column.eq_ignore_ascii_case(sensor));
        column.and_then(|at| self.row.cells.get(at)).map_or("", String::as_str).trim()
    }
}

/// The one that answered.
fn only<'a>(facts: &Facts<'a>) -> Result<Endpoint<'a>, Undecided> {
    let tally = facts.tally(&ENDPOINT)?;
    match tally.rows.as_slice() {
        [row] if row.count == 1 => Ok(Endpoint { columns: &tally.columns, row }),
        [] => Err(Undecided::not_evaluated("it did not answer just now")),
        _ => Err(Undecided::not_evaluated("several endpoints answered")),
    }
}

/// How many endpoints answered, with a few of their names; nothing where somebody who was not heard may be among them.
fn heard(facts: &Facts<'_>, input: &'static Input, report: &mut Report) -> Result<u64, Undecided> {
    let tally = facts.tally(input)?;
    let names: Vec<&str> = tally.rows.iter().flat_map(|row| &row.sample).map(String::as_str).collect();
    let count = tally.valued();
    if count == 0 {
        return match facts.gaps(input)?.first() {
            Some(gap) => {
                let reason = format!("no such endpoint answered, but not everybody was heard: {gap}");
                Err(Undecided::not_evaluated(reason))
            }
            None => Ok(0),
        };
    }
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>();
    report.note(match count.saturating_sub(shown.len() as u64) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    });
    Ok(count)
}

/// N1: exactly one endpoint has this name or address.
pub(super) const FOUND: Reading =
    Reading::new("direct-connect.endpoint-found", "how many endpoints have this name or address")
        .reads(&[&ENDPOINT])
        .by(|facts, report| {
            Ok(match heard(facts, &ENDPOINT, report)? {
                0 => "none",
                1 => "one",
                _ => "several",
            }
            .to_owned())
        });

/// N1: names that hold the given one.
pub(super) const SIMILAR_NAMES: Reading =
    Reading::new("direct-connect.similar-names", "endpoints whose names hold this name")
        .reads(&[&SIMILAR])
        .by(|facts, report| {
            let count = heard(facts, &SIMILAR, report)?;
            Ok(if count == 0 { "none" } else { "some" }.to_owned())
        });

/// N1: the operating system is one that the module supports.
pub(super) const SUPPORTED: Reading =
    Reading::new("direct-connect.endpoint-os", "operating system of the endpoint").reads(&[&ENDPOINT]).by(
        |facts, report| {
            let endpoint = only(facts)?;
            let system = endpoint.cell("Operating System");
            report.note(system);
            match Family::of(system) {
                Some(Family::Other) => Ok("unsupported".to_owned()),
                Some(_) => Ok("supported".to_owned()),
                None => Err(Undecided::not_evaluated(format!("of which family {system:?} is, is not known"))),
            }
        },
    );

/// N1: the client is not too old.
pub(super) const CLIENT_VERSION: Reading =
    Reading::new("direct-connect.endpoint-client", "version of the client on the endpoint")
        .reads(&[&ENDPOINT, &SOLUTIONS])
        .settings(&[&REQUIREMENTS])
        .by(|facts, report| {
            let version = ProductVersion::new(only(facts)?.cell("Tanium Client Version"));
            let minimums = CLIENT.in_force(facts, &REQUIREMENTS, imported(facts, MODULE)?.as_ref())?;
            let verdict = minimums.judge(&version);
            report.note(format!("{version} {}", verdict.says()));
            match verdict {
                Verdict::BelowLineMinimum { .. } | Verdict::LineTooOld { .. } => Ok("old".to_owned()),
                verdict if verdict.is_unknown() => Err(Undecided::not_evaluated(format!(
                    "the client's version {version} {}",
                    verdict.says()
                ))),
                _ => Ok("recent".to_owned()),
            }
        });

/// N2: what the endpoint's action lock keeps away.
pub(super) const LOCK: Reading =
    Reading::new("direct-connect.endpoint-lock", "action lock of the endpoint, and what it keeps away")
        .reads(&[&ENDPOINT, &ACTION_LOCK])
        .by(|facts, report| {
            let endpoint = only(facts)?;
            let status = endpoint.cell("Action Lock Status");
            report.note(status);
            match status.to_lowercase().rsplit(' ').next() {
                Some("off" | "unlocked" | "no" | "false") => return Ok("off".to_owned()),
                Some("on" | "locked" | "yes" | "true") => {}
                _ => {
                    let reason = format!("what the lock status {status:?} means is not known");
                    return Err(Undecided::not_evaluated(reason));
                }
            }
            let text = facts.answer(&ACTION_LOCK)?.value.as_str().unwrap_or_default();
            report.note(format!("the setting Action Lock is {text}"));
            match Policy::of(text) {
                Some(Policy::BlockAll) => Ok("blocks-sessions".to_owned()),
                Some(Policy::AllowConnections) => Ok("keeps-configuration".to_owned()),
                Some(Policy::AllowBoth) => Ok("allows-both".to_owned()),
                None => {
                    Err(Undecided::not_evaluated(format!("what the setting {text:?} allows is not known")))
                }
            }
        });

/// N6: the action group reaches the endpoint.
pub(super) const MEMBER: Reading =
    Reading::new("direct-connect.endpoint-in-group", "whether the action group holds the endpoint")
        .reads(&[&ACTION_GROUPS, &GROUPS])
        .settings(&[&ACTION_GROUP])
        .by(|facts, report| {
            let name = facts.text(&ACTION_GROUP)?;
            let Some((_, members)) = own_group(facts)? else {
                return Err(
                    facts.absent(&ACTION_GROUPS, format!("{name} is not in the list of action groups"))
                );
            };
            report.note(format!("{name} holds {}", members.join(", ")));
            let holds = |group: &str| members.iter().any(|member| member.eq_ignore_ascii_case(group));
            if holds("All Computers") {
                return Ok("member".to_owned());
            }
            if members.iter().all(|member| member.eq_ignore_ascii_case("No Computers")) {
                return Ok("no-member".to_owned());
            }
            let groups = members.join(", ");
            Err(Undecided::not_evaluated(format!(
                "{name} holds {groups}: whether the endpoint is among them is not told"
            )))
        });

/// N7: the tools are there.
pub(super) const TOOLS: Reading =
    Reading::new("direct-connect.endpoint-has-tools", "tools of Direct Connect on the endpoint")
        .reads(&[&ENDPOINT_TOOLS])
        .by(|facts, report| {
            let tally = facts.tally(&ENDPOINT_TOOLS)?;
            let texts: Vec<&str> =
                tally.rows.iter().filter_map(|row| row.cells.first()).map(String::as_str).collect();
            if let [text] = texts.as_slice() {
                report.note(*text);
                let text = text.to_lowercase();
                if text.contains("package installed") {
                    report.note("the sensor tells no version to compare");
                    return Ok("there".to_owned());
                }
                if text.contains("package") {
                    return Ok("missing".to_owned());
                }
                return Err(Undecided::not_evaluated(format!("what {text:?} means is not known")));
            }
            if texts.is_empty() && tally.without_value.get("[no results]").is_some_and(|&count| count == 1) {
                report.note("the sensor gives no results there");
                return Ok("missing".to_owned());
            }
            Err(Undecided::not_evaluated(format!("{} answers came from endpoints of this name", texts.len())))
        });
