//! Prices: log-uniform over six decades, with the same bits in every language.

use crate::random::Stream;
use crate::tables::tables;

/// `6 * ln(10) / 2^42`: the logarithm of the step between two prices.
const STEP: f64 = 13.815_510_557_964_274 / 4_398_046_511_104.0;
const SIXTH: f64 = 0.166_666_666_666_666_66;

/// Prices, one for each event.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    stream: Stream,
    power: &'static [f64; 1024],
}

impl Prices {
    pub(crate) fn new(stream: Stream) -> Self {
        Prices { stream, power: &tables().power }
    }

    /// The price of event `number`, in cents: `100 * 10^(6 u)` for a `u` uniform in `[0, 1)`. The power of
    /// the upper ten bits is looked up; that of the lower ones is so close to one that four terms of its
    /// series give nine digits.
    #[inline(always)]
    pub fn get(self, number: u64) -> i64 {
        let random = self.stream.draw(number);
        let y = f64::from((random >> 22) as u32) * STEP;
        let price = self.power[(random >> 54) as usize] * (1.0 + y * (1.0 + y * (0.5 + y * SIXTH)));
        (price + 0.5) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_log_uniform() {
        let prices = Prices::new(Stream::new(0, 17));
        let mut decades = [0; 6];
        for number in 0..60_000 {
            let price = prices.get(number);
            assert!((100..=100_000_000).contains(&price));
            decades[((price as f64 / 100.0).log10() as usize).min(5)] += 1;
        }
        assert!(decades.iter().all(|count| (9_600..10_400).contains(count)), "{decades:?}");
    }

    #[test]
    fn a_price_is_the_power_rounded() {
        let power = &tables().power;
        for random in (0..2_000u64).map(|i| i.wrapping_mul(crate::random::GOLDEN)) {
            let unit = (random >> 22) as f64 / (1u64 << 42) as f64;
            let y = f64::from((random >> 22) as u32) * STEP;
            let ours = power[(random >> 54) as usize] * (1.0 + y * (1.0 + y * (0.5 + y * SIXTH)));
            let exact = 100.0 * 10f64.powf(6.0 * unit);
            assert!((ours / exact - 1.0).abs() < 2e-9, "{ours} {exact}");
        }
    }
}
