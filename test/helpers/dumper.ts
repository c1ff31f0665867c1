import { dump, type DumpRequest } from '../../src/backup/providers/pg-dump.ts'
import { createRedactor } from '../../src/redact/redact.ts'

// A process that makes a backup and is killed in the middle of it. The request comes as JSON on standard input.
let text = ''
for await (const chunk of process.stdin) text += String(chunk)
const request = JSON.parse(text) as Omit<DumpRequest, 'redactor' | 'signal' | 'report'>
await dump({ ...request, redactor: createRedactor([]), signal: new AbortController().signal, report: () => {} })
