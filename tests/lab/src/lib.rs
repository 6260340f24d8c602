//! A simulated Tanium deployment that speaks the real API.
