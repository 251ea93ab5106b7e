'use strict'
// The server people write instead: express in front, better-sqlite3 behind, one
// transaction an event, durable before the answer (WAL, synchronous=FULL).
//
//   node server.js PORT DATABASE MIGRATIONS-FOLDER KEY
//
// It stores the same rows in the same tables with the same indexes as finrelay
// does when it accepts an event: it creates them from finrelay's own migrations.
// It does no more than that; what follows acceptance is finrelay's alone.
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const Database = require('better-sqlite3')
const express = require('express')

const [port, file, migrations, key] = process.argv.slice(2)

const db = new Database(file)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.pragma('foreign_keys = ON')
db.pragma('cache_size = -16000') // as finrelay's
migrate()

const sha256 = text => crypto.createHash('sha256').update(text).digest()
const wantKey = sha256(key)

const insertEvent = db.prepare(`INSERT INTO events (id, environment, epoch, door, identity, state, reason, business_event_id,
    finops_event_id, entity, legal_entity, control_number, rec_id, event_at, received_at, shipment_id, last_seen_at)
  VALUES (:id, :environment, 0, 'finops', :identity, 'accepted', '', :businessEventId, :eventId,
    :entity, :legalEntity, :controlNumber, :recId, :eventAt, :now, :shipment, :now) ON CONFLICT (id) DO NOTHING`)
const insertBody = db.prepare('INSERT INTO bodies (seq, body) VALUES (?, ?)')
const insertShipment = db.prepare(`INSERT INTO shipments (id, environment, source, event_id, identity, entity, legal_entity,
    execution_id, definition_group, expected_rows, order_at, order_no, link_path, deadline, state, due_at, received_at)
  VALUES (:shipment, :environment, 'event', :id, :identity, :entity, :legalEntity, '', '', :rows, :eventAt, :orderNo,
    :linkPath, :deadline, 'pending', :now, :now)`)
const insertLink = db.prepare('INSERT INTO links (seq, url) VALUES (?, ?)')
const insertJournal = db.prepare(`INSERT INTO journal (at, kind, subject, shipment_id, from_state, to_state, reason, detail)
  VALUES (:now, 'shipment', :shipment, :shipment, '', 'pending', '', 'with event ' || :id)`)

// accept returns false for a duplicate.
const accept = db.transaction((event, body, link) => {
  const { changes, lastInsertRowid } = insertEvent.run(event)
  if (changes === 0) return false
  insertBody.run(lastInsertRowid, body)
  const shipment = insertShipment.run(event)
  insertLink.run(shipment.lastInsertRowid, link)
  insertJournal.run(event)
  return true
})

const app = express()
app.disable('x-powered-by')
app.use(express.text({ type: () => true, limit: '1mb' })) // the body as it came is a row

app.post('/in/finops/:environment', (req, res) => {
  if (!crypto.timingSafeEqual(sha256(String(req.query.code)), wantKey)) return res.status(401).end()
  let sent
  try {
    sent = JSON.parse(req.body)
  } catch {
    return res.status(400).end()
  }
  const event = read(sent, req.params.environment)
  const redacted = req.body.replace(/([?&]sig=)[^&"]*/g, '$1<redacted>')
  const added = accept.immediate(event, Buffer.from(redacted), sent.DownloadURL)
  res.status(added ? 202 : 200).json({ id: event.id })
})

app.listen(Number(port), '127.0.0.1')
process.on('SIGTERM', () => {
  db.close()
  process.exit(0)
})

function read (sent, environment) {
  const link = new URL(sent.DownloadURL)
  const eventId = sent.EventId.replace(/[{}]/g, '').toLowerCase()
  const identity = `${sent.BusinessEventId ?? ''}/${eventId}`
  const hash = sha256(`${environment}\n${identity}`).toString('hex').slice(0, 16)
  return {
    id: 'ev_' + hash,
    shipment: 'sh_' + hash,
    environment,
    identity,
    eventId,
    businessEventId: sent.BusinessEventId ?? '',
    entity: sent.EntityName,
    legalEntity: sent.LegalEntity,
    controlNumber: sent.ControlNumber ?? null,
    recId: sent.RecId ?? null,
    rows: sent.NoOfRecords ?? null,
    eventAt: Number(/\d+/.exec(sent.EventTime)[0]),
    orderNo: sent.ControlNumber ?? sent.RecId ?? 0,
    linkPath: link.host + link.pathname,
    deadline: Date.parse(link.searchParams.get('se')),
    now: Date.now()
  }
}

function migrate () {
  for (const name of fs.readdirSync(migrations).sort()) {
    const up = fs.readFileSync(path.join(migrations, name), 'utf8').split('-- +goose Down')[0]
    db.exec(up)
  }
}
