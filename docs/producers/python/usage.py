"""Publishes usage so that it is billed once, whatever fails in between: usage.py BROKERS TOPIC."""

import json
import sys

from confluent_kafka import Producer

# Each of them lasts as long as delivery.timeout.ms. What is still not delivered then must stay in the meter's own storage.
ATTEMPTS = 10


def usage(hour, units):
    """What a virtual machine used in an hour. The id follows from what was measured: measured again, it is the same."""
    return {
        "EventId": f"vm-42/2026-10-03T{hour:02}",
        "SubscriptionReference": "83FE4FEF2",
        "OptionCode": "vcpu-hours",
        "Customer": "1000941",
        "UsageStart": f"2026-10-03T{hour:02}:00:00Z",
        "UsageEnd": f"2026-10-03T{hour + 1:02}:00:00Z",
        "Units": units,  # a text: a float would be another number
    }


def deliver(producer, topic, events):
    """Returns when the brokers have acknowledged every event."""
    for _ in range(ATTEMPTS):
        failed = []
        for event in events:
            report = lambda error, _, event=event: failed.append((event, error)) if error else None
            publish(producer, topic, event, report)
        producer.flush()
        if not failed:
            return
        for event, error in failed:
            print(f"{event['EventId']}: {error}, again", file=sys.stderr)
        # They may have arrived all the same. The same EventId makes that harmless.
        events = [event for event, _ in failed]
    sys.exit(f"{len(events)} events are not delivered")


def publish(producer, topic, event, report):
    while True:
        try:
            key, value = event["SubscriptionReference"], json.dumps(event)
            return producer.produce(topic, key=key, value=value, on_delivery=report)
        except BufferError:
            producer.poll(1)  # the queue is full


def main(brokers, topic):
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "acks": "all",
            "enable.idempotence": True,
            "delivery.timeout.ms": 30_000,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",  # as Kafka's own clients do it
        }
    )
    events = [usage(17, "12.5"), usage(18, "0.1"), usage(19, "0.2")]
    deliver(producer, topic, events)

    # Nobody knows whether this one was sent before a crash: send it again.
    deliver(producer, topic, events[:1])

    # The first hour was measured wrong. An amendment states the whole event as it should have been.
    deliver(producer, topic, [usage(17, "12") | {"Action": "amend", "Revision": 1}])


if __name__ == "__main__":
    main(*sys.argv[1:])
