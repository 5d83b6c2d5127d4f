//! Artifacts: pack, store, serve, fetch, verify, open.
