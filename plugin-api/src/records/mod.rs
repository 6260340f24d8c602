//! Platform objects that several plugins read: the input, and a lenient record of its rows. Two plugins that read the
//! same input share one request.

pub mod actions;
pub mod answers;
pub mod connections;
pub mod extensions;
pub mod groups;
pub mod hosts;
pub mod network;
pub mod pasted;
pub mod people;
pub mod probe;
pub mod questions;
pub mod reports;
pub mod roles;
pub mod server;
pub mod settings;
pub mod sign_in;
pub mod tokens;

use crate::lenient;
use serde::Deserialize;

/// A reference to another object, as the platform nests it: `{"id": 7, "name": "…"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// The object's id; empty or `0` where there is none.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name; often left out.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
}

impl Reference {
    /// Whether it names an object at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        (self.id.is_empty() || self.id == "0") && self.name.is_empty()
    }

    /// The name, or the id where there is no name.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}
