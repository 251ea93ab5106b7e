package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"finrelay/dmf/sim"
	"finrelay/flows/doors"
)

// post sends one case's event as FinOps does and notes the answer.
func (d *demo) post(ctx context.Context, parcels []demoParcel, i int) error {
	c, p := &d.cases[i], &parcels[i]
	if c.after {
		if err := d.watch.rest(ctx, parcels[i-1].shipment); err != nil {
			return err
		}
	}
	delivery := d.sim.Send(ctx, d.door, p.body)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !delivery.Delivered {
		return fmt.Errorf("post the event of %s: %v: %s", c.entity, delivery, lastAnswer(delivery))
	}
	last := delivery.Tries[len(delivery.Tries)-1]
	var answer doors.Answer
	if err := json.Unmarshal([]byte(last.Answer), &answer); err != nil || len(answer.Events) != 1 {
		return fmt.Errorf("read the door's answer for %s: %q is not what it answers", c.entity, last.Answer)
	}
	p.status, p.tries = last.Status, len(delivery.Tries)
	p.eventID, p.shipment = answer.Events[0].ID, answer.Events[0].Shipment
	d.screen.step(d.since(), "posted", c.entity, fmt.Sprintf("%s; answered %d", c.sent, p.status))
	return nil
}

func lastAnswer(d sim.Delivery) string {
	if len(d.Tries) == 0 {
		return "no try was made"
	}
	return strings.TrimSpace(d.Tries[len(d.Tries)-1].Answer)
}

func (d *demo) since() time.Duration { return time.Since(d.began) }

// endpoint puts the key where FinOps has it: in the URL of the endpoint.
func endpoint(address, key string) string {
	if key == "" {
		return address
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + "code=" + url.QueryEscape(key)
}
