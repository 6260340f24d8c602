//! The boards and panels of Trends to which the guide sends the reader.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{ImportedSolution, SOLUTIONS};
use tancheck_plugin_api::templates::panel::{Shown, shown};

const BOARDS_PAGE: &str = "Modules > Trends > Boards";

/// Boards and their panels: Trends has no public route for them.
const BOARDS: Input = Input::new("trends.boards", "boards of Trends and their panels").sources(&[
    Source::export(
        "trends-required-boards.csv",
        BOARDS_PAGE,
        "write one row for each panel of each board, with the names as they are shown; a board without panels gets one \
         row with an empty panel",
        &["Board", "Panel"],
    ),
    Source::answer(
        "Are all boards and panels there that the guide names for the modules you have? (Modules > Trends > Boards: \
         IT Operations Metrics, Discover - Module Health, Impact, Patch, Reputation)",
        Accepts::YesNo,
        30,
    ),
]);

/// The boards that have to be there.
const BOARD_NAMES: Setting = Setting::list(
    "board_names",
    &["IT Operations Metrics", "Discover - Module Health", "Impact", "Patch", "Reputation"],
)
.about("boards of Trends that have to be there, each where its module is imported")
.from_guide();

/// Other names of panels.
const PANEL_ALIASES: Setting = Setting::table("panel_aliases").about(
    "other names under which a panel may be found: the guide's name of the panel, and a list of names",
);

/// A board of the guide: the module that brings it, and the panels that the guide names.
struct Board {
    name: &'static str,
    module: &'static str,
    panels: &'static [&'static str],
}

/// The guide writes "Maintenance" in two panels of Deploy where it means Deploy: both names are tried.
const GUIDE_BOARDS: [Board; 5] = [
    Board {
        name: "IT Operations Metrics",
        module: "Deploy",
        panels: &[
            "Maintenance Coverage",
            "Endpoints Missing Software Updates Released Over 30 Days",
            "Mean Time to Maintenance Software",
            "Software Installed by Self Service User Request",
        ],
    },
    Board { name: "Discover - Module Health", module: "Discover", panels: &[] },
    Board { name: "Impact", module: "Impact", panels: &["Impact Coverage Status"] },
    Board {
        name: "Patch",
        module: "Patch",
        panels: &["Days Since Last Patch Scan", "Scan Errors - Last 7 Days"],
    },
    Board {
        name: "Reputation",
        module: "Reputation",
        panels: &[
            "Failed Outbound API Requests",
            "Inbound Items",
            "Outbound Items",
            "Outbound Processing Queue",
        ],
    },
];

const SECOND_NAMES: [(&str, &str); 2] = [
    ("Maintenance Coverage", "Deploy Coverage"),
    ("Mean Time to Maintenance Software", "Mean Time to Deploy Software"),
];

/// The boards of Trends that other checks need are there.
pub(crate) const REQUIRED: Check = Check::automated("trends.required-boards")
    .title("The boards of Trends that other checks need are there")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&BOARDS, &SOLUTIONS])
    .settings(&[&BOARD_NAMES, &PANEL_ALIASES])
    .guide(&[
        guide("Review Tanium Deploy metrics", 14),
        guide("Review and remediate Tanium Discover issues", 26),
        guide("Review and remediate Tanium Impact coverage", 29),
        guide("Review and update scan configurations", 30),
        guide("Review and remediate Tanium Reputation issues", 32),
    ])
    .what("Looks in the list of boards and panels for those that the guide names, each where the module that brings it is imported.")
    .why("A board that is gone is a task that nobody does: the checks that rest on its panels cannot be fed.")
    .limits("Trends has no public route: the list is what an administrator wrote down, or an answer. Panels are compared by name; a newer version may have renamed one.")
    .related(&["reputation.failed-requests", "discover.resource-usage", "impact.needs-attention"])
    .remedy(&REMEDY)
    .judge(required);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(BOARDS_PAGE, "look for {subject} under another name"),
    Step::decision(
        "a panel was renamed",
        "name it under `panel_aliases`; for a renamed board, change `board_names`",
    ),
    Step::decision(
        "a board is missing",
        "import it again from the content of its module (the module's user guide tells how)",
    ),
])
.who("a user holding the Trends role permissions named in the Trends user guide")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Importing a board again may overwrite changes that somebody made to it: export it before."])
.references(&["Trends User Guide: Working with boards"]);

#[derive(Deserialize)]
struct Panel {
    #[serde(rename = "Board", default, deserialize_with = "lenient::text")]
    board: String,
    #[serde(rename = "Panel", default, deserialize_with = "lenient::text")]
    panel: String,
}

fn required(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    match shown::<Panel>(facts, &BOARDS)? {
        Shown::Answer(answer) if answer.value == true => Ok(()),
        Shown::Answer(answer) => {
            report.finding(
                Finding::on(Subject::new("boards", "boards", "boards of Trends"))
                    .says(format!("{} answered that a board or panel is missing", answer.by))
                    .evidence(facts.seen(&BOARDS, &answer.value)),
            );
            Ok(())
        }
        Shown::Rows(rows) => in_list(facts, report, &rows),
    }
}

