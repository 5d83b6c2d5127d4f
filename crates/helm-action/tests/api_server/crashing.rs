//! Killed at every request, before it is sent and after it is carried out.

use crd_types::helm::Snapshot;
use helm_action::{Attempt, Desired, Target, install, resume, rollback, test, uninstall, upgrade};
use helm_release::{
    Counters, Decision, Desired as Wanted, Drift, IntentAction, Remedy, Strategy, TestPolicy,
    config_digest, decide, observe, snapshot, snapshot_of_tests,
};
use serde_json::json;
use testbed::Moment;

use crate::bench::{Bench, history, options, released, statuses, test_options, uninstall_options};
use crate::chart::{CONFIG, HOOKS, OLD, chart, desired};

/// More writes than any action here makes.
const MAX_WRITES: usize = 60;

/// A controller in small: it observes, decides, acts and keeps a history, until all is well.
struct Controller<'a> {
    target: &'a Target,
    wanted: &'a Desired,
    history: Vec<Snapshot>,
    tests: bool,
}

impl Controller<'_> {
    async fn converge(&mut self) {
        for _ in 0..8 {
            if !self.step().await {
                return;
            }
        }
        panic!("does not converge: {}", statuses(self.target).await);
    }

    /// One action. False if there is nothing to do.
    async fn step(&mut self) -> bool {
        let stored = history(self.target).await;
        let wanted = Wanted {
            chart_name: self.wanted.chart.name().to_owned(),
            chart_version: self.wanted.chart.metadata.version.clone(),
            config_digest: config_digest(&self.wanted.values),
            ..Wanted::default()
        };
        let tests = TestPolicy { enabled: self.tests, ignore_failures: false };
        let last = stored.last().map(AsRef::as_ref);
        let state = observe(last, &self.history, &wanted, tests, Drift::None).unwrap();
        let remediate = Strategy::Remediate {
            retries: 3,
            remediate_last_failure: true,
            ignore_test_failures: false,
            remedy: Remedy::Rollback,
        };
        let counters = Counters {
            install: remediate,
            upgrade: remediate,
            install_failures: 0,
            upgrade_failures: 0,
            last: None,
            is_forced: false,
            corrects_drift: false,
        };
        let (target, wanted) = (self.target, self.wanted);
        let attempt = match decide(&state, &self.history, &counters) {
            Decision::Nothing => return false,
            Decision::Install => install(target, &stored, wanted, &options()).await,
            Decision::Upgrade { .. } => upgrade(target, &stored, wanted, &options()).await,
            Decision::Resume(IntentAction::Uninstall) => {
                uninstall(target, &stored, &uninstall_options()).await
            }
            Decision::Resume(_) => resume(target, &stored, &options()).await,
            Decision::Test => test(target, &stored, &test_options()).await,
            Decision::Record(action) => {
                let record = stored.last().unwrap();
                let mut taken = snapshot(record, None, None);
                if action == IntentAction::Test {
                    taken.test_hooks = Some(snapshot_of_tests(record));
                }
                self.take(taken);
                return true;
            }
            other => panic!("{other:?} in {state:?}"),
        };
        self.learn(&attempt, matches!(decide(&state, &self.history, &counters), Decision::Test));
        true
    }

    fn learn(&mut self, attempt: &Attempt, is_test: bool) {
        for record in &attempt.written {
            let mut taken = snapshot(record, None, None);
            if is_test {
                taken.test_hooks = Some(snapshot_of_tests(record));
            }
            self.take(taken);
        }
    }

    fn take(&mut self, taken: Snapshot) {
        self.history.retain(|known| known.version != taken.version);
        self.history.push(taken);
    }
}

/// Kills an action at every write and lets a new controller go on. `prepare` makes the release that
/// it begins with, `check` looks at what came out.
async fn at_every_write(
    name: &str,
    prepare: impl AsyncFn(&Bench, &Target),
    act: impl AsyncFn(&Target) -> Attempt,
    go_on: impl AsyncFn(&Target),
    check: impl AsyncFn(&Bench, &Target, &[String]),
) {
    let bench = Bench::new(name).await;
    let mut writes = 0;
    for moment in [Moment::Before, Moment::After] {
        for n in 1..=MAX_WRITES {
            let target =
                bench.target(&format!("{name}-{n}-{}", format!("{moment:?}").to_lowercase()));
            prepare(&bench, &target).await;
            let begun = bench.interruption.sent().len();
            bench.interruption.arm(n, moment);
            let is_over = tokio::select! {
                _ = act(&target) => true,
                () = bench.interruption.reached() => false,
            };
            bench.interruption.disarm();
            if is_over {
                writes += n - 1;
                break;
            }
            go_on(&target).await;
            check(&bench, &target, &bench.interruption.sent()[begun..]).await;
        }
    }
    assert!(writes > 8, "{name} makes more than four writes");
    println!("{name}: killed {writes} times");
}

