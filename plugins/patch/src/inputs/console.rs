//! What only the Console shows: the Trends board Patch and the panels of the Overview page. People export the panels or
//! read a number off them.

use tancheck_plugin_api::prelude::*;

/// How long a number that a person read off a panel is good for.
const VALID_DAYS: u32 = 31;

/// The section Summary of the board.
pub(crate) const BOARD_SUMMARY: Input =
    Input::new("patch.board-summary", "section Summary of the Trends board Patch").sources(&[
        Source::export(
            "trends-patch-summary.csv",
            "Modules > Trends > Boards > Patch, section Summary",
            "write down each panel with these columns; Error is empty for a panel without an error",
            &["Panel", "Value", "Date", "Error"],
        ),
        Source::answer(
            "Does any panel of the section Summary of the Trends board Patch show an error?",
            Accepts::YesNo,
            VALID_DAYS,
        ),
    ]);

/// The section Missing Patches of the board.
pub(crate) const BOARD_MISSING: Input =
    Input::new("patch.board-missing", "section Missing Patches of the Trends board Patch").sources(&[
        Source::export(
            "trends-patch-missing.csv",
            "Modules > Trends > Boards > Patch, section Missing Patches",
            "export the panels into one file with these columns; Error is empty for a panel without an error",
            &["Panel", "Date", "Series", "Value", "Error"],
        ),
        Source::answer(
            "Does any panel of the section Missing Patches of the Trends board Patch show an error?",
            Accepts::YesNo,
            VALID_DAYS,
        ),
    ]);

/// The section SLA Based Compliance Reporting of the board.
pub(crate) const BOARD_SLA: Input =
    Input::new("patch.board-sla", "section SLA Based Compliance Reporting of the Trends board Patch").sources(&[
        Source::export(
            "trends-patch-sla.csv",
            "Modules > Trends > Boards > Patch, section SLA Based Compliance Reporting",
            "export the panels into one file with these columns; Value is in percent, Error is empty for a panel without an error",
            &["Panel", "Date", "Series", "Value", "Error"],
        ),
        Source::answer(
            "Which compliance in percent do the panels of SLA Based Compliance Reporting show? (only while none shows an error)",
            Accepts::Number,
            VALID_DAYS,
        ),
    ]);

/// The panel Days Since Last Patch Scan of the board.
pub(crate) const DAYS_SINCE_SCAN: Input =
    Input::new("patch.days-since-scan", "panel Days Since Last Patch Scan of the Trends board Patch").sources(&[
        Source::export(
            "trends-patch-days-since-scan.csv",
            "Modules > Trends > Boards > Patch, panel Days Since Last Patch Scan",
            "export the panel with these columns; Days is a number or a range such as 0-7 or >30",
            &["Days", "Endpoints"],
        ),
        Source::answer(
            "How many endpoints does the panel Days Since Last Patch Scan show beyond `max_days` days (7 by default)?",
            Accepts::Number,
            VALID_DAYS,
        ),
    ]);

/// The panel about critical and important patches of the board.
pub(crate) const CRITICAL_MISSING_PANEL: Input = Input::new(
    "patch.critical-missing-panel",
    "panel Endpoints Missing Critical or Important Patches Released Over 30 Days Ago",
)
.sources(&[
    Source::export(
        "trends-patch-critical-30d.csv",
        "Modules > Trends > Boards > Patch, panel Endpoints Missing Critical or Important Patches Released Over 30 Days Ago",
        "export the panel with these columns",
        &["Date", "Endpoints Missing", "Endpoints Total"],
    ),
    Source::answer(
        "Which percentage of endpoints does the panel Endpoints Missing Critical or Important Patches Released Over 30 Days Ago show?",
        Accepts::Number,
        VALID_DAYS,
    ),
]);

/// The endpoints above Needs Attention in the panel Patch Coverage.
pub(crate) const COVERAGE_PANEL: Input =
    Input::new("patch.coverage-panel", "endpoints above Needs Attention in the panel Patch Coverage").sources(&[
        Source::export(
            "patch-coverage.csv",
            "Modules > Patch > Overview, dashboard Health, panel Patch Coverage",
            "click the number above Needs Attention and export the answers, or export the report Patch Coverage Status",
            &["Computer Name", "Operating System", "IP Address", "Patch coverage status", "Details"],
        ),
        Source::answer(
            "Which number stands above Needs Attention in the panel Patch Coverage?",
            Accepts::Number,
            VALID_DAYS,
        ),
    ]);

/// The sensor behind the panel Running Patch.
pub(crate) const PROCESS_SENSOR: Setting = Setting::text("process_sensor", None).about(
    "the sensor of the question that the panel Running Patch opens: its name is not public, read it off that question",
);

/// Whether the Patch process runs, as endpoints answer.
pub(crate) const PROCESS_ANSWERS: Input =
    Input::new("patch.process-answers", "whether the Patch process runs, as endpoints answer")
        .sources(&[Source::question("Get {setting:process_sensor} from all machines")
            .needs(&["define question", "read sensor"])]);

/// The endpoints above No and Error in the panel Running Patch.
pub(crate) const PROCESS_PANEL: Input =
    Input::new("patch.process-panel", "endpoints above No and Error in the panel Running Patch").sources(&[
        Source::export(
            "patch-process-status.csv",
            "Modules > Patch > Overview, dashboard Health, panel Running Patch",
            "click the numbers above No and Error and export the answers into one file with these columns",
            &["Computer Name", "Operating System", "IP Address", "Patch process status"],
        ),
    ]);
