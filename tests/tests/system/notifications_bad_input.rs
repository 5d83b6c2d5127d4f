//! Providers and Alerts that are wrong, and providers that behave badly: each is told of at its Alert,
//! and nobody else notices.

use std::time::{Duration, Instant};

use crate::incidents::{Notified, unheard, words};
use crate::notifications::{notifier, secret, world};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testbed::{Reply, eventually};

const PATIENCE: Duration = Duration::from_mins(1);
const FAILED: &str = "NotificationDispatchFailed";
/// Providers that never answer.
const HANGING: usize = 20;

/// An Alert of everything about Kustomizations, with `more` in its spec.
fn alert(name: &str, more: &Value) -> Value {
    let mut spec = json!({
        "providerRef": {"name": name}, "eventSources": [{"kind": "Kustomization", "name": "*"}],
    });
    spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    notifier("Alert", name, &spec)
}

/// Tells of new things until each Alert has an event with these words.
async fn until_told_of(notified: &Notified, wanted: &[(&str, &str, String)]) {
    let told = eventually(PATIENCE, || async {
        notified.tell("Kustomization", "app", "error", &words(unheard())).await?;
        for (alert, reason, words) in wanted {
            let remarks = notified.remarks(alert, reason).await?;
            ensure!(
                remarks.iter().any(|remark| remark.contains(words)),
                "{alert} says {remarks:?} instead of {words}"
            );
        }
        Ok(())
    });
    let told: Result<()> = told.await;
    told.unwrap();
}

#[tokio::test]
async fn a_provider_that_cannot_be_told_is_told_of_at_its_alert() {
    let notified = Notified::new("bad-providers").await;
    let scene = &notified.scene;
    let unsent = |error: &str| {
        let namespace = scene.namespace().name();
        format!("failed to send notification for Kustomization/{namespace}/app: {error}")
    };
    let unbegun = |name: &str, error: &str| {
        let namespace = scene.namespace().name();
        format!(
            "failed to dispatch notification for Kustomization/{namespace}/app: failed to \
             initialize notifier for provider '{name}': {error}"
        )
    };
    let link_local = "postMessage failed: the address is link-local";
    let closed = format!("http://127.0.0.1:{}/", testbed::free_port().unwrap());
    let cases = [
        ("no-scheme", "hooks.example.com", unbegun("no-scheme", "")),
        ("ftp", "ftp://example.com/", unbegun("ftp", "")),
        ("bracket", "http://[bad", unbegun("bracket", "")),
        ("metadata", "http://169.254.169.254/latest/meta-data", unsent(link_local)),
        ("decimal", "http://2852039166/latest", unsent(link_local)),
        ("octal", "http://0251.0376.0251.0376/", unsent(link_local)),
        ("mapped", "http://[::ffff:169.254.169.254]/latest", unsent(link_local)),
        ("closed", &closed, unsent("postMessage failed: failed to execute request")),
    ];
    let mut objects = Vec::new();
    let mut wanted = Vec::new();
    for (name, address, words) in &cases {
        let spec = json!({"type": "generic", "address": address, "timeout": "1s"});
        objects.extend([notifier("Provider", name, &spec), alert(name, &json!({}))]);
        wanted.push((*name, FAILED, words.clone()));
    }
    let nobody = json!({"type": "generic", "secretRef": {"name": "nobody"}});
    objects.extend([notifier("Provider", "no-secret", &nobody), alert("no-secret", &json!({}))]);
    let namespace = scene.namespace().name();
    let no_secret =
        format!("failed to get secret '{namespace}/nobody': secrets \"nobody\" not found");
    wanted.push(("no-secret", FAILED, unbegun("no-secret", &no_secret)));
    objects.push(alert("no-provider", &json!({})));
    let no_provider = "failed to read provider: Provider.notification.toolkit.fluxcd.io \
                       \"no-provider\" not found";
    let no_provider =
        format!("failed to dispatch notification for Kustomization/{namespace}/app: {no_provider}");
    wanted.push(("no-provider", FAILED, no_provider));
    scene.apply_all(&objects).unwrap();
    notified.alert("good", &json!({}));
    notified.until_known(&["good"]).await;
    until_told_of(&notified, &wanted).await;
}

