//! The three steps of the configuration: action group, service account, endpoint connection.

use crate::WHO;
use crate::chapters::{ACTION_GROUP as GROUP_CHAPTER, INSTALLING, SERVICE_ACCOUNT as ACCOUNT_CHAPTER};
use crate::inputs::HOME;
use crate::inputs::answers::{INSTALL_MODE, OPEN_STEPS, SERVICE_ACCOUNT};
use crate::presence::CONSUMERS;
use crate::roles::service_account;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, ActionGroup, GROUPS};
use tancheck_plugin_api::records::people::{USERS, User};

pub(crate) const ACTION_GROUP: Setting =
    Setting::text("action_group", Some("Tanium Direct Connect")).about("the action group of Direct Connect");

/// Which defaults there are.
pub(crate) const MODE: Check = Check::attested("direct-connect.install-mode")
    .title("It is known how Direct Connect was imported")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Info)
    .reads(&[&INSTALL_MODE])
    .guide(INSTALLING)
    .what("Asks whether Direct Connect was imported with the recommended configuration or without it, and remarks which defaults that set.")
    .why("Both ways leave values that nobody chose: an address that was guessed, or an action group without computers.")
    .related(&["direct-connect.setup-complete", "direct-connect.endpoint-fqdn-auto-ip"])
    .remedy(&MODE_REMEDY)
    .judge(install_mode);

const MODE_REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "the action group holds All Computers, the endpoint connection names an IPv4 address, and the service account is a person",
        "it was most likely imported with the recommended configuration: default",
    ),
    Step::command("tancheck answer direct-connect.install-mode default", "or custom"),
])
.who(WHO)
.references(&["Direct Connect User Guide: Installing Direct Connect"]);

fn install_mode(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    report.note(match facts.answer(&INSTALL_MODE)?.value.as_str().unwrap_or_default() {
        "default" => "set by the import: the importing account as service account, All Computers as action group, the first external IPv4 address near the Tanium Server as name",
        _ => "left by the import: no service account, No Computers as action group, no name for endpoints to connect to",
    });
    Ok(())
}

/// The steps are done.
pub(crate) const COMPLETE: Check = Check::automated("direct-connect.setup-complete")
    .title("The three steps of the configuration are done")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Critical)
    .reads(&[&OPEN_STEPS])
    .guide(INSTALLING)
    .what("Asks which step of the section Configuration on the module's home page is open: the action group, the service account or the endpoint connection.")
    .why("Without an action group or an endpoint connection no endpoint is ever connected to; without a service account the background work rests.")
    .limits("No public route tells the steps: the answer is what a person read off.")
    .related(&["direct-connect.action-group-target", "direct-connect.service-account-set", "direct-connect.content-build"])
    .remedy(&COMPLETE_REMEDY)
    .judge(setup_complete);

const COMPLETE_REMEDY: Remedy = Remedy::new(&[
    Step::console(HOME, "section Configuration: do what is open, in this order: Configure Action Group, Configure Service Account, Configure Endpoint Connection"),
    Step::decision("Save asks for a password", "it is the password of the person who is signed in"),
    Step::command("tancheck answer direct-connect.open-steps none", "once all three are done"),
])
.cautions(&["The tools are deployed to every member of the action group."])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: Import and configure Direct Connect with custom settings"]);

pub(crate) fn setup_complete(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let open = facts.answer(&OPEN_STEPS)?.value.as_str().unwrap_or_default();
    let severity = match open {
        "none" => return Ok(()),
        "service account" => Severity::High,
        _ => Severity::Critical,
    };
    report.finding(
        Finding::on(Subject::new("configuration", "steps", "the configuration of Direct Connect"))
            .says(format!("is not complete: {open}"))
            .expected("action group, service account and endpoint connection")
            .severity(severity)
            .evidence(facts.seen(&OPEN_STEPS, open)),
    );
    Ok(())
}

