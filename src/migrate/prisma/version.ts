import type { Workspace } from './prisma-workspace.ts'
import type { ToolSession, ToolVersion } from './tool.ts'

/** From the installed package; where that does not tell, by a start, whose words are given too. */
export async function askVersion(
  workspace: Pick<Workspace, 'tool' | 'run'>,
  directory: () => string,
  session: ToolSession,
): Promise<{ readonly version: ToolVersion | null; readonly said: string }> {
  if (workspace.tool.installed !== null) return { version: workspace.tool.installed, said: '' }
  const { output } = await workspace.run(workspace.tool.commands.version, directory(), session)
  return { version: workspace.tool.readVersion(output), said: output }
}
