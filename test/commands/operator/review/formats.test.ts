import { expect, test } from 'vitest'
import { asGithub } from '../../../../commands/operator/review/github.ts'
import { asMarkdown } from '../../../../commands/operator/review/markdown.ts'
import { isBlocking, type Reviewed } from '../../../../commands/operator/review/reviewed.ts'
import { asSarif } from '../../../../commands/operator/review/sarif.ts'
import { asText } from '../../../../commands/operator/review/text.ts'
import type { Finding } from '../../../../src/sql/weigh/finding.ts'

const FIRST = 'prisma/migrations/1_note/migration.sql'
const SECOND = 'sql/50%, of:all.sql'
const finding = (about: Partial<Finding>): Finding => ({
  code: 'index-build',
  weight: 'blocker',
  migration: FIRST,
  line: 3,
  table: 'orders',
  text: 'builds an index on `orders`',
  advice: null,
  waived: null,
  ...about,
})
const advice = { text: 'Build it CONCURRENTLY', files: [{ name: 'build', sql: 'CREATE INDEX CONCURRENTLY a\n  ON orders (note);\n' }] }

const reviewed: Reviewed = {
  files: [FIRST, SECOND],
  findings: [
    finding({ advice }),
    finding({ code: 'wide-lock', weight: 'warning', line: 4, text: 'locks <b>@team</b> 100% of\r\n::error::it', advice }),
    finding({ code: 'data-loss', line: 1, migration: SECOND, waived: { by: 'comment', reason: 'empty since May' } }),
    finding({ code: 'unreadable', weight: 'note', migration: SECOND, line: null, text: 'ends here.' }),
  ],
  by: 'No database was asked.',
}

test('as text each file has its findings by line, the same advice once, and the sum stands last', () => {
  expect(asText(reviewed)).toMatchInlineSnapshot(`
    "prisma/migrations/1_note/migration.sql
      line 3, blocker (index-build): builds an index on \`orders\`.
        Instead: Build it CONCURRENTLY.
          build
            CREATE INDEX CONCURRENTLY a
              ON orders (note);
      line 4, warning (wide-lock): locks <b>@team</b> 100% of ::error::it.
        Instead: As said above (index-build).

    sql/50%, of:all.sql
      note (unreadable): ends here.
      line 1, blocker, waived (empty since May) (data-loss): builds an index on \`orders\`.

    2 migrations: 1 blocker, 1 warning, 1 note, 1 waived. No database was asked."
  `)
})

test('as annotations for GitHub nothing in a text or a path can end the command or begin another', () => {
  expect(asGithub(reviewed)).toMatchInlineSnapshot(`
    "::error file=prisma/migrations/1_note/migration.sql,line=3,title=index-build::builds an index on \`orders\`.%0AInstead: Build it CONCURRENTLY.%0Abuild%0ACREATE INDEX CONCURRENTLY a%0A  ON orders (note);
    ::warning file=prisma/migrations/1_note/migration.sql,line=4,title=wide-lock::locks <b>@team</b> 100%25 of%0D%0A::error::it.%0AInstead: Build it CONCURRENTLY.%0Abuild%0ACREATE INDEX CONCURRENTLY a%0A  ON orders (note);
    ::notice file=sql/50%25%2C of%3Aall.sql,title=unreadable::ends here.
    ::notice file=sql/50%25%2C of%3Aall.sql,line=1,title=data-loss::builds an index on \`orders\`.%0AWaived: empty since May.
    2 migrations: 1 blocker, 1 warning, 1 note, 1 waived. No database was asked."
  `)
  expect(
    asGithub(reviewed)
      .split('\n')
      .filter((line) => line.startsWith('::')),
  ).toHaveLength(4)
})

test('as Markdown nothing in a text is markup or a mention, and SQL can be copied', () => {
  expect(asMarkdown(reviewed)).toMatchInlineSnapshot(`
    "### Review of migrations

    2 migrations: 1 blocker, 1 warning, 1 note, 1 waived. No database was asked.

    **prisma/migrations/1\\_note/migration.sql**

    - **blocker**, line 3 (\`index-build\`): builds an index on \`orders\`.

      Instead: Build it CONCURRENTLY.

      build

      \`\`\`sql
      CREATE INDEX CONCURRENTLY a
        ON orders (note);
      \`\`\`

    - **warning**, line 4 (\`wide-lock\`): locks \\<b\\>@<!-- -->team\\</b\\> 100% of ::error::it.

      Instead: As said above (index-build).

    **sql/50%, of:all.sql**

    - **note** (\`unreadable\`): ends here.

    - **blocker, waived (empty since May)**, line 1 (\`data-loss\`): builds an index on \`orders\`."
  `)
})

