//! Repetition.
