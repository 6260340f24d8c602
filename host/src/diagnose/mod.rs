//! Diagnosis: walks the tree that a plugin declares, from a complaint about one thing to what to do about it. Beside it,
//! procedures: steps that a person takes, with the deployment's own values.
//!
//! A walk is a pure function of the tree and of answers. Answers come from [`Looks`]: readings and checks, judged in
//! the plugin's worker like any other, and from what people said. What can be seen is seen; a person is asked only for
//! the rest, and what was answered is kept, so that a script can go on where it stopped.

pub mod document;
pub mod given;
pub mod procedure;
pub mod scout;
mod subject;
mod values;
mod walk;

pub use subject::{BadSubject, Subject};
pub use values::Values;
pub use walk::{End, How, Looks, Seen, Stage, Walk, walk};
