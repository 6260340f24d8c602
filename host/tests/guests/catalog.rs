//! The catalogue: found, trusted, cached.