/// The action group holds endpoints.
pub(crate) const TARGET: Check = Check::automated("direct-connect.action-group-target")
    .title("The action group of Direct Connect holds computers")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&ACTION_GROUPS, &GROUPS])
    .settings(&[&ACTION_GROUP])
    .guide(GROUP_CHAPTER)
    .what("Looks at the computer groups of the action group `action_group`: it has to be there, and to hold more than No Computers.")
    .why("Tools and settings reach the members of this group and nobody else.")
    .limits("Action groups that are not public are seen by administrators only.")
    .related(&["direct-connect.action-group-coverage", "actions.scheduled-actions-on-default"])
    .caused_by(&[Cause::check("direct-connect.setup-complete")])
    .remedy(&TARGET_REMEDY)
    .judge(target);

const TARGET_REMEDY: Remedy = Remedy::new(&[
    Step::console(HOME, "section Configuration: open the step Configure Action Group, choose the computer groups that are to be reached, or All Computers, and select Save"),
    Step::console("Administration > Actions > Scheduled Actions", "see that Deploy Direct Connect - Tools runs next"),
])
.cautions(&["Every member gets the tools: widen the group by computer groups, if changes are staged."])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: Configure the Direct Connect action group"]);

/// The action group, and the names of its computer groups.
pub(crate) fn own_group(facts: &Facts<'_>) -> Result<Option<(ActionGroup, Vec<String>)>, Undecided> {
    let groups: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    let name = facts.text(&ACTION_GROUP)?;
    let is_it =
        |group: &ActionGroup| group.name.eq_ignore_ascii_case(name) && group.deleted_flag != Some(true);
    let Some(group) = groups.into_iter().find(is_it) else { return Ok(None) };
    let members = group.member_names(facts)?;
    Ok(Some((group, members)))
}

pub(crate) fn target(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let name = facts.text(&ACTION_GROUP)?;
    let says = match own_group(facts)? {
        None => "is not in the list of action groups",
        Some((_, members)) if members.iter().any(|member| member != "No Computers") => return Ok(()),
        Some(_) => "holds no endpoint",
    };
    report.finding(
        Finding::on(Subject::new("action group", name.to_lowercase(), name))
            .says(says)
            .expected("the computer groups that Direct Connect is meant to reach")
            .evidence(facts.seen(&ACTION_GROUPS, says)),
    );
    Ok(())
}

/// The products that connect reach no further than the tools.
pub(crate) const COVERAGE: Check = Check::automated("direct-connect.action-group-coverage")
    .title("Direct Connect reaches the computers of the products that use it")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&ACTION_GROUPS, &GROUPS])
    .settings(&[&ACTION_GROUP])
    .guide(GROUP_CHAPTER)
    .what("Compares the computer groups of the action groups that carry the name of Client Management, Performance, Protect, Reveal or Threat Response with those of Direct Connect's own. All Computers covers everything.")
    .why("An endpoint with the tools of Threat Response and without those of Direct Connect cannot be looked at when it matters.")
    .limits("Groups are compared by name: a group that lies within another one is not recognised.")
    .related(&["direct-connect.action-group-target"])
    .caused_by(&[Cause::check("direct-connect.action-group-target")])
    .remedy(&COVERAGE_REMEDY)
    .judge(coverage);

const COVERAGE_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Action Groups",
        "compare {subject} with the action group of Direct Connect",
    ),
    Step::decision(
        "the members of {groups} are in another group already",
        "nothing is missing: the groups only have other names",
    ),
    Step::console(HOME, "section Configuration > Configure Action Group: add {groups}"),
])
.cautions(&["Every new member gets the tools."])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: Configure the Direct Connect action group"]);

