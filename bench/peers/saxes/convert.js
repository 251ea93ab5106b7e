'use strict'
// XML on standard input to JSON Lines in the file OUT, by saxes: a child of the
// root is a row, its attributes and its children are the values.
const fs = require('fs')
const { SaxesParser } = require('saxes')

const batch = 64 * 1024 // characters a write
const out = fs.createWriteStream(process.argv[2])
const parser = new SaxesParser()
let depth = 0
let row, text, lines = ''

parser.on('opentag', (node) => {
  text = ''
  if (++depth === 2) row = { ...node.attributes }
})
parser.on('text', (t) => { text += t })
parser.on('closetag', (node) => {
  if (depth === 3) row[node.name] = text
  if (depth === 2) lines += JSON.stringify(row) + '\n'
  depth--
})

async function main() {
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) {
    parser.write(chunk)
    if (lines.length < batch) continue
    const room = out.write(lines)
    lines = ''
    if (!room) await new Promise((resume) => out.once('drain', resume))
  }
  parser.close()
  out.end(lines)
}

main().catch((err) => {
  console.error(err)
  process.exit(1)
})
