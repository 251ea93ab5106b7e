'use strict'
// CSV to JSON Lines by DuckDB, on two threads, every column as text.
//
//   node convert.js IN OUT [COLUMN,COLUMN,...]
//
// With columns the schema is given by hand and nothing is detected; without,
// DuckDB finds the names itself. IN may be /dev/stdin.
const { DuckDBInstance } = require('@duckdb/node-api')

const quote = (s) => `'${s.replaceAll("'", "''")}'`

async function main([input, output, columns]) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  const dialect = `header=true, delim=',', quote='"', escape='"', nullstr='\\N'`
  const schema = columns
    ? `auto_detect=false, columns={${columns.split(',').map((c) => `${quote(c)}: 'VARCHAR'`).join(', ')}}`
    : 'all_varchar=true'
  await connection.run(
    `COPY (SELECT * FROM read_csv(${quote(input)}, ${schema}, ${dialect})) TO ${quote(output)} (FORMAT json)`)
}

main(process.argv.slice(2)).catch((err) => {
  console.error(err)
  process.exit(1)
})
