//! StatsD: a packet for each metric, as a gauge.

use std::net::{ToSocketAddrs, UdpSocket};

use flott_types::{Error, Result};

use super::Pushes;
use super::identifiers::Formats;
use super::samples::Sample;

pub(super) struct StatsD {
    socket: UdpSocket,
    formats: Formats,
}

impl StatsD {
    pub fn new(host: &str, port: u16, formats: Formats) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::external(format!("metrics cannot be sent to StatsD at {host}:{port}: {error}"))
        };
        let mut addresses = (host, port).to_socket_addrs().map_err(failed)?;
        let to = addresses.next().ok_or_else(|| failed(std::io::Error::other("it has no address")))?;
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).map_err(failed)?;
        socket.connect(to).map_err(failed)?;
        Ok(StatsD { socket, formats })
    }
}

impl Pushes for StatsD {
    fn push(&mut self, samples: &[Sample]) {
        for sample in samples {
            let name = self.formats.identifier(sample, |text| text.replace([':', '|', '@', '\n'], "-"));
            // Below 0 would be a difference: a gauge is set to 0 before.
            let negative = if sample.value < 0.0 { format!("{name}:0|g\n") } else { String::new() };
            // Nobody may listen.
            _ = self.socket.send(format!("{negative}{name}:{}|g", sample.value).as_bytes());
        }
    }
}
