//! The dashboard's files: `/`, and what it loads.
//!
//! They are the same for everybody and tell nothing about the cluster: what a page shows, it asks for by the
//! paths of the REST interface, as any client does.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::header::{X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::routing::get;
use flott_dashboard::{FILES, File, INDEX, find};

use crate::server::Names;

/// What a page may load and do: only what comes from here, no code within the page, nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What is at `/` in a binary without the dashboard.
const NO_DASHBOARD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Flott</title>\
                            <h1>Flott</h1><p>This binary was built without the dashboard: <code>make \
                            dashboard</code>, which needs node, and a build of the binary after it add it.</p>\
                            <p>The REST interface is here, for example <a \
                            href=\"overview\">overview</a> and <a href=\"jobs/overview\">jobs/overview</a>.</p>";

pub(crate) fn router(names: &Arc<Names>) -> Router {
    let index = serve(names, find(INDEX));
    let mut router = Router::new().route("/", index.clone()).route(INDEX, index);
    for file in FILES.iter().filter(|file| file.path != INDEX) {
        router = router.route(file.path, serve(names, Some(file)));
    }
    router
}

/// Whether a path is one of these files.
pub(crate) fn has(path: &str) -> bool {
    path == "/" || path == INDEX || FILES.iter().any(|file| file.path == path)
}

/// Answers with a file; without one, with why there is none.
fn serve(names: &Arc<Names>, file: Option<&'static File>) -> axum::routing::MethodRouter {
    let names = names.clone();
    get(async move |request: Request| {
        if let Err(refusal) = names.check(&request) {
            let mut response = Response::new(Body::from(refusal.message));
            *response.status_mut() = StatusCode::FORBIDDEN;
            return response;
        }
        let (bytes, content_type, caching) = match file {
            Some(file) if file.is_immutable() => {
                (file.bytes, file.content_type(), "public, max-age=31536000, immutable")
            }
            Some(file) => (file.bytes, file.content_type(), "no-cache"),
            None => (NO_DASHBOARD.as_bytes(), "text/html; charset=utf-8", "no-cache"),
        };
        let mut response = Response::new(Body::from(bytes));
        let headers = [
            (CONTENT_TYPE, content_type),
            (CACHE_CONTROL, caching),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
        ];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        response.headers_mut().extend(headers);
        response
    })
}
