//! Guide: *Rotate certificates for Tanium Console, Module Server, and API access*, page 44: what only people know.

use crate::inputs::{DOCUMENT, LOCK_OUT, ROTATE, WHO};
use tancheck_plugin_api::prelude::*;

/// When the policy asks for the next rotation.
pub(crate) const NEXT_ROTATION: Input = Input::new("certificates.next-rotation", "date of the next rotation")
    .sources(&[Source::answer(
        "When does the policy ask for the next rotation of certificates?",
        Accepts::Date,
        730,
    )]);

const DUE_EVERY_DAYS: Setting = Setting::integer_unset("due_every_days", 1, 3650)
    .unit("days")
    .about("how often the policy of the organization asks for a rotation of certificates; without a policy there is nothing to attest");

/// `certificates.rotation-attested`
pub(crate) const ATTESTED: Check = Check::attested("certificates.rotation-attested")
    .title("Rotation was done as the policy says")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&NEXT_ROTATION])
    .due_every(&DUE_EVERY_DAYS)
    .guide(&[ROTATE])
    .what("Where `due_every_days` tells that the organization has a policy, asks for a confirmation of the rotation in each period: which certificates, when, by whom. An answer tells the next date; the confirmation ends when another date is told, or this one has passed.")
    .why("The dates of certificates do not tell whether keys were renewed, nor which were forgotten.")
    .applies("a rotation policy")
    .related(&["certificates.console-rotation"])
    .remedy(&REMEDY)
    .judge(attested);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(DOCUMENT, "rotate the certificates that the policy names"),
    Step::command("tancheck answer certificates.next-rotation", "tells the date of the next rotation"),
    Step::command(
        "tancheck attest certificates.rotation-attested --subject deployment --result done",
        "records the rotation; note which certificates, when and by whom",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[LOCK_OUT])
.references(&[DOCUMENT]);

fn attested(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Ok(days) = facts.integer(&DUE_EVERY_DAYS) else {
        return Err(Undecided::not_applicable("no rotation policy is told (`due_every_days` is not set)"));
    };
    let next = facts
        .answer(&NEXT_ROTATION)
        .ok()
        .and_then(|answer| lenient::parse_time(answer.value.as_str()?).ok().flatten());
    let (says, state) = match next {
        Some(date) if date < facts.now() => {
            let day = date.strftime("%Y-%m-%d");
            (
                format!("the rotation of {day} is over; somebody has to confirm that it was done"),
                format!("{day}, over"),
            )
        }
        Some(date) => {
            let day = date.strftime("%Y-%m-%d");
            (format!("the next rotation is on {day}; the last one awaits its confirmation"), day.to_string())
        }
        None => (
            format!("the policy asks for a rotation every {days} days; the last one awaits its confirmation"),
            String::new(),
        ),
    };
    report.finding(
        Finding::on(Subject::deployment())
            .says(says)
            .expected("a rotation as the policy says")
            .confirms(&state)
            .evidence(facts.seen(&NEXT_ROTATION, &state)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn without_a_policy_there_is_nothing_to_attest() {
        Case::of(&ATTESTED).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn a_confirmation_is_bound_to_the_next_date() {
        let policy = Case::of(&ATTESTED).setting("due_every_days", 365);
        let state = |case: &Case| case.judge().findings()[0].state.clone().unwrap();
        policy.judge().assert_findings(&["deployment"]);
        assert_eq!(state(&policy), "");
        assert_eq!(state(&policy.clone().answer(&NEXT_ROTATION, "2027-01-01")), "2027-01-01");
        assert_eq!(state(&policy.answer(&NEXT_ROTATION, "2026-06-01")), "2026-06-01, over");
    }
}
