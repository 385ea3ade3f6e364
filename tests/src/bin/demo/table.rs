//! A customer's history as a table.

use serde_json::Value;

use crate::screen::{Look, Screen, WIDTH};

/// Histories of at most so many months have a row a service; longer ones a row a month.
const MONTHS_ACROSS_MAX: usize = 3;
const GAP: &str = "  ";

/// Rows of exact numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Names of the columns, that of the row's own name first.
    head: Vec<String>,
    /// A row's name, and its numbers.
    rows: Vec<(String, Vec<String>)>,
}

impl Table {
    /// The table of an HTTP answer. Zeros are shown as a dot.
    pub(crate) fn of(history: &Value) -> Self {
        let months = history["service_usage_history"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let data = |month: &Value| month["data"].as_array().cloned().unwrap_or_default();
        let periods: Vec<String> = months.iter().map(|month| text(&month["period"])).collect();
        let services: Vec<String> =
            months.first().map(data).unwrap_or_default().iter().map(|used| text(&used["service"])).collect();
        let usage = |month: &Value, service: usize| match text(&data(month)[service]["usage"]).as_str() {
            "0.0" => "·".to_owned(),
            usage => usage.to_owned(),
        };
        if months.len() <= MONTHS_ACROSS_MAX {
            let row = |service: usize| months.iter().map(|month| usage(month, service)).collect();
            let rows = services.iter().enumerate().map(|(place, name)| (name.clone(), row(place))).collect();
            Self { head: [vec!["service".to_owned()], periods].concat(), rows }
        } else {
            let row = |month| (0..services.len()).map(|service| usage(month, service)).collect();
            let rows =
                periods.iter().zip(months).map(|(period, month)| (period.clone(), row(month))).collect();
            Self { head: [vec!["month".to_owned()], services].concat(), rows }
        }
    }

    /// Its lines: numbers stand below each other at their points.
    pub(crate) fn lines(&self, screen: &Screen) -> Vec<String> {
        let names = std::iter::once(&self.head[0]).chain(self.rows.iter().map(|(name, _)| name));
        let name_width = names.map(|name| name.chars().count()).max().unwrap_or_default();
        let columns: Vec<Column> = (1..self.head.len()).map(|place| self.column(place)).collect();
        let head = columns
            .iter()
            .zip(&self.head[1..])
            .map(|(column, name)| format!("{GAP}{name:>0$}", column.width));
        let head = format!("{:name_width$}{}", self.head[0], head.collect::<String>());
        let mut lines = vec![screen.paint(Look::Dim, &head)];
        for (name, numbers) in &self.rows {
            let cells =
                columns.iter().zip(numbers).map(|(column, number)| format!("{GAP}{}", column.cell(number)));
            let cells: String = cells.collect();
            lines.push(format!("{}{cells}", screen.paint(Look::Name, &format!("{name:name_width$}"))));
        }
        debug_assert!(head.chars().count() <= WIDTH, "a table of {} columns", head.chars().count());
        lines
    }

    fn column(&self, place: usize) -> Column {
        let fractions = self.rows.iter().map(|(_, numbers)| fraction(&numbers[place - 1]).chars().count());
        let fraction = fractions.max().unwrap_or_default();
        let wholes = self.rows.iter().map(|(_, numbers)| whole(&numbers[place - 1]).chars().count());
        let whole = wholes.max().unwrap_or_default();
        Column { fraction, width: (whole + fraction).max(self.head[place].chars().count()) }
    }
}

/// How wide a column is, and its part from the point on.
struct Column {
    fraction: usize,
    width: usize,
}

impl Column {
    fn cell(&self, number: &str) -> String {
        let whole_width = self.width - self.fraction;
        format!("{:>whole_width$}{:<2$}", whole(number), fraction(number), self.fraction)
    }
}

fn whole(number: &str) -> &str {
    number.split_once('.').map_or(number, |(whole, _)| whole)
}

/// The part of a number from its point on.
fn fraction(number: &str) -> &str {
    number.find('.').map_or("", |point| &number[point..])
}
