import fc from 'fast-check'

/** How the schemas of a set are written. */
export type Style = {
  /** Tables and columns have names of their own (`@map`), as in databases that are older than their Prisma schema. */
  readonly isMapped: boolean
  /** Tables lie in two schemas of the database. */
  readonly hasSchemas: boolean
}

export type Pair = { readonly from: string; readonly to: string }

type Field = {
  readonly type: string
  readonly form: 'required' | 'optional' | 'list'
  readonly hasDefault: boolean
  readonly isUnique: boolean
}
type Relation = { readonly to: number; readonly isRequired: boolean; readonly onDelete: string; readonly isIndexed: boolean }
type Model = {
  readonly id: string
  readonly fields: readonly (Field | null)[]
  readonly relation: Relation | null
  /** Many to many. */
  readonly with: number | null
  readonly index: readonly number[]
  readonly unique: readonly number[]
  readonly inSales: boolean
}
type Schema = { readonly models: readonly (Model | null)[]; readonly enums: readonly (readonly string[])[] }

const MODELS = ['User', 'Post', 'Order', 'OrderLine', 'Tag', 'Visit']
const FIELDS = ['title', 'email', 'total', 'state', 'createdAt', 'note', 'count', 'payload']
const VALUES = ['NEW', 'PAID', 'SENT', 'LOST']
const ENUMS = ['State', 'Kind']

/** Each type with a default that fits it. */
const TYPES: Readonly<Record<string, string>> = {
  String: '"none"',
  'String @db.VarChar(50)': '"x"',
  'String @db.VarChar(200)': '"x"',
  'String @db.Char(10)': '"x"',
  'String @db.Uuid': 'dbgenerated("gen_random_uuid()")',
  'String @db.Citext': '"x"',
  Int: '0',
  'Int @db.SmallInt': '1',
  BigInt: '0',
  Boolean: 'false',
  Float: '0.5',
  'Float @db.Real': '1',
  Decimal: '0',
  'Decimal @db.Decimal(10, 2)': '0',
  'Decimal @db.Decimal(12, 2)': '0',
  DateTime: 'now()',
  'DateTime @db.Timestamptz(3)': 'now()',
  'DateTime @db.Timestamptz(6)': 'now()',
  'DateTime @db.Date': 'now()',
  Json: '"{}"',
  'Json @db.Json': '"{}"',
  Bytes: '"AA=="',
  State: 'NEW',
  Kind: 'NEW',
}
const IDS = [
  'Int @id @default(autoincrement())',
  'Int @id',
  'BigInt @id @default(autoincrement())',
  'String @id @default(uuid())',
  'String @id @db.Uuid',
]
const DELETES = ['Cascade', 'Restrict', 'NoAction']

const field: fc.Arbitrary<Field> = fc.record({
  type: fc.constantFrom(...Object.keys(TYPES)),
  form: fc.constantFrom('required', 'optional', 'optional', 'list'),
  hasDefault: fc.boolean(),
  isUnique: fc.nat(7).map((n) => n === 0),
})
const model: fc.Arbitrary<Model> = fc.record({
  id: fc.constantFrom(...IDS),
  fields: fc.array(fc.option(field), { minLength: FIELDS.length, maxLength: FIELDS.length }),
  relation: fc.option(
    fc.record({ to: fc.nat(MODELS.length - 1), isRequired: fc.boolean(), onDelete: fc.constantFrom(...DELETES), isIndexed: fc.boolean() }),
  ),
  with: fc.option(fc.nat(MODELS.length - 1), { freq: 2 }),
  index: fc.uniqueArray(fc.nat(FIELDS.length - 1), { maxLength: 3 }),
  unique: fc.uniqueArray(fc.nat(FIELDS.length - 1), { maxLength: 3 }),
  inSales: fc.boolean(),
})
const values = fc.subarray(VALUES.slice(1)).map((some) => ['NEW', ...some])

/** A schema and what becomes of it: most of each model stays, as in the life of an application. */
export const pairs = (style: Style): fc.Arbitrary<Pair> =>
  fc
    .record({
      models: fc.array(
        fc.record({ before: fc.option(model), after: fc.option(model), kept: fc.array(fc.nat(5), { minLength: 12, maxLength: 12 }) }),
        {
          minLength: MODELS.length,
          maxLength: MODELS.length,
        },
      ),
      enums: fc.array(fc.record({ before: values, after: values }), { minLength: ENUMS.length, maxLength: ENUMS.length }),
    })
    .map(({ models, enums }) => ({
      from: written({ models: models.map(({ before }) => before), enums: enums.map(({ before }) => before) }, style),
      to: written(
        { models: models.map(({ before, after, kept }) => changed(before, after, kept)), enums: enums.map(({ after }) => after) },
        style,
      ),
    }))

