//! Sockets: loopback unless told otherwise, TLS, bounds on slow clients, an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::App;
use crate::certificate::{Shown, thumbprint};
use crate::office::checked_origin;
use crate::rate::Peer;
use crate::route::router;

/// Connections that are open at once; more wait to be accepted.
const CONNECTIONS: usize = 1_024;
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);
/// What whoever takes longer for the first head is told; hyper itself closes without a word.
const SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// How long requests that run may take to end.
const END: Duration = Duration::from_secs(20);

/// Where to listen.
pub struct Bind {
    /// Address and port.
    pub address: SocketAddr,
    /// Whether other machines may connect: only with TLS.
    pub public: bool,
    /// Certificate chain and key.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Bind {
    /// Refuses what would show patients' data to the network.
    ///
    /// # Errors
    /// An address that others reach without the flag, or without TLS.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.address.ip().is_loopback() {
            return Ok(());
        }
        if !self.public {
            bail!(
                "{} can be reached from other machines. Use 127.0.0.1, or say --public and give a certificate",
                self.address
            );
        }
        if self.tls.is_none() {
            bail!("--public needs --tls-cert and --tls-key");
        }
        Ok(())
    }

    /// Scheme, host and port as others see them: `wish`, else the `kept` ones of an office, which its
    /// tokens, status lists and resources name, else those of the address.
    ///
    /// # Errors
    /// A wish that is no origin, or is not the one that is kept; an office at an address that nobody can
    /// know before.
    pub fn origin(&self, wish: Option<&str>, kept: Option<&str>) -> anyhow::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let own = format!("{scheme}://{}", self.address);
        let wish = wish.map(|w| checked_origin(w.trim_end_matches('/')));
        let wish = wish.transpose()?;
        let Some(kept) = kept else {
            return Ok(wish.unwrap_or(&own).to_owned());
        };
        if self.address.port() == 0 {
            bail!("with --data the port is a part of the address that tokens name: give one");
        }
        if scheme == "https" && kept.starts_with("http:") {
            bail!("the folder of data was made for {kept}, which is without TLS");
        }
        let here = ["127.0.0.1", "[::1]", "localhost"]
            .map(|host| format!("{scheme}://{host}:{}", self.address.port()));
        let is_kept = match wish {
            Some(wish) => wish == kept,
            // A name that others resolve may stand before this address; one of this machine is this address.
            None => !is_local(kept) || here.iter().any(|h| h == kept),
        };
        if !is_kept {
            let other = wish.unwrap_or(&own);
            bail!("the folder of data was made for {kept}, not for {other}");
        }
        Ok(kept.to_owned())
    }
}

/// Whether an origin names this machine to itself.
fn is_local(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|h| {
        host.strip_prefix(h)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}

/// Serves until `stop` is true; then takes no more connections, and ends when those that run have ended,
/// at most 20 seconds later. `bound` is told the address.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(
    app: App,
    bind: Bind,
    bound: impl FnOnce(SocketAddr),
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    bind.check()?;
    let listener = TcpListener::bind(bind.address)
        .await
        .with_context(|| bind.address.to_string())?;
    bound(listener.local_addr()?);
    let acceptor = bind.tls.map(tokio_rustls::TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let service = router(app.clone());
    let head = HEAD.min(app.config().limits.time);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended(&mut stop) => break,
        };
        // A client that went away, or no more file handles: others may still come.
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (service, acceptor, stop) = (service.clone(), acceptor.clone(), stop.clone());
        tokio::spawn(async move {
            // What becomes of a connection is the client's affair.
            let _ = connection(stream, Peer(peer.ip()), acceptor, service, head, stop).await;
            drop(place);
        });
    }
    drop(listener);
    app.0.is_ending.store(true, Ordering::Relaxed);
    let all = u32::try_from(CONNECTIONS)?;
    let _ = tokio::time::timeout(END, places.acquire_many(all)).await;
    Ok(())
}

