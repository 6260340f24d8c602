//! What the matrix cannot tell by itself: each row with its reason.

/// Outcomes on the healthy deployment that are no pass: check, outcome, words of the reason.
pub(crate) const HEALTHY: &[(&str, &str, &str)] = &[];

/// Judged checks that no fault of the lab breaks, and where their findings are tested instead.
pub(crate) const FAULTS_ELSEWHERE: &[(&str, &str)] = &[];

/// What a fault changes beside the checks it is meant to break: fault, and (check, outcome) pairs.
pub(crate) const SIDE_EFFECTS: &[(&str, &[(&str, &str)])] = &[];

/// Inputs that only add to a check (a cause, a name): check (`*`: all), input, why it may pass without.
pub(crate) const SUPPLEMENTS: &[(&str, &str, &str)] = &[];
