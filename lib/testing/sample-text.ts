/** Tried in this order for what a class or an escape of a regular expression may stand for. */
const characters = ['a', '1', 'A', '-', '_', ...Array.from({ length: 95 }, (_, index) => String.fromCharCode(index + 32)), '\n']

/**
 * A text that a regular expression accepts, or undefined where none was found. It takes the first of alternatives and
 * as few repetitions as there may be; assertions are left out, and what comes of it is tried on the expression.
 * @param min characters at least
 */
export function sampleText (pattern: string, min = 0): string | undefined {
  // Half of those in the wild do not compile with this flag, and Ajv uses it first.
  const expressions = ['u', ''].flatMap((flags) => compile(pattern, flags))
  return [0, 1, min].map((extra) => new Reader(pattern, extra).alternatives())
    .find((text) => text.length >= min && expressions.some((expression) => expression.test(text)))
}

function compile (pattern: string, flags: string): RegExp[] {
  try {
    return [new RegExp(pattern, flags)]
  } catch {
    return []
  }
}

class Reader {
  #at = 0
  readonly #pattern: string
  /** Repetitions beyond the fewest, where the number is open. */
  readonly #extra: number

  constructor (pattern: string, extra: number) {
    this.#pattern = pattern
    this.#extra = extra
  }

  alternatives (): string {
    const first = this.#sequence()
    while (this.#take(/\|/y)) this.#sequence()
    return first
  }

  #sequence (): string {
    let text = ''
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#pattern.charAt(this.#at))) text += this.#repeat(this.#atom())
    return text
  }

  #atom (): string {
    if (this.#take(/[$^]|\\[bB]/y)) return ''
    const group = this.#take(/\((\?(:|<?[=!]|<\w+>))?/y)
    if (group) {
      const text = this.alternatives()
      this.#take(/\)/y)
      return /[=!]/.test(group) ? '' : text
    }
    const set = this.#take(/\[(\\.|[^\]\\])*\]|\\p\{[^}]*\}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\[^]|\./iy)
    if (!set) return this.#take(/[^]/y)
    const [expression] = compile(`^(?:${set})$`, /^\\p/i.test(set) ? 'u' : '')
    // A set of other characters names them, most often.
    return [...characters, ...set].find((character) => expression?.test(character)) ?? ''
  }

  #repeat (text: string): string {
    const [, sign, least, most] = /^(?:([*+?])|\{(\d+)(?:,(\d*))?\})?$/.exec(this.#take(/[*+?]|\{\d+(,\d*)?\}/y)) as RegExpExecArray
    this.#take(/\?/y)
    if (!sign && !least) return text
    const isOpen = sign ? sign !== '?' : most === ''
    return text.repeat(Number(least ?? (sign === '+' ? 1 : 0)) + (isOpen ? this.#extra : 0))
  }

  /** The text that a sticky expression finds here, or none. */
  #take (expression: RegExp): string {
    expression.lastIndex = this.#at
    const [text] = expression.exec(this.#pattern) ?? ['']
    this.#at += text.length
    return text
  }
}
