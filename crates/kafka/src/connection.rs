//! One connection to a broker: requests and their responses, in order.

use std::io::{Read, Write};

use bytes::{Bytes, BytesMut};
use flott_types::FastMap;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiVersionsRequest, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

use crate::api::Request;
use crate::config::ClientConfig;
use crate::failure::{Failure, Result};
use crate::sasl;
use crate::stream::Stream;

/// No response is longer: what a server that is no broker sends first reads as a length beyond it.
const LONGEST: usize = 512 << 20;

pub(crate) struct Connection {
    stream: Stream,
    address: String,
    client_id: StrBytes,
    correlation: i32,
    /// By API key, what the broker understands.
    versions: FastMap<i16, (i16, i16)>,
}

/// A request whose response is to be received.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    correlation: i32,
    version: i16,
}

impl Connection {
    /// Connects, asks for versions, and authenticates.
    pub(crate) fn open(config: &ClientConfig, address: &str) -> Result<Self> {
        let mut connection = Connection {
            stream: Stream::connect(config, address)?,
            address: address.to_owned(),
            client_id: StrBytes::from_string(config.client_id.clone()),
            correlation: 0,
            versions: FastMap::default(),
        };
        connection.negotiate()?;
        if let Some(sasl) = &config.sasl {
            sasl::authenticate(&mut connection, sasl).map_err(|failure| failure.context(address))?;
        }
        Ok(connection)
    }

    fn negotiate(&mut self) -> Result<()> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("flott"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let mut newest = 3;
        let response = loop {
            let sent = self.send_as(&request, newest)?;
            // A broker that does not know the version answers in the oldest form.
            let mut body = self.receive_body::<ApiVersionsRequest>(sent)?;
            let code = i16::from_be_bytes([
                body.first().copied().unwrap_or_default(),
                body.get(1).copied().unwrap_or_default(),
            ]);
            if newest > 0 && code == ResponseError::UnsupportedVersion.code() {
                newest = 0;
                continue;
            }
            break self.decode::<ApiVersionsRequest>(&mut body, newest)?;
        };
        Failure::check(response.error_code, || format!("{}: versions", self.address))?;
        let known = response.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version)));
        self.versions = known.collect();
        Ok(())
    }

    /// The newest version that the broker and this client understand.
    pub(crate) fn version<R: Request>(&self) -> Result<i16> {
        let (oldest, newest) = (R::VERSIONS.min, R::NEWEST);
        let Some((min, max)) = self.versions.get(&(R::KEY as i16)) else {
            return Err(Failure::last(format!(
                "the broker {} does not know the request {:?}",
                self.address,
                R::KEY
            )));
        };
        let version = newest.min(*max);
        if version < oldest.max(*min) {
            return Err(Failure::last(format!(
                "the broker {} understands the request {:?} in the versions {min} to {max}; this client in {oldest} to {newest}",
                self.address,
                R::KEY
            )));
        }
        Ok(version)
    }

    pub(crate) fn call<R: Request>(&mut self, request: &R) -> Result<R::Response> {
        let sent = self.send(request)?;
        self.receive::<R>(sent)
    }

    pub(crate) fn send<R: Request>(&mut self, request: &R) -> Result<Sent> {
        let version = self.version::<R>()?;
        self.send_as(request, version)
    }

    fn send_as<R: Request>(&mut self, request: &R, version: i16) -> Result<Sent> {
        self.correlation = self.correlation.wrapping_add(1);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(self.client_id.clone()));
        let mut bytes = BytesMut::zeroed(4);
        let encoded = header
            .encode(&mut bytes, R::header_version(version))
            .and_then(|()| request.encode(&mut bytes, version));
        encoded
            .map_err(|error| Failure::last(format!("the request {:?} cannot be written: {error}", R::KEY)))?;
        let length = (bytes.len() - 4) as u32;
        if let Some(head) = bytes.first_chunk_mut() {
            *head = length.to_be_bytes();
        }
        self.stream
            .write_all(&bytes)
            .and_then(|()| self.stream.flush())
            .map_err(|error| self.broken(error))?;
        Ok(Sent { correlation: self.correlation, version })
    }

    pub(crate) fn receive<R: Request>(&mut self, sent: Sent) -> Result<R::Response> {
        let mut body = self.receive_body::<R>(sent)?;
        self.decode::<R>(&mut body, sent.version)
    }

    fn receive_body<R: Request>(&mut self, sent: Sent) -> Result<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).map_err(|error| self.broken(error))?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LONGEST {
            return Err(Failure::last(format!(
                "{} answers with {length} bytes: is it a Kafka broker, and is 'security.protocol' right?",
                self.address
            )));
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).map_err(|error| self.broken(error))?;
        let mut bytes = Bytes::from(bytes);
        let header = ResponseHeader::decode(&mut bytes, R::Response::header_version(sent.version));
        match header {
            Ok(header) if header.correlation_id == sent.correlation => Ok(bytes),
            Ok(_) => Err(Failure::lost(format!("{} answers out of order", self.address))),
            Err(error) => {
                Err(Failure::lost(format!("an answer of {} cannot be read: {error}", self.address)))
            }
        }
    }

    fn decode<R: Request>(&self, body: &mut Bytes, version: i16) -> Result<R::Response> {
        R::Response::decode(body, version).map_err(|error| {
            Failure::last(format!("an answer of {} to {:?} cannot be read: {error}", self.address, R::KEY))
        })
    }

    fn broken(&self, error: std::io::Error) -> Failure {
        Failure::connection(format!("the connection to {} broke", self.address), error)
    }
}
