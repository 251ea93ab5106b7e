package flows

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// renewers is how many fresh links are asked for at once.
const renewers = 2

// emptyLinkTries is how often an empty answer is taken for "not ready yet".
//
// Observed: microsoft/Recurring-Integrations-Scheduler polls the URL until it
// is not empty, which took seconds.
const emptyLinkTries = 4

// renewPool asks FinOps for a fresh link to what expired, when the event told
// which execution wrote the file. It never starts an execution: an incremental
// one would export other rows and leave the lost ones lost.
func (r *Relay) renewPool() pool {
	return pool{
		name:  "renew",
		slots: renewers,
		next: func(ctx context.Context, _ int) (time.Time, error) {
			return r.db.NextRenewal(ctx)
		},
		claim: func(ctx context.Context, free int) ([]func(context.Context), error) {
			claimed, err := r.db.ClaimRenewals(ctx, free)
			var jobs []func(context.Context)
			for _, s := range claimed {
				jobs = append(jobs, func(ctx context.Context) { r.renew(ctx, s) })
			}
			return jobs, err
		},
	}
}

func (r *Relay) renew(ctx context.Context, s state.Shipment) {
	log := r.log.With(keyShipment, s.ID, keyEnvironment, s.Environment, keyEntity, s.Entity)
	link, err := r.freshLink(ctx, s)
	r.record(ctx, log, func(ctx context.Context) error {
		if err == nil {
			r.cfg.Trace("renewed")
			detail := "FinOps gave a fresh link to the package of execution " + s.ExecutionID
			return r.db.Renewed(ctx, s.ID, link, detail)
		}
		due, detail := r.renewAgain(ctx, s, err)
		return r.db.WaitRenewal(ctx, s.ID, due, detail)
	})
	if err != nil {
		log.Warn("no fresh link", keyError, err)
		return
	}
	log.Info("fresh link", "link", link.LinkPath)
}

// Why a fresh link is not to be had, and asking again would not help.
var (
	errNoSignIn  = errors.New("the environment has no url and sign_in, so FinOps cannot be asked for a fresh link")
	errNoPackage = errors.New("FinOps gives no link to the package of this execution; it keeps one for 7 days, and only of exports through the package API")
)

// errNotYet: the link is empty so far.
var errNotYet = errors.New("FinOps has no link to the package yet")

func (r *Relay) freshLink(ctx context.Context, s state.Shipment) (state.FreshLink, error) {
	client := r.cfg.Environments[s.Environment].FinOps
	if client == nil {
		return state.FreshLink{}, errNoSignIn
	}
	r.cfg.Trace("renew")
	raw, err := client.ExportedPackageURL(ctx, dmf.ExecutionID(s.ExecutionID))
	if err != nil {
		return state.FreshLink{}, err
	}
	if raw == "" && s.Renewals >= emptyLinkTries {
		return state.FreshLink{}, errNoPackage
	}
	if raw == "" {
		return state.FreshLink{}, errNotYet
	}
	fresh := state.FreshLink{Link: raw, LinkPath: linkPath(raw), Package: true}
	if info, err := fetch.ParseLink(raw); err == nil {
		fresh.Deadline = info.Expiry
	}
	return fresh, nil
}

// renewAgain says when to ask again, or with the zero time that it is no use,
// and what the story shall say.
func (r *Relay) renewAgain(ctx context.Context, s state.Shipment, err error) (due time.Time, detail string) {
	now := r.db.Now()
	detail = clip(err.Error())
	if context.Cause(ctx) != nil {
		return now, "finrelay was stopped while it asked"
	}
	switch {
	case errors.Is(err, errNoSignIn), errors.Is(err, errNoPackage), errors.Is(err, dmf.ErrExecutionNotFound):
		return time.Time{}, detail
	case s.Renewals >= state.MaxRenewals && errors.Is(err, errNotYet), now.After(s.Order.At.Add(BlobLife)):
		return time.Time{}, fmt.Sprintf("%s; given up after %d tries", detail, s.Renewals)
	}
	after := backoff(s.Renewals, rand.Float64())
	api, ok := errors.AsType[*dmf.APIError](err)
	if ok && !api.Temporary() {
		return time.Time{}, detail
	}
	if ok {
		after = max(after, min(api.RetryAfter, longestHint))
	}
	return now.Add(after), detail
}