fn coverage(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Some((own, members)) = own_group(facts)? else {
        return Err(facts.absent(
            &ACTION_GROUPS,
            "the action group is not there, which direct-connect.action-group-target finds",
        ));
    };
    let all: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    let is_consumer = |group: &&ActionGroup| {
        group.id != own.id
            && group.deleted_flag != Some(true)
            && CONSUMERS.iter().any(|name| group.name.contains(name))
    };
    let consumers: Vec<&ActionGroup> = all.iter().filter(is_consumer).collect();
    if consumers.is_empty() {
        return Err(facts.absent(
            &ACTION_GROUPS,
            "no action group carries the name of a product that uses Direct Connect",
        ));
    }
    if members.iter().any(|member| member == "All Computers") {
        return Ok(());
    }
    for group in consumers {
        let theirs = group.member_names(facts)?;
        let outside: Vec<&str> = theirs
            .iter()
            .filter(|name| *name != "No Computers" && !members.contains(name))
            .map(String::as_str)
            .collect();
        if !outside.is_empty() {
            report.finding(
                Finding::on(Subject::new("action group", &group.id, &group.name))
                    .says(format!("reaches {}, which Direct Connect does not", outside.join(", ")))
                    .expected("no computer group beyond those of Direct Connect")
                    .fill("groups", outside.join(", "))
                    .evidence(facts.seen(&ACTION_GROUPS, &outside)),
            );
        }
    }
    Ok(())
}

/// There is an account.
pub(crate) const ACCOUNT_SET: Check = Check::automated("direct-connect.service-account-set")
    .title("A service account is set")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&SERVICE_ACCOUNT])
    .guide(ACCOUNT_CHAPTER)
    .what("Asks which account the page Service Account of the module names.")
    .why("The background work of the module has no identity without it.")
    .limits("No public route tells the account: the answer is what a person read off.")
    .related(&["direct-connect.service-account-usable", "direct-connect.rbac-service-account"])
    .remedy(&ACCOUNT_REMEDY)
    .judge(account_set);

const ACCOUNT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users",
        "make an account of its own with the role Direct Connect Service Account",
    ),
    Step::console("Direct Connect > Settings > Service Account", "enter its credentials and select Save"),
    Step::command(
        "tancheck answer direct-connect.service-account NAME",
        "records the account, never its password",
    ),
])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure the service account"]);

fn account_set(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let name = facts.answer(&SERVICE_ACCOUNT)?.value.as_str().unwrap_or_default().trim();
    if name.is_empty() || name.eq_ignore_ascii_case("none") {
        report.finding(
            Finding::on(Subject::new("setting", "service-account", "the service account"))
                .says("is not set")
                .expected("an account with the role Direct Connect Service Account")
                .evidence(facts.seen(&SERVICE_ACCOUNT, name)),
        );
    }
    Ok(())
}

const DEDICATED: Setting = Setting::list("dedicated_accounts", &[])
    .about("service accounts that belong to no person: name, id or DOMAIN\\name");

/// The account is nobody's own.
pub(crate) const ACCOUNT_PERSONAL: Check = Check::attested("direct-connect.service-account-personal")
    .title("The service account belongs to no person")
    .cadence(&[Cadence::SemiAnnual])
    .severity(Severity::Low)
    .reads(&[&SERVICE_ACCOUNT, &USERS])
    .settings(&[&DEDICATED])
    .learns(&[&DEDICATED])
    .guide(INSTALLING)
    .what("Asks for an attestation that the service account is no person's own, unless it is the server's own account or `dedicated_accounts` names it.")
    .why("The recommended configuration takes the account of whoever imported the module: when that person leaves or changes the password, the background work stops.")
    .related(&["direct-connect.service-account-usable", "direct-connect.install-mode"])
    .remedy(&PERSONAL_REMEDY)
    .judge(account_personal);

const PERSONAL_REMEDY: Remedy = Remedy::new(&[
    Step::decision("{subject} is a person", "make an account of its own with the role Direct Connect Service Account, and set it under Direct Connect > Settings > Service Account"),
    Step::command("tancheck attest direct-connect.service-account-personal --subject {key} --result done", "records that it belongs to no person"),
])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Import and configure Direct Connect with default settings"]);

