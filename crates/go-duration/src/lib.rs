//! Durations written and read as Go does.
