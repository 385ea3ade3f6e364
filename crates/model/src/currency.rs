//! Currencies of prices: ISO 4217.

use std::fmt;

/// A currency in which something is for sale: three capital letters and a smallest amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    minor_digits: u8,
}

impl Currency {
    /// The currency with a code of ISO 4217. None for another text, and for what has no smallest amount, such as gold.
    pub fn from_code(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(code)?;
        let minor_digits = u8::try_from(currency.exponent()?).ok()?;
        Some(Self { code: currency.code(), minor_digits })
    }

    /// The code.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Digits after the point of its smallest amount: 2 for a cent.
    pub fn minor_digits(self) -> u8 {
        self.minor_digits
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_have_the_digits_of_the_standard() {
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0), ("MRU", 2)] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!((currency.code(), currency.minor_digits()), (code, digits));
        }
        for none in ["", "eur", "EU", "EURO", "XAU", "XXX", "QQQ"] {
            assert_eq!(Currency::from_code(none), None, "{none}");
        }
    }
}
