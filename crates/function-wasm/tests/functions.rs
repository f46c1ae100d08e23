//! Components called as expressions call them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray,
};
use arrow::datatypes::{Float64Type, Int32Type};
use flott_expr::user::{ArtifactLimits, FunctionKind, FunctionName, UserFunction};
use flott_expr::{Argument, Call, EvalContext, Functions, PlanContext, ScalarFunction, Value};
use flott_function_wasm::Components;
use flott_types::{LogicalType, Result, TypeKind};

const COMPONENT: &str = include_str!("functions.wat");

struct Files {
    folder: tempfile::TempDir,
    functions: Functions,
}

impl Files {
    fn new() -> Self {
        let functions = Functions::default().with_loader(Arc::new(Components::default()));
        Files { folder: tempfile::tempdir().unwrap(), functions }
    }

    fn load(&self, text: &str, export: &str, limits: ArtifactLimits) -> Result<Arc<UserFunction>> {
        let path = self.folder.path().join("component.wasm");
        fs::write(&path, text).unwrap();
        let name = FunctionName::System(export.replace('-', "_"));
        Ok(self.functions.artifact((&path.display().to_string(), export), limits, &name)?.unwrap())
    }
}

fn call(function: &UserFunction, args: &[(TypeKind, ArrayRef)]) -> Result<ArrayRef> {
    let context = EvalContext::new(&PlanContext::default(), 0);
    let types: Vec<LogicalType> = args.iter().map(|(kind, _)| kind.clone().nullable()).collect();
    let arguments: Vec<_> = types.iter().map(|ty| Argument { ty, literal: None }).collect();
    let signature = function.infer(&arguments, &PlanContext::default())?;
    let rows = args.first().map_or(1, |(_, array)| array.len());
    let values: Vec<Value> = args.iter().map(|(_, array)| Value::array(array.clone())).collect();
    let call = Call { rows, arg_types: &signature.casts, result: &signature.result, context: &context };
    function.evaluate(&values, &call)
}

fn of(text: &str, export: &str, limits: ArtifactLimits, args: &[(TypeKind, ArrayRef)]) -> Result<ArrayRef> {
    call(&*Files::new().load(text, export, limits)?, args)
}

fn run(export: &str, args: &[(TypeKind, ArrayRef)]) -> ArrayRef {
    of(COMPONENT, export, ArtifactLimits::default(), args).unwrap()
}

fn ints(values: Vec<Option<i32>>) -> (TypeKind, ArrayRef) {
    (TypeKind::Int, Arc::new(Int32Array::from(values)))
}

fn longs(values: Vec<Option<i64>>) -> (TypeKind, ArrayRef) {
    (TypeKind::BigInt, Arc::new(Int64Array::from(values)))
}

fn doubles(values: Vec<Option<f64>>) -> (TypeKind, ArrayRef) {
    (TypeKind::Double, Arc::new(Float64Array::from(values)))
}

#[test]
fn values_of_all_types_go_in_and_out() {
    let some = vec![Some(1), None, Some(4)];
    assert_eq!(
        run("add-one", &[longs(vec![Some(1), None, Some(-8)])]).as_ref(),
        &Int64Array::from(vec![Some(2), None, Some(-7)])
    );
    assert_eq!(
        run("is-even", &[ints(some.clone())]).as_ref(),
        &BooleanArray::from(vec![Some(false), None, Some(true)])
    );
    assert_eq!(run("or-zero", &[ints(some.clone())]).as_ref(), &Int32Array::from(vec![1, 0, 4]));
    assert_eq!(run("half", &[ints(some)]).as_ref(), &Int32Array::from(vec![None, None, Some(2)]));
    let hypotenuse = run("hypotenuse", &[doubles(vec![Some(3.0)]), doubles(vec![Some(4.0)])]);
    assert_eq!(hypotenuse.as_ref(), &Float64Array::from(vec![5.0]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("ab €"), None, Some("")]));
    assert_eq!(
        run("shout", &[(TypeKind::STRING, texts)]).as_ref(),
        &StringArray::from(vec![Some("AB €"), None, Some("")])
    );
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"a\xff"[..]), None]));
    assert_eq!(
        run("bytes", &[(TypeKind::BYTES, bytes)]).as_ref(),
        &BinaryArray::from(vec![Some(&b"A\xff"[..]), None])
    );
    assert_eq!(run("root", &[ints(vec![Some(17)])]).as_ref(), &Int32Array::from(vec![4]));
    let nan = run("not-a-number", &[doubles(vec![Some(1.0)])]);
    assert_eq!(nan.as_primitive::<Float64Type>().value(0).to_bits(), f64::NAN.to_bits(), "NaN has one form");
}

#[test]
fn lists_are_rows() {
    let files = Files::new();
    for (export, names) in [("halves", ["f0", "f1"]), ("named-halves", ["whole_number", "half"])] {
        let function = files.load(COMPONENT, export, ArtifactLimits::default()).unwrap();
        assert_eq!(function.kind(), FunctionKind::Table);
        assert_eq!(function.columns().iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), names);
        let lists = call(&function, &[ints(vec![Some(2), None, Some(0), Some(1)])]).unwrap();
        let lists = lists.as_list::<i32>();
        let lengths: Vec<_> =
            (0..lists.len()).map(|row| lists.is_valid(row).then(|| lists.value_length(row))).collect();
        assert_eq!(lengths, [Some(2), None, Some(0), Some(1)]);
        let rows = lists.values().as_struct();
        assert_eq!(rows.column(0).as_primitive::<Int32Type>().values(), &[1, 2, 1]);
        assert_eq!(rows.column(1).as_primitive::<Float64Type>().values(), &[0.5, 1.0, 0.5]);
    }
}

