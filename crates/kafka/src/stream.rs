//! The connection's bytes, encrypted or not.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::config::ClientConfig;
use crate::failure::{Failure, Result};
use crate::tls::Tls;

pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    pub(crate) fn connect(config: &ClientConfig, address: &str) -> Result<Self> {
        let failed = |error| Failure::connection(format!("cannot connect to {address}"), error);
        let mut last = None;
        for socket in address.to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&socket, config.connect_timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(failed)?;
                    stream.set_read_timeout(Some(config.request_timeout)).map_err(failed)?;
                    stream.set_write_timeout(Some(config.request_timeout)).map_err(failed)?;
                    return match &config.tls {
                        None => Ok(Stream::Plain(stream)),
                        Some(tls) => encrypted(tls, address, stream),
                    };
                }
                Err(error) => last = Some(failed(error)),
            }
        }
        Err(last.unwrap_or_else(|| Failure::lost(format!("{address} has no address"))))
    }
}

fn encrypted(tls: &Tls, address: &str, mut stream: TcpStream) -> Result<Stream> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::last(format!("'{host}' is neither a name nor an address")))?;
    let connection = ClientConnection::new(tls.0.clone(), name);
    let mut connection = connection.map_err(|error| refused(address, Error::other(error)))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|error| refused(address, error))?;
    }
    Ok(Stream::Tls(Box::new(StreamOwned::new(connection, stream))))
}

/// A handshake that did not succeed. If it is about certificates, it never will.
fn refused(address: &str, error: Error) -> Failure {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::Other => {
            let hint = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidMessage(_)) => {
                    "; does the broker speak TLS at that port, and is 'security.protocol' right?"
                }
                _ => "",
            };
            Failure::last(format!("TLS with {address}: {error}{hint}"))
        }
        _ => Failure::connection(format!("the TLS handshake with {address} broke off"), error),
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(buffer),
            Stream::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
