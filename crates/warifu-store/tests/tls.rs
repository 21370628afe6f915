//! TLS to PostgreSQL: verified, or refused; never switched off by whoever is on the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod postgresql;

use std::net::TcpListener;
use std::process::{Command, Stdio};

use warifu_store::{Database as _, Postgres, StoreError};

fn done(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.stderr(Stdio::null()).status();
    status.is_ok_and(|s| s.success())
}

#[test]
fn a_certificate_is_verified_and_so_is_its_name() {
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let port_is = format!("port={port}");
    let Some(mut server) = postgresql::Server::start(&["listen_addresses=127.0.0.1", &port_is])
    else {
        return;
    };
    let data = server.folder().join("data");
    let (certificate, key) = (data.join("server.crt"), data.join("server.key"));
    let asked = data.join("server.cnf");
    let text = "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=localhost\n\
                [ext]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n";
    std::fs::write(&asked, text).unwrap();
    let made = done(
        Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-config"])
            .arg(&asked)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate),
    );
    if !made {
        eprintln!("skipped: no openssl that makes a certificate");
        return;
    }
    postgresql::give(&[&certificate, &key]);
    server.stop();
    server.set("ssl=on");
    server.go_on();
    let at = |host: &str, more: &str| {
        let url = format!("postgres://postgres@{host}:{port}/postgres?{more}");
        Postgres::open(&url)
    };
    let roots = certificate.to_str().unwrap().replace('/', "%2F");
    let by_tls = |db: &Postgres| {
        let sql = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        db.query(sql, &[]).unwrap().first().unwrap().text(0) == Some("true")
    };
    let db = at("localhost", &format!("sslmode=require&sslrootcert={roots}")).unwrap();
    assert!(by_tls(&db));
    let other = db.another().unwrap();
    assert_eq!(other.query("SELECT 1::bigint", &[]).map(|r| r.len()), Ok(1));
    // A name that the certificate has not, and a certificate that nobody vouches for.
    let refused = |db: Result<Postgres, StoreError>| {
        let error = db.err().unwrap();
        assert!(
            matches!(&error, StoreError::Address(why) if why.contains("certificate")),
            "{error}"
        );
    };
    refused(at(
        "127.0.0.1",
        &format!("sslmode=require&sslrootcert={roots}"),
    ));
    refused(at("localhost", "sslmode=verify-full"));
    // On this machine it may be left out.
    assert!(!by_tls(&at("localhost", "").unwrap()));
    assert!(!by_tls(&at("localhost", "sslmode=disable").unwrap()));
}

#[test]
fn an_address_that_could_be_switched_to_no_tls_is_none() {
    for url in [
        "warifu.db",
        "http://localhost/x",
        "postgres://",
        "postgres:///x",
        "postgres://localhost/x?sslmode=prefer",
        "postgres://localhost/x?sslmode=allow",
        "postgres://localhost/x?nothing=1",
        "postgres://localhost/x?sslmode=require&sslrootcert=%2Fnone%2Fsuch",
        "postgres://localhost/x?sslmode=require&sslrootcert=%2",
        "postgres://user:secret@localhost:port/x",
    ] {
        let error = Postgres::open(url).err().unwrap();
        assert!(matches!(&error, StoreError::Address(_)), "{url}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn a_database_that_is_not_there_cannot_be_reached() {
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let url = format!("postgres://user:secret@127.0.0.1:{port}/x");
    assert_eq!(Postgres::open(&url).err(), Some(StoreError::Down));
}
