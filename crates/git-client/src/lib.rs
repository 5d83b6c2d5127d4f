//! Git repositories read over http and https.
