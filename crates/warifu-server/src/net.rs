//! Sockets: loopback unless told otherwise, TLS, bounds on slow clients, an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::App;
use crate::route::router;

/// Connections that are open at once; more wait to be accepted.
const CONNECTIONS: usize = 1_024;
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);
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
    let service = router(app);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended(&mut stop) => break,
        };
        // A client that went away, or no more file handles: others may still come.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (service, acceptor, stop) = (service.clone(), acceptor.clone(), stop.clone());
        tokio::spawn(async move {
            // What becomes of a connection is the client's affair.
            let _ = connection(stream, acceptor, service, stop).await;
            drop(place);
        });
    }
    drop(listener);
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
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    service: axum::Router,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    // HTTP/1 alone: a connection without TLS may not turn to another protocol, whose bounds are others.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 << 10);
    let service = TowerToHyperService::new(service);
    macro_rules! run {
        ($stream:expr) => {{
            let mut running =
                std::pin::pin!(builder.serve_connection(TokioIo::new($stream), service));
            tokio::select! {
                _ = running.as_mut() => {}
                () = ended(&mut stop) => {
                    running.as_mut().graceful_shutdown();
                    let _ = running.await;
                }
            }
        }};
    }
    match acceptor {
        None => run!(stream),
        Some(acceptor) => {
            let stream = tokio::time::timeout(HEAD, acceptor.accept(stream)).await??;
            run!(stream);
        }
    }
    Ok(())
}