#[tokio::test]
async fn an_alert_whose_words_are_wrong_still_tells() {
    let notified = Notified::new("bad-alerts").await;
    let address = |name: &str| format!("{}/{name}", notified.sink.url());
    let provider = |name: &str| {
        notifier("Provider", name, &json!({"type": "generic", "address": address(name)}))
    };
    let objects = [
        provider("inclusion"),
        alert("inclusion", &json!({"inclusionList": ["(", ".*"]})),
        provider("exclusion"),
        alert("exclusion", &json!({"exclusionList": ["[z-a]"]})),
    ];
    notified.scene.apply_all(&objects).unwrap();
    let template = |name: &str, text: &str| {
        notified.alert(name, &json!({"ferroflux.dev/message-template": text}));
    };
    template("endless", r#"{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#);
    template("long", "{{ range until 100000000 }}x{{ end }}");
    template(
        "nested",
        &format!("{}{}", "{{ range until 100000 }}".repeat(4), "{{ end }}".repeat(4)),
    );
    template("huge", r#"{{ repeat 1073741824 "x" }}"#);
    template(
        "bomb",
        r#"{{ $x := "xxxxxxxxxxxxxxxx" }}{{ range until 26 }}{{ $x = print $x $x }}{{ end }}{{ $x }}"#,
    );
    let before = resident().await;
    let wanted: Vec<_> = ["endless", "long", "nested", "huge", "bomb"]
        .map(|name| (name, "TemplateFailed", "the message template failed: ".to_owned()))
        .into_iter()
        .chain([
            ("inclusion", "InvalidConfig", "failed to compile inclusion regex: (".to_owned()),
            ("exclusion", "InvalidConfig", "failed to compile exclusion regex: [z-a]".to_owned()),
        ])
        .collect();
    until_told_of(&notified, &wanted).await;
    // All of them tell: what is wrong is left out.
    notified.until_known(&["inclusion", "exclusion", "endless", "long", "huge", "bomb"]).await;
    let grown = resident().await.saturating_sub(before);
    assert!(grown < 256 << 20, "the templates took {grown} bytes");
}

/// Bytes of memory of the notification-controller.
async fn resident() -> u64 {
    let stack = world().stack().lock().await;
    let pid = stack.notification().unwrap().pid();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn servers_of_providers_may_misbehave() {
    let notified = Notified::new("bad-servers").await;
    let (scene, sink) = (&notified.scene, &notified.sink);
    let elsewhere = format!("{}/elsewhere", sink.url());
    sink.reply("/redirects", Reply::Header(307, "location", elsewhere.clone()));
    sink.reply("/moved", Reply::Header(302, "location", elsewhere));
    sink.reply("/echoes", Reply::Echo(400));
    sink.reply("/hangs", Reply::Silence);
    sink.reply_once("/busy", Reply::Header(429, "retry-after", "1".to_owned()));
    let mut objects = Vec::new();
    for name in ["redirects", "moved", "echoes", "hangs", "busy"] {
        let address = format!("{}/{name}", sink.url());
        let data = json!({
            "address": address, "token": "canary-token", "headers": "X-Token: canary-header",
        });
        let spec = json!({
            "type": "generic", "timeout": if name == "hangs" { "1s" } else { "5s" },
            "secretRef": {"name": name},
        });
        let objects_of_it =
            [secret(name, &data), notifier("Provider", name, &spec), alert(name, &json!({}))];
        objects.extend(objects_of_it);
    }
    scene.apply_all(&objects).unwrap();
    let refused = |status: u16| format!("request failed with status code {status}");
    let wanted = [
        ("redirects", FAILED, refused(307)),
        ("moved", FAILED, refused(302)),
        ("echoes", FAILED, refused(400)),
        ("hangs", FAILED, "postMessage failed: failed to execute request".to_owned()),
    ];
    until_told_of(&notified, &wanted).await;
    assert!(sink.received("/elsewhere").is_empty(), "a redirect was followed");
    // What was refused once is told again, the same and not sooner than the server wants.
    let busy = sink.received("/busy");
    let repeated = busy.iter().skip(1).any(|request| request.text == busy[0].text);
    assert!(repeated, "{busy:#?}");
    let echoed = notified.remarks("echoes", FAILED).await.unwrap();
    assert!(echoed.iter().all(|remark| !remark.contains("canary")), "{echoed:?}");
}

#[tokio::test]
async fn a_good_provider_waits_for_no_hanging_one() {
    let notified = Notified::new("hanging").await;
    notified.sink.reply("/hangs", Reply::Silence);
    let address = format!("{}/hangs", notified.sink.url());
    let hanging = (0..HANGING).flat_map(|n| {
        let name = format!("hangs-{n}");
        let spec = json!({"type": "generic", "address": address, "timeout": "10s"});
        [notifier("Provider", &name, &spec), alert(&name, &json!({}))]
    });
    notified.scene.apply_all(&hanging.collect::<Vec<_>>()).unwrap();
    notified.alert("good", &json!({}));
    notified.until_known(&["good"]).await;
    eventually(PATIENCE, || async {
        notified.tell("Kustomization", "app", "error", &words(unheard())).await?;
        let held = notified.sink.received("/hangs").len();
        ensure!(held >= HANGING, "{held} providers hang");
        Ok(())
    })
    .await
    .unwrap();
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        let name = format!("app-{number}");
        let told = || {
            let told = notified.sink.received("/good");
            told.iter().any(|event| event.body["involvedObject"]["name"] == name.as_str())
        };
        let begun = Instant::now();
        notified.tell("Kustomization", &name, "error", &words(unheard())).await.unwrap();
        eventually(PATIENCE, || async {
            ensure!(told(), "nothing is told of {name}");
            Ok(())
        })
        .await
        .unwrap();
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "the slowest took {slowest:?}");
}
