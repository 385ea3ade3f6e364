//! Answers in Native: a little less for the server to do than RowBinary, and little more than half of it for us.

use clickhouse::error::Error::BadResponse;
use clickhouse::query::Query;

use super::Block;
use crate::{Error, Store};

impl Store {
    /// Runs a read and hands out the blocks of its answer, one after the other.
    ///
    /// Native has no frame around the blocks: an empty text is an answer without rows, and one that was cut between two blocks
    /// looks whole. So the rows are counted and compared with what the server says that it has sent.
    ///
    /// # Errors
    /// There is no complete answer, or `take` can make nothing of a block.
    pub(crate) async fn read_blocks(
        &self,
        query: Query,
        mut take: impl FnMut(&Block<'_>) -> Option<()>,
    ) -> Result<(), Error> {
        let answer = async {
            let mut cursor = query.fetch_bytes("Native")?;
            let bytes = cursor.collect().await?;
            Ok((bytes, cursor.summary().and_then(|summary| summary.result_rows())))
        };
        let (bytes, sent) = self.answer(answer).await?;
        let (mut rest, mut rows) = (&*bytes, 0);
        while !rest.is_empty() {
            let block = Block::read_next(&mut rest).filter(|block| take(block).is_some());
            rows += block.ok_or_else(|| unreadable("it has other columns, or none"))?.rows as u64;
        }
        if sent == Some(rows) {
            Ok(())
        } else {
            Err(unreadable(&format!("it has {rows} rows, not {sent:?}")))
        }
    }
}

fn unreadable(why: &str) -> Error {
    BadResponse(format!("the answer cannot be read: {why}")).into()
}
