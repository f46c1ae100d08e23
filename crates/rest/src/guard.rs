//! In front of all routes: who may ask which.
//!
//! What is asked for is found by the route that has matched, and not by the text of the path. A route that names
//! no role is refused to everybody, users or not: one that is added without a thought to who may ask it never
//! answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Method, Response};
use axum::middleware::{Next, from_fn};
use flott_cluster::client_messages::HTTP_PATH;

use crate::pages;
use crate::request::Refusal;
use crate::routes::{self, PATHS};
use crate::server::refused;
use crate::users::{Role, Users, forbidden};

/// What a request needs.
#[derive(PartialEq, Eq, Debug)]
enum Needs {
    /// It is answered alike to everybody.
    Nothing,
    /// A token of a user who has at least this role.
    Role(Role),
}

/// By the route; `None` if it names no role.
fn needed(method: &Method, route: &str) -> Option<Needs> {
    if pages::has(route) && routes::Method::Get.is(method) {
        return Some(Needs::Nothing);
    }
    let path = route.strip_prefix("/v1").unwrap_or(route);
    if path == HTTP_PATH && *method == Method::POST {
        // Its body says more.
        return Some(Needs::Role(Role::Viewer));
    }
    let listed = PATHS.iter().find(|listed| listed.path == path && listed.method.is(method))?;
    Some(Needs::Role(listed.role))
}

/// Lets requests pass to routes that name a role; with users, those of users who have it.
pub(crate) fn guarded(routes: Router, users: Option<Arc<Users>>) -> Router {
    routes.layer(from_fn(move |request: Request, next: Next| {
        let users = users.clone();
        async move { answer(users.as_deref(), request, next).await }
    }))
}

async fn answer(users: Option<&Users>, mut request: Request, next: Next) -> Response<Body> {
    let Some(route) = request.extensions().get::<MatchedPath>() else {
        // There is no such path, which is told to everybody.
        return next.run(request).await;
    };
    let needed = match needed(request.method(), route.as_str()) {
        Some(Needs::Nothing) => return next.run(request).await,
        Some(Needs::Role(role)) => Ok(role),
        None => Err(Refusal::wrong_method()),
    };
    let user = match users.map(|users| users.user(request.headers())) {
        None => None,
        Some(Some(user)) => Some(user),
        Some(None) => return unknown(),
    };
    // Without users, everybody may do everything.
    let role = user.map_or(Role::Admin, |user| user.role);
    let allowed = needed.and_then(|needed| if role < needed { Err(forbidden(needed)) } else { Ok(()) });
    if let Err(refusal) = allowed {
        return refused(&refusal);
    }
    if let Some(user) = user.filter(|_| !request.method().is_safe()) {
        tracing::info!(user = user.name, method = %request.method(), path = request.uri().path(), "REST");
    }
    request.extensions_mut().insert(role);
    next.run(request).await
}

