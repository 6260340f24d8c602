//! Action lock: what Direct Connect does on endpoints where it is on, and which ones these are.

use crate::chapters::ENDPOINT_CONNECTION;
use crate::inputs::answers::ACTION_LOCK;
use crate::inputs::endpoints::LOCKS;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{complete, unusable};

/// What the module does on a locked endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    BlockAll,
    AllowConnections,
    AllowBoth,
}

impl Policy {
    /// The setting's words, as the module shows them.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let known = [
            ("block all direct connection actions", Self::BlockAll),
            ("allow new connections", Self::AllowConnections),
            ("allow new connections and configuration changes", Self::AllowBoth),
        ];
        known.iter().find(|(words, _)| text.trim().eq_ignore_ascii_case(words)).map(|(_, policy)| *policy)
    }

    const fn says(self) -> &'static str {
        match self {
            Self::BlockAll => "locked endpoints get neither connections nor changes of the configuration",
            Self::AllowConnections => "locked endpoints can be connected to and keep their old configuration",
            Self::AllowBoth => {
                "locked endpoints can be connected to and get every change of the configuration"
            }
        }
    }
}

/// The policy is one that is known.
pub(crate) const POLICY: Check = Check::automated("direct-connect.action-lock-policy")
    .title("It is known what Direct Connect does on locked endpoints")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Info)
    .reads(&[&ACTION_LOCK])
    .guide(ENDPOINT_CONNECTION)
    .what("Asks what is selected under Action Lock, and remarks what follows from it.")
    .why("On the day somebody needs a locked endpoint it is too late to find out.")
    .limits("The guide states no default, and no public route tells the setting.")
    .related(&["direct-connect.action-lock-conflict"])
    .remedy(&POLICY_REMEDY)
    .judge(policy);

const POLICY_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Direct Connect > Settings > Endpoint Connection > Action Lock",
        "read off what is selected",
    ),
    Step::command(
        "tancheck answer direct-connect.action-lock 'Allow New Connections'",
        "records it, in the words of the page",
    ),
])
.who("a user with the role Direct Connect Administrator")
.references(&["Direct Connect User Guide: Configure Endpoint Connection settings"]);

fn policy(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let text = facts.answer(&ACTION_LOCK)?.value.as_str().unwrap_or_default();
    match Policy::of(text) {
        Some(policy) => report.note(policy.says()),
        None => report.finding(
            Finding::on(Subject::new("setting", "action-lock", "Action Lock"))
                .says(format!("is {text:?}, which is none of the three known values"))
                .expected("Block All Direct Connection Actions, Allow New Connections, or Allow New Connections and Configuration Changes")
                .severity(Severity::Low)
                .evidence(facts.seen(&ACTION_LOCK, text)),
        ),
    }
    Ok(())
}

const LOCKED_PERCENT: Setting = Setting::integer("locked_percent", 25, 1, 100)
    .unit("percent")
    .about("from which share on locked endpoints are a high finding instead of a medium one");

