import { z } from 'zod'
import { configSchema } from './schema.ts'

/** For editors: completion and checks while lockkeeper.yaml is written. `npm run schema` writes it to lockkeeper.schema.json. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
  return `${JSON.stringify({ ...schema, title: 'lockkeeper.yaml' }, null, 2)}\n`
}
