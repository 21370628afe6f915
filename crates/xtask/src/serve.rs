//! A static file server for the playground: loopback only, GET and HEAD only, with the headers
//! that keep data on the machine.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

/// Port tried when none is asked for; a free one is taken if it is in use.
const USUAL_PORT: u16 = 8430;

/// Longest request head.
const MAX_HEAD: u64 = 16 * 1024;

/// Connections answered at a time; further ones are closed at once.
const MAX_CONNECTIONS: usize = 64;

/// Silence after which a connection is closed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves a folder until the program is ended.
pub(crate) fn run(folder: &Path, port: Option<u16>) -> Result<()> {
    let server = Server::bind(folder, port)?;
    println!("playground: {}  (Ctrl-C ends it)", server.url());
    io::stdout().flush()?;
    server.serve();
    Ok(())
}

/// A bound server.
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    folder: PathBuf,
}

impl Server {
    /// Binds 127.0.0.1; without a port the usual one or, if that is in use, a free one.
    pub(crate) fn bind(folder: &Path, port: Option<u16>) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| {
            format!(
                "{} is not there; run `cargo xtask wasm --release` first",
                folder.display()
            )
        })?;
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match port {
            Some(port) => bind(port).with_context(|| {
                format!("cannot listen on port {port}; `--port 0` takes a free one")
            })?,
            None => bind(USUAL_PORT)
                .or_else(|_| bind(0))
                .context("cannot listen on 127.0.0.1")?,
        };
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            folder,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Answers for as long as the program runs.
    pub(crate) fn serve(self) {
        let open = Arc::new(AtomicUsize::new(0));
        let site = Arc::new(Site {
            folder: self.folder,
            port: self.address.port(),
        });
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else { continue };
            if open.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
                open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (site, open) = (Arc::clone(&site), Arc::clone(&open));
            thread::spawn(move || {
                // The peer has gone: there is nobody to tell.
                let _ = site.connection(&stream);
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }

    /// Serves on a thread of its own; for tests.
    pub(crate) fn spawn(self) -> String {
        let url = self.url();
        thread::spawn(move || self.serve());
        url
    }
}

/// What a connection needs to know.
struct Site {
    folder: PathBuf,
    port: u16,
}

/// One answer: a status line, headers, and a body unless it is for HEAD.
struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    Text(&'static str),
    File(File, u64),
}

impl Site {
    fn connection(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let (answer, head_only) = match read_head(stream)? {
            Some(head) => (self.answer(&head), head.method == "HEAD"),
            None => (
                refusal("400 Bad Request", "400: not an HTTP request\n"),
                false,
            ),
        };
        send(stream, answer, head_only)
    }

    fn answer(&self, head: &Head) -> Answer {
        if !self.is_own_host(head.host.as_deref()) {
            // A page of another site whose name was pointed at this machine.
            return refusal("403 Forbidden", "403: the Host is not this server\n");
        }
        if head.method != "GET" && head.method != "HEAD" {
            let mut answer = refusal("405 Method Not Allowed", "405: GET and HEAD only\n");
            answer.headers.push(("Allow", "GET, HEAD".to_owned()));
            return answer;
        }
        let Some(path) = decode_path(&head.target) else {
            return refusal("400 Bad Request", "400: not a path of this site\n");
        };
        match self.open(&path) {
            Ok((file, length, name)) => Answer {
                status: "200 OK",
                headers: vec![
                    ("Content-Type", content_type(&name).to_owned()),
                    ("Content-Security-Policy", policy(&name)),
                ],
                body: Body::File(file, length),
            },
            Err(_) => refusal("404 Not Found", "404: no such file\n"),
        }
    }

    fn is_own_host(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return false };
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        let ours = ["127.0.0.1", "localhost"].contains(&name);
        ours && port.parse() == Ok(self.port)
    }

    /// The regular file at a decoded path, if it lies inside the folder.
    fn open(&self, path: &str) -> io::Result<(File, u64, String)> {
        let mut full = self.folder.join(path);
        if path.is_empty() || path.ends_with('/') {
            full.push("index.html");
        }
        // Resolves links: what they point to must be inside as well.
        let full = full.canonicalize()?;
        if !full.starts_with(&self.folder) || !full.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let name = full
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let file = File::open(&full)?;
        let length = file.metadata()?.len();
        Ok((file, length, name))
    }
}

