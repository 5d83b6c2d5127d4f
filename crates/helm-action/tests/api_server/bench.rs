//! What one test works with.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cluster_apply::{Clusters, Settings, TenantClient};
use helm_action::{Attempt, History, Options, Origin, Target, TestOptions, UninstallOptions};
use helm_release::{Record, Status};
use testbed::{ControlPlane, Interruption, Namespace};

/// One control plane for all tests. It ends with the test process.
pub(crate) static PLANE: LazyLock<ControlPlane> =
    LazyLock::new(|| ControlPlane::start(testbed::Options { audit: false, kwok: true }).unwrap());

/// What one test works with: a namespace, and a client that can be cut off.
pub(crate) struct Bench {
    pub(crate) namespace: Namespace,
    pub(crate) client: TenantClient,
    pub(crate) interruption: Interruption,
}

impl Bench {
    pub(crate) async fn new(name: &str) -> Self {
        let namespace = PLANE.cluster().namespace(name).unwrap();
        let interruption = Interruption::default();
        let client = PLANE.cluster().interruptible_client(&interruption).await.unwrap();
        let clusters = Clusters::with_client(client, Settings::helm_controller());
        Self { client: TenantClient::as_controller(clusters.local()), namespace, interruption }
    }

    pub(crate) fn target(&self, name: &str) -> Target {
        Target {
            client: self.client.clone(),
            storage_namespace: self.namespace.name().to_owned(),
            namespace: self.namespace.name().to_owned(),
            name: name.to_owned(),
            origin: Origin { name: "hr".to_owned(), namespace: "flux".to_owned() },
            leave: helm_action::Leave::default(),
        }
    }

    /// What the API server has of something, as kubectl prints it with this JSON path; empty if it
    /// is not there.
    pub(crate) fn get(&self, what: &str, path: &str) -> String {
        let path = format!("jsonpath={path}");
        self.namespace.kubectl(&["get", what, "--ignore-not-found", "-o", &path]).unwrap()
    }

    pub(crate) fn exists(&self, what: &str) -> bool {
        !self.get(what, "{.metadata.name}").is_empty()
    }
}

pub(crate) async fn history(target: &Target) -> History {
    target.storage().history().await.unwrap()
}

/// The statuses of all revisions: `1:superseded 2:deployed`.
pub(crate) async fn statuses(target: &Target) -> String {
    let history = history(target).await;
    let each = history.records.iter().map(|r| format!("{}:{}", r.version, r.info.status));
    each.collect::<Vec<_>>().join(" ")
}

pub(crate) fn options() -> Options {
    Options { timeout: Duration::from_secs(20), ..Options::default() }
}

pub(crate) fn test_options() -> TestOptions {
    TestOptions {
        timeout: Duration::from_secs(20),
        filters: helm_action::TestFilters::default(),
        health: None,
    }
}

pub(crate) fn uninstall_options() -> UninstallOptions {
    UninstallOptions { timeout: Duration::from_secs(20), ..UninstallOptions::default() }
}

/// The release that an attempt made.
#[expect(clippy::needless_pass_by_value, reason = "an attempt is looked at once")]
pub(crate) fn released(attempt: Attempt) -> Arc<Record> {
    if let Err(error) = &attempt.result {
        panic!("{}", error_chain::chain(error));
    }
    let record = Arc::clone(attempt.release().unwrap());
    assert_eq!(record.info.status, Status::Deployed);
    record
}

/// What an attempt failed with.
pub(crate) fn failure(attempt: &Attempt) -> String {
    error_chain::chain(attempt.result.as_ref().unwrap_err())
}
