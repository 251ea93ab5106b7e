package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf"
	"finrelay/exporter/fetch"
)

// signIn asks FinOps for next to nothing, with a token.
func (d *doctor) signIn(ctx context.Context, name string, e config.Environment, link fetch.ClientOptions, reached bool) {
	if d.cfg.IsAbsent("environments." + name + ".sign_in") {
		d.warn(name, "token", "not tried: the secret of sign_in is not known here", "run doctor with the environment that finrelay serve has")
		return
	}
	client, err := finOpsClient(e, link, nil)
	if err != nil {
		d.fail(name, "settings", err.Error(), "correct environments."+name, exitFailed)
		return
	}
	defer client.Close()
	err = patiently(ctx, client.Probe)
	if _, answered := errors.AsType[*dmf.APIError](err); err != nil && !answered {
		if refused, ok := errors.AsType[*dmf.SignInError](err); ok {
			err = refused // without the name of the call, which never went out
		}
		d.fail(name, "token", err.Error(), tokenRemedy(name, err), codeOf(err))
		return
	}
	d.ok(name, "token", "granted by "+methodName(e))
	if !reached {
		return // said already
	}
	if err != nil {
		d.fail(name, "application", err.Error(), remedyOf(err), codeOf(err))
		return
	}
	d.ok(name, "application", "FinOps knows it and answers")
	d.activities(ctx, name, client)
	d.projects(ctx, name, client)
}

func tokenRemedy(name string, err error) string {
	if codeOf(err) == exitSignIn {
		return "then correct environments." + name + ".sign_in" // the error says what is wrong
	}
	return "wait and try again"
}

func methodName(e config.Environment) string {
	if e.SignIn.Method == dmf.MethodManagedIdentity {
		return "this machine's managed identity"
	}
	return hostOnly(authorityOf(e))
}

// patiently gives ask no longer than doctorPatience.
func patiently(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, doctorPatience, fmt.Errorf("no answer within %v", config.Duration(doctorPatience)))
	defer cancel()
	return ask(ctx)
}

// codeOf is the exit code of a call that failed.
func codeOf(err error) int {
	if refused, ok := errors.AsType[*dmf.SignInError](err); ok {
		if refused.Temporary() {
			return exitUnreachable
		}
		return exitSignIn
	}
	if api, ok := errors.AsType[*dmf.APIError](err); ok && !api.Temporary() && api.StatusCode != 0 {
		return exitFailed
	}
	return exitUnreachable
}

func remedyOf(err error) string {
	switch codeOf(err) {
	case exitSignIn:
		return "" // a SignInError says it
	case exitUnreachable:
		return "wait and try again; if it lasts, look at the environment in Lifecycle Services or the admin center"
	}
	return "check url and on_premises of the environment"
}

// activities asks about each queue of the environment, without taking.
func (d *doctor) activities(ctx context.Context, name string, client *dmf.Client) {
	for _, f := range d.cfg.Flows {
		if f.Queue.Activity == "" || f.Queue.Environment != name {
			continue
		}
		activity, err := dmf.ParseActivityID(f.Queue.Activity)
		if err == nil {
			err = patiently(ctx, func(ctx context.Context) error { return client.ProbeActivity(ctx, activity) })
		}
		check := "queue of " + f.Name
		if err != nil {
			d.fail(name, check, err.Error(), remedyOf(err), codeOf(err))
			continue
		}
		// FinOps has no call that looks into a queue without hiding a message
		// for 30 minutes. Whether the id is right is known only from a poll.
		known := d.queues[f.Name]
		switch {
		case known.LastPolledAt.IsZero():
			d.warn(name, check, "the application is let in; not polled yet, so whether "+string(activity)+" is the right ID is not known: FinOps has no call that looks without taking",
				"finrelay poll "+f.Name)
		case known.Problem != "":
			d.warn(name, check, fmt.Sprintf("the application is let in; the last poll, %s: %s", agoOrNever(known.LastPolledAt), known.Problem), "finrelay poll "+f.Name+", after what it says")
		default:
			d.ok(name, check, fmt.Sprintf("polled %s, %d messages so far", agoOrNever(known.LastPolledAt), known.Messages))
		}
	}
}

// projects looks whether FinOps lists the data projects that flows name.
func (d *doctor) projects(ctx context.Context, name string, client *dmf.Client) {
	for _, f := range d.cfg.Flows {
		if f.Project.Name == "" || f.Project.Environment != name {
			continue
		}
		has := false
		err := patiently(ctx, func(ctx context.Context) (err error) {
			has, err = client.HasProject(ctx, dmf.DefinitionGroup(f.Project.Name))
			return err
		})
		check := "project of " + f.Name
		switch {
		case err != nil:
			d.fail(name, check, err.Error(), remedyOf(err), codeOf(err))
		case !has:
			d.fail(name, check, fmt.Sprintf("FinOps lists no data project %q to this application", f.Project.Name),
				"correct project.name of the flow, or let the application's user see the project", exitFailed)
		default:
			d.ok(name, check, "FinOps lists "+f.Project.Name)
		}
	}
}

// Days before its end that a credential is spoken of.
const credentialWarning = 30 * 24 * time.Hour

func (d *doctor) credential(name string, e config.Environment) {
	switch e.SignIn.Method {
	case dmf.MethodCertificate:
		if e.SignIn.CertificatePassword.IsAbsent() {
			return // said with the token
		}
		end, err := certificateEnd(e.SignIn.Certificate, e.SignIn.CertificatePassword.Reveal())
		if err != nil {
			d.fail(name, "credential", err.Error(), "sign_in.certificate must be a PEM or PFX file with certificate and key", exitSignIn)
			return
		}
		d.add(judgeEnd(name, end, time.Now()))
	case dmf.MethodManagedIdentity, dmf.MethodWorkloadIdentity:
		d.ok(name, "credential", "renewed by Azure")
	default:
		d.ok(name, "credential", "a secret; until when it is valid cannot be asked: Entra > App registrations > Certificates & secrets shows it")
	}
}

func judgeEnd(name string, end, now time.Time) finding {
	f := finding{Level: levelOK, Where: name, Check: "credential"}
	left := end.Sub(now)
	f.Seen = fmt.Sprintf("certificate valid for %d days, until %s", int(left.Hours()/24), end.UTC().Format(time.DateOnly))
	switch {
	case left <= 0:
		f.Level, f.code, f.Seen = levelFail, exitSignIn, "the certificate ended on "+end.UTC().Format(time.DateOnly)
		f.Do = "upload a new one to the application in Entra, then put it in place here"
	case left < credentialWarning:
		f.Level, f.Do = levelWarn, "upload a new one to the application in Entra beside this one, then put it in place here"
	}
	return f
}
