//! The same access for servers that speak TLS, but no HTTP.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::Verifier;

use crate::{Access, InvalidAccess};

impl Access {
    /// How TLS is spoken: with the same authorities and the same certificate as over HTTP. The proxy
    /// has no part in it, and `trust_anyone` neither: certificates are verified. Reads all certificate
    /// authorities of the system.
    ///
    /// # Errors
    /// If a certificate or a key cannot be used.
    pub fn tls(&self) -> Result<ClientConfig, InvalidAccess> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let authorities = match &self.ca_pem {
            Some(pem) => certificates(pem).ok_or(InvalidAccess::Ca)?,
            None => Vec::new(),
        };
        let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(&provider));
        let verifier = verifier.map_err(InvalidAccess::Tls)?;
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(InvalidAccess::Tls)?;
        // "Dangerous" is any verifier that is not rustls's own list of authorities; this one is reqwest's.
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let Some(own) = &self.client_certificate else {
            return Ok(builder.with_no_client_auth());
        };
        let invalid = || InvalidAccess::ClientCertificate;
        let chain = certificates(&own.certificate_pem).ok_or_else(invalid)?;
        let key = PrivateKeyDer::from_pem_slice(own.key_pem.expose().as_bytes());
        let key = key.map_err(|_syntax| invalid())?;
        builder.with_client_auth_cert(chain, key).map_err(|_mismatch| invalid())
    }
}

/// The certificates of a PEM file, if there are any and all can be read.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use secret_text::Secret;

    use super::*;
    use crate::ClientCertificate;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Access::default().tls().is_ok());
        let ca = Access { ca_pem: Some(b"nothing".to_vec()), ..Access::default() };
        assert!(matches!(ca.tls(), Err(InvalidAccess::Ca)));
        let own = ClientCertificate {
            certificate_pem: b"nothing".to_vec(),
            key_pem: Secret::new("nothing"),
        };
        let own = Access { client_certificate: Some(own), ..Access::default() };
        assert!(matches!(own.tls(), Err(InvalidAccess::ClientCertificate)));
    }
}
