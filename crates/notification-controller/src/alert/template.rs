//! Messages by an alert's own template.

use event_api::Event;
use go_template::{Budget, Integers, MissingKey, Session, Templates, Value};
use helm_functions::{Dialect, Helm, Limits, SystemEntropy, functions};

/// How templates are called in errors.
const NAME: &str = "message-template";
/// Limit: what making one message may cost. Texts of chat servers are a few KiB.
const BUDGET: Budget = Budget {
    steps: 100_000,
    output_bytes: 16 << 10,
    value_bytes: 64 << 10,
    made_bytes: 4 << 20,
    held_bytes: 4 << 20,
    nesting: 20,
    source_bytes: 16 << 10,
    parsed_bytes: 1 << 20,
};

/// A template that makes a message of an event, with the functions of Helm, but no cluster and no
/// network to look into.
#[derive(Clone, Debug)]
pub(crate) struct MessageTemplate(Templates);

/// What is wrong with a template.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("it is longer than {} bytes", BUDGET.source_bytes)]
    Length,
    #[error(transparent)]
    Parse(#[from] go_template::ParseError),
    #[error(transparent)]
    Execute(#[from] go_template::Error),
    #[error("the message is no text (UTF-8)")]
    NoText,
}

impl MessageTemplate {
    /// # Errors
    /// If the text is no template.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > BUDGET.source_bytes {
            return Err(Error::Length);
        }
        let mut templates = Templates::new(NAME, functions(Dialect::Helm4));
        templates.parse(NAME, text)?;
        Ok(Self(templates))
    }

    /// The message for an event, whose fields the template finds by the names of the event API.
    ///
    /// # Errors
    /// If the template fails, or makes too much of it.
    pub(crate) fn message(&self, event: &Event) -> Result<String, Error> {
        let mut data = serde_json::to_value(event).unwrap_or_default();
        // An event without metadata has no such member, in which nothing could be looked for.
        data["metadata"] = serde_json::json!(event.metadata);
        let data = Value::from_json(&data, Integers::Int);
        // Nobody tells keys or password hashes, which take long to make.
        let no_keys = Limits { costly_calls: 0 };
        let helm = Helm::new(jiff::Timestamp::now(), SystemEntropy).with_limits(no_keys);
        let mut session = Session::with_state(BUDGET, helm);
        session.missing_key = MissingKey::Zero;
        let text = self.0.execute(NAME, data, &mut session)?;
        let text = String::from_utf8(text).map_err(|_bytes| Error::NoText)?;
        // As Helm has it: what is not there is nothing.
        Ok(text.replace("<no value>", ""))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(template: &str) -> Result<String, String> {
        let event = json!({
            "involvedObject": {"kind": "Kustomization", "name": "web"},
            "severity": "error", "message": "it failed", "metadata": {"revision": "main@sha1:1"},
        });
        let event = serde_json::from_value(event).unwrap();
        let template = MessageTemplate::parse(template).map_err(|error| error.to_string())?;
        template.message(&event).map_err(|error| error.to_string())
    }

    #[test]
    fn a_template_makes_the_message() {
        let text = "{{ .involvedObject.name | upper }}: {{ .message }} ({{ .metadata.revision }})";
        assert_eq!(made(text).unwrap(), "WEB: it failed (main@sha1:1)");
    }

    #[test]
    fn the_template_of_the_example_makes_a_message() {
        let alert = include_bytes!("../../../../examples/incidents/flux/alert.yaml");
        let alert = serde_json::from_value(yaml::parse(alert).unwrap()).unwrap();
        let (options, invalid) = super::super::options::Options::of(&alert);
        assert!(invalid.is_empty() && options.has_memory(), "{invalid:?}");
        let about = json!({"kind": "Kustomization", "namespace": "apps", "name": "web"});
        let mut event = json!({"involvedObject": about, "message": "it failed"});
        let made = |event: &serde_json::Value| {
            let event = serde_json::from_value(event.clone()).unwrap();
            options.template.as_ref().unwrap().message(&event).unwrap()
        };
        assert_eq!(made(&event), "Kustomization apps/web: it failed");
        event["metadata"] = json!({"cluster": "lab", "affected": "2 objects (a, b)"});
        let whole = "[lab] Kustomization apps/web: it failed\nAffected: 2 objects (a, b)";
        assert_eq!(made(&event), whole);
    }

    #[test]
    fn all_of_an_event_is_there_and_nothing_else() {
        let all = "{{ range $name, $value := . }}{{ $name }}={{ kindOf $value }} {{ end }}";
        assert_eq!(
            made(all).unwrap(),
            "involvedObject=map message=string metadata=map reason=string \
             reportingController=string severity=string timestamp=invalid "
        );
        let nothing =
            "{{ .missing }}{{ .metadata.missing }}{{ len (lookup \"v1\" \"Secret\" \"\" \"\") }}";
        assert_eq!(made(nothing).unwrap(), "0");
    }

    #[test]
    fn a_hostile_template_ends_soon() {
        let began = std::time::Instant::now();
        let doubled =
            "{{ $x := \"12345678\" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}{{ $x }}";
        for hostile in [
            "{{ range until 100000000 }}x{{ end }}",
            "{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}",
            "{{ untilStep 0 1000000000 1 | len }}",
            "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
            "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}",
            "{{ tpl \"{{ tpl .t . }}\" (dict \"t\" \"{{ tpl .t . }}\") }}",
            "{{ repeat 1000000000 \"x\" }}",
            "{{ range until 2000 }}{{ repeat 100 \"x\" }}{{ end }}",
            "{{ regexMatch \"(a*)*(a*)*(a*)*b\" (repeat 60000 \"a\") }}",
            "{{ genPrivateKey \"rsa\" }}",
            "{{ bcrypt \"x\" }}",
            doubled,
        ] {
            assert!(made(hostile).is_err(), "{hostile}");
        }
        for deep in ["{{ if true }}", "{{ with . }}{{ (", "{{ range . }}"] {
            assert!(made(&deep.repeat(1000)).is_err());
        }
        assert!(made(&"x".repeat(20 << 10)).unwrap_err().contains("longer than"));
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    }
}
