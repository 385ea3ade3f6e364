//! Both servers together.

use std::{path::Path, thread};

use crate::{ClickHouse, ClickHouseOptions, Error, Kafka, KafkaOptions, Result, setup};

/// How to start both servers; the default is free ports and data folders that end with the stack.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// The broker.
    pub kafka: KafkaOptions,
    /// The database.
    pub clickhouse: ClickHouseOptions,
}

impl StackOptions {
    /// Keeps the data in `dir/kafka` and `dir/clickhouse`, also after the stack's end.
    pub fn in_dir(dir: impl AsRef<Path>) -> Self {
        let mut options = Self::default();
        options.kafka.data_dir = Some(dir.as_ref().join("kafka"));
        options.clickhouse.data_dir = Some(dir.as_ref().join("clickhouse"));
        options
    }
}

/// A running Kafka and a running ClickHouse. Dropping it ends both.
#[derive(Debug)]
pub struct Stack {
    kafka: Kafka,
    clickhouse: ClickHouse,
}

impl Stack {
    /// Downloads what is missing, starts both servers side by side and returns when both answer.
    pub fn start(options: StackOptions) -> Result<Self> {
        setup()?; // once, before the two threads
        let StackOptions { kafka, clickhouse } = options;
        thread::scope(|scope| {
            let kafka = scope.spawn(|| Kafka::launch(kafka));
            let clickhouse = ClickHouse::launch(clickhouse);
            let kafka = kafka.join().unwrap_or(Err(Error::NotRunning("kafka")));
            Ok(Self { kafka: kafka?, clickhouse: clickhouse? })
        })
    }

    /// The broker.
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// The database.
    pub fn clickhouse(&self) -> &ClickHouse {
        &self.clickhouse
    }
}
