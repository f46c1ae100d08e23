//! HTTP: from a connection to a handler and back.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Query, RawPathParams, Request as HttpRequest};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::{MethodFilter, on};
use flott_cluster::client_messages::{DispatcherGateway, HTTP_PATH};
use flott_types::{Clock, Error, Result};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::cluster::Cluster;
use crate::guard::guarded;
use crate::jars;
use crate::leads::{Leads, in_front};
use crate::messages;
use crate::operations::Operations;
use crate::pages;
use crate::request::{Answer, Answered, Refusal, Request};
use crate::routes::{Handler, Method, PATHS};
use crate::sql::{Gateway, SqlSessions};
use crate::tls::{self, TlsListener};
use crate::users::Users;

/// So many requests are answered at once; others wait. Clients may wait in theirs for something to happen, so
/// there are more than are ever busy; threads that are not needed end.
const HANDLERS: usize = 64;
/// The largest body.
const BODY: usize = 1 << 20;

/// Where to listen, and what to tell.
pub struct RestOptions {
    /// `rest.bind-address`
    pub address: String,
    /// `rest.bind-port`: the first free one of these. 0 is any.
    pub ports: RangeInclusive<u16>,
    /// The configuration of the cluster.
    pub configuration: BTreeMap<String, String>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who answers, if this server is one of several.
    pub leads: Option<Arc<dyn Fn() -> Leads + Send + Sync>>,
    /// Is set when a user ends the cluster (DELETE /cluster); without it nobody can.
    pub ending: Option<Arc<AtomicBool>>,
    /// Who plans SQL; without it there are no sessions.
    pub sql: Option<SqlSessions>,
    /// Whether it shows what has been, and no cluster.
    pub is_history: bool,
    /// `security.ssl.rest.*`
    tls: Option<TlsAcceptor>,
    /// `rest.authentication.token-file`
    users: Option<Arc<Users>>,
}

impl RestOptions {
    /// From a configuration; `None` if it names no port.
    ///
    /// # Errors
    /// If the port is none.
    pub fn parse(configuration: &BTreeMap<String, String>, clock: Arc<dyn Clock>) -> Result<Option<Self>> {
        let named = ["rest.bind-port", "rest.port"].into_iter().find_map(|key| {
            let value = configuration.get(key)?;
            Some((key, value.trim()))
        });
        let Some((key, text)) = named else { return Ok(None) };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse()) else {
            return Err(Error::invalid(format!(
                "option '{key}' is '{text}', and not a port or a range of ports such as '8081-8090'"
            )));
        };
        let address = configuration.get("rest.bind-address").or_else(|| configuration.get("rest.address"));
        Ok(Some(RestOptions {
            address: address.map_or("localhost", |address| address.trim()).to_owned(),
            ports: first..=last,
            configuration: configuration.clone(),
            clock,
            leads: None,
            ending: None,
            sql: None,
            is_history: false,
            tls: tls::parse(configuration)?,
            users: Users::parse(configuration)?,
        }))
    }
}

