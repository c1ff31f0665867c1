/** What Prometheus' text format says, family by family; numbers stay text. */
declare module 'parse-prometheus-text-format' {
  type Metric = {
    readonly value?: string
    readonly count?: string
    readonly sum?: string
    readonly buckets?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
  export default function parse(
    text: string,
  ): readonly { readonly name: string; readonly help: string; readonly type: string; readonly metrics: readonly Metric[] }[]
}
