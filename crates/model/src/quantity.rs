//! Sums of units: 256 bits, so that a sum over any number of events is exact.

use std::fmt;

use ethnum::{I256, U256};

use crate::Units;
use crate::decimal::{ONE, write_decimal};

/// Digits after the point, as in [`Units`].
const SCALE: usize = 18;

/// A sum of [`Units`], as a multiple of 10^-18: what ClickHouse holds in a `Decimal(76, 18)`. Shown like [`Units`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(pub I256);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(I256::ZERO);

    /// The sum of both, or nothing where it takes more than 256 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The scaled number from its 32 bytes, least significant first: how ClickHouse's Native format writes a Decimal256.
    pub fn from_le_bytes(bytes: [u8; 32]) -> Self {
        Self(I256::from_le_bytes(bytes))
    }

    /// The scaled number as its 32 bytes, least significant first.
    pub fn to_le_bytes(self) -> [u8; 32] {
        self.0.to_le_bytes()
    }

    /// Reads the text that ClickHouse prints for a `Decimal(76, 18)`: digits with an optional sign and point, no exponent.
    ///
    /// Nothing is returned for another text, for more than 18 digits after the point, and beyond 256 bits.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match magnitude.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (magnitude, ""),
        };
        if whole.is_empty() || fraction.len() > SCALE {
            return None;
        }
        let padding = std::iter::repeat_n(b'0', SCALE - fraction.len());
        let digits = whole.bytes().chain(fraction.bytes()).chain(padding);
        let ten = I256::new(10);
        // Digits are taken away, not added: the least number has no positive twin.
        let negated = digits.into_iter().try_fold(I256::ZERO, |sum, digit| {
            let digit = char::from(digit).to_digit(10)?;
            sum.checked_mul(ten)?.checked_sub(I256::from(digit))
        })?;
        if negative { Some(Self(negated)) } else { negated.checked_neg().map(Self) }
    }
}

impl From<Units> for Quantity {
    fn from(units: Units) -> Self {
        Self(I256::new(units.0))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = U256::new(ONE.unsigned_abs());
        let magnitude = self.0.unsigned_abs();
        write_decimal(f, self.0.is_negative(), &(magnitude / one), (magnitude % one).as_u128())
    }
}
