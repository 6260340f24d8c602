//! API Gateway as a module: whether it works, and the queries that integrations send to it. The queries themselves are
//! answered by the area `gateway`.

use crate::areas::people::Token;
use crate::areas::{Area, Export};
use crate::clock::{days, minutes};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// The token of an integration.
pub(crate) const REPORT_TOKEN: u64 = 7;

/// All of it.
pub(crate) struct ApiGateway {
    /// Every query fails behind the Gateway.
    pub(crate) failing: bool,
    /// Script, line and text of each query.
    pub(crate) queries: Vec<[&'static str; 3]>,
}

impl ApiGateway {
    pub(crate) fn new() -> Self {
        let endpoints = "query { endpoints(first: 100) { edges { node { name disks { name } } } } }";
        Self {
            failing: false,
            queries: vec![["inventory.py", "12", endpoints], ["watch.sh", "3", "{ now }"]],
        }
    }
}

/// The columns are those of the list that people write down.
fn exports(state: &State) -> Vec<Export> {
    let rows = state.api_gateway.queries.iter().map(|row| row.map(str::to_owned).to_vec());
    vec![Export { file: "gateway-queries.csv", columns: &["script", "line", "query"], rows: rows.collect() }]
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "api-gateway-failing",
        about: "the API Gateway takes queries and fails at the simplest one",
        breaks: &["api-gateway.service-review"],
        apply: |state| state.api_gateway.failing = true,
    },
    Fault {
        name: "deprecated-query",
        about: "an integration asks for fields that are about to disappear",
        breaks: &["api-gateway.deprecated-fields"],
        apply: |state| {
            let query = "query { endpoints { edges { node { name diskSpace { free } } } } }";
            state.api_gateway.queries.push(["old-report.py", "40", query]);
        },
    },
    Fault {
        name: "token-expired",
        about: "the token of an integration expired yesterday",
        breaks: &["api-gateway.tokens-expired"],
        apply: |state| {
            let now = state.now;
            with_token(state, |token| {
                token.created = now - days(91);
                token.expires = now - days(1);
                token.used = Some(now - days(1) - minutes(5));
            });
        },
    },
    Fault {
        name: "token-expiring",
        about: "the token of an integration expires in three days",
        breaks: &["api-gateway.tokens-rotation-due"],
        apply: |state| {
            let now = state.now;
            with_token(state, |token| {
                token.created = now - days(87);
                token.expires = now + days(3);
            });
        },
    },
    Fault {
        name: "token-unused",
        about: "nobody has used the token of an integration for a hundred days",
        breaks: &["api-gateway.tokens-unneeded"],
        apply: |state| {
            let now = state.now;
            with_token(state, |token| {
                token.created = now - days(120);
                token.used = Some(now - days(100));
                token.expire_in_days = 365;
                token.expires = now + days(245);
            });
        },
    },
    Fault {
        name: "token-trusted-everywhere",
        about: "the token of an integration may be used from every address",
        breaks: &["api-gateway.token-exposure"],
        apply: |state| with_token(state, |token| token.trusted = "0.0.0.0/0"),
    },
];

fn with_token(state: &mut State, change: impl FnOnce(&mut Token)) {
    if let Some(token) = state.people.tokens.iter_mut().find(|token| token.id == REPORT_TOKEN) {
        change(token);
    }
}
