//! The pages a server has: built in and compressed, of a folder, or none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::io::Write as _;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use tower::ServiceExt as _;
use warifu_server::{App, BuiltIn, Config, Files, Limits, Vendor, router};

fn server(portal: Option<Files>, playground: Option<Files>) -> axum::Router {
    router(App::new(Config {
        origin: "http://127.0.0.1:8440".to_owned(),
        office: None,
        vendor: Vendor::new(warifu_package::Library::new([])),
        portal,
        playground,
        forwarded: false,
        certificates: warifu_server::Certificates::Off,
        card: None,
        hl7: false,
        metrics: true,
        log: None,
        limits: Limits::REFERENCE,
    }))
}

fn send(
    app: &axum::Router,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
) -> (u16, HeaderMap, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    runtime.block_on(async {
        let response = app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.status.as_u16(), parts.headers, bytes.to_vec())
    })
}

const PAGE: &[u8] = b"<p>page page page page page page page page page page";

fn built_in() -> Option<Files> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(PAGE).unwrap();
    let packed: &'static [u8] = packed.finish().unwrap().leak();
    let file = |name, bytes, is_gzip| BuiltIn {
        name,
        bytes,
        is_gzip,
    };
    let files = vec![
        file("index.html", packed, true),
        file("worker.mjs", b"work()", false),
        file("examples/\u{4f8b} +1", b"message", false),
    ];
    Files::built_in(files.leak())
}

#[test]
fn built_in_files_go_out_packed_to_who_takes_it() {
    let app = server(built_in(), built_in());
    for base in ["/", "/playground/", "/home", "/playground/any/screen"] {
        let (status, plain, body) = send(&app, "GET", base, &[]);
        assert_eq!((status, body.as_slice()), (200, PAGE), "{base}");
        assert!(!plain.contains_key(header::CONTENT_ENCODING));
        let gzip = [("accept-encoding", "br, gzip;q=0.5")];
        let (status, packed, body) = send(&app, "GET", base, &gzip);
        assert_eq!(
            (status, &packed[header::CONTENT_ENCODING]),
            (200, &"gzip".parse().unwrap())
        );
        assert!(body.starts_with(&[0x1f, 0x8b]));
        // Two contents, two tags; a cache keeps them apart, and each is known again.
        assert_ne!(plain[header::ETAG], packed[header::ETAG]);
        for (head, more) in [(&plain, &[][..]), (&packed, &gzip)] {
            assert_eq!(head[header::VARY], "accept-encoding");
            assert_eq!(head[header::CACHE_CONTROL], "no-cache");
            assert_eq!(head[header::CONTENT_TYPE], "text/html; charset=utf-8");
            let policy = head[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(
                policy.contains("require-trusted-types-for 'script'"),
                "{policy}"
            );
            let tag = ("if-none-match", head[header::ETAG].to_str().unwrap());
            let (status, again, body) = send(&app, "GET", base, &[more, &[tag]].concat());
            assert_eq!((status, body.len()), (304, 0));
            assert_eq!(again[header::ETAG], head[header::ETAG]);
        }
        for refused in ["gzip;q=0", "gzip; q=0.0", "identity", "xgzip"] {
            let (_, head, body) = send(&app, "GET", base, &[("accept-encoding", refused)]);
            assert_eq!(body, PAGE, "{refused}");
            assert!(!head.contains_key(header::CONTENT_ENCODING));
        }
        let (status, ..) = send(&app, "POST", base, &[]);
        assert_eq!(status, 405);
    }
}

#[test]
fn names_are_decoded_and_workers_cannot_connect() {
    let app = server(built_in(), built_in());
    let (status, head, body) = send(&app, "GET", "/playground/examples/%E4%BE%8B%20+1", &[]);
    assert_eq!((status, body.as_slice()), (200, &b"message"[..]));
    assert!(!head.contains_key(header::VARY));
    for base in ["/", "/playground/"] {
        for name in ["worker.mjs", "w%6Frker.mjs"] {
            let (status, head, _) = send(&app, "GET", &format!("{base}{name}"), &[]);
            let policy = head[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(
                status == 200 && policy.contains("connect-src 'none'"),
                "{policy}"
            );
        }
    }
    for path in [
        "/absent.mjs",
        "/playground/absent.js",
        "/%zz.js",
        "/api/absent",
        "/rules/absent.js",
    ] {
        let (status, ..) = send(&app, "GET", path, &[]);
        assert_eq!(status, 404, "{path}");
    }
}

#[test]
fn without_a_portal_the_root_leads_on_or_says_so() {
    let app = server(None, built_in());
    for path in ["/", "/playground"] {
        let (status, head, _) = send(&app, "GET", path, &[]);
        assert_eq!(
            (status, &head[header::LOCATION]),
            (307, &"/playground/".parse().unwrap())
        );
    }
    let app = server(None, Files::built_in(&[]));
    let (status, head, body) = send(&app, "GET", "/", &[]);
    assert_eq!(
        (status, &head[header::CONTENT_TYPE]),
        (404, &"text/plain; charset=utf-8".parse().unwrap())
    );
    let said = String::from_utf8(body).unwrap();
    assert!(
        said.contains("組み込まれていません")
            && said.contains("no pages are built into this program")
    );
    let (status, ..) = send(&app, "POST", "/", &[]);
    assert_ne!(status, 200);
}
