import { type ReactNode, useId, useState } from 'react'

export type Option = {
  readonly value: string
  readonly text: string
  readonly label: ReactNode
  readonly description: ReactNode
  readonly group: string | null
}
export type Names = {
  readonly id?: string
  readonly 'data-action': string
  readonly 'aria-label'?: string
  readonly 'aria-labelledby'?: string
  readonly 'aria-describedby'?: string
}
type Shared = { readonly names: Names; readonly options: readonly Option[] }

/** A native select: the keyboard, the screen reader and a phone's picker work without further help. */
export function Select({
  names,
  options,
  placeholder,
  chosen,
  onChange,
}: Shared & { readonly placeholder: string; readonly chosen: string; readonly onChange: (value: string) => void }): ReactNode {
  const groups = [...new Set(options.map((option) => option.group))]
  return (
    <select
      {...names}
      value={chosen}
      className={chosen === '' ? 'select select-empty' : 'select'}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="" disabled hidden>
        {placeholder === '' ? 'Choose an option' : placeholder}
      </option>
      {groups.map((group) => {
        const inside = options
          .filter((option) => option.group === group)
          .map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))
        return group === null ? (
          inside
        ) : (
          <optgroup key={group} label={group}>
            {inside}
          </optgroup>
        )
      })}
    </select>
  )
}

/** The chosen ones stay visible as removable tokens; the rest unfolds below. */
export function MultiSelect({
  names,
  options,
  placeholder,
  chosen,
  onChange,
}: Shared & {
  readonly placeholder: string
  readonly chosen: readonly string[]
  readonly onChange: (values: readonly string[]) => void
}): ReactNode {
  const left = options.filter((option) => !chosen.includes(option.value))
  return (
    <div className="multi" role="group" {...(names['aria-labelledby'] !== undefined && { 'aria-labelledby': names['aria-labelledby'] })}>
      {chosen.map((value) => {
        const text = options.find((option) => option.value === value)?.text ?? value
        return (
          <span key={value} className="token">
            {text}
            <button type="button" aria-label={`Remove ${text}`} onClick={() => onChange(chosen.filter((other) => other !== value))}>
              ×
            </button>
          </span>
        )
      })}
      <select
        {...names}
        value=""
        className="select select-empty"
        disabled={left.length === 0}
        onChange={(event) => onChange([...chosen, event.target.value])}
      >
        <option value="" disabled hidden>
          {placeholder === '' ? 'Choose options' : placeholder}
        </option>
        {left.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </div>
  )
}

export function Choices({
  names,
  kind,
  options,
  chosen,
  onChange,
}: Shared & {
  readonly kind: 'radio' | 'checkbox'
  readonly chosen: readonly string[]
  readonly onChange: (values: readonly string[]) => void
}): ReactNode {
  const group = useId()
  const toggle = (value: string): void => {
    if (kind === 'radio') onChange([value])
    else onChange(chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value])
  }
  return (
    <div {...names} className="choices" role={kind === 'radio' ? 'radiogroup' : 'group'}>
      {options.map((option) => (
        <label key={option.value} className="choice">
          <input type={kind} name={group} checked={chosen.includes(option.value)} onChange={() => toggle(option.value)} />
          <span className="choice-words">
            <span className="choice-label">{option.label}</span>
            {option.description !== null && <span className="quiet">{option.description}</span>}
          </span>
        </label>
      ))}
    </div>
  )
}

export function Overflow({
  options,
  onPick,
}: {
  readonly options: readonly Option[]
  readonly onPick: (value: string) => void
}): ReactNode {
  const [isOpen, setOpen] = useState(false)
  return (
    <div
      className="overflow"
      onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
    >
      <button
        type="button"
        className="button default"
        aria-label="More actions"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        ⋯
      </button>
      {isOpen && (
        <div className="popup overflow-menu" role="menu">
          {options.map((option) => (
            <button
              key={option.value}
              type="button"
              role="menuitem"
              onClick={() => {
                setOpen(false)
                onPick(option.value)
              }}
            >
              {option.label}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
