//! Interning: a batch names few customers, subscriptions and option codes many times.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Distinct strings of a batch, numbered in the order of their first appearance.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    text: Vec<u8>,
    ends: Vec<usize>,
    hashes: Vec<u64>,
    symbols: HashTable<u32>,
}

impl Dictionary {
    /// The number of the string, which is the next free one where the string is new.
    pub(crate) fn intern(&mut self, string: &[u8]) -> u32 {
        // Nearly all batches are of one topic.
        if self.len() == 1 && self.get(0) == string {
            return 0;
        }
        let hash = xxh3_64(string);
        let (text, ends) = (&self.text, &self.ends);
        if let Some(symbol) = self.symbols.find(hash, |&s| slice(text, ends, s) == string) {
            return *symbol;
        }
        // A batch has far less than 2^32 rows: `EventBatch` closes by rows and bytes.
        let symbol = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.extend_from_slice(string);
        self.ends.push(self.text.len());
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.symbols.insert_unique(hash, symbol, |&s| hashes[s as usize]);
        symbol
    }

    /// Forgets all strings, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        let Self { text, ends, hashes, symbols } = self;
        text.clear();
        ends.clear();
        hashes.clear();
        symbols.clear();
    }

    /// The hash of a number's string: XXH3 with 64 bits.
    pub(crate) fn hash(&self, symbol: u32) -> u64 {
        self.hashes[symbol as usize]
    }

    /// The string of a number that [`Self::intern`] gave.
    pub(crate) fn get(&self, symbol: u32) -> &[u8] {
        slice(&self.text, &self.ends, symbol)
    }

    /// The same, of what was text when it came.
    pub(crate) fn text(&self, symbol: u32) -> &str {
        std::str::from_utf8(self.get(symbol)).unwrap_or_default()
    }

    /// How many distinct strings there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of memory that the strings take, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * (size_of::<usize>() + size_of::<u64>() + 2 * size_of::<u32>())
    }

    /// For each number its place in the order of the strings' bytes.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        // Names begin alike. The bytes behind that, as a number, tell most of them apart without a look at the text.
        let common = self.common_start();
        let head = |symbol: u32| {
            let mut head = [0; 8];
            let rest = &self.get(symbol)[common..];
            let taken = rest.len().min(head.len());
            head[..taken].copy_from_slice(&rest[..taken]);
            u64::from_be_bytes(head)
        };
        let mut order: Vec<(u64, u32)> =
            (0u32..).take(self.len()).map(|symbol| (head(symbol), symbol)).collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| self.get(a.1).cmp(self.get(b.1))));
        let mut ranks = vec![0; order.len()];
        for (rank, (_, symbol)) in (0u32..).zip(order) {
            ranks[symbol as usize] = rank;
        }
        ranks
    }

    /// How many bytes all strings begin with.
    fn common_start(&self) -> usize {
        let pairs = |symbol: u32| self.get(0).iter().zip(self.get(symbol));
        let alike = |symbol: u32| pairs(symbol).take_while(|(a, b)| a == b).count();
        (0u32..).take(self.len()).map(alike).min().unwrap_or_default()
    }
}

fn slice<'a>(text: &'a [u8], ends: &[usize], symbol: u32) -> &'a [u8] {
    let symbol = symbol as usize;
    let start = if symbol == 0 { 0 } else { ends[symbol - 1] };
    &text[start..ends[symbol]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_share_a_number_and_ranks_follow_the_bytes() {
        let mut dictionary = Dictionary::default();
        let symbols: Vec<u32> =
            ["b", "", "a", "b", "\u{e9}", "a"].iter().map(|s| dictionary.intern(s.as_bytes())).collect();
        assert_eq!(symbols, [0, 1, 2, 0, 3, 2]);
        assert_eq!(dictionary.get(1), b"");
        assert_eq!(dictionary.ranks(), [2, 0, 1, 3]);
    }

    #[test]
    fn ranks_follow_the_bytes_behind_a_common_start_too() {
        let names = [
            "customer-123456789",
            "customer-2",
            "customer-123456788",
            "customer-",
            "customer-1\0",
            "customer-1",
        ];
        let mut dictionary = Dictionary::default();
        for name in names {
            dictionary.intern(name.as_bytes());
        }
        assert_eq!(dictionary.ranks(), [4, 5, 3, 0, 2, 1]);
    }
}
