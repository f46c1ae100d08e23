//! Reads components and makes functions of what they export.

use std::fmt;
use std::fs;
use std::sync::{Arc, OnceLock};

use flott_expr::user::{ArtifactLimits, FunctionDefinition, FunctionLoader};
use flott_types::{Error, Result};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, InstancePre};

use crate::call::Function;
use crate::engine::{Limits, engine, prepared};
use crate::name::Name;
use crate::shape::Signature;

/// So many components stay compiled for further functions of the same file.
const KEPT: usize = 16;

/// The functions of components in files.
#[derive(Default)]
pub struct Components {
    engine: OnceLock<Engine>,
    /// By the hashes of their contents, the last ones.
    compiled: Mutex<Vec<(String, Compiled)>>,
}

/// A component.
#[derive(Clone)]
struct Compiled {
    component: Component,
    instances: InstancePre<Limits>,
}

impl fmt::Debug for Components {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Components")
    }
}

impl Components {
    fn engine(&self) -> Result<&Engine> {
        if self.engine.get().is_none() {
            // Another thread may have been first.
            let _ = self.engine.set(engine()?);
        }
        self.engine.get().ok_or_else(|| Error::internal("there is no engine"))
    }

    /// The component of a file with these contents.
    fn compiled(&self, path: &str, hash: &str, contents: &[u8]) -> Result<Compiled> {
        let mut kept = self.compiled.lock();
        if let Some((_, found)) = kept.iter().find(|(known, _)| known == hash) {
            return Ok(found.clone());
        }
        let engine = self.engine()?;
        let component = Component::new(engine, contents).map_err(|error| {
            Error::invalid(format!("'{path}' is not a component of WebAssembly: {error:#}"))
        })?;
        let instances = prepared(engine, &component).map_err(|error| error.context(format!("'{path}'")))?;
        let compiled = Compiled { component, instances };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((hash.to_owned(), compiled.clone()));
        Ok(compiled)
    }
}

impl FunctionLoader for Components {
    fn name(&self, path: &str, function: &str, limits: ArtifactLimits) -> Result<String> {
        let (path, contents) = read(path)?;
        let hash = hash(&contents);
        Ok(Name { export: function, hash: &hash, limits, path }.to_string())
    }

    fn load(&self, name: &str) -> Result<FunctionDefinition> {
        let Name { export, hash: planned, limits, path } = Name::parse(name)?;
        let (path, contents) = read(path)?;
        let found = hash(&contents);
        if found != planned {
            return Err(Error::invalid(format!(
                "'{path}' is another component than when the query was planned: its hash was {planned} and is {found}"
            )));
        }
        let Compiled { component, instances } = self.compiled(path, &found, &contents)?;
        let engine = self.engine()?;
        let ty = component.component_type();
        let item = ty.get_export(engine, export).map(|item| item.ty);
        let Some(ComponentItem::ComponentFunc(function)) = item else {
            let functions =
                ty.exports(engine).filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
            let names: Vec<&str> = functions.map(|(name, _)| name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(Error::invalid(format!(
                "'{path}' exports no function '{export}'; its functions are: {names}"
            )));
        };
        let signature = signature(&function)
            .map_err(|error| error.context(format!("the function '{export}' of '{path}'")))?;
        let export = component.get_export_index(None, export);
        let export = export.ok_or_else(|| Error::internal("an export of a component is lost"))?;
        let (kind, result) = (signature.kind(), signature.result());
        let params = signature.params.iter().map(|(name, shape)| (name.clone(), shape.typed())).collect();
        let engine = engine.clone();
        let function = Function { engine, component: instances, export, signature, limits };
        let body =
            move |args: &[_], rows, wanted: &_, computed: &_| function.evaluate(args, rows, wanted, computed);
        Ok(FunctionDefinition::computed(kind, params, result, Arc::new(body)))
    }
}

fn signature(function: &ComponentFunc) -> Result<Signature> {
    match function.async_() {
        true => Err(Error::unsupported("an asynchronous function")),
        false => Signature::of(function),
    }
}

/// The contents of a file.
fn read(path: &str) -> Result<(&str, Vec<u8>)> {
    let path = path.strip_prefix("file://").unwrap_or(path);
    let contents = fs::read(path).map_err(|error| {
        Error::external(format!("the component '{path}' cannot be read")).with_source(error)
    })?;
    Ok((path, contents))
}

/// Enough of a hash to tell files apart.
fn hash(contents: &[u8]) -> String {
    Sha256::digest(contents).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
