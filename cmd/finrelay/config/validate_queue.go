package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"finrelay/dmf"
)

// signIn checks what a queue needs of its environment.
func (v *validator) signIn(field string, e *Environment) {
	s := &e.SignIn
	if e.URL == "" {
		if s.Tenant != "" || s.ClientID != "" {
			v.fail(field+".sign_in", "", "set url to the address of FinOps, https://NAME.operations.dynamics.com", "a sign-in without the url it is for")
		}
		return
	}
	u, err := url.Parse(string(e.URL))
	switch {
	case err != nil || u.Host == "" || doubtfulAddress(u):
		v.fail(field+".url", redacted, "write https://NAME.operations.dynamics.com, nothing behind it", "not the address of a FinOps")
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		v.fail(field+".url", redacted, "write https://", "a token would cross the network in clear text")
	}
	if u, err := url.Parse(string(s.Authority)); s.Authority != "" && (err != nil || u.Host == "" || !slices.Contains(webSchemes, u.Scheme) || doubtfulAddress(u)) {
		v.fail(field+".sign_in.authority", redacted, "write https://HOST, nothing behind it", "not the address of a host that issues tokens")
	}
	need := func(name, value, why string) {
		if value == "" {
			v.fail(field+".sign_in."+name, "", why, "missing")
		}
	}
	tenant := "the Entra tenant's id or domain"
	if isADFS(s.Authority) {
		tenant = "the authority looks like AD FS: write method: adfs, which needs no tenant"
	}
	switch s.Method {
	case "secret", "v1":
		need("tenant", s.Tenant, tenant)
		need("client_id", s.ClientID, "the application's id")
		need("secret", s.Secret.Reveal(), "the application's secret, for example ${FINOPS_SECRET}")
	case "certificate":
		need("tenant", s.Tenant, tenant)
		need("client_id", s.ClientID, "the application's id")
		need("certificate", s.Certificate, "a PEM or PFX file with certificate and key")
	case "adfs":
		need("authority", string(s.Authority), "the address of AD FS, https://adfs.contoso.example")
		need("client_id", s.ClientID, "the application's id")
		need("secret", s.Secret.Reveal(), "the application's secret, for example ${FINOPS_SECRET}")
	}
}

// doubtfulAddress reports whether an address has more than a host and a path:
// a password, a token or a key, which would be sent with every request.
func doubtfulAddress(u *url.URL) bool {
	return u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" || strings.ContainsAny(u.Path, "@=;")
}

func (v *validator) queue(field string, q *Queue) {
	if q.Activity == "" {
		if q.Environment != "" {
			v.fail(field+".activity", "", "the ID shown in FinOps under Manage scheduled data jobs", "missing")
		}
		return
	}
	if _, err := dmf.ParseActivityID(q.Activity); err != nil {
		v.fail(field+".activity", q.Activity, "the ID shown in FinOps under Manage scheduled data jobs, a GUID", "not an activity id")
	}
	if e := v.signedIn(field+".environment", q.Environment); e.OnPremises {
		v.fail(field+".environment", q.Environment, "use events there", "FinOps on-premises has no queues")
	}
	if other := v.polledBefore(q); other != "" {
		v.fail(field+".activity", q.Activity, "poll it for one flow; what that does not take is offered to the others", "flow "+other+" polls this queue already")
	}
	if _, err := q.CronSchedule(); err != nil {
		v.failCause(field+".schedule", q.Schedule, `five fields as in cron, for example "*/10 6-20 * * 1-5", or "@every 10m"; the zone is a name such as Europe/Berlin`, err)
	}
}

// polledBefore names an earlier flow that polls the same queue.
func (v *validator) polledBefore(q *Queue) string {
	for i := range v.c.Flows {
		o := &v.c.Flows[i]
		if &o.Queue == q {
			break
		}
		if o.Queue.Environment == q.Environment && bare(o.Queue.Activity) == bare(q.Activity) {
			return flowName(i, o)
		}
	}
	return ""
}

// flowName is a flow as messages about another one call it.
func flowName(i int, f *Flow) string {
	if validName(f.Name) {
		return f.Name
	}
	return "flows[" + itoa(i) + "]"
}

// signedIn checks that FinOps can be asked in an environment that a setting
// names, and gives it.
func (v *validator) signedIn(field, name string) Environment {
	e, known := v.c.Environments[name]
	switch {
	case !known:
		v.fail(field, name, suggest(name, sortedKeys(v.c.Environments)), "no environment of this name")
	case e.URL == "":
		v.fail(field, name, "set environments."+name+".url and .sign_in", "this environment has no sign-in")
	}
	return e
}

// CronSchedule gives the schedule in its zone.
func (q Queue) CronSchedule() (cron.Schedule, error) { return cronSchedule(q.Schedule, q.Zone) }

// CronSchedule gives the schedule in its zone; nil when there is none.
func (p Project) CronSchedule() (cron.Schedule, error) {
	if p.Schedule == "" {
		return nil, nil
	}
	return cronSchedule(p.Schedule, p.Zone)
}

func cronSchedule(schedule, zone string) (cron.Schedule, error) {
	if _, err := time.LoadLocation(zone); err != nil {
		return nil, fmt.Errorf("not a time zone: %w", err)
	}
	s, err := cron.ParseStandard("CRON_TZ=" + zone + " " + schedule)
	if err != nil {
		return nil, fmt.Errorf("not a schedule: %w", err)
	}
	if s.Next(time.Now()).IsZero() {
		return nil, errors.New("not a schedule: there is no such day")
	}
	return s, nil
}
