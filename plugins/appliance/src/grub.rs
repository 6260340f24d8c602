//! Guide: *Verify the grub key backup (physical or virtual Appliance only)*, page 36. Nobody tells tancheck the key.

use crate::inputs::{APPLIANCES, Appliance, Hardware, MONITORING, TANADMIN, in_use};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::LICENSE;

const GUIDE: &[GuideReference] =
    &[guide("Verify the grub key backup (physical or virtual Appliance only)", 36)];
const WHY: &str = "When an Appliance no longer boots, Tanium Support needs the key to get at the grub password. Without \
    it the Appliance can only be built anew.";
const LIMITS: &str =
    "Only a person can look. Never give the key itself to tancheck: date and place are enough.";
const NOT_THE_KEY: &str = "Write down when and where, never the key.";
const REFERENCES: &[&str] = &[
    "Appliance Deployment Guide: Export the grub key",
    "Appliance Deployment Guide: Change the grub key password",
];

/// How long such a confirmation is good for.
const GRUB_DUE_EVERY_DAYS: Setting = Setting::integer("grub_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody confirms that the grub keys are backed up")
    .from_guide();

/// When the key was last exported.
const EXPORTED: Input = Input::new("appliance.grub-key-exported", "when the grub keys were last exported")
    .sources(&[Source::answer(
        "On which date were the grub keys last exported? (the oldest export of all Appliances)",
        Accepts::Date,
        3650,
    )]);

/// When its password was last changed.
const CHANGED: Input = Input::new("appliance.grub-key-changed", "when a grub key password was last changed")
    .sources(&[Source::answer(
        "On which date was a grub key password last changed? (the latest change of all Appliances)",
        Accepts::Date,
        3650,
    )]);

/// What the checks of this file have in common.
const fn grub(id: &'static str) -> Check {
    Check::attested(id)
        .cadence(&[Cadence::Quarterly])
        .severity(Severity::High)
        .reads(&[&LICENSE, &MONITORING])
        .settings(&[&APPLIANCES])
        .due_every(&GRUB_DUE_EVERY_DAYS)
        .guide(GUIDE)
        .applies("physical and virtual Appliances, not those in a cloud")
        .why(WHY)
        .limits(LIMITS)
}

/// A backup exists.
pub(crate) const BACKUP_EXISTS: Check = grub("appliance.grub-key-backup-exists")
    .title("The grub key of each Appliance is backed up")
    .what("Asks once a quarter whether the grub key of each Appliance was exported, when, and where it lies.")
    .related(&["appliance.grub-key-backup-current", "appliance.grub-key-off-appliance"])
    .remedy(&EXISTS_REMEDY)
    .judge(|facts, report| {
        await_each(facts, report, |finding| {
            finding.says("its grub key has to be backed up: confirm when it was exported, and where it lies")
        })
    });

const EXISTS_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {subject}", "export the grub key"),
    Step::decision("you choose the place", "take a protected one that is not on an Appliance"),
    Step::command(
        "tancheck attest appliance.grub-key-backup-exists --subject {key} --result done --note 'exported on DATE, lies in PLACE'",
        "records the confirmation",
    ),
])
.cautions(&[NOT_THE_KEY])
.who(TANADMIN)
.references(REFERENCES);

/// The backup is the latest.
pub(crate) const BACKUP_CURRENT: Check = grub("appliance.grub-key-backup-current")
    .title("The backup of each grub key is newer than the last change of its password")
    .reads(&[&LICENSE, &MONITORING, &EXPORTED, &CHANGED])
    .cadence(&[Cadence::Quarterly, Cadence::AsNeeded])
    .what("Asks whether the exported grub keys are the present ones, with the two dates that were answered: the last export, and the last change of a key's password. The confirmation ends when a date changes.")
    .related(&["appliance.grub-key-backup-exists"])
    .remedy(&CURRENT_REMEDY)
    .judge(grub_key_backup_current);

const CURRENT_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {subject}", "export the grub key again and replace the old copy"),
    Step::command(
        "tancheck answer appliance.grub-key-exported DATE",
        "and `tancheck answer appliance.grub-key-changed DATE`",
    ),
    Step::command(
        "tancheck attest appliance.grub-key-backup-current --subject {key} --result done",
        "records the confirmation",
    ),
])
.cautions(&[
    "Changing the password of the key makes every earlier backup useless until the key is exported again.",
    NOT_THE_KEY,
])
.who(TANADMIN)
.references(REFERENCES);