/// First line and Host of a request.
struct Head {
    method: String,
    target: String,
    host: Option<String>,
}

/// `None` if it is not HTTP/1, or longer than [`MAX_HEAD`].
fn read_head(stream: &TcpStream) -> io::Result<Option<Head>> {
    let mut reader = BufReader::new(stream.take(MAX_HEAD));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next())
    else {
        return Ok(None);
    };
    if !version.starts_with("HTTP/1.") {
        return Ok(None);
    }
    let mut head = Head {
        method: method.to_owned(),
        target: target.to_owned(),
        host: None,
    };
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let header = line.trim_end();
        if header.is_empty() {
            return Ok(Some(head));
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            head.host = Some(value.trim().to_ascii_lowercase());
        }
    }
}

/// Path of a request target below the folder, percent-decoded; `None` if a part could leave it.
fn decode_path(target: &str) -> Option<String> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    let leaves = path.contains(['\\', '\0', ':'])
        || path.starts_with('/')
        || path.split('/').any(|part| part == "..");
    (!leaves).then_some(path)
}

/// The policy of the page: `ux-tools.md` §C "Nothing leaves".
///
/// The worker that sees the data gets its own: it cannot connect at all.
fn policy(name: &str) -> String {
    let connect = if is_worker(name) { "'none'" } else { "'self'" };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src {connect}; worker-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'"
    )
}

fn is_worker(name: &str) -> bool {
    let script = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "mjs" || extension == "js");
    script && name.starts_with("worker")
}

fn content_type(name: &str) -> &'static str {
    let extension = Path::new(name).extension().and_then(|text| text.to_str());
    match extension.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        "zip" => "application/zip",
        // Also the messages: their file names have no extension.
        _ => "application/octet-stream",
    }
}

fn refusal(status: &'static str, text: &'static str) -> Answer {
    Answer {
        status,
        headers: vec![
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("Content-Security-Policy", policy("")),
        ],
        body: Body::Text(text),
    }
}

fn send(mut stream: &TcpStream, answer: Answer, head_only: bool) -> io::Result<()> {
    let length = match &answer.body {
        Body::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
        Body::File(_, length) => *length,
    };
    let mut head = format!("HTTP/1.1 {}\r\nContent-Length: {length}\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str(
        "X-Content-Type-Options: nosniff\r\n\
         Referrer-Policy: no-referrer\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\
         Cache-Control: no-cache\r\n\
         Connection: close\r\n\r\n",
    );
    stream.write_all(head.as_bytes())?;
    if head_only {
        return Ok(());
    }
    match answer.body {
        Body::Text(text) => stream.write_all(text.as_bytes()),
        Body::File(file, length) => io::copy(&mut file.take(length), &mut stream).map(drop),
    }
}

/// Gets one file of a running server: status line with headers, and body.
///
/// # Errors
/// When the address is not `http://HOST:PORT/`, or the server does not answer.
pub(crate) fn get(url: &str, path: &str) -> Result<(String, Vec<u8>)> {
    get_with(url, path, "")
}

/// The same with further headers, each with its end of line.
pub(crate) fn get_with(url: &str, path: &str, headers: &str) -> Result<(String, Vec<u8>)> {
    let Some(host) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix('/'))
    else {
        bail!("not an address of this server: {url}");
    };
    exchange(
        host,
        &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"),
    )
}

fn exchange(host: &str, request: &str) -> Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        bail!("the answer has no end of its head");
    };
    let body = bytes.split_off(end + 4);
    Ok((String::from_utf8(bytes)?, body))
}

