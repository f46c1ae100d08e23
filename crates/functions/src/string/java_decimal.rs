//! The decimal digits of a floating point number, rounded half up as Java's formatter rounds them.

/// `0.d1d2d3.. * 10^point`, without sign or leading zeros.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Decimal {
    digits: Vec<u8>,
    /// How many digits come before the decimal point.
    pub(super) point: i32,
}

impl Decimal {
    /// Parses a number as Java writes it: `1.5`, `1.0E10`.
    pub(super) fn of(text: &str) -> Decimal {
        let text = text.trim_start_matches('-');
        let (mantissa, exponent) = text.split_once('E').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
        let mut point = whole.len() as i32 + exponent.parse::<i32>().unwrap_or(0);
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        point -= zeros as i32;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            point = 0;
        }
        Decimal { digits, point }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Rounded half up at this many places after the decimal point.
    pub(super) fn rounded(&self, places: i32) -> Decimal {
        let kept = self.point.saturating_add(places);
        if kept >= self.digits.len() as i32 {
            return self.clone();
        }
        if kept < 0 {
            return Decimal { digits: Vec::new(), point: 0 };
        }
        let mut digits = self.digits[..kept as usize].to_vec();
        let mut point = self.point;
        if self.digits[kept as usize] >= 5 {
            let mut at = digits.len();
            loop {
                if at == 0 {
                    digits.insert(0, 1);
                    point += 1;
                    break;
                }
                at -= 1;
                if digits[at] < 9 {
                    digits[at] += 1;
                    break;
                }
                digits[at] = 0;
            }
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            point = 0;
        }
        Decimal { digits, point }
    }

    fn digit(&self, at: i32) -> char {
        let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(0);
        char::from(b'0' + digit)
    }

    pub(super) fn fixed(&self, places: usize) -> String {
        let number = self.rounded(places as i32);
        let mut out = String::new();
        if number.point <= 0 {
            out.push('0');
        }
        out.extend((0..number.point.max(0)).map(|at| number.digit(at)));
        if places > 0 {
            out.push('.');
            out.extend((0..places as i32).map(|at| number.digit(number.point + at)));
        }
        out
    }

    pub(super) fn scientific(&self, places: usize) -> String {
        let number = self.rounded(places as i32 + 1 - self.point);
        let mut out = String::new();
        out.push(number.digit(0));
        if places > 0 {
            out.push('.');
            out.extend((1..=places as i32).map(|at| number.digit(at)));
        }
        let exponent = if number.is_zero() { 0 } else { number.point - 1 };
        out.push_str(&format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()));
        out
    }
}
