import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { jsonSchemaText } from '../../src/config/json-schema.ts'

test('lockkeeper.schema.json is the one that the configuration is checked with', async () => {
  expect(await readFile(new URL('../../lockkeeper.schema.json', import.meta.url), 'utf8')).toBe(jsonSchemaText())
})
