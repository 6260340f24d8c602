//! Exceptions that expired. The guide does not ask for it.

use crate::WHO;
use tancheck_plugin_api::prelude::*;

/// Exceptions to findings.
const EXCEPTIONS: Input = Input::new("comply.exceptions", "exceptions to findings of Comply")
    .sources(&[Source::service("comply", "/v1/exceptions").needs(&["comply exception read", "show comply"])]);

/// No exception to findings has expired.
pub(crate) const EXPIRED: Check = Check::automated("comply.expired-exceptions")
    .title("No exception to findings has expired")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&EXCEPTIONS])
    .what("Lists the exceptions that the service calls expired.")
    .why("An expired exception hides nothing any more: its findings are back, or nobody knows whether the risk is still accepted.")
    .related(&["comply.assessment-review"])
    .remedy(&REMEDY)
    .judge(expired_exceptions)
    .beyond();

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever accepted the risk", "whether {subject} is still needed"),
    Step::decision("it is", "edit the exception in Comply and give it a new end"),
    Step::decision("it is not", "delete it in Comply, and remediate the findings"),
])
.cautions(&["A longer exception hides findings from reports: let somebody accept the risk first."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide"]);

/// An exception (`GET /v1/exceptions`).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Exception {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    title: String,
    #[serde(rename = "isExpired", deserialize_with = "lenient::flag")]
    is_expired: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    expiration: String,
    #[serde(rename = "numEndpoints", deserialize_with = "lenient::number")]
    endpoints: Option<f64>,
}

fn expired_exceptions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for exception in facts.rows::<Exception>(&EXCEPTIONS)? {
        match exception.is_expired {
            Some(false) => {}
            None => {
                unknown.push(format!("it is not told whether the exception {} has expired", exception.title))
            }
            Some(true) => report.finding(
                Finding::on(Subject::new("exception", &exception.id, &exception.title))
                    .says(match exception.expiration.as_str() {
                        "" => "has expired".to_owned(),
                        day => format!("expired on {day}"),
                    })
                    .expected("a new end, or its removal")
                    .affected(exception.endpoints.unwrap_or_default() as u64, None)
                    .evidence(facts.seen(&EXCEPTIONS, &exception.expiration)),
            ),
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn what_the_service_calls_expired_is_found() {
        let case = |expired: Value| {
            let row =
                json!({"id": 4, "title": "Legacy host", "isExpired": expired, "expiration": "2026-01-01"});
            Case::of(&EXPIRED).rows(&EXCEPTIONS, json!([row]))
        };
        case(json!(false)).judge().assert_pass();
        case(json!(false)).assert_needs_its_inputs();
        case(json!(true)).judge().assert_findings(&["4"]);
        case(Value::Null).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&EXPIRED).rows(&EXCEPTIONS, json!([])).judge().assert_pass();
    }
}
