//! What is kept between runs: SQLite.
