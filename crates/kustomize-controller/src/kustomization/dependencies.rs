//! Whether the Kustomizations that this one depends on are ready.

use crd_types::kustomize::Kustomization;
use crd_types::references::DependencyReference;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt as _};
use reconcile_loop::conditions::is_true;
use reconcile_loop::controller::api_error;

use super::halt::Halt;
use super::resolve::ResolvedSource;
use crate::context::Context;

/// Comes back when every dependency is ready, or says which one is not.
///
/// Reads the cluster where the watch does not know the dependency. Whoever halts here is woken when
/// the dependency changes.
pub(super) async fn check(
    ks: &Kustomization,
    source: &ResolvedSource,
    ctx: &Context,
) -> Result<(), Halt> {
    let namespace = ks.namespace().unwrap_or_default();
    ctx.dependents.set(ks, &ks.spec.depends_on);
    let key = ObjectRef::from_obj(ks);
    // Before anything is read: what changes from here on wakes this one.
    ctx.memory.expect(&key, ks.spec.depends_on.iter().any(|it| expression(it).is_some()));
    for reference in &ks.spec.depends_on {
        let of = reference.namespace.as_deref().unwrap_or(&namespace);
        let dependency = read(of, &reference.name, ctx).await?;
        let obstacle = match expression(reference) {
            Some(expression) => match by_expression(ks, expression, of, &dependency, ctx)? {
                None if ctx.settings.additive_ready_expressions => {
                    obstacle(ks, source, reference, of, &dependency)
                }
                unmet => unmet,
            },
            None => obstacle(ks, source, reference, of, &dependency),
        };
        if let Some(obstacle) = obstacle {
            let message = match ctx.dependents.cycle(&key) {
                Some(cycle) => format!("{obstacle}: {}", circle(&cycle)),
                None => obstacle,
            };
            return Err(Halt::Dependency {
                message,
                retry_in: ctx.runtime.flags.requeue_dependency,
            });
        }
    }
    ctx.memory.expect(&key, false);
    Ok(())
}

/// Queues those that wait for what a dependency's expression finds in it now.
///
/// Flux looks again after a while. A run that ends well wakes its dependents anyhow; an expression
/// may ask for what no run makes, such as a label. Those that depend on themselves would wake one
/// another for ever, and look again after a while.
pub(super) fn wake_dependents(key: &ObjectRef<Kustomization>, ctx: &Context) {
    for dependent in ctx.dependents.of(key) {
        if !ctx.memory.expects(&dependent) || ctx.dependents.cycle(&dependent).is_some() {
            continue;
        }
        let (Some(ks), Some(dependency)) = (ctx.store.get(&dependent), ctx.store.get(key)) else {
            continue;
        };
        let of = key.namespace.as_deref().unwrap_or_default();
        let met = ks.spec.depends_on.iter().any(|reference| {
            let namespace = reference.namespace.as_deref().or(ks.metadata.namespace.as_deref());
            reference.name == key.name
                && namespace == Some(of)
                && expression(reference).is_some_and(|expression| {
                    matches!(by_expression(&ks, expression, of, &dependency, ctx), Ok(None))
                })
                // Where that is asked for too, or every event of a failing dependency would wake it.
                && (!ctx.settings.additive_ready_expressions || is_ready(&dependency))
        });
        if met {
            ctx.trigger.reconcile(dependent);
        }
    }
}

/// What says that a dependency is ready, if its Ready condition does not.
fn expression(reference: &DependencyReference) -> Option<&str> {
    reference.ready_expr.as_deref().filter(|expression| !expression.is_empty())
}

/// A cycle never ends by itself, so it is told with its path.
fn circle(cycle: &[ObjectRef<Kustomization>]) -> String {
    let name = |key: &ObjectRef<Kustomization>| {
        format!("{}/{}", key.namespace.as_deref().unwrap_or_default(), key.name)
    };
    let path: Vec<String> = cycle.iter().map(name).collect();
    format!("circular dependency detected: {}", path.join(" -> "))
}

async fn read(
    namespace: &str,
    name: &str,
    ctx: &Context,
) -> Result<std::sync::Arc<Kustomization>, Halt> {
    if let Some(known) = ctx.store.get(&ObjectRef::new(name).within(namespace)) {
        return Ok(ctx.writer.newest(known));
    }
    let api: Api<Kustomization> = Api::namespaced(ctx.runtime.client.clone(), namespace);
    api.get(name).await.map(std::sync::Arc::new).map_err(|error| Halt::Dependency {
        message: format!("dependency '{namespace}/{name}' not found: {}", api_error(&error)),
        retry_in: ctx.runtime.flags.requeue_dependency,
    })
}

/// Why a dependency is not ready by its expression.
///
/// Flux: an expression without an answer, as for want of a field, is a dependency that is not ready;
/// what cannot be compiled stalls the object.
fn by_expression(
    ks: &Kustomization,
    expression: &str,
    namespace: &str,
    dependency: &Kustomization,
    ctx: &Context,
) -> Result<Option<String>, Halt> {
    let name = dependency.name_any();
    let compiled = ctx.ready.compile(expression).map_err(|error| {
        Halt::invalid_expression(&format!(
            "terminal error: failed to evaluate dependency {name}: {error}"
        ))
    })?;
    let (this, that) = (serde_json::to_value(ks), serde_json::to_value(dependency));
    let (Ok(this), Ok(that)) = (this, that) else {
        return Ok(Some(format!("failed to convert {name} object to map")));
    };
    Ok(match compiled.is_ready(&this, &that) {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "dependency '{namespace}/{name}' is not ready according to readyExpr eval"
        )),
        Err(error) => Some(error.to_string()),
    })
}

/// Whether the last run of a dependency ended well, and was about its specification as it is. Pure.
fn is_ready(dependency: &Kustomization) -> bool {
    dependency.status.as_ref().is_some_and(|status| {
        status.observed_generation == dependency.metadata.generation
            && is_true(&status.conditions, "Ready")
    })
}

/// Why a dependency is not ready. Pure.
///
/// Flux: a dependency that has the same source must have applied the revision that the source
/// advertises now, so that one commit rolls out in order.
fn obstacle(
    ks: &Kustomization,
    source: &ResolvedSource,
    reference: &DependencyReference,
    namespace: &str,
    dependency: &Kustomization,
) -> Option<String> {
    let name = &reference.name;
    if !is_ready(dependency) {
        return Some(format!("dependency '{namespace}/{name}' is not ready"));
    }
    let (ours, theirs) = (&ks.spec.source_ref, &dependency.spec.source_ref);
    let own = ks.namespace().unwrap_or_default();
    let same_source = ours.kind == theirs.kind
        && ours.name == theirs.name
        && ours.namespace.as_deref().unwrap_or(&own)
            == theirs.namespace.as_deref().unwrap_or(namespace);
    let status = dependency.status.as_ref();
    let applied = status.and_then(|status| status.last_applied_revision.as_deref());
    if same_source && applied != Some(source.artifact.revision.as_str()) {
        return Some(format!("dependency '{namespace}/{name}' revision is not up to date"));
    }
    None
}
