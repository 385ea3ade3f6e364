// Publishes usage so that it is billed once, whatever fails in between: go run . BROKERS TOPIC
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Each of them lasts as long as RecordDeliveryTimeout. What is still not delivered then must stay in the meter's own storage.
const attempts = 10

type event struct {
	EventId, SubscriptionReference, OptionCode, Customer, UsageStart, UsageEnd string
	Units                                                                      string // a text: a float would be another number
	Action                                                                     string `json:",omitempty"`
	Revision                                                                   int    `json:",omitempty"`
}

// usage is what a virtual machine used in an hour. The id follows from what was measured: measured again, it is the same.
func usage(hour int, units string) event {
	return event{
		EventId:               fmt.Sprintf("vm-42/2026-10-03T%02d", hour),
		SubscriptionReference: "83FE4FEF2",
		OptionCode:            "vcpu-hours",
		Customer:              "1000941",
		UsageStart:            fmt.Sprintf("2026-10-03T%02d:00:00Z", hour),
		UsageEnd:              fmt.Sprintf("2026-10-03T%02d:00:00Z", hour+1),
		Units:                 units,
	}
}

// deliver returns when the brokers have acknowledged every event.
func deliver(client *kgo.Client, events ...event) {
	for range attempts {
		var records []*kgo.Record
		for _, event := range events {
			value, err := json.Marshal(event)
			if err != nil {
				log.Fatal(err)
			}
			records = append(records, &kgo.Record{Key: []byte(event.SubscriptionReference), Value: value})
		}
		errors := make(map[*kgo.Record]error)
		for _, result := range client.ProduceSync(context.Background(), records...) {
			errors[result.Record] = result.Err
		}
		var failed []event
		for number, record := range records {
			if err := errors[record]; err != nil {
				log.Printf("%s: %v, again", events[number].EventId, err)
				failed = append(failed, events[number])
			}
		}
		if len(failed) == 0 {
			return
		}
		// They may have arrived all the same. The same EventId makes that harmless.
		events = failed
	}
	log.Fatalf("%d events are not delivered", len(events))
}

func main() {
	// Idempotence, acks of all replicas and the partitions of Kafka's own clients are franz-go's defaults.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Args[1], ",")...),
		kgo.DefaultProduceTopic(os.Args[2]),
		kgo.RecordDeliveryTimeout(30*time.Second),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	events := []event{usage(17, "12.5"), usage(18, "0.1"), usage(19, "0.2")}
	deliver(client, events...)

	// Nobody knows whether this one was sent before a crash: send it again.
	deliver(client, events[0])

	// The first hour was measured wrong. An amendment states the whole event as it should have been.
	amendment := usage(17, "12")
	amendment.Action, amendment.Revision = "amend", 1
	deliver(client, amendment)
}
