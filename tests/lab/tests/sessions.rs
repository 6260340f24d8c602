//! Who may ask: sessions, tokens, privileges, ownership.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{get, post_as, try_get};
use serde_json::json;
use std::time::Duration;
use tancheck_lab::{Behaviour, Lab};

fn lab() -> Lab {
    Lab::builder().endpoints(10).start().unwrap()
}

fn login(lab: &Lab) -> String {
    let body = json!({"username": lab.user(), "password": lab.password()});
    let answer = post_as(lab, "", "/api/v2/session/login", &body);
    answer.data()["session"].as_str().unwrap().to_owned()
}

fn status(lab: &Lab, session: &str, path: &str) -> u16 {
    try_get(lab, session, "", path).unwrap().status
}

#[test]
fn a_token_has_the_documented_form() {
    let lab = lab();
    let secret = lab.token().strip_prefix("token-").unwrap();
    assert_eq!(secret.len(), 58);
    assert!(secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn a_session_lives_five_minutes_after_its_last_use() {
    let lab = lab();
    let session = login(&lab);
    for _ in 0..3 {
        lab.advance(Duration::from_secs(4 * 60));
        assert_eq!(status(&lab, &session, "/api/v2/client_count"), 200);
    }
    lab.advance(Duration::from_secs(5 * 60 + 1));
    let expired = try_get(&lab, &session, "", "/api/v2/client_count").unwrap();
    assert_eq!((expired.status, expired.json()), (403, json!({"text": "Invalid session"})));
}

#[test]
fn sessions_end_by_logout_and_by_force_but_tokens_stay() {
    let lab = lab();
    let (one, two) = (login(&lab), login(&lab));
    assert_eq!(post_as(&lab, "", "/api/v2/session/logout", &json!({"session": one})).data()["session"], one);
    assert_eq!(status(&lab, &one, "/api/v2/client_count"), 403);
    lab.expire_session();
    assert_eq!(status(&lab, &two, "/api/v2/client_count"), 403);
    assert_eq!(status(&lab, lab.token(), "/api/v2/client_count"), 200);
}

#[test]
fn strangers_are_refused() {
    let lab = lab();
    assert_eq!(status(&lab, "", "/api/v2/client_count"), 403);
    assert_eq!(status(&lab, "1-2-3", "/api/v2/client_count"), 403);
    assert_eq!(status(&lab, "token-0000", "/api/v2/client_count"), 401);
    let wrong =
        post_as(&lab, "", "/api/v2/session/login", &json!({"username": lab.user(), "password": "guess"}));
    assert_eq!(wrong.status, 401);
    assert_eq!(post_as(&lab, "", "/api/v2/session/login", &json!("x")).status, 401);
}

#[test]
fn tokens_expire_and_can_be_revoked() {
    let lab = lab();
    let token = lab.token_of("alex.rivera").unwrap();
    assert_eq!(status(&lab, &token, "/api/v2/client_count"), 200);
    lab.advance(Duration::from_secs(8 * 86_400));
    assert_eq!(status(&lab, &token, "/api/v2/client_count"), 401);
    lab.revoke_token(lab.token());
    assert_eq!(get(&lab, "/api/v2/client_count").status, 401);
}

#[test]
fn validation_takes_both_bodies() {
    let lab = lab();
    let path = "/api/v2/session/validate";
    assert_eq!(post_as(&lab, "", path, &json!({"session": lab.token()})).data()["session"], lab.token());
    assert_eq!(post_as(&lab, "", path, &json!({"data": {"session": lab.token()}})).status, 200);
    let bad = post_as(&lab, "", path, &json!({"session": "1-2-3"}));
    assert_eq!((bad.status, bad.json()), (403, json!({"text": "Invalid session"})));
}

#[test]
fn every_route_demands_its_privilege() {
    let lab = lab();
    let nothing = lab.token_with(&[]);
    for (pattern, privileges) in lab.get_routes() {
        let path = pattern.replace("{id}", "1").replace("{name}", "x").replace("{type}", "users_audit");
        let response = try_get(&lab, &nothing, "", &path).unwrap();
        if privileges.is_empty() {
            assert_ne!(response.status, 403, "{pattern}");
        } else {
            assert_eq!(response.status, 403, "{pattern}");
            let text = response.json()["text"].as_str().unwrap().to_owned();
            assert!(
                text.contains("RBACInsufficientPrivilege") && text.contains(privileges[0]),
                "{pattern}: {text}"
            );
        }
    }
}

#[test]
fn a_withheld_privilege_is_refused_and_not_shown() {
    let lab = lab();
    assert_eq!(get(&lab, "/api/v2/users").status, 200);
    lab.withhold_privilege("read user");
    assert_eq!(get(&lab, "/api/v2/users").status, 403);
    let me = get(&lab, "/api/v2/session/current").data().to_string();
    assert!(!me.contains("\"read user\"") && me.contains("\"read persona\""));
    lab.restore_privileges();
    assert_eq!(get(&lab, "/api/v2/users").status, 200);
}

#[test]
fn read_own_action_shows_own_rows_only() {
    let lab = lab();
    let all = get(&lab, "/api/v2/saved_actions").data().as_array().unwrap().len();
    let own = lab.token_with(&["read own action"]);
    let rows = try_get(&lab, &own, "", "/api/v2/saved_actions").unwrap().data();
    assert!(all > 1);
    assert_eq!(rows.as_array().unwrap().len(), 1, "cache_info only: {rows}");
}

#[test]
fn an_untrusted_address_gets_401_everywhere() {
    let lab = lab();
    lab.behaviour("*", Behaviour::Unauthorized);
    assert_eq!(get(&lab, "/api/v2/client_count").status, 401);
    assert_eq!(get(&lab, "/metrics").status, 401);
    lab.clear_behaviours();
    assert_eq!(get(&lab, "/metrics").status, 200);
}

#[test]
fn users_of_a_cloud_tenant_need_the_summary_view() {
    let lab = Lab::builder().endpoints(10).fault("users-summary-only").start().unwrap();
    let refused = get(&lab, "/api/v2/users");
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("UsersNonSummaryViewDisallowed"));
    let users = common::get_with(&lab, r#"{"summary":1}"#, "/api/v2/users").data();
    let deleted = common::get_with(&lab, r#"{"summary":1,"include_hidden_flag":1}"#, "/api/v2/users").data();
    assert_eq!(deleted.as_array().unwrap().len(), users.as_array().unwrap().len() + 1);
}
