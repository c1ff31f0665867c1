/** What the engine writes down beside each workflow. */
export const APPLICATION = 'lockkeeper'
/** What `enablePatching` makes of the application version; whoever enqueues must name it. */
export const VERSION = 'PATCHING_ENABLED'
