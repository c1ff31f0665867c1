import { toolEnvironment } from '../../../playground/shop/application.ts'
import { modulesWithPrisma, recordedModules } from '../recorded-prisma/place.ts'
import { installedPrisma, type InstalledPrisma, type PrismaVersion } from './installed.ts'

/**
 * The real CLI of a version, or the recorded one, for which nothing need be installed; while it is recorded (`LOCKKEEPER_TEST_PRISMA=record`)
 * it asks the real one what nobody has recorded yet.
 */
export async function prismaOf(version: PrismaVersion, which: 'real' | 'recorded'): Promise<InstalledPrisma> {
  if (which === 'recorded' && process.env['LOCKKEEPER_TEST_PRISMA'] !== 'record')
    return { modules: recordedModules(version), env: toolEnvironment }
  const { modules, env } = await installedPrisma(version)
  return { modules: modulesWithPrisma(modules, which), env }
}
