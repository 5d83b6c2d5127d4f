//! Which versions of each kind are served, and how they differ.

use super::column::{AGE, READY, STATUS, text};
use super::definition::{Definition, Lift};
use crate::helm::{HelmRelease, HelmReleaseSpec, HelmReleaseStatus};
use crate::image::{
    ImagePolicy, ImagePolicySpec, ImagePolicyStatus, ImageRepository, ImageRepositorySpec,
    ImageRepositoryStatus, ImageUpdateAutomation, ImageUpdateAutomationSpec,
    ImageUpdateAutomationStatus,
};
use crate::kustomize::{Kustomization, KustomizationSpec, KustomizationStatus};
use crate::metadata::kustomize::{DISABLED, SUBSTITUTE};
use crate::notification::{
    Alert, AlertSpec, LegacyStatus, Provider, ProviderSpec, Receiver, ReceiverSpec, ReceiverStatus,
};
use crate::source::{
    Bucket, BucketSpec, BucketStatus, ExternalArtifact, ExternalArtifactSpec,
    ExternalArtifactStatus, GitRepository, GitRepositorySpec, GitRepositoryStatus, HelmChart,
    HelmChartSpec, HelmChartStatus, HelmRepository, HelmRepositorySpec, HelmRepositoryStatus,
    OCIRepository, OCIRepositorySpec, OCIRepositoryStatus,
};

/// The definitions of all kinds.
pub(super) fn definitions() -> Vec<Definition> {
    [sources(), appliers(), images(), notifications()].into_iter().flatten().collect()
}

fn sources() -> Vec<Definition> {
    const DIGEST: Lift = ("status.artifact.digest", "required");
    const TIME: Lift = ("status.artifact.lastUpdateTime", "required");
    const REVISION: Lift = ("status.artifact.revision", "required");
    const INTERVAL: Lift = ("spec.interval", "pattern");
    const TIMEOUT: Lift = ("spec.timeout", "pattern");

    let url = text("URL", ".spec.url");
    let endpoint = text("Endpoint", ".spec.endpoint");
    let chart = text("Chart", ".spec.chart");
    let version = text("Version", ".spec.version");
    let source_kind = text("Source Kind", ".spec.sourceRef.kind");
    let source_name = text("Source Name", ".spec.sourceRef.name");
    let source = text("Source", ".spec.sourceRef.name");

    vec![
        Definition::new::<GitRepository, GitRepositorySpec>(
            "A Git repository and the artifact made from one of its commits.",
            &[url, AGE, READY, STATUS],
        )
        .also(
            "v1beta2",
            &[url, AGE, READY, STATUS],
            &[DIGEST, ("status.includedArtifacts[].digest", "required")],
        )
        .also(
            "v1beta1",
            &[url, READY, STATUS, AGE],
            &[
                INTERVAL,
                TIMEOUT,
                ("spec.verify.secretRef", "required"),
                DIGEST,
                TIME,
                REVISION,
                ("status.includedArtifacts[].digest", "required"),
                ("status.includedArtifacts[].lastUpdateTime", "required"),
                ("status.includedArtifacts[].revision", "required"),
            ],
        )
        .status::<GitRepositoryStatus>(),
        Definition::new::<OCIRepository, OCIRepositorySpec>(
            "An OCI repository and the artifact made from one of its layers.",
            &[url, READY, STATUS, AGE],
        )
        .also("v1beta2", &[url, READY, STATUS, AGE], &[DIGEST])
        .status::<OCIRepositoryStatus>(),
        Definition::new::<HelmRepository, HelmRepositorySpec>(
            "A Helm chart repository and its index.",
            &[url, AGE, READY, STATUS],
        )
        .also("v1beta2", &[url, AGE, READY, STATUS], &[("spec.url", "pattern"), DIGEST])
        .also(
            "v1beta1",
            &[url, READY, STATUS, AGE],
            &[INTERVAL, TIMEOUT, ("spec.url", "pattern"), DIGEST, TIME, REVISION],
        )
        .status::<HelmRepositoryStatus>(),
        Definition::new::<HelmChart, HelmChartSpec>(
            "A Helm chart from one of the sources.",
            &[chart, version, source_kind, source_name, AGE, READY, STATUS],
        )
        .also(
            "v1beta2",
            &[chart, version, source_kind, source_name, AGE, READY, STATUS],
            &[("spec", "x-kubernetes-validations"), DIGEST],
        )
        .also(
            "v1beta1",
            &[chart, version, source_kind, source_name, READY, STATUS, AGE],
            &[INTERVAL, DIGEST, TIME, REVISION],
        )
        .status::<HelmChartStatus>(),
        Definition::new::<Bucket, BucketSpec>(
            "A bucket of an object store and the artifact made from its objects.",
            &[endpoint, AGE, READY, STATUS],
        )
        .also("v1beta2", &[endpoint, AGE, READY, STATUS], &[DIGEST])
        .also(
            "v1beta1",
            &[endpoint, READY, STATUS, AGE],
            &[INTERVAL, TIMEOUT, DIGEST, TIME, REVISION],
        )
        .status::<BucketStatus>(),
        Definition::new::<ExternalArtifact, ExternalArtifactSpec>(
            "An artifact that a controller outside this group stores.",
            &[AGE, READY, STATUS, source],
        )
        .status::<ExternalArtifactStatus>(),
    ]
}

