package ris

import (
	"net/url"
	"strings"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf"
)

type environment struct {
	name, url, tenant, clientID, authority, method, variable string
	onPremises                                               bool
}

// missing stands where only a person knows the value; config lint finds it.
const missing = config.Unfilled

// environment finds or makes the environment of a job; nil when it has none
// that can be asked, which is noted.
func (c *converter) environment(j job) *environment {
	address, err := dmf.Audience(j.get(keyURL))
	if err != nil {
		c.note("job %s was left out: AosUri is not the address of a FinOps, https://NAME.operations.dynamics.com", j.title())
		return nil
	}
	u, err := url.Parse(j.get(keyURL))
	onPremises := err == nil && strings.Trim(u.Path, "/") != ""
	if onPremises && j.kind() == downloadJobType {
		c.note("job %s was left out: %s is FinOps on-premises, which has no queues", j.title(), address)
		return nil
	}
	made := c.newEnvironment(j, address)
	made.onPremises = onPremises
	for _, e := range c.environments {
		if e.url != address {
			continue
		}
		if e.onPremises != onPremises {
			c.note("job %s was left out: by its AosUri %s is FinOps %s, and by that of an earlier job it is not: correct the file, or add a flow by hand", j.title(), address, kindOf(onPremises))
			return nil
		}
		if made.clientID != e.clientID {
			where := "this job's authorization policy in FinOps"
			if j.kind() == exportJobType {
				where = "FinOps' Microsoft Entra applications, with a user that may run this job's data project"
			}
			c.note("job %s signs in as application %s: environment %s uses %s for all; add that one to %s", j.title(), dashed(made.clientID), e.name, dashed(e.clientID), where)
		}
		if made.tenant != e.tenant || made.authority != e.authority {
			c.note("job %s names another tenant or sign-in address than environment %s: check environments.%s.sign_in", j.title(), e.name, e.name)
		}
		return e
	}
	c.introduce(j, made)
	return made
}

func kindOf(onPremises bool) string {
	if onPremises {
		return "on-premises"
	}
	return "in the cloud"
}

// newEnvironment reads what a job says about its environment.
func (c *converter) newEnvironment(j job, address string) *environment {
	e := &environment{url: address, tenant: j.get(keyTenant), clientID: dmf.Fold(j.get(keyClientID))}
	if a := strings.TrimRight(j.get(keyAuthority), "/"); a != "" && !strings.EqualFold(a, dmf.DefaultAuthorityHost) {
		e.authority = a
	}
	if j.flag(keyADAL) {
		e.method = dmf.MethodV1
	}
	return e
}

// introduce names a new environment and notes what it lacks.
func (c *converter) introduce(j job, e *environment) {
	host, _ := url.Parse(e.url) // an Audience always is one
	labels := strings.Split(host.Hostname(), ".")
	wide := strings.Join(labels[:min(2, len(labels))], "-")
	e.name = c.name("environment", labels[0], wide)
	// Names that differ in - and _ only must not share a secret.
	e.variable = "FINOPS_SECRET_" + strings.ToUpper(strings.ReplaceAll(c.name("variable", strings.ReplaceAll(e.name, "-", "_"), ""), "-", "_"))
	c.environments = append(c.environments, e)
	if e.onPremises {
		c.onPremises(e)
	}
	if e.tenant == "" && !e.onPremises {
		e.tenant = missing
		c.note("environment %s has no tenant in the file: set its sign_in.tenant", e.name)
	}
	switch strings.ToLower(e.tenant) {
	case "common", "organizations":
		c.note("environment %s signs in at %q, which FinOps refuses for an application: set sign_in.tenant to the tenant's own id or domain", e.name, e.tenant)
	}
	if e.clientID == "" {
		e.clientID = missing
		c.note("environment %s has no application in the file: set its sign_in.client_id", e.name)
	}
	if e.authority != "" {
		if u, err := url.Parse(e.authority); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			c.note("environment %s: AzureAuthEndpoint is not an https address and was left out: set sign_in.authority if it is not the public cloud", e.name)
			e.authority = ""
			if e.onPremises {
				e.authority = "https://" + missing
			}
		}
	}
	if !j.flag(keyServiceAuth) {
		c.note("environment %s signs in as a user with a password: finrelay signs in as an application; register one with a secret (docs/app-registration.md) and set sign_in.client_id", e.name)
	}
	where := "Entra"
	if e.onPremises {
		where = "AD FS"
	}
	c.note("environment %s: its secret cannot move, the scheduler encrypts it for its own Windows machine: make a new client secret in %s and put it into %s", e.name, where, e.variable)
}

// onPremises lets an environment sign in at AD FS, which knows no tenants.
//
// Observed: peterdx.com on-premises: the scheduler's sign-in address is that of
// AD FS, with "adfs" behind it or as the tenant; package dmf takes both.
func (c *converter) onPremises(e *environment) {
	e.method, e.tenant = dmf.MethodADFS, ""
	c.note("environment %s is FinOps on-premises: finrelay takes files from what answers as Azure Blob storage does, and where the packages of an on-premises FinOps lie has not been tried: try finrelay export once before you stop the scheduler", e.name)
	if e.authority == "" {
		e.authority = "https://" + missing
		c.note("environment %s is FinOps on-premises and the file does not name its AD FS: set its sign_in.authority", e.name)
	}
}
