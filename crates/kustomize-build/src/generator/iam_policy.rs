//! `IAMPolicyGenerator`: a service account that acts as one of a cloud.

use serde::Deserialize;
use serde_json::{Value, json};

use super::GeneratorError;
use crate::resource::Resource;

/// Which service account acts as which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct IamPolicy {
    cloud: String,
    kubernetes_service: Account,
    service_account: Account,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Account {
    name: String,
    namespace: String,
    project_id: String,
}

impl IamPolicy {
    pub(crate) fn generate(&self) -> Result<Resource, GeneratorError> {
        if self.cloud != "gke" {
            return Err(GeneratorError::UnknownCloud { cloud: self.cloud.clone() });
        }
        let account = format!(
            "{}@{}.iam.gserviceaccount.com",
            self.service_account.name, self.service_account.project_id
        );
        let object = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "annotations": {"iam.gke.io/gcp-service-account": account},
                "name": self.kubernetes_service.name,
            },
        });
        let Value::Object(fields) = object else { return Ok(Resource::default()) };
        let mut resource = Resource::new(fields);
        resource.set_namespace(&self.kubernetes_service.namespace);
        Ok(resource)
    }
}
