import type { Site } from './prisma-workspace.ts'
import type { ToolSession, ToolVersion } from './tool.ts'

/** From the installed package; where that does not tell, by a start, whose words are given too. */
export async function askVersion(
  site: Pick<Site, 'tool' | 'run'>,
  directory: () => string,
  session: ToolSession,
): Promise<{ readonly version: ToolVersion | null; readonly said: string }> {
  if (site.tool.installed !== null) return { version: site.tool.installed, said: '' }
  const { output } = await site.run(site.tool.commands.version, directory(), session)
  return { version: site.tool.readVersion(output), said: output }
}
