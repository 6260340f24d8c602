//! Accounts: wrong tokens, addresses that are not trusted, sessions that end, privileges that are missing.

use crate::site::{Report, Site, decent, lab};
use tancheck_lab::Behaviour;

const PLUGINS: &[&str] = &["tancheck-actions", "tancheck-connect"];

/// A login that is refused: exit code 5, nothing is decided, the reason is told.
fn refused(site: &Site, secret: &str, words: &[&str]) {
    let report = Report(decent(&site.machine, &[secret], site.run(&[]).exits(5)).json());
    assert_eq!(report.0["decided"], 0, "{:#}", report.0);
    assert!(report.checks().count() > 10);
    for word in words {
        assert!(report.told().contains(word), "{word:?}: {}", report.told());
    }
}

#[test]
fn a_token_that_is_wrong_or_revoked() {
    let site = Site::new(PLUGINS);
    site.machine.write("token", "token-wrong-canary\n");
    refused(&site, "token-wrong-canary", &["does not accept the API token", "it is wrong or expired"]);
    site.machine.write("token", site.lab.token());
    site.lab.revoke_token(site.lab.token());
    refused(&site, "token-wrong-canary", &["does not accept the API token", &site.lab.url()]);
    site.machine.write("token", "\n");
    refused(&site, "token-wrong-canary", &["token", &site.machine.path("token").display().to_string()]);
    std::fs::remove_file(site.machine.path("token")).unwrap();
    refused(&site, "token-wrong-canary", &[&site.machine.path("token").display().to_string()]);
    assert_eq!(site.history(), [5; 4]);
}

#[test]
fn a_token_used_from_an_address_that_is_not_trusted() {
    let site = Site::new(PLUGINS);
    site.lab.behaviour("*", Behaviour::Unauthorized);
    refused(&site, site.lab.token(), &["does not accept the API token", "trusted_ip_addresses", "HTTP 401"]);
}

#[test]
fn a_token_that_is_revoked_in_the_middle() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    let route = "/plugin/products/connect/v1/connections";
    let report = site.report_while(route, 3, || site.lab.revoke_token(site.lab.token()));
    let cost = report.costs(&before, &["no longer accepts the API token", "make a new one and run again"]);
    assert!(cost.iter().any(|id| id.starts_with("connect.")), "{cost:?}");
}

#[test]
fn a_session_that_ends_in_the_middle_is_opened_again() {
    let lab = lab();
    let login = |site: &Site| {
        site.machine.write("password", site.lab.password());
        site.machine.configure(&format!(
            "[deployment]\nurl = \"{}\"\n[deployment.login]\nuser = \"{}\"\npassword_file = \"{}\"\n",
            site.lab.url(),
            site.lab.user(),
            site.machine.path("password").display()
        ));
    };
    let mut site = Site::of(lab, PLUGINS, "");
    login(&site);
    let before = site.settle();
    let route = "/plugin/products/connect/v1/connections";
    let report = site.report_while(route, 0, || site.lab.expire_session());
    assert_eq!(report.costs(&before, &[]), [""; 0]);
    let logins = site.lab.requests().iter().filter(|one| one.path == "/api/v2/session/login").count();
    assert_eq!(logins, 2, "one for the run, one for the session that ended");

    // The password no longer works either: what was not read by then is undecided.
    let report = site.report_while(route, 3, || {
        site.lab.expire_session();
        site.lab.behaviour("/api/v2/session/login", Behaviour::Status(403, None));
    });
    let cost = report.costs(&before, &["ended the session during the run, and did not open a new one"]);
    assert!(!cost.is_empty());

    site.machine.write("password", "password-canary");
    refused(&site, "password-canary", &["refuses the login of", "check user, domain and password"]);
}

#[test]
fn a_privilege_that_is_missing() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    site.lab.withhold_privilege("connect read");
    let report = site.report(&[], Some(3));
    let cost = report.costs(&before, &["connect read"]);
    assert!(!cost.is_empty() && cost.iter().all(|id| id.starts_with("connect.")), "{cost:?}");
    for id in cost {
        assert_eq!(report.check(id)["outcome"], "no-permission");
    }
    site.lab.restore_privileges();
    assert_eq!(site.report(&[], Some(0)).costs(&before, &[]), [""; 0]);
}
