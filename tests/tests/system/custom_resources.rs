//! The custom resources, as a user installs them.

use system_tests::{Ground, repository_root};

#[test]
fn they_can_be_applied_from_either_side() {
    let cluster = Ground::shared().cluster();
    let folder = repository_root().join("config/crds").display().to_string();
    // The world has applied them with --server-side. Client-side, kubectl keeps each whole document in
    // an annotation, which may not be longer than 256 KiB.
    cluster.kubectl(&["apply", "--dry-run=server", "-f", &folder]).unwrap();
    cluster.kubectl(&["apply", "--server-side", "-f", &folder]).unwrap();
}

#[test]
fn all_kinds_are_served_with_their_short_names() {
    let cluster = Ground::shared().cluster();
    let served = cluster.kubectl(&["api-resources", "--no-headers"]).unwrap();
    for kind in [
        "GitRepository",
        "OCIRepository",
        "HelmRepository",
        "HelmChart",
        "Bucket",
        "ExternalArtifact",
        "Kustomization",
        "HelmRelease",
        "ImageRepository",
        "ImagePolicy",
        "ImageUpdateAutomation",
        "Provider",
        "Alert",
        "Receiver",
    ] {
        assert!(served.contains(&format!(" {kind}\n")), "{kind} is not served:\n{served}");
    }
    for short in [" gitrepo ", " ks ", " hr ", " ocirepo ", " helmrepo ", " hc "] {
        assert!(served.contains(short), "{short} is no short name:\n{served}");
    }
}
