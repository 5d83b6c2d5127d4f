//! The definitions in a chart's `crds/`, applied before the chart is.

use helm_action::{
    ActionError, Attempt, CrdPolicy, Desired, History, Logs, Options, ServerSideApply, Target,
    apply_crds, check_chart,
};
use helm_chart::{Chart, Rules, dependencies};

/// Applies the definitions of a chart, but not those of sub-charts that the values turn off.
pub(super) async fn apply(
    target: &Target,
    stored: &History,
    desired: &Desired,
    options: &Options,
    policy: CrdPolicy,
) -> Result<(), ActionError> {
    if policy == CrdPolicy::Skip || !has_any(&desired.chart) {
        return Ok(());
    }
    check_chart(target, &desired.chart)?;
    let mut chart = Chart::clone(&desired.chart);
    let processed = dependencies::process(&mut chart, &desired.values, Rules::default());
    processed.map_err(|error| ActionError::Render(error.into()))?;
    let server_side = match options.server_side_apply {
        ServerSideApply::Enabled => true,
        ServerSideApply::Disabled => false,
        ServerSideApply::Auto => stored.last().is_none_or(|record| record.is_server_side()),
    };
    let applied = apply_crds(target, &chart, policy, server_side).await;
    let applied = applied.map_err(|error| ActionError::Crds(Box::new(error)))?;
    for object in applied.ignored {
        tracing::warn!(%object, "an object in crds/ is no definition and is ignored");
    }
    Ok(())
}

/// What an action comes to whose definitions were not applied.
pub(super) fn failed(error: ActionError) -> Attempt {
    Attempt { written: Vec::new(), purged: Vec::new(), logs: Logs::default(), result: Err(error) }
}

fn has_any(chart: &Chart) -> bool {
    let mut any = false;
    chart.visit_crds(&mut |_| any = true);
    any
}
