//! The catalog of option codes.

use meterhouse_model::{Catalog, Units};

#[test]
fn option_codes_have_services_and_prices() {
    let catalog = Catalog::from_toml(
        "# what is for sale\n[[option]]\ncode = \"scale\"\nservice = \"compute\"\nunit_price = \"0.0125\"\ncurrency = \"EUR\"\n\n\
         [[option]]\ncode = \"scale-xl\"\nservice = \"compute\"\n",
    )
    .unwrap();
    assert_eq!(catalog.len(), 2);
    assert_eq!(
        (catalog.service("scale"), catalog.service("scale-xl"), catalog.service("x")),
        (Some("compute"), Some("compute"), None)
    );
    let price = catalog.option("scale").unwrap().price.clone().unwrap();
    assert_eq!((price.unit_price, price.currency.code()), (Units::parse("0.0125").unwrap(), "EUR"));
    assert_eq!(catalog.option("scale-xl").unwrap().price, None);
    let mut options: Vec<_> =
        catalog.options().map(|(code, option)| (code, option.price.is_some())).collect();
    options.sort_unstable();
    assert_eq!(options, [("scale", true), ("scale-xl", false)]);

    let same = "code,service,unit_price,currency\nscale-xl,compute,,\nscale,compute,0.0125,EUR\n";
    assert_eq!(Catalog::from_csv(same).unwrap(), catalog);
    assert!(Catalog::from_csv("code,service\n").unwrap().is_empty());
    assert!(Catalog::default().is_empty());
}

#[test]
fn all_problems_are_listed_with_their_lines() {
    let text = "[[option]]\n\
                code = \"scale\"\n\
                service = \"compute\"\n\
                unit_price = 0.0125\n\
                [[option]]\n\
                code = \"scale\"\n\
                service = \"\"\n\
                [[option]]\n\
                code = \"scale\"\n\
                service = \"storage\"\n\
                unit_price = \"1_000\"\n\
                currency = \"eur\"\n\
                [[option]]\n\
                service = \"domains\"\n\
                currency = \"USD\"\n\
                colour = \"red\"\n\
                [[options]]\n";
    let error = Catalog::from_toml(text).unwrap_err();
    let problems: Vec<(u64, &str)> =
        error.problems.iter().map(|problem| (problem.line, problem.text.as_str())).collect();
    assert_eq!(
        problems,
        [
            (4, "unit_price must be a string, in quotes"),
            (5, "service is missing"),
            (9, "the code \"scale\" is given twice, first in line 1"),
            (11, "unit_price \"1_000\": not a decimal number"),
            (12, "currency \"eur\" is none of ISO 4217 with a smallest amount"),
            (13, "code is missing"),
            (13, "unit_price and currency are given both or not at all"),
            (16, "there is no key \"colour\": known are code, service, unit_price, currency"),
            (17, "only [[option]] is known, not \"options\""),
        ]
    );
}

#[test]
fn what_is_no_toml_is_a_problem_of_its_line() {
    let error = Catalog::from_toml("[[option]]\ncode = \"a\"\nservice = b\n").unwrap_err();
    assert_eq!(error.problems[0].line, 3);
    let error = Catalog::from_csv("code,service\na,b\na,c\nd\n").unwrap_err();
    let lines: Vec<u64> = error.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [3, 4]);
}
