import { describe, expect, test } from 'vitest'
import { whyRecordLost } from '../../src/sql/left-settings.ts'
import { reviewMigrations } from '../../src/sql/review.ts'

const NEXT = 'create table orders (id int);'

/** Findings by file, for files that are named 1, 2, 3. */
async function findings(sql: readonly string[], schema = 'public'): Promise<readonly (readonly string[])[]> {
  const files = sql.map((text, at) => ({ name: `${at + 1}_file`, content: Buffer.from(text) }))
  const reviews = await reviewMigrations(files, { sizes: [], schema })
  return reviews.map((review) => review.findings)
}

describe('a setting that outlives its file is told of the file that sets it and of those that run with it', () => {
  test.each<[string, readonly string[], readonly (readonly string[])[]]>([
    [
      'a search path that leads to another schema',
      ['SET search_path TO audit, public; create table log (id int);', NEXT, NEXT],
      [
        [
          'it leaves search_path at audit, public behind: the migrator writes its record with it, and 2_file and 3_file run with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at audit, public, which 1_file leaves behind'],
        ['it begins with search_path at audit, public, which 1_file leaves behind'],
      ],
    ],
    [
      'by set_config',
      ["select pg_catalog.set_config('search_path', 'audit, public', false);", NEXT],
      [
        [
          'it leaves search_path at audit, public behind: the migrator writes its record with it, and 2_file runs with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at audit, public, which 1_file leaves behind'],
      ],
    ],
    [
      'by SET SCHEMA',
      ["SET SCHEMA 'audit';", NEXT],
      [
        [
          'it leaves search_path at audit behind: the migrator writes its record with it, and 2_file runs with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at audit, which 1_file leaves behind'],
      ],
    ],
    [
      'a role',
      ['SET ROLE audit_owner; create table log (id int);', NEXT],
      [
        [
          'it leaves role at audit_owner behind: the migrator writes its record as that role, and 2_file runs with it, so what it creates belongs to audit_owner; RESET role at its end keeps it to the file',
        ],
        ['it begins with role at audit_owner, which 1_file leaves behind'],
      ],
    ],
    [
      'a role, when no file follows',
      ['SET ROLE audit_owner; create table log (id int);'],
      [['it leaves role at audit_owner behind: the migrator writes its record as that role; RESET role at its end keeps it to the file']],
    ],
    [
      'a session authorization',
      ['SET SESSION AUTHORIZATION audit_owner;', NEXT],
      [
        [
          'it leaves session_authorization at audit_owner behind: the migrator writes its record as that role, and 2_file runs with it, so what it creates belongs to audit_owner; RESET session_authorization at its end keeps it to the file',
        ],
        ['it begins with session_authorization at audit_owner, which 1_file leaves behind'],
      ],
    ],
    [
      'foreign keys and triggers that are off',
      ['SET session_replication_role = replica; delete from a;', NEXT],
      [
        [
          'rows of a are deleted',
          'it leaves session_replication_role at replica behind: 2_file runs with it, so foreign keys and triggers do not watch what it writes; RESET session_replication_role at its end keeps it to the file',
        ],
        ['it begins with session_replication_role at replica, which 1_file leaves behind'],
      ],
    ],
    [
      'bodies that are not checked',
      ['SET check_function_bodies = false;', NEXT],
      [
        [
          'it leaves check_function_bodies at false behind: 2_file runs with it, so the bodies of its functions are not checked; RESET check_function_bodies at its end keeps it to the file',
        ],
        [],
      ],
    ],
    [
      'timeouts',
      ["SET lock_timeout = 0; SET statement_timeout TO '5s';", NEXT],
      [
        [
          'it sets a timeout itself, which overrides the one of the run',
          'it leaves lock_timeout at 0 and statement_timeout at 5s behind: 2_file runs with them in place of what the run sets; RESET of each at its end keeps them to the file',
        ],
        [],
      ],
    ],
    [
      'an isolation for all transactions',
      ['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;', NEXT],
      [
        [
          'it leaves default_transaction_isolation at serializable behind: 2_file runs with it; RESET default_transaction_isolation at its end keeps it to the file',
        ],
        [],
      ],
    ],
    [
      'a time zone',
      ["SET TIME ZONE 'Europe/London';", NEXT],
      [
        ['it leaves timezone at Europe/London behind: 2_file runs with it; RESET timezone at its end keeps it to the file'],
        ['it begins with timezone at Europe/London, which 1_file leaves behind'],
      ],
    ],
    [
      'an encoding',
      ["SET NAMES 'LATIN1';", NEXT],
      [
        [
          'it leaves client_encoding at LATIN1 behind: the migrator writes its record with it, and 2_file runs with it; RESET client_encoding at its end keeps it to the file',
        ],
        [],
      ],
    ],
    [
      'row security',
      ['SET row_security = off;', NEXT],
      [
        [
          'it leaves row_security at off behind: 2_file runs with it, so row-level security makes its statements fail instead of hiding rows; RESET row_security at its end keeps it to the file',
        ],
        [],
      ],
    ],
    [
      'in a code block',
      ["do $ begin perform set_config('search_path', 'audit', false); end $;", NEXT],
      [['it could not be read as SQL, so nobody knows what it does before somebody reads it'], []],
    ],
    [
      'SET in a code block',
      ['do $ begin set role audit_owner; end $;', NEXT],
      [['it could not be read as SQL, so nobody knows what it does before somebody reads it'], []],
    ],
    [
      'in a function that the plan defines and calls',
      ['create function go() returns void language plpgsql as $ begin set search_path to audit; end $; select go();', NEXT],
      [['it could not be read as SQL, so nobody knows what it does before somebody reads it'], []],
    ],
    [
      'by a name that is computed',
      ["select set_config(name, '1', false) from settings;", NEXT],
      [['it leaves a setting whose name is computed behind: the migrator writes its record with it, and 2_file runs with it'], []],
    ],
    [
      'to a value that is computed',
      ["select set_config('search_path', current_setting('app.schema'), false);", NEXT],
      [
        [
          'it leaves search_path at a computed value behind: the migrator writes its record with it, and 2_file runs with it, so what names no schema goes where it leads; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at a computed value, which 1_file leaves behind'],
      ],
    ],
    [
      'after a transaction of its own that was kept',
      ['BEGIN; SET search_path TO audit; COMMIT;', NEXT],
      [
        [
          'it has BEGIN or COMMIT inside, so a failure may leave a part of it applied',
          'it leaves search_path at audit behind: the migrator writes its record with it, and 2_file runs with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at audit, which 1_file leaves behind'],
      ],
    ],
    [
      'two files on, since the next one does not take it back',
      ['SET search_path TO audit, public;', 'select 1;', NEXT],
      [
        [
          'it leaves search_path at audit, public behind: the migrator writes its record with it, and 2_file and 3_file run with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at audit, public, which 1_file leaves behind'],
        ['it begins with search_path at audit, public, which 1_file leaves behind'],
      ],
    ],
    [
      'until a later file takes it back',
      ['SET search_path TO audit, public;', 'create table a (id int); RESET search_path;', NEXT],
      [
        [
          'it leaves search_path at audit, public behind: the migrator writes its record with it, and 2_file runs with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at audit, public, which 1_file leaves behind'],
        [],
      ],
    ],
    [
      'until a file that runs alone',
      ['SET search_path TO audit, public;', NEXT, 'create index concurrently i on orders (id);', NEXT],
      [
        [
          'it leaves search_path at audit, public behind: the migrator writes its record with it, and 2_file runs with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at audit, public, which 1_file leaves behind'],
        [],
        [],
      ],
    ],
    [
      'locks of the session',
      ['select pg_advisory_unlock_all();'],
      [["it gives up locks of its session, the migrator's own among them, so another migrator may begin meanwhile"]],
    ],
    [
      'DISCARD ALL',
      ['DISCARD ALL;'],
      [["it gives up locks of its session, the migrator's own among them, so another migrator may begin meanwhile"]],
    ],
    [
      'for sessions that begin later',
      ['ALTER DATABASE shop SET search_path TO audit;', NEXT],
      [
        [
          'it changes search_path of the database shop for every session that begins later: those of the application, and those of the migrator from its next start on',
        ],
        [],
      ],
    ],
    [
      'for later sessions of a role',
      ["ALTER ROLE app IN DATABASE shop SET statement_timeout = '5s';"],
      [
        [
          'it changes statement_timeout of the role app in the database shop for every session that begins later: those of the application, and those of the migrator from its next start on',
        ],
      ],
    ],
    [
      'the head of a dump',
      [
        "SET statement_timeout = 0; SET lock_timeout = 0; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET check_function_bodies = false; SET xmloption = content; SET client_min_messages = warning; SET row_security = off; SET default_tablespace = ''; SET default_table_access_method = heap;",
        NEXT,
      ],
      [
        [
          'it sets a timeout itself, which overrides the one of the run',
          'it leaves statement_timeout at 0 and lock_timeout at 0 behind: 2_file runs with them in place of what the run sets; RESET of each at its end keeps them to the file',
          'it leaves check_function_bodies at false behind: 2_file runs with it, so the bodies of its functions are not checked; RESET check_function_bodies at its end keeps it to the file',
          'it leaves row_security at off behind: 2_file runs with it, so row-level security makes its statements fail instead of hiding rows; RESET row_security at its end keeps it to the file',
        ],
        [],
      ],
    ],
    [
      'where the URL names another schema',
      ['SET search_path TO public;', NEXT],
      [
        [
          'it leaves search_path at public behind: the migrator writes its record with it, and 2_file runs with it, so what names no schema is created in public and not in shop; RESET search_path at its end keeps it to the file',
        ],
        ['it begins with search_path at public, which 1_file leaves behind'],
      ],
    ],
  ])('%s', async (title, sql, told) => {
    expect(await findings(sql, title.startsWith('where the URL') ? 'shop' : 'public')).toEqual(told)
  })
})

