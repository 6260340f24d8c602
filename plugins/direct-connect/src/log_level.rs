//! How much the service logs.

use crate::chapters::LOG_LEVEL as LEVEL_CHAPTER;
use crate::inputs::answers::LOG_LEVEL;
use tancheck_plugin_api::prelude::*;

/// The service logs as much as is needed.
pub(crate) const LEVEL: Check = Check::automated("direct-connect.log-level")
    .title("The log level of Direct Connect is info or warn")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&LOG_LEVEL])
    .guide(LEVEL_CHAPTER)
    .what("Asks which log level the module shows. trace and debug are for the time of a diagnosis only; error and fatal leave a diagnosis without data. The default is info.")
    .why("Too much fills the disk of the Module Server, too little leaves nothing to look at when it matters.")
    .limits("No public route tells the level: the answer is what a person read off.")
    .related(&["direct-connect.connections"])
    .remedy(&REMEDY)
    .judge(level);

const REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "a diagnosis is under way",
        "reproduce the trouble and make the support package first: a change counts for later entries only",
    ),
    Step::console("Direct Connect > Help > Troubleshooting > Log Level", "set it to info"),
    Step::command("tancheck answer direct-connect.log-level info", "once it is"),
])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::None, Reversible::Yes)
.references(&["Direct Connect User Guide: Change the logging level"]);

fn level(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let level = facts.answer(&LOG_LEVEL)?.value.as_str().unwrap_or_default();
    let says = match level {
        "info" | "warn" => return Ok(()),
        "trace" | "debug" => "logs more than normal operation needs",
        _ => "leaves a diagnosis without data",
    };
    report.finding(
        Finding::on(Subject::new("setting", "log-level", "the log level"))
            .says(format!("is {level}: it {says}"))
            .expected("info")
            .evidence(facts.seen(&LOG_LEVEL, level)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn the_middle_is_good() {
        let case = |level: &str| Case::of(&LEVEL).answer(&LOG_LEVEL, level);
        for level in ["info", "warn"] {
            case(level).judge().assert_pass();
        }
        case("info").assert_needs_its_inputs();
        for level in ["trace", "debug", "error", "fatal"] {
            case(level).judge().assert_findings(&["log-level"]);
        }
    }
}
