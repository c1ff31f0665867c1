/** How PostgreSQL goes from one of its types to another (`pg_cast`, 14 to 18). */
export type Cast = {
  /** The bytes stay as they are; a function computes them; by way of text. */
  readonly method: 'b' | 'f' | 'i'
  /** Only where it is written; also when a value is stored; anywhere. */
  readonly context: 'e' | 'a' | 'i'
}

const REG = 'regclass regcollation regconfig regdictionary regnamespace regoperator regoper regprocedure regproc regrole regtype'

/** `from method context: to …`. */
const LISTED = `
bit fi: bit; bit fe: int4 int8; bit bi: varbit; varbit bi: bit; varbit fi: varbit
bool fa: bpchar text varchar; bool fe: int4
bpchar fi: bpchar name text varchar; bpchar fa: char; bpchar fe: xml
bytea fe: int2 int4 int8; int2 fe: bytea; int4 fe: bytea bit bool char; int8 fe: bytea bit
char fa: bpchar; char fi: text varchar; char fe: int4
cidr bi: inet; cidr fa: bpchar text varchar; inet fa: bpchar cidr text varchar
date fi: timestamp timestamptz
float4 fi: float8; float4 fa: int2 int4 int8 numeric; float8 fa: float4 int2 int4 int8 numeric
int2 fi: float4 float8 int4 int8 numeric oid ${REG}
int4 fi: float4 float8 int8 numeric; int4 fa: int2 money; int4 bi: oid ${REG}
int8 fi: float4 float8 numeric oid ${REG}; int8 fa: int2 int4 money
interval fi: interval; interval fa: time
jsonb fe: bool float4 float8 int2 int4 int8 numeric
json ia: jsonb; jsonb ia: json
macaddr fi: macaddr8; macaddr8 fi: macaddr
money fa: numeric; name fa: bpchar varchar; name fi: text
numeric fi: float4 float8 numeric; numeric fa: int2 int4 int8 money
oid ba: int4; oid fa: int8; oid bi: ${REG}
${REG.split(' ')
  .map((name) => `${name} ba: int4; ${name} fa: int8; ${name} bi: oid`)
  .join('; ')}
text bi: bpchar varchar; text fa: char; text fi: name regclass; text fe: xml
varchar bi: bpchar text; varchar fa: char; varchar fi: name regclass varchar; varchar fe: xml
time fi: interval time timetz; timetz fa: time; timetz fi: timetz
timestamp fa: date time; timestamp fi: timestamp timestamptz
timestamptz fa: date time timetz timestamp; timestamptz fi: timestamptz
xml ba: bpchar text varchar; xid8 fe: xid
box fe: circle lseg point polygon; circle fe: box point polygon; lseg fe: point; point fa: box; polygon fe: box circle point; polygon fa: path; path fa: polygon
int4range fe: int4multirange; int8range fe: int8multirange; numrange fe: nummultirange; daterange fe: datemultirange
tsrange fe: tsmultirange; tstzrange fe: tstzmultirange`

const methodOf = (letter: string): Cast['method'] => (letter === 'b' || letter === 'i' ? letter : 'f')
const contextOf = (letter: string): Cast['context'] => (letter === 'a' || letter === 'i' ? letter : 'e')

export const BUILT_IN: ReadonlyMap<string, Cast> = new Map(
  LISTED.split(/[;\n]/)
    .map((entry) => /^\s*(\w+) ([bfi])([eai]): (.*)$/.exec(entry))
    .flatMap((found) => {
      const [, from = '', method = 'f', context = 'e', to = ''] = found ?? []
      return to
        .split(' ')
        .filter((name) => name !== '')
        .map((name): readonly [string, Cast] => [`${from}>${name}`, { method: methodOf(method), context: contextOf(context) }])
    }),
)

/** Types whose values any other one becomes when it is stored, by way of text. */
export const STRINGS: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'name', 'citext'])

/**
 * What values are ordered and hashed by in an index, where it has another name than the type. An index survives a change that leaves the bytes
 * only where this is the same.
 */
export const OPERATORS: Readonly<Record<string, string>> = { varchar: 'text', cidr: 'inet' }

/** What can be compared with each other. */
export const COMPARED: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['number', 'int2 int4 int8 float4 float8 numeric'],
    ['text', 'text varchar bpchar name'],
    ['time', 'date timestamp timestamptz'],
    ['uuid', 'uuid'],
    ['bool', 'bool'],
    ['bytea', 'bytea'],
    ['jsonb', 'jsonb'],
    ['network', 'inet cidr'],
  ].flatMap(([group = '', names = '']) => names.split(' ').map((name) => [name, group])),
)

/** What a length or precision does to a value that has one already. */
export type Modifiers =
  /** More is free. */
  | { readonly kind: 'length' }
  /** More is free while the scale stays. */
  | { readonly kind: 'precision and scale' }
  /** More is free, and so is the most there is. */
  | { readonly kind: 'fraction'; readonly most: number }
  | { readonly kind: 'fields and fraction'; readonly most: number }
  /** Whatever changes is computed anew. */
  | { readonly kind: 'exact' }

export const MODIFIERS: Readonly<Record<string, Modifiers>> = {
  varchar: { kind: 'length' },
  varbit: { kind: 'length' },
  numeric: { kind: 'precision and scale' },
  timestamp: { kind: 'fraction', most: 6 },
  timestamptz: { kind: 'fraction', most: 6 },
  time: { kind: 'fraction', most: 6 },
  timetz: { kind: 'fraction', most: 6 },
  interval: { kind: 'fields and fraction', most: 6 },
  bpchar: { kind: 'exact' },
  bit: { kind: 'exact' },
}

/** Pairs that are only told apart by the session's zone: the same bytes where it is that of UTC. */
export const ZONED: ReadonlySet<string> = new Set(['timestamp>timestamptz', 'timestamptz>timestamp'])

/** Zones that the server knows to be UTC without a rule: `TimestampTimestampTzRequiresRewrite`. */
export const UTC_ZONES = /^(utc|gmt|z|zulu|uct|universal|greenwich|etc\/(utc|gmt|uct|universal|zulu|greenwich|gmt[+-]?0)|gmt[+-]?0)$/i

export const SERIALS: Readonly<Record<string, string>> = {
  serial: 'int4',
  serial4: 'int4',
  bigserial: 'int8',
  serial8: 'int8',
  smallserial: 'int2',
  serial2: 'int2',
}

/** Types that a column may have without anybody making one. */
export const OWN_TYPES: ReadonlySet<string> = new Set(
  `aclitem bit bool box bpchar bytea char cid cidr circle date datemultirange daterange float4 float8 gtsvector inet int2 int2vector int4
  int4multirange int4range int8 int8multirange int8range interval json jsonb jsonpath line lseg macaddr macaddr8 money name nummultirange
  numeric numrange oid oidvector path pg_lsn pg_snapshot point polygon refcursor ${REG} text tid time timestamp timestamptz timetz tsmultirange
  tsquery tsrange tstzmultirange tstzrange tsvector txid_snapshot uuid varbit varchar xid xid8 xml`.split(/\s+/),
)
