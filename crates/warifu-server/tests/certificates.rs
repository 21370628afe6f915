//! Certificates of institutions: who is bound to one is taken over a connection with it, and nobody else is.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod world;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;
use warifu_consent::Signer as _;
use warifu_server::{App, Bind, Certificates, Config, Limits, Rights, asking, serve, thumbprint};
use world::*;

#[test]
fn all_of_it_holds_over_postgresql() {
    postgresql::again_without("all_of_it_holds_over_postgresql");
}

/// A certificate and its key, signed by itself; `None` without openssl.
fn certificate(folder: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let (cert, key) = (
        folder.join(format!("{name}.crt")),
        folder.join(format!("{name}.key")),
    );
    let config = folder.join(format!("{name}.cnf"));
    let text = "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=localhost\n\
                [ext]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n";
    std::fs::write(&config, text).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-config"])
        .args([
            &config,
            Path::new("-keyout"),
            &key,
            Path::new("-out"),
            &cert,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if made.is_ok_and(|s| s.success()) {
        Some((cert, key))
    } else {
        eprintln!("skipped: no openssl that makes a certificate");
        None
    }
}

fn pem((cert, key): &(PathBuf, PathBuf)) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let cert = CertificateDer::from_pem_file(cert).unwrap();
    (vec![cert], PrivateKeyDer::from_pem_file(key).unwrap())
}

/// Sends a request over TLS; gives its status and body.
fn sent(
    at: SocketAddr,
    root: &CertificateDer<'static>,
    own: Option<&(PathBuf, PathBuf)>,
    head: &str,
    body: &str,
) -> (u16, String) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let (chain, key) = pem(own);
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let name = ServerName::try_from("localhost").unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(client, TcpStream::connect(at).unwrap());
    let length = body.len();
    write!(
        stream,
        "POST {head}\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    // The other end may close without saying so.
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[test]
fn a_key_that_is_bound_speaks_over_its_certificate_only() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name| certificate(folder.path(), name);
    let (Some(server), Some(own), Some(other)) = (make("server"), make("own"), make("other"))
    else {
        return;
    };
    let w = World::new();
    let office = w.office_app.office().unwrap();
    let waiting = w.asked(&["inf.lab"]);
    w.grant(&waiting[0]);
    let (root, _) = pem(&server);
    let root = root[0].clone();
    let bound = Rights {
        certificate: Some(thumbprint(&pem(&own).0[0])),
        ..Rights::default()
    };
    let run = |certificates: Certificates, part: &dyn Fn(SocketAddr)| {
        let (chain, key) = pem(&server);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(asking(&provider))
            .with_single_cert(chain, key)
            .unwrap();
        let bind = Bind {
            address: "127.0.0.1:0".parse().unwrap(),
            public: false,
            tls: Some(Arc::new(tls)),
        };
        let app = App::new(Config {
            origin: ORIGIN.to_owned(),
            office: Some(self::office(&w.data, &w.clock)),
            vendor: warifu_server::Vendor::new(warifu_package::Library::new([])),
            portal: None,
            playground: None,
            forwarded: true,
            certificates,
            card: None,
            hl7: false,
            metrics: false,
            log: None,
            limits: Limits::REFERENCE,
        });
        let (told, at) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(app, bind, |at| told.send(at).unwrap(), stopped))
        });
        part(at.recv().unwrap());
        stop.send(true).unwrap();
        server.join().unwrap().unwrap();
    };
    let body = json!({"search": "Observation"}).to_string();
    let ask = |at: SocketAddr, own: Option<&(PathBuf, PathBuf)>, more: &str| {
        let token = w.access(&w.clinic, &w.sub, "/api/disclose", &body, "TREAT");
        let head = format!("/api/disclose HTTP/1.1\r\nAuthorization: Bearer {token}{more}");
        let (status, answer) = sent(at, &root, own, &head, &body);
        (status, answer.contains("\"CERTIFICATE\""))
    };
    // Whoever is not bound to one needs none, unless everyone does.
    run(Certificates::Bound, &|at| {
        assert_eq!(ask(at, None, ""), (200, false));
        assert_eq!(ask(at, Some(&other), ""), (200, false));
    });
    run(Certificates::Required, &|at| {
        assert_eq!(ask(at, Some(&own), ""), (401, true));
    });
    office.register(&w.clinic.public(), CLINIC, &bound).unwrap();
    for certificates in [Certificates::Bound, Certificates::Required] {
        run(certificates, &|at| {
            assert_eq!(ask(at, None, ""), (401, true));
            assert_eq!(ask(at, Some(&other), ""), (401, true));
            assert_eq!(ask(at, Some(&own), ""), (200, false));
            // A patient shows none.
            let (status, _) = sent(at, &root, None, "/api/nonce HTTP/1.1", "");
            assert_eq!(status, 200);
            // What a proxy on this machine met counts as well; this one speaks over TLS itself.
            let encoded = base64(&pem(&own).0[0]);
            let more = format!("\r\nClient-Cert: :{encoded}:");
            assert_eq!(ask(at, None, &more), (200, false));
            assert_eq!(ask(at, Some(&other), &more), (401, true));
        });
    }
    // Where nobody is asked for one, nobody has shown it.
    run(Certificates::Off, &|at| {
        assert_eq!(ask(at, Some(&own), ""), (401, true));
    });
    office
        .register(&w.clinic.public(), CLINIC, &Rights::default())
        .unwrap();
    run(Certificates::Bound, &|at| {
        assert_eq!(ask(at, None, ""), (200, false));
    });
}

fn base64(bytes: &[u8]) -> String {
    let text = warifu_consent::b64::encode(bytes);
    let mut text = text.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}
