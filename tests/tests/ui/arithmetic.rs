//! The sums of the page, beside those of 128-bit integers.

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::page::{Page, site};

const ONE: i128 = 1_000_000_000_000_000_000;

/// A number of 10^-18 as the service prints it.
fn text(number: i128) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let (whole, fraction) =
        (number.unsigned_abs() / ONE.unsigned_abs(), number.unsigned_abs() % ONE.unsigned_abs());
    let fraction = format!("{fraction:018}");
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
}

#[test]
fn sums_are_exact() -> Result<()> {
    let (_site, service) = site("ui_sums")?;
    let page = Page::open(&service)?;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut cases =
        vec![vec![], vec![0], vec![1, -1], vec![-1], vec![i128::MAX / 2, i128::MAX / 2], vec![ONE, -ONE, 10]];
    for _ in 0..500 {
        let digits = random.random_range(1..=37);
        let bound = 10_i128.pow(digits);
        cases.push((0..9).map(|_| random.random_range(-bound..bound)).collect());
    }
    let texts: Vec<Vec<String>> = cases.iter().map(|case| case.iter().copied().map(text).collect()).collect();
    let sums: Vec<Value> = cases.iter().map(|case| json!(text(case.iter().sum()))).collect();
    let found = page.browser.run(
        "const { parse, sum, format } = await import('./decimal.js');
         return args[0].map((texts) => format(sum(texts.map(parse))));",
        &[json!(texts)],
    )?;
    assert_eq!(found, Value::Array(sums));
    Ok(())
}
