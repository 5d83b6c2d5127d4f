//! The custom resources of the Flux API groups as Rust types.
//!
//! One module per API group with one file per kind; the words that several kinds share stand in
//! modules of their own. The types hold the newest version of a kind together with the fields that
//! only older versions had (see `docs/decisions/0001-one-schema-per-kind-many-versions.md`).
//!
//! Enumerations, durations and patterns stay strings: the API server validates them when our
//! schema is installed, and an object from elsewhere must stay readable when one of them is odd. What cannot be read at all, such
//! as an object without spec, which every API server admits, must not hide the others of its list:
//! watches read `kube::core::DeserializeGuard` around these types.

pub mod appliers;
pub mod artifact;
pub mod codegen;
pub mod conditions;
pub mod duration;
pub mod helm;
pub mod image;
pub mod inventory;
pub mod kustomize;
pub mod metadata;
pub mod notification;
pub mod object_selection;
pub mod reasons;
pub mod references;
pub mod source;

pub use artifact::Artifact;
pub use conditions::Condition;
pub use duration::GoDuration;
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
