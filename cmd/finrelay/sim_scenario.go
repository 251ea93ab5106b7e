package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf/sim"
)

// readScenario reads the file, as fast as it is to be played.
func (s *simulation) readScenario() (sim.Scenario, error) {
	data, err := os.ReadFile(s.scenario)
	if err != nil {
		return sim.Scenario{}, usage(fmt.Errorf("--scenario: %w", err))
	}
	story, err := sim.LoadScenario(data)
	if err != nil {
		return story, usage(fmt.Errorf("%s: %w", s.scenario, err))
	}
	if s.speed == 1 {
		return story, nil
	}
	story.LinkLife = cmp.Or(story.LinkLife, s.linkLife)
	if story, err = story.Faster(s.speed); err != nil {
		return story, usage(fmt.Errorf("--speed: %w", err))
	}
	return story, nil
}

// play plays a scenario, and reports each thing that it does.
func (s *simulation) play(ctx context.Context, story sim.Scenario) error {
	if story.About != "" {
		s.say("%s", oneLine(story.About))
	}
	if after, ends := story.Ends(); ends {
		s.say("it takes %v", config.Duration(after.Round(time.Second)))
	}
	err := s.sim.Play(ctx, story, sim.Target{Door: s.post, Key: s.key, Each: func(ctx context.Context, p sim.Played) error {
		return s.report(p)
	}})
	if err != nil {
		return err
	}
	s.say("the story is over; its files and queues are served until this ends")
	return nil
}

// report says what a scenario did; an event that nobody was to be sent is
// printed, as without a scenario.
func (s *simulation) report(p sim.Played) error {
	what := fmt.Sprintf("%s  %s %s, %d rows", p.Time.Local().Format(time.TimeOnly), oneLine(p.Project), oneLine(p.Entity), p.Rows)
	switch {
	case p.Delivery != nil && p.Delivery.Delivered:
		s.say("%s: event delivered at try %d", what, len(p.Delivery.Tries))
	case p.Delivery != nil:
		tries := p.Delivery.Tries
		s.say("%s: event given up after %d tries, as FinOps does; the last: %s", what, len(tries), answerTo(tries[len(tries)-1]))
	case p.Event != nil:
		s.say("%s: event printed", what)
		_, err := fmt.Fprintf(s.app.stdout, "%s\n", s.sim.Payload(*p.Event))
		return err
	case p.Message != nil:
		s.say("%s: queued as message %s", what, p.Message.CorrelationID)
	default:
		s.say("%s", what)
	}
	return nil
}
