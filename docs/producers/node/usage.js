// Publishes usage so that it is billed once, whatever fails in between: node usage.js BROKERS TOPIC
import process from 'node:process';
import { CompressionTypes, Kafka, Partitioners } from 'kafkajs';

// Each lasts as long as the client's own retries. What is still not delivered then must stay in the meter's own storage.
const ATTEMPTS = 10;

// What a virtual machine used in an hour. The id follows from what was measured: measured again, it is the same.
function usage(hour, units) {
  const time = (hour) => `2026-10-03T${String(hour).padStart(2, '0')}`;
  return {
    EventId: `vm-42/${time(hour)}`,
    SubscriptionReference: '83FE4FEF2',
    OptionCode: 'vcpu-hours',
    Customer: '1000941',
    UsageStart: `${time(hour)}:00:00Z`,
    UsageEnd: `${time(hour + 1)}:00:00Z`,
    Units: units, // a text: a number would be another one
  };
}

// Returns when the brokers have acknowledged every event.
async function deliver(producer, topic, events) {
  const messages = events.map((event) => ({ key: event.SubscriptionReference, value: JSON.stringify(event) }));
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.GZIP });
      return;
    } catch (error) {
      // Some may have arrived all the same. The same EventId makes that harmless.
      console.error(`${events.length} events: ${error.message}, again`);
    }
  }
  throw new Error(`${events.length} events are not delivered`);
}

const [brokers, topic] = process.argv.slice(2);
const kafka = new Kafka({ brokers: brokers.split(',') });
const producer = kafka.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
});
await producer.connect();
const events = [usage(17, '12.5'), usage(18, '0.1'), usage(19, '0.2')];
await deliver(producer, topic, events);

// Nobody knows whether this one was sent before a crash: send it again.
await deliver(producer, topic, events.slice(0, 1));

// The first hour was measured wrong. An amendment states the whole event as it should have been.
await deliver(producer, topic, [{ ...usage(17, '12'), Action: 'amend', Revision: 1 }]);
await producer.disconnect();
