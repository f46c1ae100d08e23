//! Functions of SQL that are WebAssembly components: `CREATE FUNCTION f AS 'name' LANGUAGE WASM USING ARTIFACT 'path'`.
//!
//! A component says the types of what it exports, so nothing is declared twice: the SQL types of parameters and result follow from the
//! types of its interface ([`shape`]), as they follow from Rust types for functions of a program. A core module would need a protocol of
//! our own for texts and NULL, and every language a library for it.
//!
//! What a component can do is compute. It gets no imports: those that compilers add for a system (WASI) are there and fail when they are
//! called, so there are no clocks, no random numbers, no files ([`engine`]). NaN has one form and vectors are not relaxed, so that all
//! machines compute the same. A call has fuel, an instance a limit of memory; who uses up either fails the job with a message.
//!
//! An instance lives for a batch: nothing is remembered from one to the next, and a restored job computes what the first one did. Within a
//! batch it is called row by row. Cost of a row: conversion of its arguments and its result, and a call through the component's adapter,
//! well below a microsecond with numbers; of a batch: an instance, some tens of microseconds.
//!
//! Plans call a function by a name with all that is needed to load it ([`name`]): the file with a hash of its contents, the export, the
//! limits. So every process of a cluster loads it by itself, and a file that was replaced is noticed.
#![cfg(feature = "wasm")]

mod call;
mod engine;
mod loader;
mod name;
mod shape;
mod values;

pub use loader::Components;
