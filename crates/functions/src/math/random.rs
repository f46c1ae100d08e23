//! RAND, RAND_INTEGER, UUID. With a constant seed the numbers are the sequence of Java's `Random`.

use arrow::array::Int32Array;
use arrow::array::{ArrayRef, Float64Builder, Int32Builder, StringBuilder};
use flott_expr::function::{
    Argument, Call, Determinism, Function, PreparedFunction, ScalarFunction, Signature, any_nullable,
    no_signature,
};
use flott_expr::kernel::as_ref;
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{LogicalType, Result, TypeKind};
use parking_lot::Mutex;

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new(
            "RAND",
            |args, _| infer("RAND", args, 0..=1, TypeKind::Double),
            |args, call| doubles(args, call, None),
        )
        .determinism(Determinism::Never)
        .prepare(prepare_doubles)
        .boxed(),
        Function::new(
            "RAND_INTEGER",
            |args, _| infer("RAND_INTEGER", args, 1..=2, TypeKind::Int),
            |args, call| integers(args, call, None),
        )
        .determinism(Determinism::Never)
        .prepare(prepare_integers)
        .boxed(),
        Function::new(
            "UUID",
            |args, _| infer("UUID", args, 0..=0, TypeKind::Char(36)),
            |_, call| Ok(uuids(call)),
        )
        .determinism(Determinism::Never)
        .boxed(),
    ]
}

fn infer(
    name: &'static str,
    args: &[Argument<'_>],
    counts: std::ops::RangeInclusive<usize>,
    kind: TypeKind,
) -> Result<Signature> {
    let integer = |arg: &Argument<'_>| arg.ty.kind.is_integer() || arg.ty.kind == TypeKind::Null;
    if !counts.contains(&args.len()) || !args.iter().all(integer) {
        let forms: Vec<_> =
            counts.map(|count| format!("{name}({})", vec!["<INTEGER>"; count].join(", "))).collect();
        return Err(no_signature(name, args, &forms.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    Ok(Signature {
        casts: args.iter().map(|arg| TypeKind::Int.with_nullable(arg.ty.nullable)).collect(),
        result: kind.with_nullable(any_nullable(args)),
    })
}

/// `java.util.Random`: a linear congruential generator of 48 bits.
#[derive(Debug)]
struct JavaRandom(u64);

impl JavaRandom {
    const MASK: u64 = (1 << 48) - 1;

    fn new(seed: i64) -> Self {
        JavaRandom((seed as u64 ^ 0x5_DEEC_E66D) & Self::MASK)
    }

    fn bits(&mut self, count: u32) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & Self::MASK;
        (self.0 as i64 >> (48 - count)) as i32
    }

    fn double(&mut self) -> f64 {
        let high = i64::from(self.bits(26)) << 27;
        (high + i64::from(self.bits(27))) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    fn below(&mut self, bound: i32) -> i32 {
        if bound & (bound - 1) == 0 {
            return ((i64::from(bound) * i64::from(self.bits(31))) >> 31) as i32;
        }
        loop {
            let bits = self.bits(31);
            let value = bits % bound;
            // The last, incomplete range of values would favour small ones.
            if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
                return value;
            }
        }
    }
}

#[derive(Debug)]
struct Seeded<const DOUBLES: bool>(Mutex<JavaRandom>);

impl<const DOUBLES: bool> PreparedFunction for Seeded<DOUBLES> {
    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        let mut random = self.0.lock();
        if DOUBLES { doubles(args, call, Some(&mut random)) } else { integers(args, call, Some(&mut random)) }
    }
}

fn seed(args: &[Argument<'_>]) -> Option<Mutex<JavaRandom>> {
    match args.first()?.literal? {
        Literal::Integer(seed) => Some(Mutex::new(JavaRandom::new(*seed))),
        _ => None,
    }
}

fn prepare_doubles(args: &[Argument<'_>], _: &LogicalType) -> Result<Option<Box<dyn PreparedFunction>>> {
    Ok(seed(args).map(|random| Box::new(Seeded::<true>(random)) as Box<dyn PreparedFunction>))
}

fn prepare_integers(args: &[Argument<'_>], _: &LogicalType) -> Result<Option<Box<dyn PreparedFunction>>> {
    // A single argument is the bound.
    let random = if args.len() == 2 { seed(args) } else { None };
    Ok(random.map(|random| Box::new(Seeded::<false>(random)) as Box<dyn PreparedFunction>))
}

fn random_bits(call: &Call<'_>, each: usize) -> Vec<u64> {
    let mut bits = vec![0; call.rows * each];
    call.context.fill_random(&mut bits);
    bits
}

fn doubles(args: &[Value], call: &Call<'_>, mut shared: Option<&mut JavaRandom>) -> Result<ArrayRef> {
    let mut output = Float64Builder::with_capacity(call.rows);
    let Some(seeds) = args.first() else {
        for bits in random_bits(call, 1) {
            output.append_value((bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64));
        }
        return Ok(as_ref(output.finish()));
    };
    let seeds = seeds.view::<Int32Array>()?;
    for row in 0..call.rows {
        output.append_option(seeds.get(row).map(|seed| match &mut shared {
            Some(random) => random.double(),
            None => JavaRandom::new(seed.into()).double(),
        }));
    }
    Ok(as_ref(output.finish()))
}

fn integers(args: &[Value], call: &Call<'_>, mut shared: Option<&mut JavaRandom>) -> Result<ArrayRef> {
    let (seeds, bounds) = match args {
        [seed, bound] => (Some(seed.view::<Int32Array>()?), bound.view::<Int32Array>()?),
        _ => (None, args[0].view::<Int32Array>()?),
    };
    let mut output = Int32Builder::with_capacity(call.rows);
    let bits = if seeds.is_some() { vec![0; call.rows] } else { random_bits(call, 1) };
    for (row, bits) in bits.into_iter().enumerate() {
        let Some(bound) = bounds.get(row) else {
            output.append_null();
            continue;
        };
        if bound <= 0 {
            return Err(flott_types::Error::data("RAND_INTEGER: the bound must be positive"));
        }
        match seeds.map(|seeds| seeds.get(row)) {
            None => output.append_value((bits % bound as u64) as i32),
            Some(None) => output.append_null(),
            Some(Some(seed)) => output.append_value(match &mut shared {
                Some(random) => random.below(bound),
                None => JavaRandom::new(seed.into()).below(bound),
            }),
        }
    }
    Ok(as_ref(output.finish()))
}

/// Random UUIDs of version 4.
fn uuids(call: &Call<'_>) -> ArrayRef {
    let mut output = StringBuilder::with_capacity(call.rows, call.rows * 36);
    for pair in random_bits(call, 2).chunks_exact(2) {
        let high = pair[0] & !0xF000 | 0x4000;
        let low = pair[1] & !(0b11 << 62) | 0b10 << 62;
        output.append_value(format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        ));
    }
    as_ref(output.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_javas() {
        let mut random = JavaRandom::new(42);
        assert_eq!(random.double(), 0.7275636800328681);
        assert_eq!(random.double(), 0.6832234717598454);
        let mut random = JavaRandom::new(7);
        assert_eq!([(); 3].map(|()| random.below(1000)), [236, 164, 485]);
        let mut random = JavaRandom::new(42);
        assert_eq!([(); 4].map(|()| random.below(10)), [0, 3, 8, 4]);
    }
}