test('a fence is longer than any in its SQL, and what is invisible is spelled out', () => {
  const files = [{ name: 'a', sql: "select '````', '\u202e'" }]
  const text = asMarkdown({ ...reviewed, findings: [finding({ text: 'a \u200b b', advice: { text: 'Do', files } })] })
  expect(text.split('\n').slice(-3)).toEqual(['  `````sql', "  select '````', '<U+202E>'", '  `````'])
  expect(text).toContain('a \\<U+200B\\> b.')
})

test('a comment is never longer than GitHub takes, and says how many findings are left out', () => {
  const findings = Array.from({ length: 500 }, (_, at) => finding({ line: at + 1, text: 'x'.repeat(300) }))
  const text = asMarkdown({ ...reviewed, findings })
  expect(text.length).toBeLessThan(65_536)
  expect(text.split('\n').at(-1)).toMatchInlineSnapshot(`"and 326 more findings; \`lockkeeper review\` shows all of them."`)
})

test('as SARIF 2.1.0 each result has its rule, level and place; what was waived is suppressed', () => {
  expect(JSON.parse(asSarif(reviewed, '1.2.3'))).toMatchInlineSnapshot(`
    {
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
      "runs": [
        {
          "columnKind": "utf16CodeUnits",
          "properties": {
            "weighedBy": "No database was asked.",
          },
          "results": [
            {
              "level": "error",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "prisma/migrations/1_note/migration.sql",
                    },
                    "region": {
                      "startLine": 3,
                    },
                  },
                },
              ],
              "message": {
                "text": "builds an index on \`orders\`.
    Instead: Build it CONCURRENTLY.
    build
    CREATE INDEX CONCURRENTLY a
      ON orders (note);",
              },
              "ruleId": "index-build",
              "ruleIndex": 1,
            },
            {
              "level": "warning",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "prisma/migrations/1_note/migration.sql",
                    },
                    "region": {
                      "startLine": 4,
                    },
                  },
                },
              ],
              "message": {
                "text": "locks <b>@team</b> 100% of
    ::error::it.
    Instead: Build it CONCURRENTLY.
    build
    CREATE INDEX CONCURRENTLY a
      ON orders (note);",
              },
              "ruleId": "wide-lock",
              "ruleIndex": 3,
            },
            {
              "level": "note",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "sql/50%25%2C%20of%3Aall.sql",
                    },
                    "region": {
                      "startLine": 1,
                    },
                  },
                },
              ],
              "message": {
                "text": "ends here.",
              },
              "ruleId": "unreadable",
              "ruleIndex": 2,
            },
            {
              "level": "error",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "sql/50%25%2C%20of%3Aall.sql",
                    },
                    "region": {
                      "startLine": 1,
                    },
                  },
                },
              ],
              "message": {
                "text": "builds an index on \`orders\`.",
              },
              "ruleId": "data-loss",
              "ruleIndex": 0,
              "suppressions": [
                {
                  "justification": "empty since May",
                  "kind": "inSource",
                },
              ],
            },
          ],
          "tool": {
            "driver": {
              "name": "Lockkeeper",
              "rules": [
                {
                  "id": "data-loss",
                  "shortDescription": {
                    "text": "Data loss",
                  },
                },
                {
                  "id": "index-build",
                  "shortDescription": {
                    "text": "Index build",
                  },
                },
                {
                  "id": "unreadable",
                  "shortDescription": {
                    "text": "Unreadable",
                  },
                },
                {
                  "id": "wide-lock",
                  "shortDescription": {
                    "text": "Wide lock",
                  },
                },
              ],
              "version": "1.2.3",
            },
          },
        },
      ],
      "version": "2.1.0",
    }
  `)
})

test('what somebody waived blocks nothing', () => {
  expect(reviewed.findings.map(isBlocking)).toEqual([true, false, false, false])
})

test('without findings it says so in each form', () => {
  const nothing = { ...reviewed, findings: [] }
  expect(asText(nothing)).toBe('2 migrations: nothing to say. No database was asked.')
  expect(asGithub(nothing)).toBe('2 migrations: nothing to say. No database was asked.')
  expect(asMarkdown(nothing)).toBe('### Review of migrations\n\n2 migrations: nothing to say. No database was asked.')
  expect(JSON.parse(asSarif(nothing, '1.2.3'))).toMatchObject({
    version: '2.1.0',
    runs: [{ results: [], tool: { driver: { rules: [] } } }],
  })
})
