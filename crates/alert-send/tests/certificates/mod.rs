//! Certificates for a test.

use http_access::{Access, ClientCertificate, Secret};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// An authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// PEM of a certificate and of its key.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) key_pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a server with this name, or for a client.
    pub(crate) fn certificate(&self, name: &str) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Certificate { pem, key_pem: key.serialize_pem() }
    }

    /// The access of somebody who trusts this authority.
    pub(crate) fn access(&self, own: Option<&Certificate>) -> Access {
        let client_certificate = own.map(|own| ClientCertificate {
            certificate_pem: own.pem.clone().into_bytes(),
            key_pem: Secret::new(&own.key_pem),
        });
        let ca_pem = Some(self.pem.clone().into_bytes());
        Access { ca_pem, client_certificate, ..Access::default() }
    }
}
