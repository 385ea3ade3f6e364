//! Sorting rows by small numbers: a pass over them for each, in place of comparisons.

/// Stably sorts rows by a rank below `ranks`. Several keys are sorted by the least significant one first.
pub(crate) fn by_rank(rows: &[u32], ranks: usize, rank: impl Fn(usize) -> usize) -> Vec<u32> {
    let mut places = vec![0; ranks];
    for &row in rows {
        places[rank(row as usize)] += 1;
    }
    let mut next = 0;
    for place in &mut places {
        next += std::mem::replace(place, next);
    }
    let mut sorted = vec![0; rows.len()];
    for &row in rows {
        let place = &mut places[rank(row as usize)];
        sorted[*place] = row;
        *place += 1;
    }
    sorted
}

/// Sorts rows by a hash, and those that share one by the rest.
pub(crate) fn by_hash<K: Ord>(
    rows: usize,
    hash: impl Fn(usize) -> u64,
    rest: impl Fn(usize) -> K,
) -> Vec<u32> {
    let rows: Vec<u32> = (0u32..).take(rows).collect();
    // About as many buckets as rows: then few rows share one.
    let bits = rows.len().next_power_of_two().trailing_zeros().max(1);
    let bucket = |row: usize| usize::try_from(hash(row) >> (u64::BITS - bits)).unwrap_or_default();
    let mut sorted = by_rank(&rows, 1 << bits, bucket);
    let same_bucket = |a: &u32, b: &u32| bucket(*a as usize) == bucket(*b as usize);
    for rows in sorted.chunk_by_mut(same_bucket) {
        rows.sort_unstable_by(|&a, &b| {
            let (a, b) = (a as usize, b as usize);
            hash(a).cmp(&hash(b)).then_with(|| rest(a).cmp(&rest(b)))
        });
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_pass_keeps_the_order_of_the_one_before() {
        let keys = [(1, 2), (0, 1), (1, 0), (0, 1), (0, 0)];
        let by_second = by_rank(&[0, 1, 2, 3, 4], 3, |row| keys[row].1);
        assert_eq!(by_rank(&by_second, 2, |row| keys[row].0), [4, 1, 3, 2, 0]);
        assert!(by_rank(&[], 0, |row| row).is_empty());
    }

    #[test]
    fn rows_with_the_same_hash_follow_the_rest() {
        let hashes = [u64::MAX, 7, 7, 0, u64::MAX - 1, 7];
        assert_eq!(
            by_hash(hashes.len(), |row| hashes[row], |row| [0, 3, 1, 0, 0, 2][row]),
            [3, 2, 5, 1, 4, 0]
        );
        assert_eq!(by_hash(1, |_| 9, |_| ()), [0]);
        assert!(by_hash(0, |_| 9, |_| ()).is_empty());
    }
}
