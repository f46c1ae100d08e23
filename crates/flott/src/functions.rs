//! Which functions SQL has: Flink's, and what loads those in files.

use flott_expr::Functions;

/// The functions of a session and of the processes that run its jobs.
pub(crate) fn builtin() -> Functions {
    let functions = flott_functions::builtin();
    #[cfg(feature = "wasm")]
    let functions = functions.with_loader(std::sync::Arc::new(flott_function_wasm::Components::default()));
    functions
}
