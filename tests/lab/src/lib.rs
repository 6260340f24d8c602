//! A simulated Tanium deployment that speaks the real API.
//!
//! The lab is an independent reading of the platform's public documents: it shares no code with the host or with
//! plugins. Its state is a pure function of a seed, a time and a list of [faults]; routes show that state.
//!
//! ```no_run
//! let lab = tancheck_lab::Lab::builder().endpoints(500).fault("failed-connection").start()?;
//! println!("{} {}", lab.url(), lab.token());
//! # Ok::<(), tancheck_lab::LabError>(())
//! ```

mod areas;
mod behaviour;
mod builder;
mod clock;
mod config;
mod core;
mod exports;
pub mod faults;
mod lab;
mod log;
mod random;
mod server;
mod session;
mod state;
mod wire;

pub use behaviour::{Behaviour, BehaviourError};
pub use builder::Builder;
pub use lab::{Lab, LabError};
pub use log::LoggedRequest;
