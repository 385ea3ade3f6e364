//! Units of usage: exact decimals, read from text and never through a float.

use std::fmt;

/// Digits after the point that a value keeps.
pub(crate) const SCALE: i64 = 18;
/// Digits before the point that a value may have.
const WHOLE_DIGITS: i64 = 20;
/// 10^18: what one whole unit is inside.
pub(crate) const ONE: i128 = 1_000_000_000_000_000_000;
/// Exponents beyond this are all the same: no text that fits into memory brings such a number back into range.
const EXPONENT_LIMIT: i64 = 1_000_000_000_000_000;
/// Every number of so many digits fits into 64 bits.
const U64_DIGITS: usize = 19;

/// 10^0 to 10^18.
const POWERS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = powers[place - 1] * 10;
        place += 1;
    }
    powers
};

/// An amount of usage, as a multiple of 10^-18.
///
/// Between -(10^38 - 1) and 10^38 - 1: at most 20 digits before and 18 after the point, what ClickHouse holds in a
/// `Decimal(38, 18)`. Shown as plain decimal text with at least one digit on each side of the point: `0.0`, `12.5`,
/// `-0.001`, never with an exponent or superfluous zeros.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Units(pub i128);

/// Why a text is not an amount of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitsError {
    /// The text does not have the form of a JSON number.
    #[error("not a decimal number")]
    Invalid,
    /// More than 20 digits before the point.
    #[error("more than 20 digits before the point")]
    TooLarge,
    /// More than 18 digits after the point.
    #[error("more than 18 digits after the point")]
    TooPrecise,
}

impl Units {
    /// No units.
    pub const ZERO: Self = Self(0);

    /// Reads the text of a JSON number (RFC 8259, section 6): no `+` in front, no spaces, no leading zeros.
    ///
    /// The value counts, not the form: `1.50` and `15e-1` are the same, and `1.0000000000000000000000` is fine.
    ///
    /// # Errors
    /// The text has another form, or its value has more than 20 digits before or 18 after the point. A value that has
    /// both is too large.
    pub fn parse(text: &str) -> Result<Self, UnitsError> {
        let number = NumberText::split(text.as_bytes()).ok_or(UnitsError::Invalid)?;
        let magnitude = number.magnitude()?;
        Ok(Self(if number.negative { -magnitude } else { magnitude }))
    }

    /// Whether the amount is below zero.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The amount as a whole number, if it is one.
    pub fn whole(self) -> Option<i128> {
        (self.0 % ONE == 0).then_some(self.0 / ONE)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = ONE.unsigned_abs();
        let magnitude = self.0.unsigned_abs();
        write_decimal(f, self.0 < 0, &(magnitude / one), magnitude % one)
    }
}

/// Writes a number whose fraction is a multiple of 10^-18.
pub(crate) fn write_decimal(
    f: &mut fmt::Formatter<'_>,
    negative: bool,
    whole: &dyn fmt::Display,
    fraction: u128,
) -> fmt::Result {
    let digits = format!("{fraction:018}");
    let digits = digits.trim_end_matches('0');
    let sign = if negative { "-" } else { "" };
    write!(f, "{sign}{whole}.{}", if digits.is_empty() { "0" } else { digits })
}

/// The parts of a JSON number.
struct NumberText<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> NumberText<'a> {
    fn split(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let (whole, text) = split_digits(text);
        if whole.is_empty() || (whole[0] == b'0' && whole.len() > 1) {
            return None;
        }
        let (fraction, text) = match text {
            [b'.', rest @ ..] => {
                let (fraction, rest) = split_digits(rest);
                if fraction.is_empty() {
                    return None;
                }
                (fraction, rest)
            }
            _ => (&text[..0], text),
        };
        let exponent = match text {
            [] => 0,
            [b'e' | b'E', rest @ ..] => parse_exponent(rest)?,
            _ => return None,
        };
        Some(Self { negative, whole, fraction, exponent })
    }

    /// The value without its sign, as a multiple of 10^-18.
    fn magnitude(&self) -> Result<i128, UnitsError> {
        let digits = self.whole.len() + self.fraction.len();
        match POWERS.len().checked_sub(self.fraction.len() + 1) {
            Some(power) if digits <= U64_DIGITS && self.exponent == 0 => {
                let mantissa = fold_digits(fold_digits(0, self.whole), self.fraction);
                Ok(i128::from(mantissa) * i128::from(POWERS[power]))
            }
            _ => self.magnitude_of_any(),
        }
    }

    /// The same for numbers of any length, with an exponent.
    fn magnitude_of_any(&self) -> Result<i128, UnitsError> {
        let is_significant = |&digit: &u8| digit != b'0';
        let digits = || self.whole.iter().chain(self.fraction);
        let Some(first) = digits().position(is_significant) else { return Ok(0) };
        let last = match self.fraction.iter().rposition(is_significant) {
            Some(last) => self.whole.len() + last,
            None => self.whole.iter().rposition(is_significant).unwrap_or(first),
        };
        if self.power_of_digit(first) >= WHOLE_DIGITS {
            return Err(UnitsError::TooLarge);
        }
        let power = self.power_of_digit(last) + SCALE;
        let Ok(power) = u32::try_from(power) else { return Err(UnitsError::TooPrecise) };
        // At most 38 digits are left: from here on nothing can overflow.
        let significant = digits().take(last + 1).skip(first);
        let mantissa = significant.fold(0, |sum: i128, digit| sum * 10 + i128::from(digit - b'0'));
        Ok(mantissa * 10_i128.pow(power))
    }

    /// The power of ten of the digit at a place, counted from the front over the point.
    fn power_of_digit(&self, place: usize) -> i64 {
        // A length of text in memory is far below 2^62.
        self.whole.len().cast_signed() as i64 - 1 - place.cast_signed() as i64 + self.exponent
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The number that the digits make behind those before them. All together must be 19 at most.
fn fold_digits(before: u64, digits: &[u8]) -> u64 {
    digits.iter().fold(before, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (digits, rest) = split_digits(text);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let exponent =
        digits.iter().fold(0, |sum: i64, digit| (sum * 10 + i64::from(digit - b'0')).min(EXPONENT_LIMIT));
    Some(if negative { -exponent } else { exponent })
}
