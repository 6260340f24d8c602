//! Exit codes: what a pipeline may rely on. Pure; the table below is the contract.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | complete, no finding at or above `--fail-on` |
//! | 1 | a finding at or above `--fail-on` |
//! | 2 | usage or configuration, or the selection is empty |
//! | 3 | incomplete: some enabled check is undecided, an enabled plugin was refused, or history was not kept |
//! | 4 | a task is due and not in its days of grace (with `--fail-on-overdue`) |
//! | 5 | the deployment is unreachable, or the login was refused |
//! | 70 | internal fault |
//! | 130, 143 | ended by SIGINT or SIGTERM; what was known is reported |
//!
//! Several at once: 130 and 143 > 70 > 5 > 1 > 3 > 4; the document carries all reasons.

use super::change::Change;
use super::document::{CheckResult, Exit, Finding, Reason, Run};
use super::outcome::counted;
use tancheck_plugin_api::{Outcome, Severity};

/// Nothing to object to.
pub const HEALTHY: u8 = 0;
/// A finding at or above the threshold.
pub const FINDING: u8 = 1;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// Incomplete.
pub const INCOMPLETE: u8 = 3;
/// A task is due.
pub const OVERDUE: u8 = 4;
/// Unreachable, or the login was refused.
pub const UNREACHABLE: u8 = 5;
/// Internal fault.
pub const INTERNAL: u8 = 70;
/// Ended by SIGINT.
pub const INTERRUPTED: u8 = 130;
/// Ended by SIGTERM.
pub const TERMINATED: u8 = 143;

/// The codes, the strongest first.
const PRECEDENCE: [u8; 8] =
    [INTERRUPTED, TERMINATED, INTERNAL, UNREACHABLE, USAGE, FINDING, INCOMPLETE, OVERDUE];

/// What makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The least severity that fails; `None`: no finding does.
    pub fail_on: Option<Severity>,
    /// Whether only findings fail that were not as bad when they were last looked for.
    pub new_only: bool,
    /// Whether a task that is due fails.
    pub fail_on_overdue: bool,
    /// How the code is written.
    pub style: Style,
}

impl Default for Policy {
    fn default() -> Self {
        Self { fail_on: Some(Severity::High), new_only: false, fail_on_overdue: false, style: Style::Plain }
    }
}

/// How the code is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    /// The table of this module.
    #[default]
    Plain,
    /// 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    Nagios,
}

/// The exit of a run whose checks are counted. `besides` are reasons that no check shows: an unreachable deployment,
/// a history that was not kept.
#[must_use]
pub fn of(run: &Run, policy: &Policy, besides: Vec<Reason>) -> Exit {
    let mut reasons = besides;
    reasons.extend(interrupted(run));
    reasons.extend(findings(run, policy));
    reasons.extend(incomplete(run));
    reasons.extend(policy.fail_on_overdue.then(|| overdue(run)).flatten());
    let rank = |code: u8| PRECEDENCE.iter().position(|&one| one == code).unwrap_or(PRECEDENCE.len());
    reasons.sort_by(|left, right| rank(left.code).cmp(&rank(right.code)).then(left.says.cmp(&right.says)));
    let plain = reasons.first().map_or(HEALTHY, |reason| reason.code);
    let code = match policy.style {
        Style::Plain => plain,
        Style::Nagios => nagios(plain, run),
    };
    Exit { code, reasons }
}

/// A reason for a code.
#[must_use]
pub fn reason(code: u8, says: impl Into<String>) -> Reason {
    Reason { code, says: says.into() }
}

/// Nagios knows four states. A finding below the threshold is a warning, unless it is only worth knowing.
fn nagios(plain: u8, run: &Run) -> u8 {
    match plain {
        FINDING => 2,
        OVERDUE => 1,
        HEALTHY if run.findings().any(|(_, finding)| is_warning(finding)) => 1,
        HEALTHY => 0,
        _ => 3,
    }
}

fn is_warning(finding: &Finding) -> bool {
    finding.waiver.is_none() && finding.severity > Severity::Info
}

