//! The engine: what components may do.

use std::fmt;

use flott_expr::user::ArtifactLimits;
use flott_types::{Error, Result};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, ResourceLimiter, Store, Trap};

/// An engine that computes the same on every machine.
///
/// # Errors
/// If there is none for this machine.
pub(crate) fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.consume_fuel(true).cranelift_nan_canonicalization(true).wasm_relaxed_simd(false);
    Engine::new(&config).map_err(|error| Error::unsupported(format!("functions in WebAssembly: {error:#}")))
}

/// A component that can be made instances of. What it imports fails when it is called.
///
/// # Errors
/// If it imports something that cannot be made so.
pub(crate) fn prepared(engine: &Engine, component: &Component) -> Result<InstancePre<Limits>> {
    let mut linker = Linker::new(engine);
    let refused =
        |error: wasmtime::Error| Error::invalid(format!("it imports what functions do not get: {error:#}"));
    linker.define_unknown_imports_as_traps(component).map_err(refused)?;
    linker.instantiate_pre(component).map_err(refused)
}

/// A store for an instance.
pub(crate) fn store(engine: &Engine, limits: ArtifactLimits) -> Result<Store<Limits>> {
    let mut store = Store::new(engine, Limits { memory: limits.memory, used: 0, elements: 0 });
    store.limiter(|limits| limits);
    refuel(&mut store, limits)?;
    Ok(store)
}

/// Gives the fuel of a call.
pub(crate) fn refuel(store: &mut Store<Limits>, limits: ArtifactLimits) -> Result<()> {
    store.set_fuel(limits.fuel).map_err(|error| Error::internal(format!("{error:#}")))
}

/// Holds an instance to its memory: all of its memories together.
pub(crate) struct Limits {
    memory: u64,
    /// Bytes that its memories have.
    used: u64,
    /// Elements that its tables have.
    elements: usize,
}

/// Why an instance gets no more memory.
#[derive(Debug)]
struct TooMuch {
    wanted: u64,
    limit: u64,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it wants {} bytes of memory and may have {} (table.exec.wasm.memory)",
            self.wanted, self.limit
        )
    }
}

impl std::error::Error for TooMuch {}

/// The most elements of its tables together: of functions that are called by a pointer.
const MOST_ELEMENTS: usize = 1 << 20;
/// The most core instances, memories and tables of a component.
const MOST_PARTS: usize = 256;

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.used + desired.saturating_sub(current) as u64;
        if wanted > self.memory {
            return Err(TooMuch { wanted, limit: self.memory }.into());
        }
        self.used = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.elements + desired.saturating_sub(current);
        let fits = wanted <= MOST_ELEMENTS;
        if fits {
            self.elements = wanted;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        MOST_PARTS
    }

    fn memories(&self) -> usize {
        MOST_PARTS
    }

    fn tables(&self) -> usize {
        MOST_PARTS
    }
}

/// Why a call failed, in words of the user.
pub(crate) fn failure(error: &wasmtime::Error, limits: ArtifactLimits) -> Error {
    if let Some(too_much) = error.downcast_ref::<TooMuch>() {
        return Error::invalid(too_much.to_string());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Error::invalid(format!(
            "it did not end within {} instructions (table.exec.wasm.fuel)",
            limits.fuel
        )),
        Some(Trap::StackOverflow) => Error::invalid("it calls itself too deeply"),
        Some(trap) => Error::data(format!("it failed: {trap}")),
        None => Error::data(format!("it failed: {}", error.root_cause())),
    }
}
