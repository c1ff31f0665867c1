import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import pg from 'pg'
import { latestOrders } from './orders.mjs'

/** The commit that this process was started from; the directory may have moved on since. */
const version = commitOf(import.meta.dirname)
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4, application_name: 'shop', connectionTimeoutMillis: 3_000 })
pool.on('error', (error) => console.error(`database: ${error.message}`)) // an idle connection was cut; the next query opens another

const routes = {
  '/health': async () => {
    const { rows } = await pool.query(
      'select count(distinct migration_name)::int as applied from _prisma_migrations where finished_at is not null and rolled_back_at is null',
    )
    return { status: 'ok', version, migrations: rows[0].applied }
  },
  '/orders': async () => ({ orders: (await latestOrders(pool)).rows }),
}

const server = createServer((request, response) => {
  void answer(routes[new URL(request.url ?? '/', 'http://shop').pathname]).then(([status, body]) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
  )
})

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`shop ${version.slice(0, 7)} listens on ${server.address().port}`)
  process.send?.('ready')
})

process.once('SIGINT', stop)
process.once('SIGTERM', stop)

async function answer(route) {
  if (route === undefined) return [404, { error: 'not found' }]
  try {
    return [200, await route()]
  } catch (error) {
    console.error(error)
    return [503, { status: 'failing', version, error: error.message }]
  }
}

function stop() {
  server.close(() => void pool.end().then(() => process.exit(0)))
  server.closeAllConnections()
}

function commitOf(directory) {
  try {
    const head = readFileSync(join(directory, '.git/HEAD'), 'utf8').trim()
    return head.startsWith('ref: ') ? readFileSync(join(directory, '.git', head.slice(5)), 'utf8').trim() : head
  } catch {
    return 'unknown' // not a clone: started from a copy of the files
  }
}
