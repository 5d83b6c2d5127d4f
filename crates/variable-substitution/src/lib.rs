//! The variable substitution of spec.postBuild.
