import { unknownCatalogue, type Catalogue } from '../../../src/database/catalogue/catalogue.ts'
import { loadParser } from '../../../src/sql/effects/parser.ts'
import { readScript } from '../../../src/sql/parse.ts'
import type { Compatibility, Forecast, Part, Relation } from '../../../src/sql/rules/forecast.ts'
import { forecasts } from '../../../src/sql/rules/forecasts.ts'
import { catalogueOf } from '../../contract/forecast/catalogues.ts'
import type { Major } from '../../helpers/postgres-versions/installed.ts'

type Asked = { readonly major?: Major; readonly zone?: string; readonly catalogue?: Catalogue }

/** Files of one plan, on the schema of `test/contract/forecast` (of 18 unless said) as its catalogue was read. */
export async function askFiles(files: readonly string[], asked: Asked = {}): Promise<readonly (readonly Forecast[])[]> {
  const parser = await loadParser()
  const scripts = await Promise.all(
    files.map(async (sql) => {
      const content = Buffer.from(sql)
      const script = await readScript(content)
      if (script.kind === 'unreadable') throw new Error(script.why)
      return { content, ...script }
    }),
  )
  const catalogue = asked.catalogue ?? catalogueOf(asked.major ?? 18)
  return forecasts(scripts, { ...catalogue, timeZone: asked.zone ?? 'UTC' }, parser)
}

export const ask = async (sql: string, asked: Asked = {}): Promise<readonly Forecast[]> => (await askFiles([sql], asked)).flat()

/** One statement alone. */
export async function askOne(sql: string, asked: Asked = {}): Promise<Forecast> {
  const [found, ...more] = await ask(sql, asked)
  if (found === undefined || more.length > 0) throw new Error('It is not one statement')
  return found
}

/** As a few words, without what is empty. */
export async function told(sql: string, asked: Asked = {}): Promise<readonly string[]> {
  return (await ask(sql, asked)).flatMap(lines)
}

const lines = ({ locks, parts, fails, unknown }: Forecast): readonly string[] => [
  ...(fails === null ? [] : [`${fails.sqlstate}: ${fails.why}`]),
  ...(unknown === null ? [] : [`unknown: ${unknown}`]),
  ...[
    ...Map.groupBy(
      locks.filter(({ isNew }) => !isNew),
      ({ mode }) => mode,
    ),
  ].map(([mode, those]) => `${mode} on ${names(those.map(({ on }) => on))}`),
  ...parts.map(partLine),
]

function partLine({ rule, rewrites, scans, builds, loses, old, new: later }: Part): string {
  return [
    rule,
    ...(rewrites.length === 0 ? [] : [`rewrites ${names(rewrites)}`]),
    ...(scans.length === 0 ? [] : [`reads ${names(scans)}`]),
    ...(builds.length === 0 ? [] : [`builds ${builds.map(({ name, on }) => name ?? `one on ${on.name}`).join(', ')}`]),
    ...loses.map((one) => `loses ${one}`),
    ...compatibility('old', old),
    ...compatibility('new', later),
  ].join('; ')
}

const compatibility = (which: string, { kind, ...one }: Compatibility): readonly string[] =>
  kind === 'works' || !('why' in one) ? [] : [`${which} ${kind}: ${one.why}`]

const names = (relations: readonly Relation[]): string =>
  relations.map(({ schema, name }) => (schema === 'public' ? name : `${schema}.${name}`)).join(', ')

export const assumed = unknownCatalogue(180004)