#[test]
fn limits_hold_for_each_call_and_each_batch() {
    let limits = ArtifactLimits { fuel: 100_000, memory: 1 << 20 };
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(2_000_000)]));
    for (export, args, expected) in [
        ("spin", longs(vec![Some(1)]), "it did not end within 100000 instructions (table.exec.wasm.fuel)"),
        ("deep", longs(vec![Some(1)]), ""),
        ("grow", ints(vec![Some(100)]), "bytes of memory and may have 1048576 (table.exec.wasm.memory)"),
        ("shout", (TypeKind::STRING, text), "bytes of memory and may have 1048576 (table.exec.wasm.memory)"),
        ("root", ints(vec![Some(-1)]), "function 'root' failed for the arguments (-1): no negative numbers"),
    ] {
        let error = of(COMPONENT, export, limits, &[args]).unwrap_err().to_string();
        assert!(error.contains(expected), "{export}: {error}");
    }
    let deep =
        of(COMPONENT, "deep", ArtifactLimits::default(), &[longs(vec![Some(1)])]).unwrap_err().to_string();
    assert!(deep.contains("it calls itself too deeply"), "{deep}");
    let error = of(COMPONENT, "divide", limits, &[longs(vec![Some(1)]), longs(vec![Some(0)])])
        .unwrap_err()
        .to_string();
    assert!(error.contains("failed for the arguments (1, 0)") && error.contains("divide by zero"), "{error}");
    // A call has all of the fuel.
    let many = run("add-one", &[longs(vec![Some(1); 10_000])]);
    assert_eq!(many.len(), 10_000);
    let limits = ArtifactLimits { fuel: 1_000, memory: 1 << 20 };
    assert_eq!(of(COMPONENT, "add-one", limits, &[longs(vec![Some(1); 10_000])]).unwrap().len(), 10_000);
    // Nothing is remembered from batch to batch.
    let files = Files::new();
    let calls = files.load(COMPONENT, "calls", limits).unwrap();
    for _ in 0..2 {
        let counted = call(&calls, &[longs(vec![Some(0), None, Some(0)])]).unwrap();
        assert_eq!(counted.as_ref(), &Int64Array::from(vec![Some(1), None, Some(2)]));
    }
}

#[test]
fn all_memories_of_a_component_count_together() {
    let instances: String = (0..4).map(|n| format!("(core instance $i{n} (instantiate $m))")).collect();
    let component = format!(
        r#"(component
            (core module $m (memory 10) (func (export "same") (param i64) (result i64) (local.get 0)))
            {instances}
            (func (export "same") (param "x" s64) (result s64) (canon lift (core func $i0 "same"))))"#
    );
    let one = || longs(vec![Some(1)]);
    let limits = |memory| ArtifactLimits { memory, ..ArtifactLimits::default() };
    assert_eq!(of(&component, "same", limits(40 << 16), &[one()]).unwrap().len(), 1);
    let error = of(&component, "same", limits(39 << 16), &[one()]).unwrap_err().to_string();
    assert!(error.contains("it wants 2621440 bytes of memory and may have 2555904"), "{error}");
}

#[test]
fn what_is_wrong_is_said() {
    let wrong =
        |text: &str, export: &str| of(text, export, ArtifactLimits::default(), &[]).unwrap_err().to_string();
    assert!(
        wrong(COMPONENT, "nope").contains("exports no function 'nope'; its functions are: add-one, calls, ")
    );
    assert!(
        wrong(COMPONENT, "unsigned").contains("its parameter 'x' is an unsigned number: take s32 or s64")
    );
    assert!(wrong("not wasm", "f").contains("is not a component of WebAssembly"));
    assert!(wrong("(module)", "f").contains("is not a component of WebAssembly"));
    let files = Files::new();
    let function = files.load(COMPONENT, "add-one", ArtifactLimits::default()).unwrap();
    // Another process of the cluster finds another file.
    fs::write(files.folder.path().join("component.wasm"), "(component)").unwrap();
    let elsewhere = Functions::default().with_loader(Arc::new(Components::default()));
    let error = elsewhere.require(function.called()).unwrap_err().to_string();
    assert!(error.contains("is another component than when the query was planned"), "{error}");
    let error = Functions::default().require(function.called()).unwrap_err().to_string();
    assert!(error.contains("build it with the feature `wasm`"), "{error}");
}

#[test]
fn imports_are_there_and_fail_when_they_are_called() {
    let component = r#"(component
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
        (alias export $clock "now" (func $now))
        (core func $now (canon lower (func $now)))
        (core module $m
            (import "clock" "now" (func $now (result i64)))
            (func (export "time") (param i64) (result i64) (call $now))
            (func (export "same") (param i64) (result i64) (local.get 0)))
        (core instance $i (instantiate $m (with "clock" (instance (export "now" (func $now))))))
        (func (export "time") (param "x" s64) (result s64) (canon lift (core func $i "time")))
        (func (export "same") (param "x" s64) (result s64) (canon lift (core func $i "same"))))"#;
    let one = || longs(vec![Some(1)]);
    let same = of(component, "same", ArtifactLimits::default(), &[one()]).unwrap();
    assert_eq!(same.as_ref(), &Int64Array::from(vec![1]));
    let error = of(component, "time", ArtifactLimits::default(), &[one()]).unwrap_err().to_string();
    assert!(error.contains("wasi:clocks/monotonic-clock"), "{error}");
}
