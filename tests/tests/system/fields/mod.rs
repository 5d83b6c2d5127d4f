//! Every field of a Kustomization, on the real API server. What several of them do together is in
//! the stories beside this folder.
//!
//! | fields | where |
//! |---|---|
//! | `path`, `targetNamespace`, `namePrefix`, `nameSuffix`, `commonMetadata`, `components`, `ignoreMissingComponents`, `patches`, `images`, `buildMetadata`, `postBuild` with its opt-out, v1beta1 and v1beta2 | `building` |
//! | `prune`, `force`, `interval`, `retryInterval`, `suspend`, the annotations of objects, `requestedAt` | `applying` |
//! | `deletionPolicy` | `deleting` |
//! | `wait`, `healthChecks`, `healthCheckExprs`, `timeout` | `healing` |
//! | `serviceAccountName`, `kubeConfig`, `sourceRef.namespace`, and the flags that go with them | `tenants` |
//! | all of `status` | `reporting` |
//! | `dependsOn`, `readyExpr`, `ignore`, `decryption` | `dependencies`, `expressions`, `decryption` |

mod applying;
mod building;
mod deleting;
mod healing;
mod reporting;
mod tenants;

use serde_json::Value;
use std::time::Duration;

/// How long an outcome may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether `object` has everything that `part` has; `null` stands for what must not be there.
fn holds(object: &Value, part: &Value) -> bool {
    match part {
        Value::Object(fields) => fields.iter().all(|(key, wanted)| holds(&object[key], wanted)),
        Value::Array(items) => object.as_array().is_some_and(|all| {
            all.len() == items.len() && all.iter().zip(items).all(|(a, b)| holds(a, b))
        }),
        other => object == other,
    }
}
