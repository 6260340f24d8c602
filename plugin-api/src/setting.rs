//! A setting: a value that a site may choose, with type, default and range.

/// What a setting holds, and its default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SettingValue {
    /// A whole number within a range (both ends included).
    Integer {
        /// Value when the site says nothing; `None`: unset, and the check says what cannot be decided without it.
        default: Option<i64>,
        /// Smallest accepted value.
        min: i64,
        /// Largest accepted value.
        max: i64,
    },
    /// Yes or no.
    Flag(bool),
    /// One line of text; `None`: unset.
    Text(Option<&'static str>),
    /// One of several words; `None`: unset.
    Choice {
        /// Value when the site says nothing.
        default: Option<&'static str>,
        /// The accepted words.
        among: &'static [&'static str],
    },
    /// A list of texts.
    List(&'static [&'static str]),
    /// A table from text to a list of texts (`{ https = ["a", "b"] }`), empty when the site says nothing.
    Table,
}

/// A value that a site may choose under `[modules.<plugin>]`.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: SettingValue,
    pub(crate) unit: &'static str,
    pub(crate) about: &'static str,
    pub(crate) from_guide: bool,
}

impl Setting {
    /// A whole number between `min` and `max`, both included.
    #[must_use]
    pub const fn integer(key: &'static str, default: i64, min: i64, max: i64) -> Self {
        Self::new(key, SettingValue::Integer { default: Some(default), min, max })
    }

    /// A whole number that has no sensible default: a check that needs it says so.
    #[must_use]
    pub const fn integer_unset(key: &'static str, min: i64, max: i64) -> Self {
        Self::new(key, SettingValue::Integer { default: None, min, max })
    }

    /// Yes or no.
    #[must_use]
    pub const fn flag(key: &'static str, default: bool) -> Self {
        Self::new(key, SettingValue::Flag(default))
    }

    /// A text; `None` where there is no sensible default.
    #[must_use]
    pub const fn text(key: &'static str, default: Option<&'static str>) -> Self {
        Self::new(key, SettingValue::Text(default))
    }

    /// One of several words; `None` where there is no sensible default.
    #[must_use]
    pub const fn choice(
        key: &'static str,
        default: Option<&'static str>,
        among: &'static [&'static str],
    ) -> Self {
        Self::new(key, SettingValue::Choice { default, among })
    }

    /// A list of texts.
    #[must_use]
    pub const fn list(key: &'static str, default: &'static [&'static str]) -> Self {
        Self::new(key, SettingValue::List(default))
    }

    /// A table from text to a list of texts, empty by default.
    #[must_use]
    pub const fn table(key: &'static str) -> Self {
        Self::new(key, SettingValue::Table)
    }

    const fn new(key: &'static str, value: SettingValue) -> Self {
        Self { key, value, unit: "", about: "", from_guide: false }
    }

    /// The unit of a number: `days`, `percent`, `minutes`, `endpoints`.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// What the setting does, for `tancheck explain` and the generated pages.
    #[must_use]
    pub const fn about(mut self, text: &'static str) -> Self {
        self.about = text;
        self
    }

    /// The default is the maintenance guide's own number, not ours.
    #[must_use]
    pub const fn from_guide(mut self) -> Self {
        self.from_guide = true;
        self
    }

    /// The key under `[modules.<plugin>]`.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.key
    }
}
