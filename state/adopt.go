package state

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Adoption takes over the package of an execution that FinOps ran and of which
// nothing, or not everything, came here.
type Adoption struct {
	Environment string
	Project     string
	ExecutionID string
	// Entities are labels, one shipment each, when other entities of the
	// execution are here already. None: one shipment takes the whole package.
	Entities []string
	At       time.Time // when FinOps ran it: the exports' order key
	Link     string    // byte for byte
	LinkPath string
	Deadline time.Time // zero: DefaultLinkLife from now
	By       string
}

// Adopted says what an adoption came to, for the package or one entity of it.
type Adopted struct {
	Entity     string // "" for the whole package
	ShipmentID string
	New        bool // false: ShipmentID had it before, and nothing new started
}

// AdoptPackage makes the package of an execution a shipment, or one for each
// entity named. What a shipment of the same execution holds already is not
// taken again, so that adopting twice, or beside an event that came meanwhile,
// is adopting once. A shipment that a person skipped holds too. The package of
// a run of ours that has not ended is refused with a *TransitionError.
func (db *DB) AdoptPackage(ctx context.Context, a Adoption) ([]Adopted, error) {
	if a.ExecutionID == "" || a.At.IsZero() {
		return nil, errors.New("adopt a package: its execution and when that ran must be known")
	}
	entities := a.Entities
	if len(entities) == 0 {
		entities = []string{""}
	}
	var all []Adopted
	err := db.update(ctx, func(t *tx) error {
		all = nil
		if err := t.ownRun(a); err != nil {
			return err
		}
		for _, entity := range entities {
			one, err := t.adopt(a, entity)
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		return nil
	})
	return all, err
}

// adoptedIdentity is, for a whole package, that of an execution of ours: the
// same package is the same shipment, whoever started the run.
func adoptedIdentity(executionID, entity string) string {
	identity := "execution:" + executionID
	if entity != "" {
		identity += "/" + strings.ToLower(entity)
	}
	return identity
}

func (t *tx) adopt(a Adoption, entity string) (Adopted, error) {
	identity := adoptedIdentity(a.ExecutionID, entity)
	one := Adopted{Entity: entity, ShipmentID: NewID(shipmentPrefix, a.Environment, identity)}
	holder, err := t.holderOf(a, entity, one.ShipmentID)
	if err != nil {
		return one, err
	}
	if holder != "" {
		one.ShipmentID = holder
		return one, nil
	}
	deadline := t.now + DefaultLinkLife.Milliseconds()
	if !a.Deadline.IsZero() {
		deadline = millis(a.Deadline)
	}
	seq, err := t.insert(`INSERT INTO shipments (id, environment, source, event_id, identity, entity, legal_entity, execution_id, definition_group,
			order_at, order_no, link_path, deadline, state, due_at, received_at, whole_package)
		VALUES (?1, ?2, 'package', '', ?3, ?4, '', ?5, ?6, ?7, 0, ?8, ?9, 'pending', ?10, ?10, ?11)`,
		one.ShipmentID, a.Environment, identity, entity, a.ExecutionID, a.Project, millis(a.At), a.LinkPath, deadline, t.now, entity != "")
	if err != nil {
		return one, err
	}
	if _, err := t.exec(`INSERT INTO links (seq, url) VALUES (?1, ?2)`, seq, a.Link); err != nil {
		return one, err
	}
	one.New = true
	return one, t.step(KindShipment, one.ShipmentID, one.ShipmentID, "", Pending, "",
		"package of execution "+a.ExecutionID+", which FinOps' history tells and nothing brought here; by "+a.By)
}

// adoptHorizon is how many shipments back one of the same execution is looked
// for: history costs nothing, and what comes beside an adoption is new.
const adoptHorizon = 5000

// holderOf finds a shipment of the execution that has the entity, or may have
// it; of a whole package any. "" when there is none.
func (t *tx) holderOf(a Adoption, entity, id string) (holder string, err error) {
	err = t.row(`SELECT s.id FROM shipments s WHERE s.id = ?1 OR s.id IN (
			SELECT o.id FROM (SELECT id, environment, execution_id, entity, opened_at, state, reason FROM shipments ORDER BY seq DESC LIMIT ?6) o
			WHERE o.environment = ?2 AND o.execution_id = ?3 COLLATE NOCASE AND (?4 = ''
				OR o.opened_at IS NULL AND (o.state <> 'settled' OR o.reason = 'skipped')
					AND (o.entity = '' OR o.entity = ?4 COLLATE NOCASE OR o.entity = ?5 COLLATE NOCASE)
				OR EXISTS (SELECT 1 FROM exports e WHERE e.shipment_id = o.id AND e.entity = ?4 COLLATE NOCASE)))
		ORDER BY s.id <> ?1, s.seq LIMIT 1`,
		[]any{id, a.Environment, a.ExecutionID, entity, a.Project, adoptHorizon}, &holder)
	if err == ErrNotFound {
		return "", nil
	}
	return holder, err
}

// ownRun refuses the package of a run that finrelay asked for and still
// follows: it becomes a shipment when the run ends.
func (t *tx) ownRun(a Adoption) error {
	var id string
	var at State
	err := t.row(`SELECT id, state FROM executions WHERE environment = ?1 AND execution_id = ?2 COLLATE NOCASE
		AND state IN ('queued', 'starting', 'running', 'stuck') LIMIT 1`, []any{a.Environment, a.ExecutionID}, &id, &at)
	switch err {
	case nil:
		return &TransitionError{Kind: KindExecution, ID: id, From: at, To: Done}
	case ErrNotFound:
		return nil
	}
	return err
}

// Projects names the data projects of which anything ever came here, or that
// finrelay was asked to run, in no order. It reads the whole ledger.
func (db *DB) Projects(ctx context.Context, environment string) ([]string, error) {
	return collect(ctx, db, `SELECT definition_group FROM shipments WHERE environment = ?1 AND definition_group <> ''
		UNION SELECT project FROM exports WHERE environment = ?1 AND project <> ''
		UNION SELECT project FROM executions WHERE environment = ?1`, []any{environment},
		func(scan func(...any) error) (name string, err error) {
			err = scan(&name)
			return name, err
		})
}
