//! Whether the HelmReleases that this one depends on are ready.

use std::sync::Arc;

use crd_types::conditions::READY;
use crd_types::helm::HelmRelease;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt as _};
use reconcile_loop::conditions::is_true;
use reconcile_loop::controller::api_error;

use super::halt::Halt;
use crate::context::Context;

/// Comes back when every dependency is ready, or says which one is not.
///
/// Reads the cluster where the watch does not know the dependency. Whoever halts here is woken when
/// the dependency changes.
pub(super) async fn check(hr: &HelmRelease, ctx: &Context) -> Result<(), Halt> {
    let namespace = hr.namespace().unwrap_or_default();
    ctx.dependents.set(hr, &hr.spec.depends_on);
    for reference in &hr.spec.depends_on {
        let of = reference.namespace.as_deref().unwrap_or(&namespace);
        let dependency = read(of, &reference.name, ctx).await?;
        let obstacle = match reference.ready_expr.as_deref() {
            None => (!is_ready(&dependency)).then_some("is not ready"),
            // Flux: the expression takes the place of the usual check.
            Some(_) if ctx.settings.additive_dependency_check && !is_ready(&dependency) => {
                Some("is not ready")
            }
            Some(expression) => (!says_ready(expression, hr, &dependency, of, ctx)?)
                .then_some("is not ready according to readyExpr eval"),
        };
        if let Some(obstacle) = obstacle {
            let message = format!("dependency '{of}/{}' {obstacle}", reference.name);
            let message = match ctx.dependents.cycle(&ObjectRef::from_obj(hr)) {
                Some(cycle) => format!("{message}: {}", circle(&cycle)),
                None => message,
            };
            return Err(Halt::Dependency { message });
        }
    }
    Ok(())
}

fn is_ready(dependency: &HelmRelease) -> bool {
    dependency.status.as_ref().is_some_and(|status| {
        status.observed_generation == dependency.metadata.generation
            && is_true(&status.conditions, READY)
    })
}

/// Whether the expression of the object takes the dependency for ready.
fn says_ready(
    expression: &str,
    hr: &HelmRelease,
    dependency: &HelmRelease,
    namespace: &str,
    ctx: &Context,
) -> Result<bool, Halt> {
    let name = dependency.name_any();
    let compiled = ctx.ready_expressions.compile(expression).map_err(|error| {
        let error = reconcile_loop::chain(&error);
        Halt::Expression { message: format!("failed to evaluate dependency {name}: {error}") }
    })?;
    let plain = |object: &HelmRelease| serde_json::to_value(object).unwrap_or_default();
    compiled.is_ready(&plain(hr), &plain(dependency)).map_err(|error| {
        let error = reconcile_loop::chain(&error);
        Halt::Dependency {
            message: format!("failed to evaluate dependency '{namespace}/{name}': {error}"),
        }
    })
}

/// A cycle never ends by itself, so it is told with its path.
fn circle(cycle: &[ObjectRef<HelmRelease>]) -> String {
    let name = |key: &ObjectRef<HelmRelease>| {
        format!("{}/{}", key.namespace.as_deref().unwrap_or_default(), key.name)
    };
    let path: Vec<String> = cycle.iter().map(name).collect();
    format!("circular dependency detected: {}", path.join(" -> "))
}

async fn read(namespace: &str, name: &str, ctx: &Context) -> Result<Arc<HelmRelease>, Halt> {
    if let Some(known) = ctx.store.get(&ObjectRef::new(name).within(namespace)) {
        return Ok(ctx.writer.newest(known));
    }
    let api: Api<HelmRelease> = Api::namespaced(ctx.runtime.client.clone(), namespace);
    api.get(name).await.map(Arc::new).map_err(|error| Halt::Dependency {
        message: format!("unable to get '{namespace}/{name}' dependency: {}", api_error(&error)),
    })
}
