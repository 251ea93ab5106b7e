package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf"
)

// examineEnvironment goes the way a call takes: proxy, name, TLS, clock, then
// the token, the application's registration, and each queue.
func (d *doctor) examineEnvironment(ctx context.Context, name string) {
	e := d.cfg.Environments[name]
	link, err := linkOptions(e)
	if err != nil {
		d.fail(name, "settings", err.Error(), "correct environments."+name, exitFailed)
		return
	}
	if e.URL == "" {
		d.ok(name, "url", "none: this environment receives events and is not called")
		d.linkHosts(name, e)
		return
	}
	d.proxyVariable(name, e)
	if d.cfg.IsAbsent("environments." + name + ".proxy") {
		d.warn(name, "proxy", "not known here, and so nothing behind it was tried", "run doctor with the environment that finrelay serve has")
		d.linkHosts(name, e)
		return
	}
	if !d.proxy(ctx, name, link.Proxy) {
		d.linkHosts(name, e)
		return
	}
	reached := d.server(ctx, name, "finops", string(e.URL), link)
	authority := true
	if a := authorityOf(e); a != "" {
		authority = d.server(ctx, name, "authority", a, link)
	}
	d.credential(name, e)
	if authority {
		d.signIn(ctx, name, e, link, reached)
	}
	d.linkHosts(name, e)
}

// authorityOf is where tokens come from; "" when it is this machine.
func authorityOf(e config.Environment) string {
	switch {
	case e.SignIn.Method == dmf.MethodManagedIdentity:
		return ""
	case e.SignIn.Authority != "":
		return string(e.SignIn.Authority)
	}
	return dmf.DefaultAuthorityHost
}

func hostOnly(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "the authority"
	}
	return u.Host
}

// proxyVariables by the scheme they are for.
var proxyVariables = map[string][]string{"https": {"HTTPS_PROXY", "https_proxy"}, "http": {"HTTP_PROXY", "http_proxy"}}

// proxyVariable warns of a proxy that others on this machine use and finrelay
// does not: it reads none from its environment.
func (d *doctor) proxyVariable(name string, e config.Environment) {
	u, err := url.Parse(string(e.URL))
	if err != nil || e.Proxy != "" {
		return
	}
	req := &http.Request{URL: u}
	if via, err := d.variables(req); err == nil && via != nil {
		d.warn(name, "proxy", strings.Join(proxyVariables[u.Scheme], " or ")+" is set ("+via.Host+") and not used",
			"set environments."+name+".proxy if FinOps is behind it; else nothing")
	}
}
