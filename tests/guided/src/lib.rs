//! A plugin that declares a diagnosis and procedures of its own: what `tancheck diagnose` and `tancheck guide` make of
//! them is tested with it, beside the real ones.
#![forbid(unsafe_code)]

use tancheck_plugin_api::prelude::*;

const USERS: Input = Input::new("guided.users", "users").sources(&[Source::rest("/api/v2/users")]);
const COMPUTER: Input =
    Input::new("guided.computer", "the computer of this name").sources(&[Source::question(
        "Get Computer Name from all machines with Computer Name equals \"{subject}\"",
    )]);
const OWNER: Input = Input::new("guided.owner", "who owns the module").sources(&[Source::answer(
    "who owns the module",
    Accepts::Text,
    30,
)]);

const PORT: Setting = Setting::integer_unset("port", 1, 65535).about("the port of the module");
const BROKEN: Setting = Setting::flag("broken", false).about("whether the module is broken");
const STANDING: Setting = Setting::list("standing", &[]).about("what stands on the module");
const FAILED_LATELY: Setting = Setting::list("failed_lately", &[]).about("what failed lately");

const KNOWN: Reading =
    Reading::new("guided.known", "whether the computer is known").reads(&[&COMPUTER]).by(|facts, report| {
        let tally = facts.tally(&COMPUTER)?;
        let found: u64 = tally.rows.iter().map(|row| row.count).sum();
        report.note(format!("{found} computers are named {}", facts.subject()?));
        Ok(if found > 0 { "yes" } else { "no" }.to_owned())
    });
const OWNED_BY: Reading = Reading::new("guided.owned-by", "owner of the module")
    .reads(&[&OWNER])
    .by(|facts, _| Ok(facts.answer(&OWNER)?.value.as_str().unwrap_or_default().to_owned()));
const ON_PORT: Reading = Reading::new("guided.on-port", "port of the module")
    .settings(&[&PORT])
    .by(|facts, _| Ok(facts.integer(&PORT)?.to_string()));
const WHAT_FAILED: Reading = Reading::new("guided.what-failed", "what failed lately")
    .settings(&[&FAILED_LATELY])
    .by(|facts, _| Ok(facts.list(&FAILED_LATELY).join("\n")));

const STANDS_ON_IT: Reading = Reading::new("guided.stands-on-it", "what stands on the module")
    .reads(&[&USERS])
    .settings(&[&STANDING])
    .by(|facts, report| {
        let users: Vec<records::Reference> = facts.rows(&USERS)?;
        report.note(format!("{} users", users.len()));
        Ok(facts.list(&STANDING).join("\n"))
    });

const REPAIR: Remedy = Remedy::new(&[Step::consult("{owned-by}", "repair port {on-port} for {subject}")])
    .who("the owner")
    .risk(Risk::Low, Reversible::Yes);

const TREE: Tree = Tree::new("Why a computer does not answer {module}", "computer", "known")
    .values(&[&OWNED_BY, &ON_PORT])
    .failed(&WHAT_FAILED)
    .nodes(&[
        Node::new("known", "Is {subject} known?").read_by(&KNOWN).from_guide().branches(&[
            Branch::node("yes", "a computer has this name", "module"),
            Branch::leaf("no", "no computer has this name", "unknown"),
        ]),
        Node::new("module", "Is the module sound?")
            .checked_by(&["guided.state"], Severity::High, "broken", "sound")
            .branches(&[
                Branch::leaf("broken", "it is not", "broken"),
                Branch::node("sound", "it is", "light"),
            ]),
        Node::new("light", "What does the light of {subject} show?")
            .look("It is on the front, beside the cable of port {on-port}.")
            .branches(&[
                Branch::leaf("green", "all is well", "well"),
                Branch::leaf("yellow", "all is well, for now", "well").adding("warm"),
                Branch::leaf("red", "it has failed", "failed"),
            ]),
    ])
    .leaves(&[
        Leaf::new("unknown", "Nobody knows this computer", &REPAIR).severity(Severity::Low),
        Leaf::new("broken", "The module is broken", &REPAIR).severity(Severity::High),
        Leaf::new("well", "Nothing is wrong here", &REPAIR).healthy(),
        Leaf::new("warm", "It is getting warm", &REPAIR).severity(Severity::Low),
        Leaf::new("failed", "It has failed", &REPAIR).from_guide(),
    ]);

const RENEW: Procedure = Procedure::new("renew", "Renew the light", "when it has failed")
    .sections(&["Guided User Guide: Lights"])
    .values(&[&OWNED_BY, &ON_PORT])
    .who("the owner")
    .risk(Risk::Low, Reversible::Yes)
    .cautions(&["port {on-port} is dark meanwhile"])
    .next("remove")
    .tasks(&[
        Task::seen(Step::consult("{owned-by}", "bring a light"), "a light on the table").from_guide(),
        Task::checked(Step::command("light --port {on-port}", "on the computer"), &["guided.state"]),
    ]);
const REMOVE: Procedure = Procedure::new("remove", "Remove the module", "at its end")
    .guarded_by(&STANDS_ON_IT, "What stands on the module falls when it is removed.")
    .who("the owner")
    .risk(Risk::High, Reversible::No)
    .tasks(&[Task::seen(Step::consult("the owner", "carry it away"), "nothing")]);

const STATE: Check = Check::automated("guided.state")
    .title("The module is sound")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::High)
    .reads(&[&USERS])
    .settings(&[&BROKEN])
    .guide(&[guide("Nowhere", 1)])
    .what("Reads the users, and whether the module is said to be broken.")
    .why("A test needs it.")
    .remedy(&REPAIR_MODULE)
    .judge(state);

const REPAIR_MODULE: Remedy = Remedy::new(&[Step::consult("the owner", "repair it")]).who("the owner");

fn state(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users: Vec<records::Reference> = facts.rows(&USERS)?;
    if facts.flag(&BROKEN) {
        report.finding(
            Finding::on(Subject::deployment()).says("is broken").evidence(facts.seen(&USERS, users.len())),
        );
    }
    Ok(())
}

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("guided", "Guided", env!("CARGO_PKG_VERSION"))
    .about("Shows what guides can do.")
    .checks(&[&STATE])
    .diagnosis(&TREE)
    .procedures(&[&RENEW, &REMOVE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
