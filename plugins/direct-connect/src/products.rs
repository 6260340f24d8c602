//! Products that share the client extension, or use Direct Connect: the minimums that the guide states for them.

use crate::WHO;
use crate::chapters::DEPENDENCIES;
use crate::inputs::platform::{MODULE, imported};
use crate::versions::REQUIREMENTS;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SOLUTIONS;
use tancheck_plugin_api::requirement::Requirement;

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Configuration > Solutions",
        "upgrade {subject} to {minimum} or later; read its release notes first",
    ),
    Step::question(
        "Get Direct Connect - Tools Version from all machines",
        "afterwards, see that the tools arrive again",
    ),
])
.cautions(&["Do not go back to an older Direct Connect instead."])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Direct Connect User Guide: Tanium dependencies"]);

/// A product and its minimum.
struct Product {
    name: &'static str,
    requirement: Requirement,
    /// The version of Direct Connect from which on the minimum counts; empty: always.
    from: &'static str,
}

macro_rules! products {
    ($($check:ident = $id:literal, $name:literal, $subject:literal >= $minimum:literal from $from:literal, $severity:ident, $why:literal;)*) => {
        $(pub(crate) const $check: Check = Check::automated($id)
            .title(concat!($name, " is new enough for Direct Connect"))
            .cadence(&[Cadence::Setup, Cadence::Quarterly])
            .severity(Severity::$severity)
            .reads(&[&SOLUTIONS])
            .settings(&[&REQUIREMENTS])
            .guide(DEPENDENCIES)
            .applies(concat!($name, " imported"))
            .what(concat!("Compares the imported version of ", $name, " with ", $minimum, ", or with what `requirements` names."))
            .why($why)
            .related(&["direct-connect.installed", "solutions.module-updates"])
            .remedy(&REMEDY)
            .judge(|facts, report| {
                const PRODUCT: Product = Product {
                    name: $name,
                    requirement: Requirement::at_least($subject, &[$minimum]),
                    from: $from,
                };
                judge(facts, report, &PRODUCT)
            });)*
    };
}

products! {
    PROTECT = "direct-connect.version-protect", "Protect", "protect" >= "2.1.1" from "1.3", High,
        "With an older Protect, keys of encrypted disks are not retrieved from endpoints.";
    INTEGRITY_MONITOR = "direct-connect.version-recorder-integrity-monitor", "Integrity Monitor",
        "integrity-monitor" >= "1.7.0.0035" from "", Medium,
        "It brings the recorder extension; an older one does not fit the client extensions of Direct Connect.";
    MAP = "direct-connect.version-recorder-map", "Map", "map" >= "1.1.1.0006" from "", Medium,
        "It brings the recorder extension; an older one does not fit the client extensions of Direct Connect.";
    THREAT_RESPONSE = "direct-connect.version-recorder-threat-response", "Threat Response",
        "threat-response" >= "1.2.0.0037" from "", High,
        "It brings the recorder extension and opens sessions itself; an older one does neither with this Direct Connect.";
    TRACE = "direct-connect.version-recorder-trace", "Trace", "trace" >= "2.9.0.0035" from "", Medium,
        "It brings the recorder extension; an older one does not fit the client extensions of Direct Connect.";
}

fn judge(facts: &Facts<'_>, report: &mut Report, product: &Product) -> Result<(), Undecided> {
    let absent = || facts.absent(&SOLUTIONS, format!("{} is not imported", product.name));
    let version = imported(facts, product.name)?.ok_or_else(absent)?;
    let module = imported(facts, MODULE)?;
    if module.as_ref().is_some_and(|module| *module < ProductVersion::new(product.from)) {
        let reason =
            format!("Direct Connect is older than {}, which asks for no version of it", product.from);
        return Err(Undecided::not_applicable(reason));
    }
    let minimums = product.requirement.in_force(facts, &REQUIREMENTS, module.as_ref())?;
    let verdict = minimums.judge(&version);
    let says = format!("is imported as {version}, which {}", verdict.says());
    if verdict.is_unknown() {
        return Err(Undecided::not_evaluated(format!("{} {says}", product.name)));
    }
    if !verdict.is_met() {
        report.finding(
            Finding::on(Subject::new("module", product.requirement.subject(), product.name))
                .says(says)
                .expected(minimums.describe())
                .fill("minimum", minimums.describe().trim_end_matches(" or later"))
                .evidence(facts.seen(&SOLUTIONS, &version)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, name: &str, version: &str, module: &str) -> Case {
        let solution = |name: &str, version: &str| json!({"name": format!("Tanium {name}"), "imported_version": version});
        Case::of(check).rows(&SOLUTIONS, json!([solution(MODULE, module), solution(name, version)]))
    }

    #[test]
    fn each_product_has_its_own_minimum() {
        for (check, name, subject, good, bad) in [
            (&PROTECT, "Protect", "protect", "2.1.1", "2.1.0.9"),
            (&INTEGRITY_MONITOR, "Integrity Monitor", "integrity-monitor", "1.7.0.0035", "1.7.0.0034"),
            (&MAP, "Map", "map", "1.1.1.0006", "1.1.1.0005"),
            (&THREAT_RESPONSE, "Threat Response", "threat-response", "1.2.0.0037", "1.1.9"),
            (&TRACE, "Trace", "trace", "2.10.0.1", "2.9.0.0034"),
        ] {
            case(check, name, good, "1.5.12").judge().assert_pass();
            case(check, name, bad, "1.5.12").judge().assert_findings(&[subject]);
            case(check, name, good, "1.5.12").assert_needs_its_inputs();
            case(check, "Other", good, "1.5.12").judge().assert_undecided(Outcome::NotApplicable);
            case(check, name, "", "1.5.12").judge().assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn protect_counts_from_1_3_on() {
        case(&PROTECT, "Protect", "2.0", "1.2.9").judge().assert_undecided(Outcome::NotApplicable);
    }
}
