'use strict'
// CSV on standard input to JSON Lines in the file OUT, by csv-parser as its
// documentation shows it. The byte order mark stays in the first column's name.
const fs = require('fs')
const { pipeline, Transform } = require('stream')
const csv = require('csv-parser')

const lines = new Transform({
  writableObjectMode: true,
  transform(row, _, done) { done(null, JSON.stringify(row) + '\n') }
})

pipeline(process.stdin, csv(), lines, fs.createWriteStream(process.argv[2]), (err) => {
  if (err) throw err
})