fn account_personal(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users: Vec<User> = facts.rows(&USERS)?;
    let (name, user) = service_account(facts, &users)?;
    let dedicated = facts.list(&DEDICATED);
    if !user.is_some_and(User::is_service_account) {
        let words = user.map(|user| [user.subject().name, user.name.clone(), user.id.clone()]);
        let words = words.unwrap_or_else(|| [name.clone(), String::new(), String::new()]);
        report.propose(&DEDICATED, facts.called(&DEDICATED, [words]), "the service account");
    }
    let is_dedicated = match user {
        Some(user) => user.is_service_account() || dedicated.iter().any(|one| user.is_named(one)),
        None => dedicated.iter().any(|one| one.eq_ignore_ascii_case(&name)),
    };
    if !is_dedicated {
        let key = name.to_lowercase();
        report.finding(
            Finding::on(Subject::new("user", &key, &name))
                .says("runs the service: whether it is a person's own account has to be recorded")
                .confirms(&name)
                .fill("key", &key)
                .evidence(facts.seen(&SERVICE_ACCOUNT, &name)),
        );
    }
    Ok(())
}

/// The account can act.
pub(crate) const ACCOUNT_USABLE: Check = Check::automated("direct-connect.service-account-usable")
    .title("The service account is there and not locked out")
    .cadence(&[Cadence::Weekly, Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&SERVICE_ACCOUNT, &USERS])
    .guide(ACCOUNT_CHAPTER)
    .what("Looks in the list of Console users for the service account: it has to be there, not deleted, and not locked out.")
    .why("What a locked or deleted account owns no longer runs.")
    .limits("Whether its password is still the one that was entered is not seen.")
    .related(&["direct-connect.service-account-set", "console-users.locked-out"])
    .remedy(&USABLE_REMEDY)
    .judge(account_usable);

const USABLE_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users",
        "look at the columns Locked Out and Last Sign In of {subject}",
    ),
    Step::decision("it is meant to run the service", "unlock or restore it where it comes from"),
    Step::console(
        "Direct Connect > Settings > Service Account",
        "otherwise set another account; enter the password again after each change of it",
    ),
])
.who("a Console user with the Administrator reserved role")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure the service account"]);