fn unknown() -> Response<Body> {
    let message = "A token is needed: 'Authorization: Bearer TOKEN'.".to_owned();
    let mut answer = refused(&Refusal { status: 401, message });
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::task::Waker;

    use axum::routing::{any, get};
    use flott_cluster::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway};
    use flott_types::{Error, JobId, Result, SystemClock};
    use parking_lot::Mutex;
    use tokio::net::TcpListener;
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::cluster::Cluster;
    use crate::operations::Operations;
    use crate::server::{Names, router};

    const VIEWER: &str = "viewer-token-0123456789";
    const OPERATOR: &str = "operator-token-0123456789";
    const ADMIN: &str = "admin-token-0123456789";

    /// A JobManager that cannot be reached.
    struct Nobody;

    impl DispatcherGateway for Nobody {
        fn call(&self, _: ClientRequest) -> Result<ClientAnswer> {
            Err(Error::external("nobody is there"))
        }

        fn wake_when_collected(&self, _: JobId, reader: Waker) {
            reader.wake();
        }
    }

    fn users() -> Option<Arc<Users>> {
        let text = format!("v viewer {VIEWER}\no operator {OPERATOR}\na admin {ADMIN}\n");
        Some(Arc::new(Users::read(&text).unwrap()))
    }

    /// A server of routes. Returns what keeps it running, and where it is.
    fn serve(routes: Router) -> (Runtime, SocketAddr) {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, routes).await });
        (runtime, address)
    }

    /// The status of an answer.
    fn ask(address: SocketAddr, method: &str, path: &str, token: &str) -> u16 {
        let mut stream = TcpStream::connect(address).unwrap();
        let token =
            if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        let head = "Host: localhost\r\nConnection: close\r\nContent-Length: 0";
        write!(stream, "{method} {path} HTTP/1.1\r\n{head}\r\n{token}\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn every_route_asks_for_a_token_and_a_role() {
        let cluster = Arc::new(Cluster {
            gateway: Arc::new(Nobody),
            configuration: BTreeMap::new(),
            clock: Arc::new(SystemClock::new()),
            operations: Mutex::new(Operations::default()),
            ending: None,
            is_history: false,
            sql: None,
        });
        let names = Arc::new(Names { is_loopback: true, configured: "localhost".to_owned() });
        let (_runtime, address) = serve(router(&cluster, &names, users()));
        let mut asked = 0;
        let listed = PATHS.iter().map(|path| {
            let method = format!("{:?}", path.method).to_uppercase();
            (method, path.path, path.role)
        });
        let all = listed.chain([("POST".to_owned(), HTTP_PATH, Role::Viewer)]);
        for (method, route, role) in all {
            let path = route.replace(['{', '}'], "");
            for path in [path.clone(), format!("/v1{path}")] {
                for stranger in ["", "nobodys-token-0123456789"] {
                    assert_eq!(ask(address, &method, &path, stranger), 401, "{method} {path}");
                }
                for (token, theirs) in
                    [(VIEWER, Role::Viewer), (OPERATOR, Role::Operator), (ADMIN, Role::Admin)]
                {
                    let status = ask(address, &method, &path, token);
                    assert_eq!(status == 403, theirs < role, "{method} {path} of {theirs:?}: {status}");
                    assert!(![401, 405].contains(&status), "{method} {path} of {theirs:?}: {status}");
                }
                asked += 1;
            }
            // What `print` writes is in the logs.
            let is_log = ["/log", "/stdout", "/logs/{filename}"].iter().any(|end| route.ends_with(end));
            let runs = ["/sessions", "/jars/"].iter().any(|begin| route.starts_with(begin));
            let is_of_admins = runs || route == "/cluster" || is_log;
            assert_eq!(is_of_admins, role == Role::Admin, "{method} {route}");
            assert!(method == "GET" || route == HTTP_PATH || role > Role::Viewer, "{method} {route}");
        }
        assert!(asked > 100, "{asked}");
        // The head of an answer alone is guarded like the whole; what is no way to ask is refused to users, too.
        assert_eq!((ask(address, "HEAD", "/jobs", ""), ask(address, "PUT", "/jobs", "")), (401, 401));
        assert_eq!(ask(address, "HEAD", "/config", VIEWER), 200);
        assert_eq!(ask(address, "PUT", "/jobs", ADMIN), 405);
        // The dashboard has to come first; it asks for a token itself.
        assert_eq!((ask(address, "GET", "/", ""), ask(address, "GET", "/nowhere", "")), (200, 404));
    }

    /// Also without users: so it is noticed at once.
    #[test]
    fn a_route_without_a_role_never_answers() {
        let open = || {
            let handler = || async { "secret" };
            Router::new().route("/unlisted", get(handler)).route("/jobs/{jobid}", any(handler))
        };
        for users in [None, users()] {
            let token = if users.is_some() { ADMIN } else { "" };
            let (_runtime, address) = serve(guarded(open(), users));
            assert_eq!(ask(address, "GET", "/unlisted", token), 405);
            // A way to ask that is not listed is as little open as a path.
            assert_eq!(ask(address, "PUT", "/jobs/1", token), 405);
            assert_eq!(ask(address, "GET", "/jobs/1", token), 200);
        }
    }
}
