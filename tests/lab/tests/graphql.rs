//! Operations that the lab answers, held against the vendor's GraphQL schema, where that is at hand.

mod common;

use apollo_compiler::{ExecutableDocument, Schema};
use common::post;
use serde_json::{Value, json};
use std::path::Path;
use tancheck_lab::Lab;

/// Between them they select every field that the lab knows.
const OPERATIONS: &[&str] = &[
    "{ now __typename }",
    "{ myAPITokens { error { message retryable timedOut } tokens { id created expiration lastUsed notes tokenString \
       trustedIPAddresses persona { name } } } }",
    "{ actionGroups(first: 5000) { totalRecords pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { \
       cursor node { id name any visibility computerGroups { id name expression } userGroups { id name } } } } }",
    "{ connectConnections(first: 100) { totalRecords pageInfo { hasNextPage endCursor } edges { cursor node { id \
       displayName description currentRun { id status createdTime updatedTime connectionID } pastRuns(first: 20) { \
       totalRecords pageInfo { endCursor } edges { cursor node { id connectionID status createdTime updatedTime } } } } } } }",
    "query ($after: Cursor) { scheduledActions(first: 5000, after: $after) { totalRecords pageInfo { hasNextPage } edges { \
       cursor node { id name comment status approved approver { user { id name } persona { id name } } creator { user { id \
       name } } package { id name params } targets { actionGroup { id name } targetGroup { id name } } startTime endTime \
       lastStartTime nextStartTime issueSeconds issueCount expireSeconds distributeSeconds lastAction { id name comment \
       status stopped creationTime startTime expirationTime expireSeconds creator { user { id } } package { name } targets { \
       targetGroup { id } } results { id completed failed expired failedVerification running waiting downloading \
       waitingToRetry pendingVerification verified } } } } } }",
    "query ($after: Cursor) { reports(first: 100, after: $after, filter: {text: \"Coverage\"}) { totalRecords pageInfo { hasNextPage } \
       edges { cursor node { id name description moduleName viewDetails { columns { name sourceName sourceColumnName } } } } } }",
    "query ($after: Cursor) { sensors(first: 2000, includeHidden: true, after: $after) { totalRecords pageInfo { hasNextPage \
       endCursor } edges { cursor node { name harvested } } } }",
    "query ($after: Cursor) { provisionRetirementActions(first: 100, after: $after) { totalRecords pageInfo { hasNextPage \
       endCursor } edges { cursor node { id status createdTime updatedTime endpointID ipAddress targetEndpointParameters { \
       computerName } } } } }",
    "{ endpoints(first: 1, source: {tds: {scope: TANIUM_CLIENTS}}) { totalRecords collectionInfo { active contributedTotal \
       expectedTotal respondedPercentage respondedTotal startCursor success } } }",
    "{ endpoints(first: 100, filter: {any: false, filters: [{path: \"eidFirstSeen\", op: GT, value: \"2026-02-01T00:00:00Z\"}, \
       {memberOf: {name: \"All Computers\"}}]}) { edges { cursor node { id name computerID domainName eidFirstSeen eidLastSeen \
       ipAddress isVirtual os { generation language name platform } } } } }",
    "{ endpoints(filter: {memberOf: {name: \"All Virtual Machines\"}}, source: {ts: {}}) { edges { node { name \
       sensorReadings(sensors: [{name: \"Tanium Client Logging Level\"}], includeHiddenColumns: false) { columns { name values \
       sensor { name } } } } } totalRecords } }",
];

fn run(lab: &Lab, operation: &str) -> Value {
    let answer = post(lab, "/plugin/products/gateway/graphql", &json!({ "query": operation }));
    assert_eq!(answer.status, 200, "{operation}: {}", answer.text);
    answer.json()
}

#[test]
fn the_lab_answers_them_without_errors() {
    let lab = Lab::builder().endpoints(100).start().unwrap();
    for operation in OPERATIONS {
        let answer = run(&lab, operation);
        assert!(answer.get("errors").is_none(), "{operation}: {}", answer["errors"]);
    }
}

#[test]
fn the_vendor_schema_allows_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/platform/spec/tanium_gateway_schema.graphql");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let schema = Schema::parse(text, "gateway.graphql").unwrap();
    let schema = apollo_compiler::validation::Valid::assume_valid(schema);
    for operation in OPERATIONS {
        let checked = ExecutableDocument::parse_and_validate(&schema, *operation, "operation.graphql");
        assert!(checked.is_ok(), "{operation}: {}", checked.err().unwrap().errors);
    }
    let invented = ExecutableDocument::parse_and_validate(&schema, "{ now haunted }", "operation.graphql");
    assert!(invented.is_err(), "the schema refuses what it does not have");
}
