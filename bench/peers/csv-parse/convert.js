'use strict'
// CSV on standard input to JSON Lines in the file OUT, by csv-parse.
const fs = require('fs')
const { pipeline, Transform } = require('stream')
const { parse } = require('csv-parse')

const lines = new Transform({
  writableObjectMode: true,
  transform(row, _, done) { done(null, JSON.stringify(row) + '\n') }
})

pipeline(process.stdin, parse({ columns: true, bom: true }), lines, fs.createWriteStream(process.argv[2]), (err) => {
  if (err) throw err
})
