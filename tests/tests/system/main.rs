//! The system tests. One binary, so that they share one control plane.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

mod api_server_restarts;
mod buckets;
mod canaries;
mod crash;
mod custom_resources;
mod decryption;
mod decryption_disk;
mod dependencies;
mod disturbances;
mod expressions;
mod faults;
mod fields;
mod git_app;
mod hand_over;
mod health;
mod helm_app;
mod helm_bad_input;
mod helm_charts;
mod helm_example;
mod helm_fields;
mod helm_processes;
mod helm_requests;
mod helm_storage;
mod homelab;
mod incidents;
mod incidents_restart;
mod incidents_threads;
mod kills;
mod notifications;
mod notifications_alertmanager;
mod notifications_bad_input;
mod notifications_events;
mod notifications_identities;
mod notifications_nats;
mod notifications_oidc;
mod notifications_replicas;
mod notifications_signatures;
mod notifications_strict;
mod operator_chart;
mod ordered_deletion;
mod plain_http;
mod proofs;
mod prune_guard;
mod releases;
mod remote_bases;
mod remote_clusters;
mod restarts;
mod seeds;
mod sizes;
mod sources;
mod subtree;
mod takeover;
mod timing;

/// A ConfigMap as a file of a repository.
fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: \"{value}\"\n"
    )
}

/// A Deployment of one pod. With `node`, the test bed makes it Ready; without, it waits for ever.
fn deployment(name: &str, node: bool) -> String {
    let node = if node { "\n      nodeName: lab-node" } else { "" };
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:{node}
      containers:
      - name: main
        image: example.com/app:1
"
    )
}