const PATH = 'prisma/migrations/1_file/migration.sql'
const RECORD =
  'in that session Prisma looks for its own record, which is in `public`. It would not find it (P1014): the file would be applied and yet be recorded as failed. Remove the statement (`pg_dump` writes it), or end the file with `RESET search_path;`, and ask again.'

describe('refused while planning, since the file would be applied and recorded as failed', () => {
  test.each([
    [
      "-- a dump\nselect pg_catalog.set_config('search_path', '', false);",
      `\`${PATH}\`, line 2: it leaves \`search_path\` empty, and ${RECORD}`,
    ],
    ["SET search_path = '';", `\`${PATH}\`, line 1: it leaves \`search_path\` empty, and ${RECORD}`],
    [
      'create schema audit;\n\n/* then */ SET SESSION search_path TO audit, pg_catalog;\n',
      `\`${PATH}\`, line 3: it leaves \`search_path\` at \`audit, pg_catalog\`, and ${RECORD}`,
    ],
    ["SET SCHEMA 'audit';", `\`${PATH}\`, line 1: it leaves \`search_path\` at \`audit\`, and ${RECORD}`],
    [
      'select 1;\nSET default_transaction_read_only = on;',
      `\`${PATH}\`, line 2: it makes every later transaction of its session read-only, that in which Prisma records the file too (25006): it would be applied and yet be recorded as failed. Remove the statement, or end the file with \`RESET default_transaction_read_only;\`, and ask again.`,
    ],
    [
      'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;',
      `\`${PATH}\`, line 1: it makes every later transaction of its session read-only, that in which Prisma records the file too (25006): it would be applied and yet be recorded as failed. Remove the statement, or end the file with \`RESET default_transaction_read_only;\`, and ask again.`,
    ],
    [
      "SET application_name TO 'loader';",
      `\`${PATH}\`, line 1: it changes \`application_name\`, by which the session of the migration is watched and stopped. Remove the statement and ask again.`,
    ],
  ])('%s', async (sql, text) => {
    expect(await whyLost(sql)).toBe(text)
  })

  test.each([
    'SET LOCAL search_path TO audit;',
    "select set_config('search_path', 'audit', true);",
    'SET search_path TO audit; create table a (id int); RESET search_path;',
    'SET search_path TO audit; create table a (id int); SET search_path TO DEFAULT;',
    'SET search_path TO audit; create table a (id int); RESET ALL;',
    'BEGIN; SET search_path TO audit; ROLLBACK;',
    'SAVEPOINT a; SET search_path TO audit; ROLLBACK TO SAVEPOINT a;',
    'SET search_path TO audit, public;',
    'SET search_path TO "$user", public;',
    'SET TRANSACTION READ ONLY;',
    'SET default_transaction_read_only = off;',
    'create function f() returns int language sql set search_path = audit as $$ select 1 $$;',
    'SET CONSTRAINTS ALL DEFERRED;',
    'SET ROLE a; RESET ROLE;',
    'SET ROLE a; SET ROLE NONE;',
    'SET SESSION AUTHORIZATION a; SET SESSION AUTHORIZATION DEFAULT;',
  ])('and not refused: %s', async (sql) => {
    expect(await whyLost(sql)).toBeNull()
  })

  test('what only may be left is told and not refused', async () => {
    const sql = "do $$ begin perform set_config('search_path', '', false); end $$;"
    expect(await whyLost(sql)).toBeNull()
    expect(await findings([sql])).toEqual([
      ['it may leave search_path empty behind: the migrator writes its record with it; RESET search_path at its end keeps it to the file'],
    ])
  })
})

test('what keeps within its file, or is as it is anyway, is not told', async () => {
  const quiet = [
    'SET LOCAL ROLE a; SET LOCAL lock_timeout = 0;',
    'SET ROLE a; RESET ROLE;',
    'BEGIN; SET ROLE a; ROLLBACK; BEGIN; SET TIME ZONE LOCAL; COMMIT;',
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET client_min_messages = warning; SET xmloption = content;",
    'SET TIME ZONE LOCAL;',
    'SET NAMES DEFAULT;',
    'SET session_replication_role = origin;',
    'SET search_path TO public;',
    'SET search_path = public, pg_catalog;',
    'create trigger t before insert on a for each row execute function set_path();',
  ]
  const told = await findings([...quiet, NEXT])
  expect(told.flat().filter((text) => !/BEGIN or COMMIT|sets a timeout/.test(text))).toEqual([])
})

async function whyLost(sql: string): Promise<string | null> {
  const [review] = await reviewMigrations([{ name: '1_file', content: Buffer.from(sql) }], { sizes: [], schema: 'public' })
  return whyRecordLost(PATH, review?.leaves ?? [], 'public')
}
