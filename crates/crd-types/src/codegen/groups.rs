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
        Definition::new::<GitRepository, GitRepositorySpec>(&[url, AGE, READY, STATUS])
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
        Definition::new::<OCIRepository, OCIRepositorySpec>(&[url, READY, STATUS, AGE])
            .also("v1beta2", &[url, READY, STATUS, AGE], &[DIGEST])
            .status::<OCIRepositoryStatus>(),
        Definition::new::<HelmRepository, HelmRepositorySpec>(&[url, AGE, READY, STATUS])
            .also("v1beta2", &[url, AGE, READY, STATUS], &[("spec.url", "pattern"), DIGEST])
            .also(
                "v1beta1",
                &[url, READY, STATUS, AGE],
                &[INTERVAL, TIMEOUT, ("spec.url", "pattern"), DIGEST, TIME, REVISION],
            )
            .status::<HelmRepositoryStatus>(),
        Definition::new::<HelmChart, HelmChartSpec>(&[
            chart,
            version,
            source_kind,
            source_name,
            AGE,
            READY,
            STATUS,
        ])
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
        Definition::new::<Bucket, BucketSpec>(&[endpoint, AGE, READY, STATUS])
            .also("v1beta2", &[endpoint, AGE, READY, STATUS], &[DIGEST])
            .also(
                "v1beta1",
                &[endpoint, READY, STATUS, AGE],
                &[INTERVAL, TIMEOUT, DIGEST, TIME, REVISION],
            )
            .status::<BucketStatus>(),
        Definition::new::<ExternalArtifact, ExternalArtifactSpec>(&[AGE, READY, STATUS, source])
            .status::<ExternalArtifactStatus>(),
    ]
}

fn appliers() -> Vec<Definition> {
    vec![
        Definition::new::<Kustomization, KustomizationSpec>(&[AGE, READY, STATUS])
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
        Definition::new::<HelmRelease, HelmReleaseSpec>(&[AGE, READY, STATUS])
            .annotated(SUBSTITUTE, DISABLED)
            .also(
                "v2beta2",
                &[AGE, READY, STATUS],
                &[("spec.chart.spec.sourceRef.kind", "required")],
            )
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
        Definition::new::<ImageRepository, ImageRepositorySpec>(&[
            text("Image", ".spec.image"),
            tags,
            READY,
            STATUS,
            last_scan.wide(),
            AGE,
        ])
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
        Definition::new::<ImagePolicy, ImagePolicySpec>(&[
            text("Image", ".status.latestRef.name"),
            text("Tag", ".status.latestRef.tag"),
            READY,
            STATUS,
            AGE,
        ])
        .also("v1beta2", &[latest_image], &[])
        .also("v1beta1", &[latest_image], &[])
        .status::<ImagePolicyStatus>(),
        Definition::new::<ImageUpdateAutomation, ImageUpdateAutomationSpec>(&[
            READY,
            STATUS,
            last_run.wide(),
            AGE,
        ])
        .also("v1beta2", &[last_run], UNSIGNED)
        .also("v1beta1", &[last_run], UNSIGNED)
        .status::<ImageUpdateAutomationStatus>(),
    ]
}

fn notifications() -> Vec<Definition> {
    vec![
        Definition::new::<Provider, ProviderSpec>(&[AGE])
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
        Definition::new::<Alert, AlertSpec>(&[AGE])
            .annotated(SUBSTITUTE, DISABLED)
            .also("v1beta2", &[AGE, READY, STATUS], &[])
            .also(
                "v1beta1",
                &[AGE, READY, STATUS],
                &[("spec.eventSources[].kind", "required"), ("spec.summary", "maxLength")],
            )
            .older_status::<LegacyStatus>(),
        Definition::new::<Receiver, ReceiverSpec>(&[AGE, READY, STATUS])
            .annotated(SUBSTITUTE, DISABLED)
            .also("v1beta2", &[AGE, READY, STATUS], &[])
            .also("v1beta1", &[AGE, READY, STATUS], &[("spec.resources[].kind", "required")])
            .status::<ReceiverStatus>(),
    ]
}
