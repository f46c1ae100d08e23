//! Models of services that speak OpenAI's protocol: chat completions and embeddings.
//!
//! `CREATE MODEL m INPUT (text STRING) OUTPUT (answer STRING) WITH ('provider' = 'openai', 'endpoint' = ..., 'api-key' = ..., 'model' =
//! ...)`. A model is asked as a table is looked up, one row in each request, by the operator of lookup joins: how many requests are under way,
//! how long one may take, and what of them is in a snapshot is its affair ([`AsyncLookup`](flott_connector::lookup::AsyncLookup)).
//!
//! A request is one HTTP exchange over rustls. It blocks, and has a thread of its own ([`workers`]) while it is under way: there are no more
//! threads than requests, of which there are few, because an answer takes seconds. This needs no runtime in the task.
//!
//! The key is a secret: it goes into the header of the request and nowhere else, and what a server says of it is masked in messages.

mod answer;
mod config;
mod provider;
mod request;
mod workers;

pub use provider::OpenAiProvider;
