//! What the controllers do together, on a real API server.
