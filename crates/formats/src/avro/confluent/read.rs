//! From messages to columns.

use std::sync::Arc;

use flott_batch::ChangeBatch;
use flott_connector::format::{Decoder, MessageDecoder};
use flott_plan::{Column as PlanColumn, Schema as TableSchema};
use flott_types::{Error, FastMap, Result};

use super::MAGIC;
use super::change::Envelope;
use crate::avro::bytes::Bytes;
use crate::avro::resolve::{self, Wire};
use crate::avro::schema::{Names, Parsed};
use crate::bad::Bad;
use crate::registry::Registry;
use crate::rows::{Rows, projected};

pub(super) struct RegistryDecoder {
    registry: Arc<Registry>,
    has_changes: bool,
    columns: Vec<PlanColumn>,
    rows: Rows,
    plans: FastMap<u32, Plan>,
}

/// How records of one schema become rows.
struct Plan {
    names: Arc<Names>,
    body: Body,
}

enum Body {
    Row(Wire),
    Change(Envelope),
}

impl RegistryDecoder {
    pub(super) fn new(
        registry: Arc<Registry>,
        has_changes: bool,
        table: &TableSchema,
        projection: &[usize],
    ) -> Result<Self> {
        let columns = projected(table, projection)?;
        let rows = Rows::new(&columns);
        Ok(RegistryDecoder { registry, has_changes, columns, rows, plans: FastMap::default() })
    }

    fn plan(&self, id: u32) -> Result<Plan> {
        let text = self.registry.schema(id)?;
        let plan = || {
            let parsed = Parsed::new(&text)?;
            let body = if self.has_changes {
                Body::Change(Envelope::new(parsed.plain_record()?, &self.columns)?)
            } else {
                let named = self.columns.iter().map(|column| (column.name.as_str(), &column.ty));
                Body::Row(resolve::root(&parsed, named)?)
            };
            Ok::<Plan, String>(Plan { names: parsed.names, body })
        };
        plan().map_err(|what| Error::data(format!("the schema {id} of the registry: {what}")))
    }

    fn read(rows: &mut Rows, plan: &Plan, body: &[u8]) -> Result<(), Bad> {
        let mut bytes = Bytes::new(body);
        match &plan.body {
            Body::Change(envelope) => envelope.read(&mut bytes, rows, &plan.names),
            Body::Row(root) => {
                root.read_row(&mut bytes, &mut rows.columns, &plan.names)?;
                match bytes.len() {
                    0 => Ok(()),
                    // By its own schema a record fills its message.
                    rest => Err(Bad::new(format!("{rest} bytes follow the record"))),
                }?;
                rows.commit();
                Ok(())
            }
        }
    }
}

impl MessageDecoder for RegistryDecoder {
    fn decode(&mut self, message: &[u8]) -> Result<()> {
        let [MAGIC, a, b, c, d, body @ ..] = message else {
            return Err(Error::data(
                "a message does not begin with a zero and the id of a schema, as one of a schema registry does",
            ));
        };
        let id = u32::from_be_bytes([*a, *b, *c, *d]);
        if !self.plans.contains_key(&id) {
            let plan = self.plan(id)?;
            self.plans.insert(id, plan);
        }
        let plan = self.plans.get(&id).ok_or_else(|| Error::internal("the plan of a schema"))?;
        let before = self.rows.len();
        RegistryDecoder::read(&mut self.rows, plan, body).map_err(|bad| {
            self.rows.abandon(before);
            Error::data(format!("a message is no Avro record of its schema {id}: {bad}"))
        })
    }
}

impl Decoder for RegistryDecoder {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        self.rows.finish()
    }

    fn take_skipped(&mut self) -> u64 {
        0
    }
}
