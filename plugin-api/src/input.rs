//! Inputs: the only things a check can know. Declared here, fetched by the host.
//!
//! Texts of a source (path, question, variables) may hold placeholders that the host fills before it asks:
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{since:30d}` | the time 30 days ago (`d` days, `h` hours), RFC 3339 |
//! | `{setting:KEY}` | the plugin's setting; unset means that the source cannot be asked, and the reason names the key |
//! | `{name}` | a variable of the source's [`Each`] |

/// What a source delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A list of objects. The host accepts a bare array, `{"data": […]}`, `{"body": […]}` or the source's rows key.
    Rows,
    /// One object: bare, or under `data` or `body`.
    Object,
    /// One number or text: bare, or under `data` or `body`.
    Value,
}

/// What a person's answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// `yes` or `no`.
    YesNo,
    /// A number.
    Number,
    /// One line of text.
    Text,
    /// A calendar date.
    Date,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// The words by which a service's list is asked for page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paging {
    /// `limit` rows from `offset` on.
    #[default]
    LimitOffset,
    /// `take` so many rows after those to `skip`.
    SkipTake,
}

/// Where an input comes from. Every kind reads; none can change anything.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SourceKind {
    Rest {
        path: &'static str,
        options: &'static str,
        paged: bool,
    },
    Service {
        service: &'static str,
        path: &'static str,
        page: Option<u32>,
        paging: Paging,
    },
    Gateway {
        query: &'static str,
        connection: &'static str,
        variables: &'static [(&'static str, &'static str)],
    },
    Question {
        text: &'static str,
        group: &'static str,
        sample: &'static str,
    },
    SavedQuestion {
        name: &'static str,
    },
    Metrics {
        families: &'static [&'static str],
    },
    Probe {
        setting: &'static str,
        port: u16,
        port_setting: &'static str,
        always: bool,
        brief: bool,
    },
    Export {
        file: &'static str,
        page: &'static str,
        steps: &'static str,
        columns: &'static [&'static str],
        holding: &'static [&'static str],
    },
    Pasted {
        prompt: &'static str,
        known: &'static [(&'static str, &'static str)],
    },
    Answer {
        prompt: &'static str,
        accepts: Accepts,
        valid_days: u32,
    },
    History {
        series: &'static str,
        days: u32,
    },
}

/// One way to get an input.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    pub(crate) kind: SourceKind,
    pub(crate) shape: Shape,
    pub(crate) rows_key: &'static str,
    pub(crate) only_with: &'static str,
    pub(crate) needs: &'static [&'static str],
    pub(crate) complete_with: &'static [&'static str],
    pub(crate) each: Option<Each>,
}

impl Source {
    const fn new(kind: SourceKind) -> Self {
        Self {
            kind,
            shape: Shape::Rows,
            rows_key: "",
            only_with: "",
            needs: &[],
            complete_with: &[],
            each: None,
        }
    }

    /// `GET` on a platform route: `/api/v2/…`. Delivers rows unless told otherwise.
    #[must_use]
    pub const fn rest(path: &'static str) -> Self {
        Self::new(SourceKind::Rest { path, options: "", paged: false })
    }

    /// `GET` on a module's service: `/plugin/products/<service><path>`. Delivers rows unless told otherwise.
    #[must_use]
    pub const fn service(service: &'static str, path: &'static str) -> Self {
        Self::new(SourceKind::Service { service, path, page: None, paging: Paging::LimitOffset })
    }

    /// A GraphQL query to the API Gateway. `connection` is the name of the field whose `edges { node }` are the rows;
    /// its cursor is followed through the variable `$after` while `pageInfo { hasNextPage endCursor }` says so.
    /// Where that field has no edges, it is delivered as an object (use [`Source::object`]).
    #[must_use]
    pub const fn gateway(connection: &'static str, query: &'static str) -> Self {
        Self::new(SourceKind::Gateway { query, connection, variables: &[] })
    }

    /// A question in Interact's language, counted by the server: delivered as a [`Tally`](crate::facts::Tally).
    #[must_use]
    pub const fn question(text: &'static str) -> Self {
        Self::new(SourceKind::Question { text, group: "", sample: "" })
    }

    /// The stored results of a saved question, with their age: delivered as a tally.
    #[must_use]
    pub const fn saved_question(name: &'static str) -> Self {
        Self::new(SourceKind::SavedQuestion { name })
    }

    /// Families of `GET /metrics` (Prometheus text).
    #[must_use]
    pub const fn metrics(families: &'static [&'static str]) -> Self {
        Self::new(SourceKind::Metrics { families })
    }

    /// A look at the listeners that the site names in the setting `setting` (a text or a list): each is `host` or
    /// `host:port`, and where no port is given it is `port`. Delivers one
    /// [`records::probe::Probe`](crate::records::probe::Probe) for each, whatever became of it; an empty list delivers
    /// no rows. A plugin can name no host: targets come from the administrator's configuration only.
    #[must_use]
    pub const fn probe(setting: &'static str, port: u16) -> Self {
        Self::new(SourceKind::Probe { setting, port, port_setting: "", always: false, brief: false })
    }

    /// A look at the listener of the deployment itself: Console and API, where the configuration says that they are.
    /// One greeting, like [`Source::brief`]; an address without TLS has no listener to look at.
    #[must_use]
    pub const fn probe_deployment() -> Self {
        Self::probe(crate::manifest::DEPLOYMENT, 443).brief()
    }

    /// Greets each listener once, where its suites do not matter.
    #[must_use]
    pub const fn brief(mut self) -> Self {
        if let SourceKind::Probe { brief, .. } = &mut self.kind {
            *brief = true;
        }
        self
    }

    /// The setting that holds the port of a probe; its targets then are hosts without ports.
    #[must_use]
    pub const fn port_from(mut self, key: &'static str) -> Self {
        if let SourceKind::Probe { port_setting, .. } = &mut self.kind {
            *port_setting = key;
        }
        self
    }

    /// Probes the source's own port on each host, whatever port the target names.
    #[must_use]
    pub const fn always_this_port(mut self) -> Self {
        if let SourceKind::Probe { always, .. } = &mut self.kind {
            *always = true;
        }
        self
    }

    /// A CSV or JSON file that an administrator exports from the Console page `page` into the exports folder.
    /// Columns are compared without regard to case, spaces, `_` and `-`; all of them must be there.
    #[must_use]
    pub const fn export(
        file: &'static str,
        page: &'static str,
        steps: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        Self::new(SourceKind::Export { file, page, steps, columns, holding: &[] })
    }

    /// A text file, such as a log, that an administrator copies into the exports folder. Delivers a row for each of the
    /// last thousand lines that hold one of the words `holding`, whatever their case: `Line` is its number, `Text` the
    /// line, cut where it is very long. UTF-8, UTF-16 and what Windows programs write are read.
    #[must_use]
    pub const fn lines(
        file: &'static str,
        page: &'static str,
        steps: &'static str,
        holding: &'static [&'static str],
    ) -> Self {
        Self::new(SourceKind::Export { file, page, steps, columns: &[], holding })
    }

    /// Text that can hold secrets and that somebody pipes into `tancheck paste`, which judges at once and keeps nothing.
    /// Delivers a [`PastedBlock`](crate::records::pasted::PastedBlock) for each PEM-like block and each text outside of
    /// blocks: facts, never the text. `known` are names of bodies, and the SHA-256 of each: hexadecimal digits, over its
    /// base64 text without blanks. In a run there is no such text: give the input another source, too.
    #[must_use]
    pub const fn pasted(prompt: &'static str, known: &'static [(&'static str, &'static str)]) -> Self {
        Self::new(SourceKind::Pasted { prompt, known })
    }

    /// A value that only a person can read off; good for `valid_days`.
    #[must_use]
    pub const fn answer(prompt: &'static str, accepts: Accepts, valid_days: u32) -> Self {
        Self::new(SourceKind::Answer { prompt, accepts, valid_days })
    }

    /// The stored values of a series of the last `days` days, as checks measured them in earlier runs.
    /// A series that ends in `.*` stands for all series with that beginning.
    #[must_use]
    pub const fn history(series: &'static str, days: u32) -> Self {
        Self::new(SourceKind::History { series, days })
    }

    /// The request header `tanium-options` (JSON) of a platform route.
    #[must_use]
    pub const fn options(mut self, json: &'static str) -> Self {
        if let SourceKind::Rest { options, .. } = &mut self.kind {
            *options = json;
        }
        self
    }

    /// Reads a platform list page by page through the server's cache.
    #[must_use]
    pub const fn paged(mut self) -> Self {
        if let SourceKind::Rest { paged, .. } = &mut self.kind {
            *paged = true;
        }
        self
    }

    /// Reads a service's list by `limit` and `offset`, `page` rows at a time.
    #[must_use]
    pub const fn limit_offset(self, rows: u32) -> Self {
        self.by_page(rows, Paging::LimitOffset)
    }

    /// Reads a service's list by `skip` and `take`, `page` rows at a time.
    #[must_use]
    pub const fn skip_take(self, rows: u32) -> Self {
        self.by_page(rows, Paging::SkipTake)
    }

    const fn by_page(mut self, rows: u32, words: Paging) -> Self {
        if let SourceKind::Service { page, paging, .. } = &mut self.kind {
            *page = Some(rows);
            *paging = words;
        }
        self
    }

    /// Variables of a Gateway query; their values may hold placeholders.
    #[must_use]
    pub const fn variables(mut self, pairs: &'static [(&'static str, &'static str)]) -> Self {
        if let SourceKind::Gateway { variables, .. } = &mut self.kind {
            *variables = pairs;
        }
        self
    }

    /// Limits a question to a computer group, by name (usually a `{setting:…}` placeholder).
    #[must_use]
    pub const fn in_group(mut self, name: &'static str) -> Self {
        if let SourceKind::Question { group, .. } = &mut self.kind {
            *group = name;
        }
        self
    }

    /// A follow-up question that names a few endpoints of a rare value: `{value}` stands for the first column's value.
    /// Asked for at most three values, never for the commonest one.
    #[must_use]
    pub const fn sampled_by(mut self, question: &'static str) -> Self {
        if let SourceKind::Question { sample, .. } = &mut self.kind {
            *sample = question;
        }
        self
    }

    /// Delivers one object instead of rows.
    #[must_use]
    pub const fn object(mut self) -> Self {
        self.shape = Shape::Object;
        self
    }

    /// Delivers one number or text instead of rows.
    #[must_use]
    pub const fn value(mut self) -> Self {
        self.shape = Shape::Value;
        self
    }

    /// The key that holds the rows, where it is neither `data` nor `body`.
    #[must_use]
    pub const fn rows_under(mut self, key: &'static str) -> Self {
        self.rows_key = key;
        self
    }

    /// Keeps only rows that have this key (lists of mixed elements, such as `system_status`).
    #[must_use]
    pub const fn only_rows_with(mut self, key: &'static str) -> Self {
        self.only_with = key;
        self
    }

    /// Privileges without which the server refuses.
    #[must_use]
    pub const fn needs(mut self, privileges: &'static [&'static str]) -> Self {
        self.needs = privileges;
        self
    }

    /// Privileges without which the list is cut to what the account owns: findings still count, a pass does not.
    #[must_use]
    pub const fn complete_with(mut self, privileges: &'static [&'static str]) -> Self {
        self.complete_with = privileges;
        self
    }

    /// Repeats the request for each row of another input, or for each item of a setting.
    #[must_use]
    pub const fn each(mut self, each: Each) -> Self {
        self.each = Some(each);
        self
    }
}

/// Repeats a source. Every delivered row carries the variables it was asked with under the key `_of`.
#[derive(Clone, Copy, Debug)]
pub struct Each {
    pub(crate) over: Over,
    pub(crate) variables: &'static [(&'static str, &'static str)],
    pub(crate) only: Option<(&'static str, &'static [&'static str])>,
    pub(crate) limit: u32,
}

/// What an [`Each`] runs over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Over {
    Rows { input: &'static str, items: &'static str },
    Setting { key: &'static str },
}

impl Each {
    /// For each row of the input with this id. Values of variables are read from the row by key
    /// (`last_action/id` reaches into objects); a row without the key is left out.
    #[must_use]
    pub const fn row_of(input: &'static str) -> Self {
        Self { over: Over::Rows { input, items: "" }, variables: &[], only: None, limit: 500 }
    }

    /// For each element of the list under `items` of each row of the input with this id.
    #[must_use]
    pub const fn item_of(input: &'static str, items: &'static str) -> Self {
        Self { over: Over::Rows { input, items }, variables: &[], only: None, limit: 500 }
    }

    /// For each text of a list setting (or key of a table setting); the placeholder is `{item}`.
    #[must_use]
    pub const fn setting(key: &'static str) -> Self {
        Self { over: Over::Setting { key }, variables: &[], only: None, limit: 100 }
    }

    /// Placeholder and the key of the row it is read from.
    #[must_use]
    pub const fn variables(mut self, pairs: &'static [(&'static str, &'static str)]) -> Self {
        self.variables = pairs;
        self
    }

    /// Only rows or items whose value under `key` is one of `values`.
    #[must_use]
    pub const fn only(mut self, key: &'static str, values: &'static [&'static str]) -> Self {
        self.only = Some((key, values));
        self
    }

    /// At most so many requests; beyond it the input counts as incomplete. The default is 500 (100 for a setting).
    #[must_use]
    pub const fn limit(mut self, requests: u32) -> Self {
        self.limit = requests;
        self
    }
}

/// One thing that checks can know: an id, what it is, and the ways to get it. The host takes the first way that
/// answers and records which one did.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub(crate) id: &'static str,
    pub(crate) about: &'static str,
    pub(crate) sources: &'static [Source],
}

impl Input {
    /// An input with this id (`<plugin>.<name>`, or `platform.<name>` for those of [`crate::records`]).
    #[must_use]
    pub const fn new(id: &'static str, about: &'static str) -> Self {
        Self { id, about, sources: &[] }
    }

    /// The ways to get it, the best first.
    #[must_use]
    pub const fn sources(mut self, sources: &'static [Source]) -> Self {
        self.sources = sources;
        self
    }

    /// The input's id.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }
}
