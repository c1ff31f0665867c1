import type { Block } from '../port.ts'

/** Size as it counts against a budget: as JSON, in UTF-16 units. */
export const sizeOf = (blocks: readonly Block[]): number => JSON.stringify(blocks).length
