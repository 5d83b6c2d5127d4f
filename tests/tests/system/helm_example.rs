//! Story 3: a chart from a Helm repository with values of one's own, as the example has it and as the
//! seeds tell it.

use crate::seeds;
use serde_json::json;
use system_tests::{Kind, Scene, repository_root};
use testbed::{ChartServer, example, with_url};
use testbed_programs::{Assets, Program};

/// A user whose manifests follow the example.
const SEED: &str = "004_97219af111813f85.txt";

#[tokio::test]
async fn the_example_is_installed_and_upgraded() {
    let scene = Scene::new("podinfo").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let examples = repository_root().join("examples/helm-app");
    let charts = ChartServer::http().unwrap();
    for version in ["5.2.1", "6.9.2"] {
        charts.publish_folder(&examples.join("charts/podinfo"), version).unwrap();
    }
    let here = |manifests: &str| {
        let own = format!("namespace: {namespace}");
        manifests.replace("namespace: podinfo", &own)
    };
    let manifests = here(&example(&examples.join("flux"), charts.url()).unwrap());
    // The namespace of the example is there already, under another name.
    let (_, manifests) = manifests.split_once("---\n").unwrap();
    scene.namespace().apply(manifests).unwrap();
    let told = |action: &str, version: u32, chart: &str| {
        format!(
            "Helm {action} succeeded for release {namespace}/podinfo.v{version} with chart \
             podinfo@{chart}"
        )
    };
    let installed = told("install", 1, "5.2.1");
    scene.until_ready(Kind::HelmRelease, "podinfo", &installed).await.unwrap();
    let deployment = scene.get(Kind::Deployment, "podinfo").await.unwrap();
    assert_eq!(deployment["status"]["readyReplicas"], 2, "a release waits for its pods");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"][1]["value"], "Hello from PodInfo ! ^^");

    let rows = |kind: &str| {
        let table = scene.namespace().kubectl(&["get", kind]).unwrap();
        let mut lines =
            table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        (lines.next().unwrap(), lines.next().unwrap())
    };
    let (head, row) = rows("helmrepository");
    assert_eq!(head, "NAME URL AGE READY STATUS");
    assert!(row.contains(" True stored artifact: revision 'sha256:"), "{row}");
    let (head, row) = rows("helmrelease");
    assert_eq!(head, "NAME AGE READY STATUS");
    assert!(row.ends_with(&format!(" True {installed}")), "{row}");

    let values = std::fs::read_to_string(examples.join("flux/values.yaml")).unwrap();
    let values = here(&values).replace("replicaCount: 2", "replicaCount: 3");
    scene.namespace().apply(&values).unwrap();
    let upgraded = told("upgrade", 2, "5.2.1");
    scene.until_ready(Kind::HelmRelease, "podinfo", &upgraded).await.unwrap();

    let latest = json!({"spec": {"chart": {"spec": {"version": "*"}}}});
    scene.patch(Kind::HelmRelease, "podinfo", &latest).await.unwrap();
    let upgraded = told("upgrade", 3, "6.9.2");
    scene.until_ready(Kind::HelmRelease, "podinfo", &upgraded).await.unwrap();
    let history = helm(&scene, &["history", "podinfo"]);
    let revisions: Vec<_> = history.lines().skip(1).map(str::trim_end).collect();
    assert_eq!(revisions.len(), 3, "{history}");
    assert!(
        revisions[2].contains("deployed") && revisions[2].contains("podinfo-6.9.2"),
        "{history}"
    );
    assert!(helm(&scene, &["get", "values", "podinfo"]).contains("replicaCount: 3"));

    let Some(seed) = seeds::text(SEED) else { return };
    let login = ["create", "secret", "docker-registry", "podinfo-helmrepository"];
    let login = [&login[..], &["--docker-server=ghcr.io", "--docker-username=u"]].concat();
    scene.namespace().kubectl(&[&login[..], &["--docker-password=p"]].concat()).unwrap();
    let documents = seeds::documents(&seed);
    let of_podinfo = documents.iter().filter(|document| document.contains("namespace: podinfo\n"));
    let helm = of_podinfo.filter(|document| {
        document.contains("\nkind: HelmRepository\n") || document.contains("\nkind: HelmRelease\n")
    });
    let mut applied = 0;
    for document in helm {
        scene.namespace().apply(&here(&with_url(document, charts.url()))).unwrap();
        applied += 1;
    }
    assert_eq!(applied, 2, "the seed has a HelmRepository and a HelmRelease");
    scene.until_ready(Kind::HelmRepository, "podinfo", "stored artifact").await.unwrap();
    scene.until_ready(Kind::HelmRelease, "podinfo", &upgraded).await.unwrap();
}

/// What the real helm says of the scene's namespace.
fn helm(scene: &Scene, args: &[&str]) -> String {
    let helm = Assets::from_env().path(Program::Helm).unwrap();
    let mut command = std::process::Command::new(helm);
    command.args(args).args(["--namespace", scene.namespace().name()]);
    command.env("KUBECONFIG", scene.world().cluster().kubeconfig());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
