import { defineConfig, env } from 'prisma/config'

/** Of an application with Prisma 7, which reads its database's address here and nowhere else. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: env('DATABASE_URL') },
})
