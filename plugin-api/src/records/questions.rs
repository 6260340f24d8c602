//! Questions that the server keeps and asks again.

use crate::{Input, Source};

/// Saved questions. Plugins look at different sides of them, so each has a record of its own.
pub const SAVED_QUESTIONS: Input = Input::new("platform.saved-questions", "saved questions")
    .sources(&[Source::rest("/api/v2/saved_questions").paged().needs(&["read saved question"])]);
