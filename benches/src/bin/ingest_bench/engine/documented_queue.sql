-- ClickHouse's Kafka engine as its documentation shows it: typed columns, one consumer, all else by default.
CREATE TABLE queue
(
    EventId               String,
    Customer              String,
    SubscriptionReference String,
    OptionCode            String,
    UsageStart            DateTime64(3, 'UTC'),
    UsageEnd              DateTime64(3, 'UTC'),
    Units                 Decimal(38, 18),
    Description           String
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{brokers}',
    kafka_topic_list = '{topic}',
    kafka_group_name = '{group}',
    kafka_format = 'JSONEachRow'
