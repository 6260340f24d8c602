//! Guide: *Review Tanium security advisories*, page 15: what only people can do.

use tancheck_plugin_api::prelude::*;

/// The section of the guide.
pub(crate) const SECTION: &str = "Review Tanium security advisories";
/// Where the advisories are.
pub(crate) const PAGE: &str = "Tanium Technical Support home page > Tanium Vulnerabilities";

const ADVISORIES_DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often the security advisories are reviewed")
    .from_guide();

/// Security advisories were reviewed this month.
pub(crate) const REVIEW: Check = Check::attested("advisories.review")
    .title("Security advisories were reviewed this month")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .due_every(&ADVISORIES_DUE_EVERY_DAYS)
    .guide(&[guide(SECTION, 15)])
    .what("Asks once a month whether somebody read the vendor's security advisories and entered those that concern a licensed solution into `advisories.csv`.")
    .why("No public feed tells about vulnerabilities of Tanium; who does not look does not know.")
    .related(&["advisories.affected-solution", "advisories.community-account"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "sign in with a Tanium Community account, in a browser"),
    Step::console(PAGE, "open each link that concerns a licensed solution"),
    Step::console(
        "the exports folder of tancheck, file advisories.csv",
        "enter advisory, solution id, affected versions, fixed version, severity and date",
    ),
    Step::command("tancheck attest advisories.review --result done", "records the review"),
])
.who("security contact")
.references(&["Tanium Community: Tanium Vulnerabilities"])
.verify("advisories.affected-solution");

/// The reviewer has a Tanium Community account.
pub(crate) const ACCOUNT: Check = Check::attested("advisories.community-account")
    .title("The reviewer has a Tanium Community account")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .due_every(&ACCOUNT_VALID_DAYS)
    .guide(&[guide(SECTION, 15)])
    .what("Asks for the name of a person who holds a Tanium Community account for the review of advisories.")
    .why("The advisories are shown to signed-in people only.")
    .limits("Does not see whether the named person is still here: it asks again after `account_valid_days`.")
    .related(&["advisories.review"])
    .remedy(&ACCOUNT_REMEDY);

const ACCOUNT_VALID_DAYS: Setting = Setting::integer("account_valid_days", 365, 1, 3650)
    .unit("days")
    .about("after how many days the holder of the Community account is asked for again");

const ACCOUNT_REMEDY: Remedy = Remedy::new(&[
    Step::console("Tanium Community", "register an account for the reviewer"),
    Step::command(
        "tancheck attest advisories.community-account --result done --by NAME --note HOLDER",
        "records who holds it",
    ),
])
.who("reviewer");
