//! The order of a batch: that of the table's key, so that the server has nothing left to sort.

use crate::dictionary::Dictionary;

/// The first four columns of the key of one row, as numbers.
pub(crate) struct KeyPrefix {
    pub(crate) customer: u32,
    pub(crate) subscription: u32,
    pub(crate) utc_date: i32,
    pub(crate) option_code: u32,
}

/// The rows' numbers in the order of (customer, subscription, UTC date, option code, identity, version). Strings are
/// compared once, in their dictionaries; rows by four ranks packed into one integer, and by the rest only where
/// these are equal.
pub(crate) fn sorted_rows<'a>(
    customers: &Dictionary,
    subscriptions: &Dictionary,
    option_codes: &Dictionary,
    prefixes: impl Iterator<Item = KeyPrefix>,
    rest: impl Fn(u32) -> (&'a [u8], u128),
) -> Vec<u32> {
    let customers = customers.ranks();
    let subscriptions = subscriptions.ranks();
    let option_codes = option_codes.ranks();
    let mut keys: Vec<(u128, u32)> = prefixes
        .map(|prefix| {
            u128::from(customers[prefix.customer as usize]) << 96
                | u128::from(subscriptions[prefix.subscription as usize]) << 64
                | u128::from(ascending(prefix.utc_date)) << 32
                | u128::from(option_codes[prefix.option_code as usize])
        })
        .zip(0u32..)
        .collect();
    keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| rest(a.1).cmp(&rest(b.1))));
    keys.into_iter().map(|(_, row)| row).collect()
}

/// Maps signed to unsigned numbers in the same order.
fn ascending(number: i32) -> u32 {
    number.cast_unsigned() ^ 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_key_column_by_column() {
        let rows: [(&str, &str, i32, &str, &str, u128); 7] = [
            ("b", "s", 0, "o", "i", 1),
            ("a", "t", 0, "o", "i", 1),
            ("a", "s", 1, "o", "i", 1),
            ("a", "s", -1, "p", "i", 1),
            ("a", "s", -1, "o", "j", 1),
            ("a", "s", -1, "o", "i", 2),
            ("a", "s", -1, "o", "i", 1),
        ];
        let (mut customers, mut subscriptions, mut option_codes) = Default::default();
        let intern = |dictionary: &mut Dictionary, text: &str| dictionary.intern(text.as_bytes());
        let prefixes: Vec<KeyPrefix> = rows
            .iter()
            .map(|row| KeyPrefix {
                customer: intern(&mut customers, row.0),
                subscription: intern(&mut subscriptions, row.1),
                utc_date: row.2,
                option_code: intern(&mut option_codes, row.3),
            })
            .collect();
        let order = sorted_rows(&customers, &subscriptions, &option_codes, prefixes.into_iter(), |row| {
            let row = &rows[row as usize];
            (row.4.as_bytes(), row.5)
        });
        assert_eq!(order, [6, 5, 4, 3, 2, 1, 0]);
    }
}
