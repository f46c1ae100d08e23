//! The connection's bytes.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

use crate::config::ClientConfig;
use crate::failure::{Failure, Result};

pub(crate) struct Stream(TcpStream);

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
                    return Ok(Stream(stream));
                }
                Err(error) => last = Some(failed(error)),
            }
        }
        Err(last.unwrap_or_else(|| Failure::lost(format!("{address} has no address"))))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
