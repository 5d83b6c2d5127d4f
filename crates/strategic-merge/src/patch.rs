//! The patch that leads from one revision of an object to the next.

use serde_json::{Map, Value, json};

use crate::directive::{DELETE_FROM, PATCH, RETAIN_KEYS, SET_ORDER};
use crate::schema::{Field, Strategy, Type};

/// The fields of `to`, and what takes away those that only `from` had. `at` is none where nothing
/// is known of the fields: below labels, for instance.
pub(crate) fn of_map(
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    at: Option<Type>,
) -> Map<String, Value> {
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (name, new) in to {
        match (from.get(name), new) {
            (old, Value::Object(new)) => {
                let field = at.and_then(|at| at.field(name).ok());
                let old = old.and_then(Value::as_object).cloned().unwrap_or_default();
                patch.insert(name.clone(), Value::Object(of_field(&old, new, field)));
            }
            (old, Value::Array(new)) => {
                let field = at.and_then(|at| at.list(name).ok());
                let field = field.filter(|field| field.strategy == Strategy::Merge);
                let old = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                match field {
                    Some(field) if field.key.is_empty() => set(&mut patch, name, old, new),
                    Some(field) => list(&mut patch, name, old, new, field),
                    None => {
                        patch.insert(name.clone(), Value::Array(new.clone()));
                    }
                }
            }
            (_, scalar) => {
                patch.insert(name.clone(), scalar.clone());
            }
        }
    }
    patch
}

fn of_field(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    field: Option<Field>,
) -> Map<String, Value> {
    let Some(field) = field else { return of_map(old, new, None) };
    if field.strategy == Strategy::Replace {
        return new.clone();
    }
    retaining(of_map(old, new, Some(field.below)), new, field)
}

/// Says which fields stay where only one of several may be there at once.
fn retaining(
    mut patch: Map<String, Value>,
    new: &Map<String, Value>,
    field: Field,
) -> Map<String, Value> {
    if field.retains {
        let kept = new.keys().cloned().map(Value::String).collect();
        patch.insert(RETAIN_KEYS.to_owned(), Value::Array(kept));
    }
    patch
}

/// A list of scalars that is a set.
fn set(patch: &mut Map<String, Value>, name: &str, old: &[Value], new: &[Value]) {
    let gone: Vec<Value> = old.iter().filter(|item| !new.contains(item)).cloned().collect();
    if !gone.is_empty() {
        patch.insert(format!("{DELETE_FROM}/{name}"), Value::Array(gone));
    }
    patch.insert(name.to_owned(), Value::Array(new.to_vec()));
}

/// A list whose items are told apart by a key. One whose items cannot be told apart is replaced.
fn list(patch: &mut Map<String, Value>, name: &str, old: &[Value], new: &[Value], field: Field) {
    let key = |item: &Value| item.get(field.key).cloned();
    let is_clear = |items: &[Value]| {
        let mut each = items.iter().enumerate();
        each.all(|(n, item)| key(item).is_some_and(|own| !has(&items[..n], field.key, &own)))
    };
    if !is_clear(old) || !is_clear(new) {
        let mut items = new.to_vec();
        items.push(json!({ PATCH: "replace" }));
        patch.insert(name.to_owned(), Value::Array(items));
        return;
    }
    let mut items = Vec::with_capacity(new.len());
    for item in new {
        let Value::Object(item) = item else { continue };
        let before = old.iter().find(|old| old.get(field.key) == item.get(field.key));
        let before = before.and_then(Value::as_object).cloned().unwrap_or_default();
        items.push(Value::Object(retaining(of_map(&before, item, Some(field.below)), item, field)));
    }
    let gone = old.iter().filter_map(key).filter(|gone| !has(new, field.key, gone));
    items.extend(gone.map(|gone| json!({ field.key: gone, PATCH: "delete" })));
    let order: Vec<Value> = new.iter().map(|item| json!({ field.key: item[field.key] })).collect();
    patch.insert(format!("{SET_ORDER}/{name}"), Value::Array(order));
    patch.insert(name.to_owned(), Value::Array(items));
}