fn account_usable(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users: Vec<User> = facts.rows(&USERS)?;
    let (name, user) = service_account(facts, &users)?;
    let (subject, says) = match user {
        None => (
            Subject::new("user", name.to_lowercase(), &name),
            "runs the service and is no Console user".to_owned(),
        ),
        Some(user) => match user.inactive_because() {
            None => return Ok(()),
            Some(reason) => (user.subject(), format!("runs the service and {reason}")),
        },
    };
    report.finding(
        Finding::on(subject)
            .says(says)
            .expected("an active account")
            .evidence(facts.seen(&SERVICE_ACCOUNT, &name)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn the_mode_is_told_and_remarked() {
        let case = |mode: &str| Case::of(&MODE).answer(&INSTALL_MODE, mode);
        case("default").judge().assert_pass();
        case("default").assert_needs_its_inputs();
        assert!(case("custom").judge().notes()[0].contains("No Computers"));
    }

    #[test]
    fn an_open_step_is_found() {
        let case = |open: &str| Case::of(&COMPLETE).answer(&OPEN_STEPS, open);
        case("none").judge().assert_pass();
        case("none").assert_needs_its_inputs();
        for (open, severity) in [
            ("service account", Severity::High),
            ("action group", Severity::Critical),
            ("endpoint connection", Severity::Critical),
            ("several", Severity::Critical),
        ] {
            let verdict = case(open).judge();
            verdict.assert_findings(&["steps"]);
            assert_eq!(verdict.findings()[0].severity, Some(severity), "{open}");
        }
    }

    fn groups(check: &'static Check, own: &[u64], theirs: &[u64]) -> Case {
        let ids = |ids: &[u64]| ids.iter().map(|id| json!({"id": id})).collect::<Vec<Value>>();
        Case::of(check)
            .rows(
                &ACTION_GROUPS,
                json!([{"id": 9, "name": "Tanium Direct Connect", "groups": ids(own)},
                       {"id": 10, "name": "Tanium Threat Response", "groups": ids(theirs)}]),
            )
            .rows(
                &GROUPS,
                json!([{"id": 1, "name": "All Computers"}, {"id": 2, "name": "No Computers"},
                       {"id": 3, "name": "Servers"}]),
            )
    }

    #[test]
    fn the_action_group_has_to_hold_endpoints() {
        groups(&TARGET, &[1], &[]).judge().assert_pass();
        groups(&TARGET, &[1], &[]).assert_needs_its_inputs();
        groups(&TARGET, &[2], &[]).judge().assert_findings(&["tanium direct connect"]);
        groups(&TARGET, &[], &[]).judge().assert_findings(&["tanium direct connect"]);
        let other = groups(&TARGET, &[2], &[3]);
        other.clone().setting("action_group", "tanium threat response").judge().assert_pass();
        other.setting("action_group", "gone").judge().assert_findings(&["gone"]);
    }

    #[test]
    fn consumers_reach_no_further() {
        groups(&COVERAGE, &[1], &[3]).judge().assert_pass();
        groups(&COVERAGE, &[3], &[3, 2]).judge().assert_pass();
        groups(&COVERAGE, &[3], &[1]).judge().assert_findings(&["10"]);
        groups(&COVERAGE, &[3], &[3]).assert_needs_its_inputs();
        let alone = groups(&COVERAGE, &[1], &[3]).setting("action_group", "Tanium Threat Response");
        alone.judge().assert_undecided(Outcome::NotApplicable);
    }

    fn account(check: &'static Check, answer: &str, user: Value) -> Case {
        Case::of(check).answer(&SERVICE_ACCOUNT, answer).rows(&USERS, json!([user]))
    }

    #[test]
    fn an_account_is_set_and_can_act() {
        let set = |answer: &str| Case::of(&ACCOUNT_SET).answer(&SERVICE_ACCOUNT, answer);
        set("svc.dec").judge().assert_pass();
        set("svc.dec").assert_needs_its_inputs();
        set("None").judge().assert_findings(&["service-account"]);
        let user = json!({"id": 8, "name": "svc.dec", "domain": "LAB"});
        account(&ACCOUNT_USABLE, "svc.dec", user.clone()).judge().assert_pass();
        account(&ACCOUNT_USABLE, "svc.dec", user.clone()).assert_needs_its_inputs();
        account(&ACCOUNT_USABLE, "gone", user.clone()).judge().assert_findings(&["gone"]);
        account(&ACCOUNT_USABLE, "none", user).judge().assert_undecided(Outcome::NotApplicable);
        for (key, value) in [("deleted_flag", json!(true)), ("locked_out", json!(3))] {
            let mut user = json!({"id": 8, "name": "svc.dec"});
            user[key] = value;
            account(&ACCOUNT_USABLE, "svc.dec", user).judge().assert_findings(&["8"]);
        }
    }

    #[test]
    fn a_person_does_not_run_the_service() {
        let ann = json!({"id": 8, "name": "ann", "domain": "LAB"});
        let open = account(&ACCOUNT_PERSONAL, "ann", ann.clone()).judge();
        open.assert_findings(&["ann"]);
        assert_eq!(open.proposals().len(), 1);
        account(&ACCOUNT_PERSONAL, "ann", ann.clone()).assert_needs_its_inputs();
        let named = account(&ACCOUNT_PERSONAL, "ann", ann).setting("dedicated_accounts", json!(["LAB\\ann"]));
        named.judge().assert_pass();
        assert_eq!(named.judge().proposal("dedicated_accounts"), Some(&json!(["LAB\\ann"])));
        let own = json!({"id": 8, "name": "Direct Connect", "domain": "<[tanium]>"});
        account(&ACCOUNT_PERSONAL, "Direct Connect", own).judge().assert_pass();
    }
}
