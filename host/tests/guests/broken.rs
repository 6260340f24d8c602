//! Files that are no plugins, or no longer: each is refused in one sentence, before any of its code runs.
