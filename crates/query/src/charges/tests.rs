use super::*;

const OCTOBER: Month = Month { year: 2026, month: 10 };

fn catalog() -> Catalog {
    Catalog::from_csv(
        "code,service,unit_price,currency\n\
         scale,compute,0.0125,EUR\nscale-xl,compute,0.05,EUR\nscale-us,compute,0.06,USD\n\
         disk,storage,,\nrefund,goodwill,-1,EUR\nsms,messages,0.5,JPY\nfils,messages,0.0005,KWD\n",
    )
    .unwrap()
}

fn usage(subscription: &str, option_code: &str, total: &str) -> Usage {
    Usage {
        subscription: subscription.into(),
        option_code: option_code.into(),
        month: OCTOBER,
        total: Quantity::parse(total).unwrap(),
        records: 1,
        latest_end: 7,
    }
}

fn shown(usage: &[Usage]) -> Vec<String> {
    let shown = |charge: &Charge| {
        let Charge { subscription, service, month, units, amount, currency, .. } = charge;
        let (units, amount) = (units.normalized().to_plain_string(), amount.to_plain_string());
        format!("{subscription} {service} {month} {units} {amount} {currency}")
    };
    charges("c", usage, &catalog()).iter().map(shown).collect()
}

#[test]
fn option_codes_of_a_service_are_one_item_for_each_currency() {
    let used = [
        usage("s2", "scale", "2"),
        usage("s1", "scale-us", "100"),
        usage("s1", "scale-xl", "10"),
        usage("s1", "scale", "100.5"),
        Usage { month: OCTOBER.plus(-1), ..usage("s1", "scale", "80") },
    ];
    let expected = [
        "s1 compute 09.2026 80 1.00 EUR",
        "s1 compute 10.2026 110.5 1.76 EUR",
        "s1 compute 10.2026 100 6.00 USD",
        "s2 compute 10.2026 2 0.02 EUR",
    ];
    assert_eq!(shown(&used), expected);
}

#[test]
fn what_has_no_price_or_no_record_is_no_item() {
    let used = [
        usage("s", "disk", "5"),
        usage("s", "unknown", "5"),
        Usage { records: 0, ..usage("s", "scale", "0") },
        usage("t", "scale", "0"),
    ];
    assert_eq!(shown(&used), ["t compute 10.2026 0 0.00 EUR"], "zero units are usage");
}

#[test]
fn amounts_are_rounded_half_to_even_once_and_to_the_smallest_amount() {
    for (option_code, units, expected) in [
        ("scale", "0.4", "0.00 EUR"),
        ("scale", "1.2", "0.02 EUR"),
        ("scale", "2", "0.02 EUR"),
        ("scale", "2.000000000000000001", "0.03 EUR"),
        ("scale", "-2", "-0.02 EUR"),
        ("scale", "-0.3", "0.00 EUR"),
        ("refund", "3", "-3.00 EUR"),
        ("sms", "1", "0 JPY"),
        ("sms", "3", "2 JPY"),
        ("fils", "1", "0.000 KWD"),
        ("fils", "3", "0.002 KWD"),
    ] {
        let amount = shown(&[usage("s", option_code, units)]);
        assert!(amount[0].ends_with(&format!(" {expected}")), "{units} of {option_code}: {amount:?}");
    }
    // Each of them alone is nothing.
    let many: Vec<Usage> = (0..10).map(|_| usage("s", "scale", "0.4")).collect();
    assert_eq!(shown(&many), ["s compute 10.2026 4 0.05 EUR"]);
}

#[test]
fn amounts_beyond_256_bits_are_exact() {
    let most = "57896044618658097711785492504343953926634992332820282019728.792003956564819967";
    let expected =
        ["s compute 10.2026 57896044618658097711785492504343953926634992332820282019728.792003956564819967 \
         2894802230932904885589274625217197696331749616641014100986.44 EUR"];
    assert_eq!(shown(&[usage("s", "scale-xl", most)]), expected);
}

#[test]
fn ids_are_stable_and_tell_items_apart() {
    let id = |customer: &str, subscription: &str, option_code: &str, month: i64| {
        let used = Usage { month: OCTOBER.plus(month), ..usage(subscription, option_code, "1") };
        charges(customer, &[used], &catalog())[0].id.clone()
    };
    let first = id("c", "s", "scale", 0);
    // Whoever keeps an id may look for it years later: this one is fixed.
    assert_eq!(first, "55322cc709315b51dd44b7df791460f4");
    assert_eq!(first, id("c", "s", "scale-xl", 0), "another option code of the same service");
    let others = [
        id("d", "s", "scale", 0),
        id("c", "t", "scale", 0),
        id("c", "s", "scale-us", 0),
        id("c", "s", "refund", 0),
        id("c", "s", "scale", 1),
        id("c1:", "s", "scale", 0),
    ];
    let mut distinct: Vec<&String> = others.iter().chain([&first]).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 7);
}

#[test]
fn an_item_occurred_at_the_latest_end() {
    let used = [Usage { latest_end: 9, ..usage("s", "scale", "1") }, usage("s", "scale-xl", "1")];
    assert_eq!(charges("c", &used, &catalog())[0].occurred_at, 9);
}
