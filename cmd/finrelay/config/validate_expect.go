package config

import (
	"strings"
	"time"

	"finrelay/flows/cadence"
)

func (v *validator) project(field string, f *Flow) {
	p := &f.Project
	if p.Name == "" {
		if p.Environment != "" || p.Schedule != "" || p.RunWhenLost {
			v.fail(field+".name", "", "the data project's name in FinOps, under Data management", "missing")
		}
		return
	}
	v.signedIn(field+".environment", p.Environment)
	v.filled(field+".legal_entities", p.LegalEntities)
	if _, err := p.CronSchedule(); err != nil {
		v.failCause(field+".schedule", p.Schedule, `five fields as in cron, for example "0 2 * * *", or "@every 6h"; the zone is a name such as Europe/Berlin`, err)
	}
	if p.MaxAge < 10*minute {
		v.fail(field+".max_age", p.MaxAge.String(), "write 10m or more", "too short: exports take a while")
	}
	if p.RunWhenLost && f.Refresh != "full" {
		v.fail(field+".run_when_lost", "", "set refresh: full if every run exports all rows; else leave it out and run a full push by hand",
			"a run of an incremental project does not bring lost rows again")
	}
	for i := range v.c.Flows {
		o := &v.c.Flows[i]
		if o == f {
			return
		}
		if p.Schedule != "" && o.Project.Schedule != "" && o.Project.Environment == p.Environment && strings.EqualFold(o.Project.Name, p.Name) {
			v.fail(field+".schedule", p.Schedule, "leave it to one of the two flows; the exports are routed to both", "flow "+flowName(i, o)+" has a schedule for this project already")
		}
	}
}

func (v *validator) cadence(field string, c *Cadence) {
	if c.Every == "" {
		return
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		v.failCause(field+".zone", c.Zone, "a name such as Europe/Berlin", err)
	} else if _, err := c.Parse(); err != nil {
		v.failCause(field+".every", c.Every, "how often, on which days, at which hours, for example 2h, Mon-Fri 06-20", err)
	}
	if c.Grace < minute {
		v.fail(field+".grace", c.Grace.String(), "write 1m or more", "too short: exports take a while")
	}
}

// Parse reads the cadence; nil when there is none.
func (c Cadence) Parse() (*cadence.Cadence, error) {
	if c.Every == "" {
		return nil, nil
	}
	return cadence.Parse(c.Every, c.Zone, time.Duration(c.Grace))
}
