//! Guide: *Review and remediate Tanium Directory Query issues*, page 26: the grid Domains.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Shown, shown};

const PAGE: &str = "Administration > Shared Services > Directory Query";

/// The grid Domains. Its message is in a popup, so the list is written by hand.
const DOMAINS: Input = Input::new("directory-query.domains", "domains of Directory Query with their errors").sources(&[
    Source::export(
        "directory-query-domain-errors.csv",
        PAGE,
        "write one row for each row of the grid Domains; Status: Error where the Error icon is shown, else OK; Message: \
         the text that appears over the icon",
        &["Domain", "Status", "Message"],
    ),
    Source::answer(
        "Which domains show an Error icon in the grid Domains? (names separated by commas; none where there is none. \
         Administration > Shared Services > Directory Query)",
        Accepts::Text,
        30,
    ),
]);

/// No domain shows an error.
pub(crate) const ERRORS: Check = Check::automated("directory-query.domain-errors")
    .title("No domain of Directory Query shows an error")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&DOMAINS])
    .guide(&[guide("Review and remediate Tanium Directory Query issues", 26)])
    .what("Looks in the list of domains for an Error icon or a message.")
    .why("A domain that cannot be queried leaves out its users and computers wherever Directory Query is asked.")
    .limits("The grid has no public route: the list is what an administrator wrote down, or an answer. The state of the satellite is not visible.")
    .related(&["console-users.auth-service"])
    .remedy(&REMEDY)
    .judge(errors);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "in the grid Domains, hold the pointer over the Error icon of {subject} and read the message"),
    Step::consult(
        "Directory Query User Guide: Troubleshooting satellite configuration",
        "follow it for the message; check in this order the satellite, its credentials, and that it reaches a domain \
         controller",
    ),
    Step::consult("the team that runs the directory", "whether the account's password or rights changed, or a controller moved"),
    Step::console(PAGE, "see that the icon is gone"),
])
.who("a user holding the Directory Query role permissions named in the Directory Query user guide")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Repeated attempts with an old password can lock the account of the directory: change it once, and look."])
.references(&["Directory Query User Guide: Troubleshooting satellite configuration"]);

#[derive(Deserialize)]
struct Domain {
    #[serde(rename = "Domain", default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(rename = "Status", default, deserialize_with = "lenient::text")]
    status: String,
    #[serde(rename = "Message", default, deserialize_with = "lenient::text")]
    message: String,
}

fn errors(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let domains = match shown::<Domain>(facts, &DOMAINS)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            let text = answer.value.as_str().unwrap_or_default().trim();
            if text.is_empty() {
                return Err(Undecided::not_evaluated(
                    "the answer about domains is empty: answer none, or the names",
                ));
            }
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            for name in names.filter(|name| !name.eq_ignore_ascii_case("none")) {
                report.finding(error(facts, name, "shows an Error icon"));
            }
            return Ok(());
        }
    };
    if domains.is_empty() {
        return Err(facts.absent(&DOMAINS, "no domain is configured"));
    }
    let mut unknown = Vec::new();
    for domain in &domains {
        let status = domain.status.trim();
        if status.eq_ignore_ascii_case("error") || !domain.message.trim().is_empty() {
            let message = domain.message.trim();
            let says = if message.is_empty() { "shows an error" } else { message };
            report.finding(error(facts, &domain.name, &format!("{status}: {says}")));
        } else if !status.eq_ignore_ascii_case("ok") {
            unknown.push(format!("the status {status:?} of {} is neither OK nor Error", domain.name));
        }
    }
    settle(&unknown)
}

fn error(facts: &Facts<'_>, name: &str, says: &str) -> Finding {
    Finding::on(Subject::new("domain", name.to_lowercase(), name))
        .says(says)
        .expected("no Error icon")
        .evidence(facts.seen(&DOMAINS, [name, says]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(rows: Value) -> Case {
        Case::of(&ERRORS).rows(&DOMAINS, rows)
    }

    fn row(name: &str, status: &str, message: &str) -> Value {
        json!({"Domain": name, "Status": status, "Message": message})
    }

    #[test]
    fn domains_with_an_icon_or_a_message_are_found() {
        let rows = json!([
            row("a.example", "OK", ""),
            row("B.example", "Error", "bind failed"),
            row("c.example", "OK", "slow")
        ]);
        case(rows).judge().assert_findings(&["b.example", "c.example"]);
        case(json!([row("a.example", "ok", "")])).judge().assert_pass();
    }

    #[test]
    fn an_answer_names_them() {
        Case::of(&ERRORS).answer(&DOMAINS, "none").judge().assert_pass();
        Case::of(&ERRORS)
            .answer(&DOMAINS, "a.example, b.example")
            .judge()
            .assert_findings(&["a.example", "b.example"]);
    }

    #[test]
    fn without_domains_or_with_other_states_nothing_passes() {
        case(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(json!([row("a.example", "green", "")])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([row("a.example", "OK", "")])).assert_needs_its_inputs();
    }
}