/// How often a hook was created.
fn created(sent: &[String], target: &Target, hook: &str) -> usize {
    let path = format!("/configmaps/{}-{hook}", target.name);
    sent.iter().filter(|line| line.starts_with("PATCH ") && line.ends_with(&path)).count()
}

fn first() -> Desired {
    desired(chart("1.0.0", &[CONFIG, OLD, HOOKS]), &json!({"text": "one"}))
}

fn second() -> Desired {
    desired(chart("2.0.0", &[CONFIG, OLD, HOOKS]), &json!({"text": "two"}))
}

async fn install_first(_bench: &Bench, target: &Target) {
    released(install(target, &history(target).await, &first(), &options()).await);
}

async fn converge(target: &Target, wanted: &Desired, known: &[i64]) {
    let stored = history(target).await;
    let known = stored.records.iter().filter(|record| known.contains(&record.version));
    let history = known
        .map(|record| {
            // What the status said before: the revision was deployed.
            let mut record = helm_release::Record::clone(record);
            record.info.status = helm_release::Status::Deployed;
            snapshot(&record, None, None)
        })
        .collect();
    Controller { target, wanted, history, tests: false }.converge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_is_gone_on_with() {
    at_every_write(
        "inst",
        async |_, _| {},
        async |target| install(target, &history(target).await, &first(), &options()).await,
        async |target| converge(target, &first(), &[]).await,
        async |bench, target, sent| {
            assert_eq!(statuses(target).await, "1:deployed");
            assert_eq!(
                bench.get(&format!("configmap/{}-config", target.name), "{.data.text}"),
                "one"
            );
            for hook in ["pre-install", "post-install"] {
                assert_eq!(created(sent, target, hook), 1, "{hook} of {}: {sent:#?}", target.name);
            }
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_is_gone_on_with() {
    at_every_write(
        "upgr",
        install_first,
        async |target| upgrade(target, &history(target).await, &second(), &options()).await,
        async |target| converge(target, &second(), &[1]).await,
        async |bench, target, sent| {
            assert_eq!(statuses(target).await, "1:superseded 2:deployed");
            assert_eq!(
                bench.get(&format!("configmap/{}-config", target.name), "{.data.text}"),
                "two"
            );
            assert!(!bench.exists(&format!("secret/{}-old", target.name)));
            for hook in ["pre-upgrade", "post-upgrade"] {
                assert_eq!(created(sent, target, hook), 1, "{hook} of {}: {sent:#?}", target.name);
            }
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_is_gone_on_with() {
    at_every_write(
        "roll",
        async |bench, target| {
            install_first(bench, target).await;
            released(upgrade(target, &history(target).await, &second(), &options()).await);
        },
        async |target| rollback(target, &history(target).await, 1, &options()).await,
        async |target| {
            let stored = history(target).await;
            if stored.last().unwrap().version == 2 {
                // Nothing of it was stored: it is decided again.
                released(rollback(target, &stored, 1, &options()).await);
            } else {
                converge(target, &first(), &[]).await;
            }
        },
        async |bench, target, sent| {
            assert_eq!(statuses(target).await, "1:superseded 2:superseded 3:deployed");
            assert_eq!(
                bench.get(&format!("configmap/{}-config", target.name), "{.data.text}"),
                "one"
            );
            for hook in ["pre-rollback", "post-rollback"] {
                assert_eq!(created(sent, target, hook), 1, "{hook} of {}: {sent:#?}", target.name);
            }
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tests_are_gone_on_with() {
    at_every_write(
        "test",
        install_first,
        async |target| test(target, &history(target).await, &test_options()).await,
        async |target| {
            let stored = history(target).await;
            let known = vec![snapshot(stored.last().unwrap(), None, None)];
            let wanted = first();
            Controller { target, wanted: &wanted, history: known, tests: true }.converge().await;
        },
        async |_, target, sent| {
            assert_eq!(statuses(target).await, "1:deployed");
            assert_eq!(created(sent, target, "test"), 1, "{}: {sent:#?}", target.name);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uninstall_is_gone_on_with() {
    at_every_write(
        "unin",
        async |bench, target| {
            install_first(bench, target).await;
            released(upgrade(target, &history(target).await, &second(), &options()).await);
        },
        async |target| uninstall(target, &history(target).await, &uninstall_options()).await,
        async |target| {
            let stored = history(target).await;
            if stored.last().is_some() {
                uninstall(target, &stored, &uninstall_options()).await.result.unwrap();
            }
        },
        async |bench, target, sent| {
            assert_eq!(statuses(target).await, "");
            assert!(!bench.exists(&format!("configmap/{}-config", target.name)));
            for hook in ["pre-delete", "post-delete"] {
                assert_eq!(created(sent, target, hook), 1, "{hook} of {}: {sent:#?}", target.name);
            }
        },
    )
    .await;
}
