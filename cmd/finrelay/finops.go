package main

import (
	"fmt"
	"log/slog"
	"time"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/flows"
)

// finOpsClient makes the client of an environment; nil when it has no url, and
// so only receives events. Proxy and certificates are those of its links.
func finOpsClient(e config.Environment, link fetch.ClientOptions, log *slog.Logger) (*dmf.Client, error) {
	if e.URL == "" {
		return nil, nil
	}
	tokens, err := dmf.NewTokenSource(dmf.SignIn{
		Method: e.SignIn.Method, TenantID: e.SignIn.Tenant, ClientID: e.SignIn.ClientID,
		Secret:          dmf.StaticSecret(e.SignIn.Secret.Reveal()),
		CertificateFile: e.SignIn.Certificate, CertificatePassword: e.SignIn.CertificatePassword.Reveal(),
		AuthorityHost: string(e.SignIn.Authority), Resource: string(e.URL),
	}, dmf.TransportOptions{Proxy: link.Proxy, RootCAs: link.RootCAs, UserAgent: link.UserAgent})
	if err != nil {
		return nil, fmt.Errorf("sign_in: %w", err)
	}
	return dmf.NewClient(dmf.ClientOptions{
		URL: string(e.URL), OnPremises: e.OnPremises, Tokens: tokens, Logger: log,
		Proxy: link.Proxy, RootCAs: link.RootCAs, UserAgent: link.UserAgent,
	})
}

// queues lists what the flows poll.
func queues(cfg *config.Config) ([]flows.Queue, error) {
	var list []flows.Queue
	for _, f := range cfg.Flows {
		if f.Queue.Activity == "" {
			continue
		}
		activity, err := dmf.ParseActivityID(f.Queue.Activity)
		if err != nil {
			return nil, fmt.Errorf("flow %s: %w", f.Name, err)
		}
		schedule, err := f.Queue.CronSchedule()
		if err != nil {
			return nil, fmt.Errorf("flow %s: %w", f.Name, err)
		}
		q := flows.Queue{Flow: f.Name, Environment: f.Queue.Environment, Activity: activity, Schedule: schedule, Backlog: flows.Backlog(f.Queue.Backlog), WithEvents: f.Queue.WithEvents}
		if f.Queue.Backlog == "ask" {
			q.Backlog = flows.BacklogAsk
		}
		list = append(list, q)
	}
	return list, nil
}

// projects are the data projects that flows name.
func projects(cfg *config.Config) ([]flows.Project, error) {
	var list []flows.Project
	for _, f := range cfg.Flows {
		p := f.Project
		if p.Name == "" {
			continue
		}
		schedule, err := p.CronSchedule()
		if err != nil {
			return nil, fmt.Errorf("flow %s: %w", f.Name, err)
		}
		list = append(list, flows.Project{
			Flow: f.Name, Environment: p.Environment, Name: dmf.DefinitionGroup(p.Name), LegalEntities: p.LegalEntities,
			Schedule: schedule, MaxAge: time.Duration(p.MaxAge), LandPartial: p.OnPartial == "land", RunWhenLost: p.RunWhenLost,
		})
	}
	return list, nil
}
