import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Publishes usage so that it is billed once, whatever fails in between: java -cp 'libs/*' Usage.java BROKERS TOPIC */
public class Usage {
    /** Each lasts as long as delivery.timeout.ms. What is still not delivered then must stay in the meter's own storage. */
    private static final int ATTEMPTS = 10;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a virtual machine used in an hour. The id follows from what was measured: measured again, it is the same. */
    static Map<String, Object> usage(int hour, String units) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("EventId", String.format("vm-42/2026-10-03T%02d", hour));
        event.put("SubscriptionReference", "83FE4FEF2");
        event.put("OptionCode", "vcpu-hours");
        event.put("Customer", "1000941");
        event.put("UsageStart", String.format("2026-10-03T%02d:00:00Z", hour));
        event.put("UsageEnd", String.format("2026-10-03T%02d:00:00Z", hour + 1));
        event.put("Units", units); // a text: a double would be another number
        return event;
    }

    /** Returns when the brokers have acknowledged every event. */
    static void deliver(Producer<String, String> producer, String topic, List<Map<String, Object>> events) throws Exception {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (Map<String, Object> event : events) {
                String key = (String) event.get("SubscriptionReference");
                sent.add(producer.send(new ProducerRecord<>(topic, key, JSON.writeValueAsString(event))));
            }
            producer.flush();
            List<Map<String, Object>> failed = new ArrayList<>();
            for (int number = 0; number < sent.size(); number++) {
                try {
                    sent.get(number).get();
                } catch (ExecutionException error) {
                    System.err.println(events.get(number).get("EventId") + ": " + error.getCause() + ", again");
                    failed.add(events.get(number));
                }
            }
            if (failed.isEmpty()) {
                return;
            }
            // They may have arrived all the same. The same EventId makes that harmless.
            events = failed;
        }
        throw new IllegalStateException(events.size() + " events are not delivered");
    }

    public static void main(String[] arguments) throws Exception {
        String brokers = arguments[0], topic = arguments[1];
        Map<String, Object> config = Map.of(
            "bootstrap.servers", brokers,
            "acks", "all",
            "enable.idempotence", true,
            "delivery.timeout.ms", 30_000,
            "request.timeout.ms", 10_000,
            "compression.type", "lz4");
        try (Producer<String, String> producer =
                new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            List<Map<String, Object>> events = List.of(usage(17, "12.5"), usage(18, "0.1"), usage(19, "0.2"));
            deliver(producer, topic, events);

            // Nobody knows whether this one was sent before a crash: send it again.
            deliver(producer, topic, events.subList(0, 1));

            // The first hour was measured wrong. An amendment states the whole event as it should have been.
            Map<String, Object> amendment = usage(17, "12");
            amendment.put("Action", "amend");
            amendment.put("Revision", 1);
            deliver(producer, topic, List.of(amendment));
        }
    }
}