/** Five of six parts are as they were. */
function changed(before: Model | null, after: Model | null, kept: readonly number[]): Model | null {
  const isKept = (at: number) => (kept[at] ?? 0) > 0
  if (before === null || after === null) return isKept(11) ? before : after
  return {
    id: isKept(0) ? before.id : after.id,
    fields: before.fields.map((one, at) => (isKept(at + 1) ? one : (after.fields[at] ?? null))),
    relation: isKept(9) ? before.relation : after.relation,
    with: isKept(10) ? before.with : after.with,
    index: isKept(11) ? before.index : after.index,
    unique: before.unique,
    inSales: before.inSales,
  }
}

function written(schema: Schema, style: Style): string {
  const names = schema.models.map((one, at) => (one === null ? null : (MODELS[at] ?? '')))
  const blocks = schema.models.flatMap((one, at) => (one === null ? [] : [modelOf(schema, names, at, one, style)]))
  const used = ENUMS.flatMap((name, at) =>
    blocks.some((block) => new RegExp(` ${name}[?[ \n]`).test(block))
      ? [`enum ${name} {\n${(schema.enums[at] ?? []).map((value) => `  ${value}\n`).join('')}${inSchema(style, false)}}\n`]
      : [],
  )
  return [...used, ...blocks].join('\n')
}

const inSchema = (style: Style, inSales: boolean): string => (style.hasSchemas ? `  @@schema("${inSales ? 'sales' : 'public'}")\n` : '')
const snake = (name: string): string => name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

function modelOf({ models }: Schema, names: readonly (string | null)[], at: number, one: Model, style: Style): string {
  const own = MODELS[at] ?? ''
  const column = (name: string) => (style.isMapped && snake(name) !== name ? ` @map("${snake(name)}")` : '')
  const fields = one.fields.flatMap((its, n) => (its === null ? [] : [`  ${FIELDS[n] ?? ''} ${fieldOf(its)}${column(FIELDS[n] ?? '')}\n`]))
  const there = (n: number) => (one.fields[n]?.form ?? 'list') !== 'list' && !/Json/.test(one.fields[n]?.type ?? '')
  const listed = (of: readonly number[]) => of.filter(there).map((n) => FIELDS[n] ?? '')
  const to = one.relation === null ? null : (names[one.relation.to] ?? null)
  const owning = one.relation === null || to === null ? '' : relationOf(own, one.relation, to, models, column)
  const back = models.flatMap((other, n) =>
    other?.relation?.to === at && names[n] !== null
      ? [`  owned${names[n] ?? ''} ${names[n] ?? ''}[] @relation("${names[n] ?? ''}Owner")\n`]
      : [],
  )
  const many = models.flatMap((other, n) => [
    ...(n === at && other !== null && other.with !== null && other.with !== at && names[other.with] != null
      ? [`  some${names[other.with] ?? ''} ${names[other.with] ?? ''}[] @relation("${own}Some")\n`]
      : []),
    ...(n !== at && other?.with === at ? [`  of${names[n] ?? ''} ${names[n] ?? ''}[] @relation("${names[n] ?? ''}Some")\n`] : []),
  ])
  const index = listed(one.index)
  const unique = listed(one.unique)
  const table = style.isMapped ? `  @@map("${snake(own)}s")\n` : ''
  const keys = `${index.length > 0 ? `  @@index([${index.join(', ')}])\n` : ''}${unique.length > 1 ? `  @@unique([${unique.join(', ')}])\n` : ''}`
  const ownerKey = owning !== '' && one.relation?.isIndexed === true ? '  @@index([ownerId])\n' : ''
  return `model ${own} {\n  id ${one.id}\n${fields.join('')}${owning}${[...back, ...many].join('')}${keys}${ownerKey}${table}${inSchema(style, one.inSales)}}\n`
}

function fieldOf({ type, form, hasDefault, isUnique }: Field): string {
  const [name = '', ...native] = type.split(' ')
  const isList = form === 'list'
  const value = TYPES[type] ?? ''
  const written = !hasDefault ? '' : isList ? ' @default([])' : ` @default(${value})`
  const unique = isUnique && !isList && name !== 'Json' ? ' @unique' : ''
  return `${name}${isList ? '[]' : form === 'optional' ? '?' : ''}${unique}${written}${native.length > 0 ? ` ${native.join(' ')}` : ''}`
}

function relationOf(
  model: string,
  { isRequired, onDelete, to }: Relation,
  name: string,
  models: Schema['models'],
  column: (name: string) => string,
): string {
  const key = (models[to]?.id ?? '').replace(/ @id/, '').replace(/ @default\(.*\)/, '')
  const [type = '', ...native] = key.split(' ')
  const mark = isRequired ? '' : '?'
  const own = native.length > 0 ? ` ${native.join(' ')}` : ''
  return `  ownerId ${type}${mark}${own}${column('ownerId')}\n  owner ${name}${mark} @relation("${model}Owner", fields: [ownerId], references: [id], onDelete: ${onDelete})\n`
}
