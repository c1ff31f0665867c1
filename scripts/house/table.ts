import { rooms } from './plan.ts'

/** The rooms as a table of Markdown, from bottom to top, as `docs/architecture.md` has it. */
export const roomTable = (): string =>
  [
    '| folder | what belongs here | inside, from bottom to top |',
    '| --- | --- | --- |',
    ...rooms.map(({ folder, holds, inner }) => `| \`${folder}/\` | ${holds} | ${(inner ?? []).map((one) => `\`${one}\``).join(', ')} |`),
  ].join('\n')