fn interrupted(run: &Run) -> Option<Reason> {
    let signal = run.interrupted.as_deref()?;
    let code = if signal == "SIGTERM" { TERMINATED } else { INTERRUPTED };
    Some(reason(code, format!("ended early by {signal}")))
}

fn findings(run: &Run, policy: &Policy) -> Option<Reason> {
    let least = policy.fail_on?;
    let fails = |finding: &Finding| {
        finding.waiver.is_none() && finding.severity >= least && (!policy.new_only || is_new(finding, least))
    };
    let count = run.findings().filter(|(_, finding)| fails(finding)).count();
    let nouns = if policy.new_only { ("new finding", "new findings") } else { ("finding", "findings") };
    let (count, noun) = counted(count, nouns.0, nouns.1);
    (count > 0).then(|| reason(FINDING, format!("{count} {noun} of severity {least} or worse")))
}

/// Whether a finding was not there, or was less severe, when it was last looked for. Without a history all are new.
fn is_new(finding: &Finding, least: Severity) -> bool {
    match finding.change {
        None | Some(Change::New | Change::Regressed) => true,
        Some(Change::Worse) => finding.before.is_some_and(|before| before.severity < least),
        Some(Change::Better | Change::Unchanged) => false,
    }
}

/// Whatever was not decided, except for tasks: they have a code of their own, which must not be drowned.
fn incomplete(run: &Run) -> Option<Reason> {
    let open = |outcome: &Outcome| !outcome.is_decided() && *outcome != Outcome::AttestationDue;
    let parts: Vec<String> = Outcome::ALL
        .iter()
        .filter(|outcome| open(outcome))
        .filter_map(|outcome| {
            let count = run.checks.iter().filter(|check| check.outcome == *outcome).count();
            (count > 0).then(|| format!("{count} {outcome}"))
        })
        .collect();
    (!parts.is_empty())
        .then(|| reason(INCOMPLETE, format!("checks without a decision: {}", parts.join(", "))))
}

