//! Real parts for tests: a Kubernetes control plane, git servers, faults.
//!
//! Nothing here is a mock: tests talk to a real kube-apiserver and to real git over real HTTP, all on
//! the loopback. Every part is a guard: dropping it (or the end of the test process, however that
//! comes) ends its processes and removes its files.
//!
//! | part | what |
//! |---|---|
//! | [`ControlPlane`] | etcd, kube-apiserver, kube-controller-manager, kwok |
//! | [`Cluster`] | how to reach an API server, ours or (`USE_EXISTING_CLUSTER=true`) yours |
//! | [`GitServer`], [`GitRepository`] | git over http(s) with credentials and faults on demand |
//! | [`Controller`] | one of our programs, its flags and its log |
//! | [`Stack`] | the set of them that makes a running ferroflux |
//! | [`Usage`], [`ApiRequests`] | what a process and an API client cost |
//! | [`Interruption`] | an API client that is killed at its n-th write |
//! | [`ApiProxy`], [`ApiFault`] | the same for a program, and answers that disturb it |
//! | [`example`] | the repository's examples, pointed at servers of ours |
//! | [`Sink`] | a chat server, or any other that is told things |
//! | [`Issuer`] | an identity provider, whose tokens may be wrong in many ways |
//! | [`eventually`] | polls until a deadline, instead of sleeping |

mod api_fault;
mod api_proxy;
mod api_requests;
mod certificates;
mod chart_server;
mod cluster;
mod control_plane;
mod controller;
mod eventually;
mod example;
mod git_repository;
pub mod git_server;
mod interruption;
mod issuer;
mod namespace;
mod process;
mod sink;
mod stack;
mod usage;
mod web_server;

pub use api_fault::ApiFault;
pub use api_proxy::ApiProxy;
pub use api_requests::{ApiRequests, RequestKey};
pub use certificates::{Ca, Certificate};
pub use chart_server::ChartServer;
pub use cluster::Cluster;
pub use control_plane::{ControlPlane, Options};
pub use controller::{Controller, free_port};
pub use eventually::eventually;
pub use example::{example, with_url};
pub use git_repository::GitRepository;
pub use git_server::{Access, Fault, GitServer};
pub use interruption::{Interrupted, Interruption, Moment};
pub use issuer::Issuer;
pub use namespace::Namespace;
pub use process::Process;
pub use sink::{Received, Reply, Sink};
pub use stack::{Stack, StackFlags};
pub use usage::Usage;
