//! Not in the guide: subnets that are configured twice, or within each other.

use crate::inputs::{INTENTIONAL, ISOLATED, Kind, PAGE, SEPARATED, Subnet, WHO, subnets};
use tancheck_plugin_api::prelude::*;

/// No configured subnet overlaps another one.
pub(crate) const OVERLAP: Check = Check::automated("subnets.overlap")
    .title("No configured subnet overlaps another one")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&ISOLATED, &SEPARATED, &INTENTIONAL])
    .beyond()
    .what("Compares all isolated, separated and intentional ranges with each other and lists those that are equal to another one or lie within it.")
    .why("Which of two overlapping rules a client follows cannot be seen in the Console; one of them is usually a leftover.")
    .limits("A separated subnet within a larger one may be meant so: waive it.")
    .related(&["subnets.intentional-stale"])
    .remedy(&OVERLAP_REMEDY)
    .judge(overlap);

const OVERLAP_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "compare {subject} with {others}"),
    Step::consult("the networking team", "which of them describes the network of today"),
    Step::console(PAGE, "remove or narrow the other"),
])
.cautions(&["Clients of a range that is removed peer by the default boundaries again."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Tanium Client Management User Guide: Configuring Tanium Client peering"]);

fn overlap(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut all = Vec::new();
    for kind in [Kind::Isolated, Kind::Separated, Kind::Intentional] {
        all.extend(subnets(facts, kind)?);
    }
    for (place, subnet) in all.iter().enumerate() {
        // Of two equal ones, the second is reported.
        let is_around = |(at, other): &(usize, &Subnet)| {
            *at != place && other.net.contains(&subnet.net) && (other.net != subnet.net || *at < place)
        };
        let around: Vec<&Subnet> = all.iter().enumerate().filter(is_around).map(|(_, other)| other).collect();
        if around.is_empty() {
            continue;
        }
        let named: Vec<String> = around
            .iter()
            .map(|other| format!("the {} subnet {}", other.kind.word(), other.subject().name))
            .collect();
        report.finding(
            Finding::on(subnet.subject())
                .says(format!("lies within {}", named.join(" and ")))
                .expected("ranges apart from each other")
                .fill("others", named.join(", "))
                .evidence(facts.seen(subnet.kind.input(), subnet.net.to_string())),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(isolated: Value, separated: Value, intentional: Value) -> Case {
        let rows = |ranges: &Value| {
            let rows = ranges.as_array().unwrap().iter().map(|range| json!({"cidr_string": range}));
            Value::Array(rows.collect())
        };
        let subnets: Vec<Value> =
            intentional.as_array().unwrap().iter().map(|range| json!({"range": range})).collect();
        Case::of(&OVERLAP)
            .rows(&ISOLATED, rows(&isolated))
            .rows(&SEPARATED, rows(&separated))
            .rows(&INTENTIONAL, json!([{"neighborhood": "n", "subnets": subnets}]))
    }

    #[test]
    fn the_inner_and_the_second_of_two_equals_are_listed() {
        case(json!(["10.1.0.0/24"]), json!(["10.2.0.0/24"]), json!(["10.3.0.0/24"])).judge().assert_pass();
        case(json!(["10.1.0.0/24"]), json!(["10.1.0.0/25"]), json!([]))
            .judge()
            .assert_findings(&["10.1.0.0/25"]);
        case(json!(["10.1.0.0/25"]), json!([]), json!(["10.0.0.0/8"]))
            .judge()
            .assert_findings(&["10.1.0.0/25"]);
        case(json!(["10.1.0.0/24", "10.1.0.0/24"]), json!([]), json!([]))
            .judge()
            .assert_findings(&["10.1.0.0/24"]);
        case(json!([]), json!([]), json!([])).judge().assert_pass();
        case(json!(["2001:db8::/32"]), json!(["10.0.0.0/8"]), json!([])).judge().assert_pass();
        case(json!(["10.1.0.0/24"]), json!([]), json!([])).assert_needs_its_inputs();
    }
}