/// Locks do not keep endpoints out of reach.
pub(crate) const CONFLICT: Check = Check::automated("direct-connect.action-lock-conflict")
    .title("No action lock keeps Direct Connect from endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&LOCKS, &ACTION_LOCK])
    .settings(&[&LOCKED_PERCENT])
    .guide(ENDPOINT_CONNECTION)
    .what("Counts the endpoints whose action lock is on, and compares with what Direct Connect does there: a finding while the setting blocks connections or changes of the configuration.")
    .why("A locked endpoint is out of reach, or keeps an old name, port or certificate, and nothing says so.")
    .limits("Endpoints that are offline do not answer.")
    .related(&["direct-connect.action-lock-policy", "endpoint-configuration.manifest-locked"])
    .remedy(&CONFLICT_REMEDY)
    .judge(conflict);

const CONFLICT_REMEDY: Remedy = Remedy::new(&[
    Step::question("Get Computer Name and Action Lock Status from all machines", "see which endpoints are locked"),
    Step::consult("whoever set the locks", "why, and whether actions are safe there now"),
    Step::decision("they are", "turn the locks off"),
    Step::decision("they are not, and these endpoints have to be reached", "choose another value under Direct Connect > Settings > Endpoint Connection > Action Lock, and save with your own password"),
])
.cautions(&["Allow New Connections and Configuration Changes also lets changes through a lock that was set against changes."])
.who("a user with the role Direct Connect Administrator, and whoever set the locks")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Managing action locks"]);

fn conflict(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tally = facts.tally(&LOCKS)?;
    let text = facts.answer(&ACTION_LOCK)?.value.as_str().unwrap_or_default();
    let policy = Policy::of(text).ok_or_else(|| {
        Undecided::not_evaluated(format!(
            "the setting is {text:?}, which direct-connect.action-lock-policy finds"
        ))
    })?;
    let (mut locked, mut undecided) = (0, Vec::new());
    for row in &tally.rows {
        let status = row.cells.first().map_or("", String::as_str);
        match status.trim().to_lowercase().rsplit(' ').next() {
            Some("on" | "locked" | "yes" | "true") => locked += row.count,
            Some("off" | "unlocked" | "no" | "false") => {}
            _ => undecided.push(format!(
                "what the lock status {status:?} on {} endpoints means is not known",
                row.count
            )),
        }
    }
    let total = tally.valued();
    if locked > 0 && policy != Policy::AllowBoth {
        let most = facts.integer(&LOCKED_PERCENT)?.unsigned_abs();
        let severity = if locked * 100 >= total * most { Severity::High } else { Severity::Medium };
        report.finding(
            Finding::on(Subject::new("endpoints", "locked", "locked endpoints"))
                .says(format!("{locked} of {total}: {}", policy.says()))
                .expected("no lock, or a setting that lets connections and changes through")
                .severity(severity)
                .affected(locked, Some(total))
                .evidence(facts.seen(&LOCKS, locked))
                .evidence(facts.seen(&ACTION_LOCK, text)),
        );
    }
    settle(&undecided)?;
    complete("Action Lock Status", total + unusable(tally), unusable(tally))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::testing::Case;

    const VALUES: [&str; 3] = [
        "Block All Direct Connection Actions",
        "allow new connections",
        "Allow New Connections and Configuration Changes",
    ];

    #[test]
    fn each_value_says_what_follows() {
        let case = |value: &str| Case::of(&POLICY).answer(&ACTION_LOCK, value);
        let notes: std::collections::BTreeSet<String> = VALUES
            .iter()
            .map(|value| {
                case(value).judge().assert_pass();
                case(value).judge().notes()[0].clone()
            })
            .collect();
        assert_eq!(notes.len(), 3);
        case(VALUES[0]).assert_needs_its_inputs();
        case("Perhaps").judge().assert_findings(&["action-lock"]);
    }

    #[test]
    fn locks_matter_where_the_setting_heeds_them() {
        let case = |value: &str, locked: u64| {
            Case::of(&CONFLICT).answer(&ACTION_LOCK, value).tally(
                &LOCKS,
                "Action Lock Status",
                &[("Action Lock Off", 100 - locked), ("Action Lock On", locked)],
            )
        };
        for value in VALUES {
            case(value, 0).judge().assert_pass();
        }
        case(VALUES[2], 30).judge().assert_pass();
        let severity = |value: &str, locked: u64| {
            let verdict = case(value, locked).judge();
            verdict.assert_findings(&["locked"]);
            verdict.findings()[0].severity
        };
        assert_eq!(severity(VALUES[0], 24), Some(Severity::Medium));
        assert_eq!(severity(VALUES[1], 25), Some(Severity::High));
        case("Perhaps", 1).judge().assert_undecided(Outcome::NotEvaluated);
        case(VALUES[0], 0).assert_needs_its_inputs();
        let odd = Case::of(&CONFLICT).answer(&ACTION_LOCK, VALUES[0]).tally(&LOCKS, "x", &[("Half", 1)]);
        odd.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
