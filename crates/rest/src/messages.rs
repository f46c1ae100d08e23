//! The messages of clients that are other processes of the same version, such as `flott sql --cluster`.
//!
//! They are not part of Flink's interface: they are encoded by `flott_cluster::codec`, and what can be asked is
//! what a client in the JobManager's process can ask, submitting jobs included.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Response, StatusCode};
use flott_cluster::client_messages::{ClientRequest, HTTP_VERSION};
use flott_cluster::codec;
use flott_types::{Error, Result};

use crate::cluster::Cluster;
use crate::server::Names;
use crate::users::{Role, forbidden, required_by};

/// The version that both sides must be of.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The longest request: a plan.
const LONGEST: usize = 256 << 20;

pub(crate) async fn answer(cluster: Arc<Cluster>, names: Arc<Names>, request: Request) -> Response<Body> {
    // A page in a browser must not submit jobs, whatever name it has for this machine.
    if let Err(refusal) = names.check(&request) {
        return response(StatusCode::FORBIDDEN, refusal.message.into_bytes());
    }
    let theirs = request.headers().get(HTTP_VERSION).and_then(|version| version.to_str().ok());
    if theirs != Some(VERSION) {
        let theirs = theirs.map_or("no version of Flott".to_owned(), |version| format!("version {version}"));
        let told = format!("the client is of {theirs}, and the JobManager of {VERSION}");
        return response(StatusCode::BAD_REQUEST, told.into_bytes());
    }
    // The guard has found it; without it nothing is given away.
    let Some(role) = request.extensions().get::<Role>().copied() else {
        return response(StatusCode::FORBIDDEN, b"the sender has no role".to_vec());
    };
    let body = match to_bytes(request.into_body(), LONGEST).await {
        Ok(body) => body,
        Err(error) => return response(StatusCode::BAD_REQUEST, error.to_string().into_bytes()),
    };
    let answered = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, (StatusCode, Error)> {
        let wrong = |error| (StatusCode::BAD_REQUEST, error);
        let request: ClientRequest = codec::decode(&body).map_err(wrong)?;
        let needed = required_by(&request);
        if role < needed {
            return Err((StatusCode::FORBIDDEN, Error::invalid(forbidden(needed).message)));
        }
        // Who asks again may be answered: the JobManager is about to lead, or another one is.
        let answer = cluster.gateway.call(request);
        let answer = answer.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error))?;
        codec::encode(&answer).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error))
    });
    match answered.await {
        Ok(Ok(bytes)) => response(StatusCode::OK, bytes),
        Ok(Err((status, error))) => response(status, error.to_string().into_bytes()),
        Err(error) => {
            tracing::error!(%error, "a client's message could not be answered");
            response(StatusCode::INTERNAL_SERVER_ERROR, b"an internal error".to_vec())
        }
    }
}

fn response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(HTTP_VERSION, HeaderValue::from_static(VERSION));
    response
}
