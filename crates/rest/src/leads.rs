//! One of several JobManagers: requests to those that stand by are for the one that leads.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Response};
use axum::middleware::{Next, from_fn};

use crate::request::Refusal;
use crate::server::refused;

/// Who answers requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leads {
    /// This JobManager.
    Here,
    /// The one whose REST server is at this address.
    There(String),
    /// Nobody yet.
    Nobody,
}

/// Lets requests pass if this JobManager leads, and sends them to who does otherwise.
pub(crate) fn in_front(router: Router, leads: Option<Arc<dyn Fn() -> Leads + Send + Sync>>) -> Router {
    let Some(leads) = leads else { return router };
    router.layer(from_fn(move |request: Request, next: Next| {
        let leads = leads.clone();
        async move {
            // Who does not lead reads a file to say who does.
            let leader = tokio::task::spawn_blocking(move || leads()).await;
            match leader.unwrap_or(Leads::Nobody) {
                Leads::Here => next.run(request).await,
                Leads::There(address) => elsewhere(&address, &request),
                Leads::Nobody => refused(&Refusal {
                    status: 503,
                    message: "No JobManager leads the cluster yet.".to_owned(),
                }),
            }
        }
    }))
}

fn elsewhere(address: &str, request: &Request) -> Response<Body> {
    let message = format!("This JobManager stands by; the one at {address} leads the cluster.");
    let mut answer = refused(&Refusal { status: 307, message });
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Ok(location) = HeaderValue::from_str(&format!("{address}{path}")) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}
