//! Certificates of institutions: a key may be bound to one, and then speaks over a connection with it only.
//!
//! As RFC 8705 has it for certificates that nobody else vouches for: the handshake proves that the other end
//! has the key of the certificate it shows, and the certificate counts by its thumbprint, which the institution
//! was registered with. Whom it names, who signed it and until when says nothing here.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use warifu_consent::{b64, hash};

/// What certificates of clients are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificates {
    /// Nobody is asked for one. A key that is bound to one is not taken.
    #[default]
    Off,
    /// Whoever is bound to one shows it.
    Bound,
    /// Every institution is bound to one and shows it.
    Required,
}

/// SHA-256 of a certificate in base64url, by which a key is bound to it.
pub fn thumbprint(certificate: &[u8]) -> String {
    hash::sha256_text(&[certificate])
}

/// The certificate at the other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Shown(pub(crate) String);

/// Of a proxy on this machine: the certificate that it met (`Client-Cert`, RFC 9440).
pub(crate) fn told(peer: IpAddr, headers: &HeaderMap) -> Option<Shown> {
    let mut all = headers.get_all("client-cert").iter();
    let one = all.next().filter(|_| peer.is_loopback())?;
    if all.next().is_some() {
        // One of them is not the proxy's.
        return None;
    }
    let text = one
        .to_str()
        .ok()?
        .trim()
        .strip_prefix(':')?
        .strip_suffix(':')?;
    let text = text
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    Some(Shown(thumbprint(&b64::decode(&text)?)))
}

/// Asks for a certificate and lets it prove itself; what it is worth, a request decides.
#[derive(Debug)]
struct Any(WebPkiSupportedAlgorithms);

/// Asks clients for a certificate, with what a provider of cryptography knows.
pub fn asking(provider: &CryptoProvider) -> Arc<dyn ClientCertVerifier> {
    Arc::new(Any(provider.signature_verification_algorithms))
}

impl ClientCertVerifier for Any {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
    fn client_auth_mandatory(&self) -> bool {
        // Patients have none.
        false
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_on_this_machine_tells_one_certificate() {
        let (here, far): (IpAddr, IpAddr) =
            ("127.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        let with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("client-cert", value.parse().unwrap());
            }
            headers
        };
        let of = |peer, values: &[&str]| told(peer, &with(values)).map(|s| s.0);
        // Base64url writes both signs otherwise.
        let want = Some(thumbprint(b"\xfb\xff\xfe"));
        assert_eq!(of(here, &[":+//+:"]), want);
        assert_eq!(of(here, &[":AA==:"]), Some(thumbprint(&[0])));
        assert_eq!(of(far, &[":+//+:"]), None);
        for bad in [
            &["+//+"][..],
            &[":+//+"],
            &[":***:"],
            &[":+//+:", ":AA==:"],
            &[],
        ] {
            assert_eq!(of(here, bad), None, "{bad:?}");
        }
    }
}