/// Waits until the end is wanted, or nobody can want it any more.
async fn ended(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    service: axum::Router,
    head: Duration,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    // HTTP/1 alone: a connection without TLS may not turn to another protocol, whose bounds are others.
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(64 << 10);
    let served = Arc::new(AtomicBool::new(false));
    let service = TowerToHyperService::new(service);
    macro_rules! run {
        ($stream:expr, $shown:expr) => {{
            let shown: Option<Shown> = $shown;
            let serves = Arc::clone(&served);
            let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                serves.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(peer);
                if let Some(shown) = shown.clone() {
                    request.extensions_mut().insert(shown);
                }
                service.call(request)
            });
            let mut running = builder.serve_connection(TokioIo::new($stream), service);
            let done = tokio::select! {
                done = &mut running => done,
                () = ended(&mut stop) => {
                    std::pin::Pin::new(&mut running).graceful_shutdown();
                    (&mut running).await
                }
            };
            let slow = done.is_err_and(|e| e.is_timeout());
            if slow && !served.load(Ordering::Relaxed) {
                let mut stream = running.into_parts().io.into_inner();
                stream.write_all(SLOW).await?;
                stream.shutdown().await?;
            }
        }};
    }
    match acceptor {
        None => run!(stream, None),
        Some(acceptor) => {
            let stream = tokio::time::timeout(head, acceptor.accept(stream)).await??;
            let chain = stream.get_ref().1.peer_certificates();
            let own = chain.and_then(|c| c.first()).map(|c| Shown(thumbprint(c)));
            run!(stream, own);
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::Bind;
    use crate::office::checked_origin;

    fn bind(address: &str) -> Bind {
        Bind {
            address: address.parse().unwrap(),
            public: false,
            tls: None,
        }
    }

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for text in [
            "http://127.0.0.1:8440",
            "https://c.example.jp",
            "https://c.example.jp:8443",
            "http://[::1]:1",
        ] {
            assert_eq!(checked_origin(text).unwrap(), text);
        }
        for text in [
            "",
            "c.example.jp",
            "ftp://c.example.jp",
            "https://",
            "https://c.example.jp/",
            "https://c.example.jp/x",
            "https://C.example.jp",
            "https://c.example.jp:443",
            "http://c.example.jp:80",
            "http://c.example.jp:",
            "http://c.example.jp:0",
            "http://c.example.jp:x",
            "http://0.0.0.0:8440",
            "http://[::]:8440",
            "https://a@c.example.jp",
        ] {
            assert!(checked_origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_office_has_one_address() {
        let kept = "http://127.0.0.1:8440";
        let at = |address: &str, wish: Option<&str>, kept| bind(address).origin(wish, kept).ok();
        assert_eq!(
            at("127.0.0.1:8440", None, Some(kept)).as_deref(),
            Some(kept)
        );
        assert_eq!(at("[::1]:8440", None, Some(kept)).as_deref(), Some(kept));
        // Another port, other addresses, one that nobody knows.
        assert_eq!(at("127.0.0.1:9000", None, Some(kept)), None);
        assert_eq!(
            at("127.0.0.1:8440", Some("http://127.0.0.1:9000"), Some(kept)),
            None
        );
        assert_eq!(at("127.0.0.1:0", None, Some(kept)), None);
        assert_eq!(at("127.0.0.1:0", Some(kept), Some(kept)), None);
        // Behind another server, as one says or as its name does.
        let name = "https://c.example.jp";
        assert_eq!(
            at("127.0.0.1:9000", Some(kept), Some(kept)).as_deref(),
            Some(kept)
        );
        assert_eq!(
            at("127.0.0.1:9000", None, Some(name)).as_deref(),
            Some(name)
        );
        // For vendors only there is nothing that names it.
        let own = at("127.0.0.1:9000", None, None);
        assert_eq!(own.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!(at("127.0.0.1:0", Some("http://0.0.0.0:1"), None), None);
    }
}
