//! Lists that are too long for one parameter of a statement.

/// The server takes parameters of up to 128 KiB (`http_max_field_value_size`): so many bytes go into one.
const PARAMETER_BYTES: usize = 120_000;
/// Bytes that an element takes beside its text: quotes and a comma.
const ELEMENT_OVERHEAD: usize = 8;
/// Bytes of the longest number.
pub(crate) const NUMBER_BYTES: usize = 20;

/// Cuts the list so that each part fits into a parameter. `bytes` is the length of an element's text, or of its longest
/// one where it has several, each in a parameter of its own.
pub(crate) fn parts<T>(items: &[T], bytes: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fitting = rest.iter().take_while(|item| {
            // Escaped, each byte takes two at most.
            sum += 2 * bytes(item) + ELEMENT_OVERHEAD;
            sum <= PARAMETER_BYTES
        });
        let count = fitting.count().max(1).min(rest.len());
        let (part, remaining) = rest.split_at(count);
        rest = remaining;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_bounded_and_complete() {
        let names: Vec<String> = (0..1000).map(|number| format!("{number:0128}")).collect();
        let parts: Vec<_> = parts(&names, String::len).collect();
        assert!(parts.iter().all(|part| !part.is_empty() && part.len() <= PARAMETER_BYTES / 264));
        assert_eq!(parts.concat(), names);
        assert_eq!(super::parts(&[""], |text| text.len()).count(), 1);
        assert_eq!(super::parts(&[] as &[&str], |text| text.len()).count(), 0);
    }
}