/// A server that runs. Dropping it ends it.
pub struct Rest {
    address: SocketAddr,
    is_secure: bool,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

impl Rest {
    /// Starts one.
    ///
    /// # Errors
    /// If none of the ports is free, or there are no threads for it.
    pub fn start(options: RestOptions, gateway: Arc<dyn DispatcherGateway>) -> Result<Self> {
        let listener = bind(&options)?;
        let failed =
            |error: std::io::Error| Error::external(format!("the REST server cannot start: {error}"));
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(HANDLERS).thread_name("rest").enable_all();
        let runtime = builder.build().map_err(failed)?;
        let sql = options.sql.map(|sessions| Gateway::new(sessions, options.clock.clone()));
        let cluster = Arc::new(Cluster {
            sql,
            gateway,
            configuration: options.configuration,
            clock: options.clock,
            operations: Mutex::new(Operations::default()),
            ending: options.ending,
            is_history: options.is_history,
        });
        let names = Arc::new(Names { is_loopback: address.ip().is_loopback(), configured: options.address });
        let (leads, users, tls) = (options.leads, options.users, options.tls);
        let is_secure = tls.is_some();
        warn_of_strangers(&address, is_secure, users.is_some());
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let app = in_front(router(&cluster, &names, users), leads);
        runtime.spawn(async move {
            let stopped = async {
                // The sender is dropped, or says so.
                let _ = stopped.await;
            };
            let ended = match tls {
                None => axum::serve(listener, app).with_graceful_shutdown(stopped).await,
                Some(acceptor) => match TlsListener::new(listener, acceptor) {
                    Ok(listener) => axum::serve(listener, app).with_graceful_shutdown(stopped).await,
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = ended {
                tracing::error!(%error, "the REST server has ended");
            }
        });
        tracing::info!(%address, "the REST server listens");
        Ok(Rest { address, is_secure, stop: Some(stop), runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https` with TLS.
    pub fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }
}

/// Whoever reaches the port can run jobs, or can read what is said.
fn warn_of_strangers(address: &SocketAddr, is_secure: bool, has_users: bool) {
    let is_protected = is_secure && has_users;
    if !address.ip().is_loopback() && !is_protected {
        tracing::warn!(
            %address,
            "others than this machine reach the REST server: 'security.ssl.rest.enabled' and 'rest.authentication.token-file' protect it"
        );
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(runtime) = self.runtime.take() {
            // A handler may wait for a JobManager that does not answer.
            runtime.shutdown_background();
        }
    }
}

fn bind(options: &RestOptions) -> Result<TcpListener> {
    let mut last = None;
    for port in options.ports.clone() {
        match TcpListener::bind((options.address.as_str(), port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    let (address, first, end) = (&options.address, options.ports.start(), options.ports.end());
    let ports = if first == end { format!("{first}") } else { format!("{first}-{end}") };
    let reason = last.map_or("the range of ports is empty".to_owned(), |error| error.to_string());
    Err(Error::external(format!("the REST server cannot listen on {address}:{ports}: {reason}")))
}

pub(crate) fn router(cluster: &Arc<Cluster>, names: &Arc<Names>, users: Option<Arc<Users>>) -> Router {
    let mut router = Router::new();
    for path in PATHS {
        let (cluster, names, handler) = (cluster.clone(), names.clone(), path.handler);
        let method = match path.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Patch => MethodFilter::PATCH,
            Method::Put => MethodFilter::PUT,
            Method::Delete => MethodFilter::DELETE,
        };
        let route = match handler {
            Some(handler) => on(method, move |request: HttpRequest| answer(cluster, names, handler, request)),
            // How large a program may be, says who keeps it.
            None => on(method, move |request: HttpRequest| jars::upload(cluster, names, request))
                .layer(DefaultBodyLimit::disable()),
        };
        router = router.route(path.path, route);
    }
    let (asked, known) = (cluster.clone(), names.clone());
    let messages = on(MethodFilter::POST, move |request| messages::answer(asked, known, request));
    router = router.route(HTTP_PATH, messages);
    let missing = || async { refused(&Refusal::not_found("Not found.")) };
    let wrong_method = || async { refused(&Refusal::wrong_method()) };
    let all = Router::new().nest("/v1", router.clone()).merge(router).merge(pages::router(names));
    // The last, so that there is no route beside it.
    guarded(all.fallback(missing).method_not_allowed_fallback(wrong_method), users)
}

async fn answer(
    cluster: Arc<Cluster>,
    names: Arc<Names>,
    handler: Handler,
    request: HttpRequest,
) -> Response<Body> {
    let request = match read(request, &names).await {
        Ok(request) => request,
        Err(refusal) => return refused(&refusal),
    };
    let handled = tokio::task::spawn_blocking(move || handler(&cluster, &request)).await;
    match handled {
        Ok(Ok(Answer::Ok(answer))) => response(200, &answer),
        Ok(Ok(Answer::Accepted(answer))) => response(202, &answer),
        Ok(Ok(Answer::Text(text))) => respond(200, "text/plain; charset=UTF-8", text),
        Ok(Err(refusal)) => refused(&refusal),
        Err(error) => {
            tracing::error!(%error, "a REST request could not be answered");
            refused(&Refusal { status: 500, message: "Internal server error.".to_owned() })
        }
    }
}

async fn read(request: HttpRequest, names: &Names) -> Answered<Request> {
    names.check(&request)?;
    let (mut parts, body) = request.into_parts();
    let wrong = |error: &dyn std::fmt::Display| Refusal::bad(format!("Bad request: {error}"));
    let path = RawPathParams::from_request_parts(&mut parts, &()).await.map_err(|error| wrong(&error))?;
    let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let Query(query) = Query::try_from_uri(&parts.uri).map_err(|error| wrong(&error))?;
    let body = to_bytes(body, BODY).await.map_err(|error| wrong(&error))?;
    Ok(Request { path, query, body: body.into() })
}

/// By which names the server may be asked.
///
/// A page in a browser may have its own name lead to this machine: then its requests come from the same origin
/// as far as the browser knows, and only the name tells. A server that others can reach has names of which it
/// does not know.
pub(crate) struct Names {
    pub is_loopback: bool,
    /// `rest.bind-address`
    pub configured: String,
}

impl Names {
    /// Whether a request may be answered, by its head. Every handler asks.
    pub fn check(&self, request: &HttpRequest) -> Answered<()> {
        self.check_host(request.headers())?;
        if !request.method().is_safe() && !is_same_origin(request.headers()) {
            return Err(Refusal::forbidden("A page of another origin may not change anything here."));
        }
        Ok(())
    }

    fn check_host(&self, headers: &HeaderMap) -> Answered<()> {
        let Some(host) = headers.get(HOST).filter(|_| self.is_loopback) else { return Ok(()) };
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        let is_known = authority.is_some_and(|authority| {
            let name = authority.host().trim_matches(['[', ']']);
            let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            is_loopback
                || name.eq_ignore_ascii_case("localhost")
                || name.eq_ignore_ascii_case(&self.configured)
        });
        match is_known {
            true => Ok(()),
            false => {
                Err(Refusal::forbidden("This server listens on loopback, and is not known by that name."))
            }
        }
    }
}

/// A browser says which page a request comes from; other clients say nothing.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

pub(crate) fn refused(refusal: &Refusal) -> Response<Body> {
    response(refusal.status, &json!({ "errors": [refusal.message] }))
}

pub(crate) fn response(status: u16, answer: &Value) -> Response<Body> {
    respond(status, "application/json; charset=UTF-8", answer.to_string())
}

fn respond(status: u16, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // What is in a log is never taken for a page.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
