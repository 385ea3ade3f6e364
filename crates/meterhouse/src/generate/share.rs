//! A part of a whole, exact.

use std::str::FromStr;

use meterhouse_model::Units;

/// Parts that the whole has.
pub(super) const WHOLE: u32 = 1_000_000_000;

/// A share from 0 to 1, in billionths. Written `0.01` or `1%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share(u32);

impl Share {
    pub(super) fn billionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be a share from 0 to 1 with at most 9 digits, as 0.01 or 1%".to_owned();
        let (number, percent) = match text.strip_suffix('%') {
            Some(number) => (number, 100),
            None => (text, 1),
        };
        // Units are scaled by 10^18.
        let scaled = Units::parse(number).map_err(|_| wrong())?.0;
        let per_billionth = i128::from(WHOLE) * percent;
        if scaled % per_billionth != 0 {
            return Err(wrong());
        }
        let billionths = u32::try_from(scaled / per_billionth).ok();
        billionths.filter(|parts| *parts <= WHOLE).map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_decimals_or_percents() {
        for (text, billionths) in [
            ("0", 0),
            ("1", WHOLE),
            ("0.01", 10_000_000),
            ("1%", 10_000_000),
            ("0.5%", 5_000_000),
            ("1e-9", 1),
        ] {
            assert_eq!(text.parse::<Share>().map(Share::billionths), Ok(billionths), "{text}");
        }
        for bad in ["", "-0.1", "1.1", "101%", "x", "1e-10", "%"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }
}
