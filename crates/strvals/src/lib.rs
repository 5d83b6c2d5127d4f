//! Helm's --set syntax.
