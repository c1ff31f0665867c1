import { join } from 'node:path'
import { installedFrom } from '../prisma-versions/installed.ts'

/** `node_modules` with node-pg-migrate and Drizzle Kit: installed once, for the first test that asks for them. */
export const otherTools = async (): Promise<string> => join(await installedFrom(import.meta.dirname), 'node_modules')
