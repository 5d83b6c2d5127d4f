//! What every controller does alike.
