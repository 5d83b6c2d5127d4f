//! The template functions that Helm offers: sprig's and its own.