fn has(items: &[Value], key: &str, wanted: &Value) -> bool {
    items.iter().any(|item| item.get(key) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Type, merge, patch};

    /// What becomes of a live object.
    fn patched(kind: (&str, &str), live: &Value, from: &Value, to: &Value) -> Value {
        let kind = Type::of(kind.0, kind.1).unwrap();
        merge(live.clone(), patch(from, to, kind), kind).unwrap()
    }

    /// What becomes of an object that is as its last revision says.
    fn moved(kind: (&str, &str), from: &Value, to: &Value) -> Value {
        patched(kind, from, from, to)
    }

    #[test]
    fn an_object_becomes_what_its_next_revision_says() {
        let pod = |containers: Value| json!({"spec": {"containers": containers}});
        let service = |ports: Value| json!({"spec": {"ports": ports}});
        let port = |name: &str, port: u16| json!({"name": name, "port": port});
        let role = |verbs: &[&str]| json!({"rules": [{"apiGroups": [""], "verbs": verbs}]});
        let subjects = |names: &[&str]| {
            let each = names.iter().map(|name| json!({"kind": "ServiceAccount", "name": name}));
            json!({ "subjects": each.collect::<Vec<_>>() })
        };
        let strategy = |strategy: Value| json!({"spec": {"strategy": strategy}});
        let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
        let dns = |protocols: &[&str]| {
            let each = protocols.iter().map(|it| json!({"port": 53, "protocol": it}));
            service(each.collect())
        };
        let cases = [
            // The name of a port is not its key.
            ("v1", "Service", service(json!([port("http", 80)])), {
                service(json!([port("http", 8080)]))
            }),
            ("v1", "Service", service(json!([port("http", 80), port("admin", 81)])), {
                service(json!([port("http", 80)]))
            }),
            ("v1", "Service", dns(&["UDP"]), dns(&["TCP", "UDP"])),
            (
                "v1",
                "Pod",
                pod(
                    json!([{"name": "a", "args": ["1"], "ports": [{"name": "x", "containerPort": 1}],
                    "volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]},
                    {"name": "b"}]),
                ),
                pod(
                    json!([{"name": "a", "image": "i", "ports": [{"name": "x", "containerPort": 2}],
                    "volumeMounts": [{"name": "v", "mountPath": "/b"}]}]),
                ),
            ),
            // The order of the environment is the order in which it is put together.
            (
                "v1",
                "Pod",
                pod(json!([{"name": "a", "env": [{"name": "X", "value": "1"}]}])),
                pod(
                    json!([{"name": "a", "env": [{"name": "A", "value": "2"}, {"name": "X", "value": "1"}]}]),
                ),
            ),
            ("rbac.authorization.k8s.io/v1", "Role", role(&["get", "list"]), role(&["get"])),
            (
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                subjects(&["a", "b"]),
                subjects(&["a"]),
            ),
            ("apps/v1", "Deployment", strategy(rolling), strategy(json!({"type": "Recreate"}))),
            ("v1", "ConfigMap", json!({"data": {"a": "1", "b": "2"}}), json!({"data": {"a": "1"}})),
        ];
        for (api_version, kind, from, to) in cases {
            assert_eq!(moved((api_version, kind), &from, &to), to, "{kind}");
            assert_eq!(moved((api_version, kind), &to, &from), from, "{kind}, and back");
        }
    }

    #[test]
    fn what_others_have_set_stays() {
        let live = json!({"metadata": {"labels": {"ours": "1", "theirs": "1"}},
            "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "injected"}]}});
        let from = json!({"metadata": {"labels": {"ours": "1", "old": "1"}},
            "spec": {"containers": [{"name": "a", "image": "i"}]}});
        let to = json!({"metadata": {"labels": {"ours": "2"}},
            "spec": {"containers": [{"name": "a", "image": "j"}]}});
        assert_eq!(
            patched(("v1", "Pod"), &live, &from, &to),
            json!({"metadata": {"labels": {"ours": "2", "theirs": "1"}},
                "spec": {"containers": [{"name": "a", "image": "j"}, {"name": "injected"}]}})
        );
    }

    #[test]
    fn what_the_server_filled_in_goes_with_its_choice() {
        let live = json!({"spec": {"strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%"}}}});
        let to = json!({"spec": {"strategy": {"type": "Recreate"}}});
        let from = json!({"spec": {"replicas": 1}});
        assert_eq!(patched(("apps/v1", "Deployment"), &live, &from, &to), to);
    }
}
