//! What the annotations of a service account say of who it is at a cloud, as Flux reads them.

use std::collections::BTreeMap;

const TENANT: &str = "azure.workload.identity/tenant-id";
const CLIENT: &str = "azure.workload.identity/client-id";
const EMAIL: &str = "iam.gke.io/gcp-service-account";
const EMAIL_PATTERN: &str = r"^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\.iam\.gserviceaccount\.com$";
const PROVIDER: &str = "gcp.auth.fluxcd.io/workload-identity-provider";
const PROVIDER_PATTERN: &str =
    r"^projects/\d{1,30}/locations/global/workloadIdentityPools/[^/]{1,100}/providers/[^/]{1,100}$";

type Annotations = BTreeMap<String, String>;

/// Why annotations say nothing. The words are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationError {
    /// One is not what it should be.
    #[error("invalid {annotation} annotation: '{value}'. must match {pattern}")]
    Invalid {
        /// Which one.
        annotation: &'static str,
        /// What it is.
        value: String,
        /// What it should be.
        pattern: &'static str,
    },
    /// One is missing.
    #[error("azure {what} ID is not set in the service account annotation {annotation}")]
    Missing {
        /// What it would say.
        what: &'static str,
        /// Which one.
        annotation: &'static str,
    },
}

/// Tenant and client of Azure.
pub(crate) fn azure(of: &Annotations) -> Result<(&str, &str), AnnotationError> {
    let one = |what, annotation| {
        let value = of.get(annotation).map(String::as_str);
        value.ok_or(AnnotationError::Missing { what, annotation })
    };
    Ok((one("tenant", TENANT)?, one("client", CLIENT)?))
}

/// The account of Google that it acts as, if any.
pub(crate) fn google_email(of: &Annotations) -> Result<Option<&str>, AnnotationError> {
    let Some(email) = given(of, EMAIL) else { return Ok(None) };
    let is_name = |text: &str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=100).contains(&text.len()) && text.chars().all(is_word)
    };
    let parts = email.strip_suffix(".iam.gserviceaccount.com").and_then(|it| it.split_once('@'));
    if parts.is_some_and(|(name, project)| is_name(name) && is_name(project)) {
        return Ok(Some(email));
    }
    Err(invalid(EMAIL, email, EMAIL_PATTERN))
}

/// Who at Google takes tokens of this cluster for true, if it is not Google's own cluster.
pub(crate) fn google_audience(of: &Annotations) -> Result<Option<String>, AnnotationError> {
    let Some(path) = given(of, PROVIDER) else { return Ok(None) };
    let is_number = |text: &str| {
        text.len() <= 30 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
    };
    let is_name = |text: &str| (1..=100).contains(&text.chars().count()) && !text.contains('\n');
    let parts: Vec<&str> = path.split('/').collect();
    let is_provider = matches!(
        parts.as_slice(),
        ["projects", number, "locations", "global", "workloadIdentityPools", pool, "providers", name]
            if is_number(number) && is_name(pool) && is_name(name)
    );
    if is_provider {
        return Ok(Some(format!("//iam.googleapis.com/{path}")));
    }
    Err(invalid(PROVIDER, path, PROVIDER_PATTERN))
}

fn given<'a>(of: &'a Annotations, annotation: &str) -> Option<&'a str> {
    of.get(annotation).map(String::as_str).filter(|value| !value.is_empty())
}

fn invalid(annotation: &'static str, value: &str, pattern: &'static str) -> AnnotationError {
    // Limit: what is shown of a value that may have 256 kilobytes.
    let value = value.chars().take(256).collect();
    AnnotationError::Invalid { annotation, value, pattern }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotated(annotation: &str, value: &str) -> Annotations {
        BTreeMap::from([(annotation.to_owned(), value.to_owned())])
    }

    #[test]
    fn accounts_of_google_are_told_from_other_texts() {
        let email = "sops-1@my-project.iam.gserviceaccount.com";
        assert_eq!(google_email(&annotated(EMAIL, email)), Ok(Some(email)));
        assert_eq!(google_email(&annotated(EMAIL, "")), Ok(None));
        for bad in [
            "a@b",
            "a/b@p.iam.gserviceaccount.com",
            "@p.iam.gserviceaccount.com",
            "a@p.iam.gserviceaccount.com/x",
        ] {
            assert!(google_email(&annotated(EMAIL, bad)).is_err(), "{bad}");
        }
        let path = "projects/1/locations/global/workloadIdentityPools/p/providers/k";
        let audience = google_audience(&annotated(PROVIDER, path));
        assert_eq!(audience, Ok(Some(format!("//iam.googleapis.com/{path}"))));
        for bad in [
            "projects/x/locations/global/workloadIdentityPools/p/providers/k",
            "projects/1/locations/eu/workloadIdentityPools/p/providers/k",
            "projects/1/locations/global/workloadIdentityPools//providers/k",
            "projects/1/locations/global/workloadIdentityPools/p/providers/k/l",
        ] {
            let error = google_audience(&annotated(PROVIDER, bad)).unwrap_err().to_string();
            assert!(
                error.starts_with(
                    "invalid gcp.auth.fluxcd.io/workload-identity-provider annotation: '"
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn azure_needs_a_tenant_and_a_client() {
        let error = azure(&annotated(TENANT, "t")).unwrap_err().to_string();
        let wanted = "azure client ID is not set in the service account annotation \
                      azure.workload.identity/client-id";
        assert_eq!(error, wanted);
    }
}
