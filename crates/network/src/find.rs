//! Where the JobManager is: at an address that is configured, or wherever the leader of the cluster says that it
//! is.

use std::collections::BTreeMap;
use std::time::Duration;

use flott_cluster::high_availability::ClusterFolder;
use flott_types::Result;

/// How often whoever is connected to a leader looks whether it still leads.
const LOOK: Duration = Duration::from_millis(500);

/// See [`self`].
#[derive(Clone, Debug)]
pub enum Find {
    /// Always there.
    At(String),
    /// Where the leader of this cluster is.
    Leader(ClusterFolder),
}

impl Find {
    /// As a configuration says; at `address` if it says nothing.
    ///
    /// # Errors
    /// If the configuration of high availability is wrong.
    pub fn parse(configuration: &BTreeMap<String, String>, address: &str) -> Result<Self> {
        Ok(match ClusterFolder::parse(configuration)? {
            Some(folder) => Find::Leader(folder),
            None => Find::At(address.to_owned()),
        })
    }

    /// Where TaskManagers find it now, if anywhere.
    ///
    /// # Errors
    /// If the folder of the cluster cannot be read.
    pub async fn find(&self) -> Result<Option<String>> {
        match self {
            Find::At(address) => Ok(Some(address.clone())),
            Find::Leader(folder) => Ok(folder.leader().await?.and_then(|leader| leader.rpc)),
        }
    }

    /// Waits until it is somewhere else.
    pub async fn changes(&self, address: &str) {
        loop {
            tokio::time::sleep(LOOK).await;
            // A new leader that does not listen yet has no address; the old one may go on for that long.
            if let Ok(Some(found)) = self.find().await
                && found != address
            {
                return;
            }
        }
    }
}
