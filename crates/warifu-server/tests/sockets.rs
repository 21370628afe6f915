//! A server at its sockets: who is counted, and an orderly end.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use warifu_server::{App, Bind, Config, Limits, Vendor, serve};

/// Sends a request and gives its status.
fn status(at: SocketAddr, path: &str, client: &str) -> u16 {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nX-Forwarded-For: {client}\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let word = answer.split(' ').nth(1).unwrap();
    word.parse().unwrap()
}

/// A server of these bounds: its address, and what ends it.
fn started(limits: Limits) -> (SocketAddr, impl FnOnce()) {
    let app = App::new(Config {
        origin: "http://127.0.0.1".to_owned(),
        office: None,
        vendor: Vendor::new(warifu_package::Library::new([])),
        portal: None,
        playground: None,
        forwarded: true,
        certificates: warifu_server::Certificates::Off,
        card: None,
        hl7: false,
        metrics: true,
        log: None,
        limits,
    });
    let bind = Bind {
        address: "127.0.0.1:0".parse().unwrap(),
        public: false,
        tls: None,
    };
    let (told, at) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(serve(app, bind, |at| told.send(at).unwrap(), stopped))
    });
    let at = at.recv().unwrap();
    (at, move || {
        stop.send(true).unwrap();
        server.join().unwrap().unwrap();
    })
}

#[test]
fn a_client_that_asks_too_much_waits_and_the_others_do_not() {
    let (at, end) = started(Limits {
        rate: 1,
        ..Limits::REFERENCE
    });
    assert_eq!(status(at, "/packages", "192.0.2.1"), 200);
    assert_eq!(status(at, "/packages", "192.0.2.1"), 429);
    assert_eq!(status(at, "/nothing", "192.0.2.1"), 429);
    assert_eq!(status(at, "/packages", "192.0.2.2"), 200);
    assert_eq!(status(at, "/packages", "192.0.2.9, 192.0.2.2"), 429);
    assert_eq!(status(at, "/healthz", "192.0.2.1"), 200);
    end();
    assert!(TcpStream::connect(at).is_err());
}

#[test]
fn a_head_that_does_not_come_is_told_so() {
    let (at, end) = started(Limits {
        time: std::time::Duration::from_secs(1),
        ..Limits::REFERENCE
    });
    let answer = |sent: &str| {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for sent in [
        "",
        "GET / HT",
        "GET /packages HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    ] {
        let answer = answer(sent);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{sent:?}: {answer:?}");
    }
    // Whoever was answered and says no more is not told anything.
    let one = answer("GET /packages HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(one.starts_with("HTTP/1.1 200 ") && !one.contains("408"));
    end();
}