fn overdue(run: &Run) -> Option<Reason> {
    let is_overdue =
        |check: &&CheckResult| check.outcome == Outcome::AttestationDue && check.grace_until.is_none();
    let due = run.checks.iter().filter(is_overdue).count();
    let (due, noun) = counted(due, "task is", "tasks are");
    (due > 0).then(|| reason(OVERDUE, format!("{due} {noun} due")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::change::Before;
    use crate::run::engine::fakes::{finding_of, result, run_of};

    fn exit(run: &Run, fail_on: Option<Severity>) -> u8 {
        of(run, &Policy { fail_on, ..Policy::default() }, Vec::new()).code
    }

    fn found(severity: Severity) -> Run {
        let mut check = result("a.b", Outcome::Finding);
        check.findings.push(finding_of("a.b", "1", severity));
        run_of(vec![check])
    }

    #[test]
    fn a_healthy_run_is_zero() {
        let run = run_of(vec![
            result("a.b", Outcome::Pass),
            result("a.c", Outcome::NotApplicable),
            result("a.d", Outcome::NotLicensed),
        ]);
        assert_eq!(exit(&run, Some(Severity::Info)), 0);
    }

    #[test]
    fn the_threshold_decides_about_findings() {
        let run = found(Severity::Medium);
        assert_eq!(exit(&run, Some(Severity::Medium)), 1);
        assert_eq!(exit(&run, Some(Severity::High)), 0);
        assert_eq!(exit(&run, None), 0);
        assert_eq!(exit(&found(Severity::Critical), Some(Severity::High)), 1);
    }

    #[test]
    fn only_what_is_new_may_fail() {
        let policy = Policy { new_only: true, ..Policy::default() };
        let code = |change, before: Option<Severity>| {
            let mut run = found(Severity::High);
            let finding = &mut run.checks[0].findings[0];
            finding.change = change;
            finding.before = before.map(|severity| Before { severity, affected: None });
            of(&run, &policy, Vec::new()).code
        };
        assert_eq!(code(Some(Change::New), None), 1);
        assert_eq!(code(Some(Change::Regressed), None), 1);
        assert_eq!(code(Some(Change::Worse), Some(Severity::Medium)), 1, "it has become high");
        assert_eq!(code(Some(Change::Worse), Some(Severity::High)), 0, "it was high, and concerns more");
        assert_eq!(code(Some(Change::Better), Some(Severity::Critical)), 0);
        assert_eq!(code(Some(Change::Unchanged), None), 0);
        assert_eq!(code(None, None), 1, "without a history nothing is known to be old");
        assert_eq!(of(&found(Severity::Medium), &policy, Vec::new()).code, 0);
    }

    #[test]
    fn what_somebody_waived_does_not_fail() {
        let mut run = found(Severity::Critical);
        let waived =
            serde_json::json!({"owner": "ann", "reason": "agreed", "since": "2026-06-01", "place": "w:1"});
        run.checks[0].findings[0].waiver = serde_json::from_value(waived).unwrap();
        assert_eq!(exit(&run, Some(Severity::Info)), 0);
        let nagios = Policy { style: Style::Nagios, ..Policy::default() };
        assert_eq!(of(&run, &nagios, Vec::new()).code, 0);
        run.count();
        assert_eq!((run.waived, run.severities["critical"]), (1, 1), "it stays counted");
    }

    #[test]
    fn each_undecided_outcome_but_a_task_is_incomplete() {
        for outcome in Outcome::ALL {
            let expected = match outcome {
                Outcome::Pass | Outcome::NotApplicable | Outcome::NotLicensed => 0,
                Outcome::Finding | Outcome::AttestationDue => 0,
                _ => 3,
            };
            assert_eq!(exit(&run_of(vec![result("a.b", outcome)]), None), expected, "{outcome}");
        }
    }

    #[test]
    fn a_task_counts_when_asked_to() {
        let run = run_of(vec![result("a.b", Outcome::AttestationDue)]);
        let policy = Policy { fail_on_overdue: true, ..Policy::default() };
        assert_eq!(of(&run, &policy, Vec::new()).code, 4);
        let mut in_grace = run;
        in_grace.checks[0].grace_until = Some("2026-07-02".to_owned());
        assert_eq!(of(&in_grace, &policy, Vec::new()).code, 0);
    }

    #[test]
    fn the_strongest_wins_and_all_reasons_are_told() {
        let mut run = found(Severity::High);
        run.checks.push(result("a.c", Outcome::Crashed));
        run.checks.push(result("a.d", Outcome::AttestationDue));
        let policy = Policy { fail_on_overdue: true, ..Policy::default() };
        let codes = |besides| {
            let exit = of(&run, &policy, besides);
            assert_eq!(exit.code, exit.reasons[0].code);
            exit.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(Vec::new()), [1, 3, 4]);
        assert_eq!(codes(vec![reason(5, "refused")]), [5, 1, 3, 4]);
        assert_eq!(codes(vec![reason(5, "refused"), reason(70, "fault")]), [70, 5, 1, 3, 4]);
    }

    #[test]
    fn a_signal_is_told_by_its_own_code() {
        let mut run = found(Severity::High);
        run.interrupted = Some("SIGINT".to_owned());
        assert_eq!(exit(&run, Some(Severity::High)), 130);
        run.interrupted = Some("SIGTERM".to_owned());
        assert_eq!(exit(&run, Some(Severity::High)), 143);
    }

    #[test]
    fn nagios_has_four_states() {
        let policy = Policy { style: Style::Nagios, fail_on_overdue: true, ..Policy::default() };
        let code = |run: &Run| of(run, &policy, Vec::new()).code;
        assert_eq!(code(&run_of(vec![result("a.b", Outcome::Pass)])), 0);
        assert_eq!(code(&found(Severity::Info)), 0);
        assert_eq!(code(&found(Severity::Medium)), 1);
        assert_eq!(code(&run_of(vec![result("a.b", Outcome::AttestationDue)])), 1);
        assert_eq!(code(&found(Severity::High)), 2);
        assert_eq!(code(&run_of(vec![result("a.b", Outcome::Crashed)])), 3);
        assert_eq!(of(&found(Severity::High), &policy, vec![reason(5, "refused")]).code, 3);
    }
}