/// Whether a folder is one this server could show.
pub(crate) fn is_site(folder: &Path) -> bool {
    fs::metadata(folder.join("index.html")).is_ok_and(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;
    use crate::files;

    /// A site of three files, with a secret beside it and a link to that.
    fn site(name: &str) -> String {
        let base = env::temp_dir().join(format!("warifu-serve-{}-{name}", std::process::id()));
        files::fresh(&base).unwrap();
        files::write(&base.join("secret"), b"secret").unwrap();
        let root = base.join("dist");
        files::write(&root.join("index.html"), b"<p>start").unwrap();
        files::write(&root.join("worker.mjs"), b"work()").unwrap();
        files::write(&root.join("a b/\u{4f8b}"), b"message").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(base.join("secret"), root.join("link")).unwrap();
        let url = Server::bind(&root, Some(0)).unwrap().spawn();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        url
    }

    fn host(url: &str) -> &str {
        url.trim_start_matches("http://").trim_end_matches('/')
    }

    #[test]
    fn page_and_worker_get_their_policies() {
        let url = site("policy");
        let (head, body) = get(&url, "/").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Type: text/html; charset=utf-8\r\n"));
        assert!(head.contains("connect-src 'self'; worker-src 'self'"));
        assert!(head.contains("require-trusted-types-for 'script'\r\n"));
        assert_eq!(body, b"<p>start");
        let (head, body) = get(&url, "/worker.mjs?v=1").unwrap();
        assert!(head.contains("\r\nContent-Type: text/javascript; charset=utf-8\r\n"));
        assert!(head.contains("connect-src 'none';"));
        assert_eq!(body, b"work()");
    }

    #[test]
    fn policy_is_the_one_of_the_specification() {
        assert_eq!(
            policy("index.html"),
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        );
    }

    #[test]
    fn names_are_percent_decoded() {
        let (head, body) = get(&site("names"), "/a%20b/%E4%BE%8B").unwrap();
        assert!(head.contains("\r\nContent-Type: application/octet-stream\r\n"));
        assert_eq!(body, b"message");
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let url = site("outside");
        for path in [
            "/../secret",
            "/%2e%2e/secret",
            "/a%20b/../../secret",
            "/..%2fsecret",
            "/link",
            "//etc/passwd",
            "/%2Fetc/passwd",
            "/..\\secret",
            "/a%00",
            "/%zz",
            "/%+1",
            "/%",
            "/a b",
            "/absent",
            "/a%20b",
        ] {
            let (head, body) = get(&url, path).unwrap();
            assert!(head.starts_with("HTTP/1.1 4"), "{path}: {head}");
            assert!(!body.windows(6).any(|window| window == b"secret"), "{path}");
        }
    }

    #[test]
    fn only_get_and_head_of_this_host_are_answered() {
        let url = site("methods");
        let host = host(&url);
        let ask = |request: &str| exchange(host, request).unwrap();
        let (head, body) = ask(&format!("HEAD / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(head.contains("\r\nContent-Length: 8\r\n"), "{head}");
        assert!(body.is_empty());
        let (head, _) = ask(&format!("POST / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("\r\nAllow: GET, HEAD\r\n"));
        for request in [
            "GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
        ] {
            assert!(ask(request).0.starts_with("HTTP/1.1 403 "), "{request}");
        }
        for request in ["\r\n\r\n", "GET /\r\n\r\n", "GET / SIP/2.0\r\n\r\n"] {
            assert!(ask(request).0.starts_with("HTTP/1.1 400 "), "{request}");
        }
    }

    #[test]
    fn an_endless_head_is_cut_off() {
        let url = site("endless");
        let mut stream = TcpStream::connect(host(&url)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nA: ").unwrap();
        let filler = [b'a'; 4096];
        // The server may close while this is being written.
        let written = (0..64).try_for_each(|_| stream.write_all(&filler));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(written.is_err() || !answer.starts_with(b"HTTP/1.1 200"));
    }

    #[test]
    fn a_port_in_use_is_an_error_when_it_was_asked_for() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(Server::bind(folder, Some(port)).is_err());
        assert!(Server::bind(folder, None).is_ok());
    }
}