fn in_list(facts: &Facts<'_>, report: &mut Report, rows: &[Panel]) -> Result<(), Undecided> {
    let solutions = facts.rows::<ImportedSolution>(&SOLUTIONS);
    let aliases = facts.table(&PANEL_ALIASES);
    let mut unknown = Vec::new();
    for name in facts.list(&BOARD_NAMES) {
        let known = GUIDE_BOARDS.iter().find(|board| same(board.name, name));
        let panels: Vec<&Panel> = rows.iter().filter(|row| same(&row.board, name)).collect();
        let is_missing = |wanted: &&&str| {
            let second = SECOND_NAMES.iter().find(|(first, _)| first == *wanted).map(|(_, second)| *second);
            let others = aliases
                .iter()
                .filter(|(one, _)| same(one, wanted))
                .flat_map(|(_, others)| others.iter().copied());
            let mut names = std::iter::once(**wanted).chain(second).chain(others);
            !names.any(|name| panels.iter().any(|panel| same(&panel.panel, name)))
        };
        let missing: Vec<&str> =
            known.iter().flat_map(|board| board.panels).filter(is_missing).copied().collect();
        if !panels.is_empty() && missing.is_empty() {
            continue;
        }
        if let Some(board) = known {
            match &solutions {
                Err(why) => {
                    unknown
                        .push(format!("whether {} is imported is not known: {}", board.module, why.reason));
                    continue;
                }
                Ok(all) if !all.iter().any(|solution| solution.is_module(board.module)) => continue,
                Ok(_) => {}
            }
        }
        let says = if panels.is_empty() {
            "is not in the list of boards".to_owned()
        } else {
            format!("lacks {}", missing.join(", "))
        };
        report.finding(
            Finding::on(Subject::new("board", name.to_lowercase(), name))
                .says(says)
                .expected("the board with the panels that the guide names")
                .evidence(facts.seen(&BOARDS, panels.iter().map(|panel| &panel.panel).collect::<Vec<_>>())),
        );
    }
    settle(&unknown)
}

fn same(left: &str, right: &str) -> bool {
    left.trim().eq_ignore_ascii_case(right.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn rows(without: &str) -> Value {
        let pairs = GUIDE_BOARDS.iter().flat_map(|board| {
            let panels = if board.panels.is_empty() { &["Memory"] } else { board.panels };
            panels.iter().map(|panel| (board.name, *panel))
        });
        let kept = pairs.filter(|(board, panel)| *board != without && *panel != without);
        kept.map(|(board, panel)| json!({"Board": board, "Panel": panel})).collect()
    }

    fn case(rows: Value) -> Case {
        let modules = ["Deploy", "Discover", "Impact", "Patch", "Reputation"];
        let solutions: Value = modules.iter().map(|name| json!({"name": format!("Tanium {name}")})).collect();
        Case::of(&REQUIRED).rows(&BOARDS, rows).rows(&SOLUTIONS, solutions)
    }

    #[test]
    fn all_boards_and_panels_pass() {
        case(rows("")).judge().assert_pass();
        Case::of(&REQUIRED).answer(&BOARDS, true).judge().assert_pass();
        Case::of(&REQUIRED).answer(&BOARDS, false).judge().assert_findings(&["boards"]);
    }

    #[test]
    fn a_missing_board_or_panel_is_found() {
        case(rows("Impact")).judge().assert_findings(&["impact"]);
        let verdict = case(rows("Inbound Items")).judge();
        verdict.assert_findings(&["reputation"]);
        assert_eq!(verdict.findings()[0].says, "lacks Inbound Items");
    }

    #[test]
    fn other_names_count() {
        let mut renamed = rows("Maintenance Coverage");
        renamed
            .as_array_mut()
            .unwrap()
            .push(json!({"Board": "it operations metrics", "Panel": "Deploy Coverage"}));
        case(renamed).judge().assert_pass();
        let aliases = json!({"Inbound Items": ["Items In", "Outbound Items"]});
        case(rows("Inbound Items")).setting("panel_aliases", aliases).judge().assert_pass();
        case(rows("Impact")).setting("board_names", json!(["Patch"])).judge().assert_pass();
    }

    #[test]
    fn boards_of_absent_modules_are_not_missed() {
        case(rows("Impact")).rows(&SOLUTIONS, json!([])).judge().assert_pass();
        let unread = case(rows("Impact")).unavailable(&SOLUTIONS, Outcome::NoPermission);
        unread.judge().assert_undecided(Outcome::NotEvaluated);
        case(rows("Impact"))
            .unavailable(&BOARDS, Outcome::NotEvaluated)
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        Case::of(&REQUIRED).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
