import type { Finding, FindingCode } from '../../../src/sql/weigh/finding.ts'
import { findingsOf, sentence, type Reviewed } from './reviewed.ts'

const LEVELS = { blocker: 'error', warning: 'warning', note: 'note' } as const

/** SARIF 2.1.0, as GitHub's code scanning and others read it. Paths are relative to where it was started. */
export function asSarif(reviewed: Reviewed, version: string): string {
  const found = reviewed.files.flatMap((file) => findingsOf(reviewed, file).map((finding) => ({ file, finding })))
  const codes = [...new Set(found.map(({ finding }) => finding.code))].toSorted()
  const run = {
    tool: { driver: { name: 'Lockkeeper', version, rules: codes.map((id) => ({ id, shortDescription: { text: titleOf(id) } })) } },
    columnKind: 'utf16CodeUnits',
    results: found.map(({ file, finding }) => resultOf(file, finding, codes)),
    properties: { weighedBy: reviewed.by },
  }
  return JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, undefined, 2)
}

const titleOf = (code: FindingCode): string => `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('-', ' ')}`

function resultOf(file: string, { code, weight, line, text, advice, waived }: Finding, codes: readonly FindingCode[]) {
  const instead =
    advice === null ? [] : [`Instead: ${sentence(advice.text)}`, ...advice.files.map(({ name, sql }) => `${name}\n${sql.trimEnd()}`)]
  const uri = `${file.startsWith('/') ? 'file://' : ''}${file.split('/').map(encodeURIComponent).join('/')}`
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: LEVELS[weight],
    message: { text: [sentence(text), ...instead].join('\n') },
    locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: line ?? 1 } } }],
    ...(waived === null ? {} : { suppressions: [{ kind: 'inSource', justification: waived.reason }] }),
  }
}
