-- The fastest that was found: whole messages, which the view takes apart by blocks. Its cost is per message, not JSON.
CREATE TABLE queue (raw String)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{brokers}',
    kafka_topic_list = '{topic}',
    kafka_group_name = '{group}',
    kafka_format = 'RawBLOB',
    kafka_num_consumers = 2,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 524288,
    kafka_poll_max_batch_size = 65536,
    kafka_flush_interval_ms = 2000
