import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { finish } from './say.ts'

export type Config = {
  readonly command: string
  readonly connection: string | undefined
  /** Of the migrations. */
  readonly directory: string
  readonly contract: Contract
}

export type Column = { readonly nativeType: string; readonly nullable: boolean }
export type Contract = {
  readonly profileHash: string
  readonly storage: {
    readonly storageHash: string
    readonly namespaces: Readonly<
      Record<
        string,
        { readonly entries: { readonly table?: Readonly<Record<string, { readonly columns: Readonly<Record<string, Column>> }>> } }
      >
    >
  }
}

type Written = {
  readonly definedForPrisma8?: true
  readonly orm?: {
    readonly contract: string
    readonly db?: { readonly connection?: string }
    readonly migrations?: { readonly dir?: string }
  }
}

/** Runs `prisma.config.ts`, as every command of the real one does. */
export async function loadConfig(command: string): Promise<Config> {
  const path = join(process.cwd(), 'prisma.config.ts')
  if (!existsSync(path))
    finish(
      command,
      {
        code: 'CLI.CONFIG_SECTION_INVALID',
        summary: "The 'orm' section is missing: no config file was found.",
        nextActions: [{ kind: 'user-choice', label: "Declare the 'orm' section in prisma.config.ts, then run the command again." }],
      },
      ['adapter', 'family', 'target'].map(fieldMissing),
    )
  const written = await evaluate(command, path)
  if (written.definedForPrisma8 !== true || written.orm === undefined)
    finish(command, {
      code: 'CLI.CONFIG_MISSING_MARKER',
      summary: `${path} was not written for this version of the Prisma CLI, so it cannot be used.`,
      why: "Configs for this CLI are created with definePrismaConfig, which records a version marker on the exported object. This file's default export has no marker — it is most likely a Prisma 7 config, which uses the same filename — and the CLI stops rather than misread it.",
      nextActions: [
        {
          kind: 'user-choice',
          label:
            'Migrate the file: wrap the exported object in definePrismaConfig from @prisma/cli-engine and export the result as the default export.',
        },
      ],
      where: { path },
    })
  const { contract, db, migrations } = written.orm
  const emitted = join(process.cwd(), contract.replace(/\.\w+$/, '.json'))
  return {
    command,
    connection: db?.connection,
    directory: join(process.cwd(), migrations?.dir ?? 'migrations'),
    contract: JSON.parse(readFileSync(emitted, 'utf8')) as Contract,
  }
}

async function evaluate(command: string, path: string): Promise<Written> {
  try {
    const { default: written } = (await import(pathToFileURL(path).href)) as { default?: Written }
    return written ?? {}
  } catch (error) {
    return finish(command, {
      code: 'CLI.CONFIG_UNREADABLE',
      summary: `${path} could not be evaluated: ${(error as Error).message}`,
      nextActions: [{ kind: 'user-choice', label: 'Fix the error in the file, then run the command again.' }],
      where: { path },
    })
  }
}

const fieldMissing = (field: string) => ({
  code: 'CLI.CONFIG_FIELD_INVALID',
  severity: 'error',
  summary: `In the 'orm' section, ${field} must be an object (was missing)`,
  nextActions: [{ kind: 'edit-file', label: `Correct orm.${field} in prisma.config.ts` }],
  meta: { section: 'orm', field },
  docsUrl: 'https://docs.prisma.io/docs/orm/v8/reference/error-reference/CLI.CONFIG_FIELD_INVALID',
})