fn appliers() -> Vec<Definition> {
    vec![
        Definition::new::<Kustomization, KustomizationSpec>(
            "Objects that are built from a source and kept as built.",
            &[AGE, READY, STATUS],
        )
        .annotated(SUBSTITUTE, DISABLED)
        .also("v1beta2", &[AGE, READY, STATUS], &[])
        .also(
            "v1beta1",
            &[READY, STATUS, AGE],
            &[
                ("spec.interval", "pattern"),
                ("spec.retryInterval", "pattern"),
                ("spec.timeout", "pattern"),
                ("spec.kubeConfig", "x-kubernetes-validations"),
            ],
        )
        .status::<KustomizationStatus>(),
        Definition::new::<HelmRelease, HelmReleaseSpec>(
            "A Helm chart that is installed and kept as installed.",
            &[AGE, READY, STATUS],
        )
        .annotated(SUBSTITUTE, DISABLED)
        .also("v2beta2", &[AGE, READY, STATUS], &[("spec.chart.spec.sourceRef.kind", "required")])
        .also(
            "v2beta1",
            &[AGE, READY, STATUS],
            &[
                ("spec.chart.spec.chart", "minLength"),
                ("spec.chart.spec.chart", "maxLength"),
                ("spec.chart.spec.sourceRef.kind", "required"),
                ("spec.serviceAccountName", "minLength"),
                ("spec.serviceAccountName", "maxLength"),
                ("status.lastAttemptedReleaseAction", "enum"),
                ("status.storageNamespace", "minLength"),
                ("status.storageNamespace", "maxLength"),
            ],
        )
        .status::<HelmReleaseStatus>(),
    ]
}

fn images() -> Vec<Definition> {
    const UNSCANNED: &[Lift] = &[("spec.image", "required"), ("spec.interval", "required")];
    const UNSIGNED: &[Lift] = &[("spec.git.commit.signingKey.secretRef", "required")];

    let latest_image = text("LatestImage", ".status.latestImage");
    let last_scan = text("Last scan", ".status.lastScanResult.scanTime");
    let tags = text("Tags", ".status.lastScanResult.tagCount");
    let last_run = text("Last run", ".status.lastAutomationRunTime");

    vec![
        Definition::new::<ImageRepository, ImageRepositorySpec>(
            "A container image whose tags are scanned.",
            &[text("Image", ".spec.image"), tags, READY, STATUS, last_scan.wide(), AGE],
        )
        .also("v1beta2", &[last_scan, tags], UNSCANNED)
        .also(
            "v1beta1",
            &[last_scan, tags],
            &[
                ("spec.image", "required"),
                ("spec.interval", "required"),
                ("spec.exclusionList", "maxItems"),
            ],
        )
        .status::<ImageRepositoryStatus>(),
        Definition::new::<ImagePolicy, ImagePolicySpec>(
            "A rule that chooses one tag of a container image.",
            &[
                text("Image", ".status.latestRef.name"),
                text("Tag", ".status.latestRef.tag"),
                READY,
                STATUS,
                AGE,
            ],
        )
        .also("v1beta2", &[latest_image], &[])
        .also("v1beta1", &[latest_image], &[])
        .status::<ImagePolicyStatus>(),
        Definition::new::<ImageUpdateAutomation, ImageUpdateAutomationSpec>(
            "Commits of chosen image tags to a Git repository.",
            &[READY, STATUS, last_run.wide(), AGE],
        )
        .also("v1beta2", &[last_run], UNSIGNED)
        .also("v1beta1", &[last_run], UNSIGNED)
        .status::<ImageUpdateAutomationStatus>(),
    ]
}

fn notifications() -> Vec<Definition> {
    vec![
        Definition::new::<Provider, ProviderSpec>("A service that receives notifications.", &[AGE])
            .annotated(SUBSTITUTE, DISABLED)
            .also("v1beta2", &[AGE, READY, STATUS], &[])
            .also(
                "v1beta1",
                &[AGE, READY, STATUS],
                &[
                    ("spec.address", "maxLength"),
                    ("spec.channel", "maxLength"),
                    ("spec.proxy", "maxLength"),
                    ("spec.username", "maxLength"),
                ],
            )
            .older_status::<LegacyStatus>(),
        Definition::new::<Alert, AlertSpec>("A choice of events that go to a provider.", &[AGE])
            .annotated(SUBSTITUTE, DISABLED)
            .also("v1beta2", &[AGE, READY, STATUS], &[])
            .also(
                "v1beta1",
                &[AGE, READY, STATUS],
                &[("spec.eventSources[].kind", "required"), ("spec.summary", "maxLength")],
            )
            .older_status::<LegacyStatus>(),
        Definition::new::<Receiver, ReceiverSpec>(
            "A webhook that asks for reconciliations.",
            &[AGE, READY, STATUS],
        )
        .annotated(SUBSTITUTE, DISABLED)
        .also("v1beta2", &[AGE, READY, STATUS], &[])
        .also("v1beta1", &[AGE, READY, STATUS], &[("spec.resources[].kind", "required")])
        .status::<ReceiverStatus>(),
    ]
}
