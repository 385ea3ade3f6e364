use super::reader::Reader;
use std::time::Duration;
#[derive(Debug, Clone)]
pub(crate) struct RollupConfig {
    pub(crate) margin: Duration,
}
impl RollupConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("rollup");
        let margin: Option<u64> = section.number("margin_ms", 75_000, 1..=86_400_000);
        Some(Self { margin: Duration::from_millis(margin?) })
    }
}