fn grub_key_backup_current(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let day = |input| facts.answer(input).ok().and_then(|answer| answer.value.as_str()).unwrap_or_default();
    let (exported, changed) = (day(&EXPORTED), day(&CHANGED));
    let time = |day: &str| lenient::parse_time(day).ok().flatten();
    let says = match (time(exported), time(changed)) {
        (Some(export), Some(change)) if export < change => format!(
            "the grub keys were exported on {exported}, before the change of {changed}: that backup is useless, export again"
        ),
        (Some(_), Some(_)) => format!(
            "confirm that its backup is the present key: exported on {exported}, last changed on {changed}"
        ),
        _ => "it is not known whether its backup is the present key: answer when it was exported, and when its \
              password was last changed"
            .to_owned(),
    };
    let state = format!("exported {exported}, changed {changed}");
    await_each(facts, report, |finding| finding.says(&says).confirms(&state))
}

/// The backup lies elsewhere.
pub(crate) const OFF_APPLIANCE: Check = grub("appliance.grub-key-off-appliance")
    .title("The backup of each grub key lies in a safe place off the Appliance")
    .what("Asks once a quarter whether the backup of each grub key lies in a safe place that is not the Appliance.")
    .related(&["appliance.grub-key-backup-exists"])
    .remedy(&OFF_REMEDY)
    .judge(|facts, report| {
        await_each(facts, report, |finding| {
            finding.says("the backup of its grub key has to lie in a safe place off the Appliance: confirm that it does")
        })
    });

const OFF_REMEDY: Remedy = Remedy::new(&[
    Step::decision("the only copy lies on {subject}", "copy it to a protected store and remove it from /outgoing"),
    Step::command(
        "tancheck attest appliance.grub-key-off-appliance --subject {key} --result done --note 'lies in PLACE'",
        "records the confirmation",
    ),
])
.cautions(&[NOT_THE_KEY])
.who(TANADMIN)
.references(REFERENCES);

/// Lists each Appliance that has a grub key, for a person to confirm.
fn await_each(
    facts: &Facts<'_>,
    report: &mut Report,
    fill: impl Fn(Finding) -> Finding,
) -> Result<(), Undecided> {
    in_use(facts)?;
    let rows: Vec<Appliance> = facts.rows(&MONITORING).unwrap_or_default();
    // What is not known to be in a cloud has a key.
    let with_key: Vec<&Appliance> = rows.iter().filter(|one| one.hardware() != Ok(Hardware::Cloud)).collect();
    if !rows.is_empty() && with_key.is_empty() {
        return Err(facts.absent(&MONITORING, "all Appliances are in a cloud"));
    }
    let mut subjects: Vec<Subject> = with_key.iter().map(|one| one.subject()).collect();
    if subjects.is_empty() {
        subjects.push(Subject::new("appliance", "all", "the Appliances"));
    }
    for subject in subjects {
        let finding =
            Finding::on(subject.clone()).fill("key", &subject.key).expected("a confirmation this quarter");
        report.finding(fill(finding).evidence(facts.seen(&LICENSE, "appliance")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    const ALL: [&Check; 3] = [&BACKUP_EXISTS, &BACKUP_CURRENT, &OFF_APPLIANCE];

    fn case(check: &'static Check) -> Case {
        let rows =
            json!([{"appliance": "ts1", "hardware": "physical"}, {"appliance": "zs1", "hardware": "cloud"}]);
        deployment(check, &[]).rows(&MONITORING, rows)
    }

    #[test]
    fn each_appliance_with_a_key_awaits_a_person() {
        for check in ALL {
            case(check).judge().assert_findings(&["ts1"]);
            deployment(check, &[]).judge().assert_findings(&["all"]);
        }
    }

    #[test]
    fn clouds_and_other_servers_have_no_key() {
        for check in ALL {
            let cloud = json!([{"appliance": "zs1", "hardware": "cloud"}]);
            case(check).rows(&MONITORING, cloud).judge().assert_undecided(Outcome::NotApplicable);
            case(check).setting("appliances", "no").judge().assert_undecided(Outcome::NotApplicable);
            Case::of(check).judge().assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn a_confirmation_holds_for_the_two_dates() {
        let dated = |exported: &str, changed: &str| {
            let verdict = case(&BACKUP_CURRENT).answer(&EXPORTED, exported).answer(&CHANGED, changed).judge();
            let finding = verdict.findings()[0].clone();
            (finding.state.unwrap_or_default(), finding.says)
        };
        let (state, says) = dated("2026-05-01", "2026-04-01");
        assert!(says.starts_with("confirm"), "{says}");
        let (other, says) = dated("2026-05-01", "2026-06-01");
        assert!(says.contains("useless"), "{says}");
        assert_ne!(state, other);
        let (_, says) = dated("2026-05-01", "long ago");
        assert!(says.contains("not known"), "{says}");
    }
}
