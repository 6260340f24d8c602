//! The engine: selection, plan, judging, outcomes.
