//! Guide: *Review and remediate Tanium API Gateway issues*, page 17: integrations that use what is about to disappear.

use crate::members::MEMBERS;
use crate::query;
use crate::tokens::GUIDE;
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;

/// The queries of integrations. A plugin may not read files, so the scripts come as a list.
pub(crate) const QUERIES: Input =
    Input::new("api-gateway.integration-queries", "queries that integrations send to the Gateway").sources(&[
        Source::export(
            "gateway-queries.csv",
            "the repository of integration scripts",
            "write down every GraphQL document with these columns: the script, the line it begins on, and its whole text",
            &["script", "line", "query"],
        ),
    ]);

const DUE_EVERY_DAYS: Setting = Setting::integer("deprecated_fields_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody compares the integrations with the vendor's list of deprecated fields")
    .from_guide();

/// `api-gateway.deprecated-fields`
pub(crate) const DEPRECATED_FIELDS: Check = Check::hybrid("api-gateway.deprecated-fields")
    .title("No integration script uses deprecated API fields")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&QUERIES])
    .due_every(&DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Looks in the queries of integrations for fields that the Gateway's schema marked as deprecated by October 2025. Without such a list of queries, and beside it, somebody compares the integrations with the vendor's current list once a month.")
    .why("Deprecated fields disappear with an update of API Gateway, and every script that asks for one fails as a whole.")
    .limits("Fields are known by their names and by the fields above them. Queries that a script builds while it runs, values of enumerations and deprecations since then are not seen.")
    .related(&["solutions.module-updates"])
    .remedy(&REMEDY)
    .judge(deprecated_fields);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("API Gateway User Guide: Reference: Deprecated fields", "what it says about {field}"),
    Step::consult("the owner of {script}", "replace {field} by: {instead}"),
    Step::decision(
        "the query is changed",
        "run the integration against a test deployment, and compare its results",
    ),
    Step::command(
        "tancheck attest api-gateway.deprecated-fields --result done",
        "records that the integrations were compared with the current list",
    ),
])
.who("the owner of the integration")
.risk(Risk::Low, Reversible::Yes)
.cautions(&[
    "Change the scripts before an update of API Gateway is imported: with it the fields may be gone.",
])
.references(&["API Gateway User Guide: Reference: Deprecated fields"]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    #[serde(deserialize_with = "lenient::text")]
    script: String,
    #[serde(deserialize_with = "lenient::text")]
    line: String,
    #[serde(deserialize_with = "lenient::text")]
    query: String,
}

fn deprecated_fields(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<Row> = facts.rows(&QUERIES)?;
    if rows.is_empty() {
        return Err(Undecided::not_evaluated("gateway-queries.csv holds no query: a review has to decide"));
    }
    let mut unknown = Vec::new();
    for row in &rows {
        let place = format!("{}:{}", row.script, row.line);
        let fields = match query::selected(&row.query) {
            Ok(fields) => fields,
            Err(why) => {
                unknown.push(format!("the query of {place} is not understood: {why}"));
                continue;
            }
        };
        let mut told = BTreeSet::new();
        for field in &fields {
            let Some(member) = MEMBERS.iter().find(|member| member.is_selected_by(field)) else { continue };
            let name = format!("{}.{}", member.of, member.field);
            if told.insert(name.clone()) {
                report.finding(
                    Finding::on(Subject::new("query", format!("{place}:{name}"), &place))
                        .says(format!("asks for {name}, which is deprecated"))
                        .expected(member.instead)
                        .fill("field", &name)
                        .fill("script", &row.script)
                        .fill("instead", member.instead)
                        .confirms(&name)
                        .evidence(facts.seen(&QUERIES, [&field.parent, &field.field])),
                );
            }
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(query: &str) -> Case {
        Case::of(&DEPRECATED_FIELDS)
            .rows(&QUERIES, json!([{"script": "export.py", "line": "12", "query": query}]))
    }

    #[test]
    fn deprecated_fields_are_found_once_for_each_place() {
        case("{ endpoints { edges { node { disks { name } } } } }").judge().assert_pass();
        case("{ now }").assert_needs_its_inputs();
        let verdict = case(
            "{ a: endpoints { edges { node { diskSpace { free } memory { used } again: diskSpace { free } } } } }",
        );
        verdict.judge().assert_findings(&["export.py:12:Endpoint.diskSpace", "export.py:12:Memory.used"]);
    }

    #[test]
    fn what_cannot_be_read_is_left_to_a_person() {
        case("query {").judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&DEPRECATED_FIELDS)
            .rows(&QUERIES, json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }
}
