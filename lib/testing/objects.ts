import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { AnyApp } from './app-routes.js'

export type ObjectId = string | number
export type Ids = Readonly<Record<string, ObjectId>>

/** Makes an object of the owner's and returns its id. */
export type ObjectMaker = (context: {
  /** `app.inject` with the owner's token. */
  inject: Owner['inject']
  /** The owner's id, as it stands in the path. */
  owner: string
  /** Of the owner's objects that were made before, in the order of `objects`: a task may need its list. */
  ids: Ids
}) => ObjectId | Promise<ObjectId>

/** A user, and the objects that were made for them. */
export class Owner {
  ids: Ids = {}

  constructor (readonly app: AnyApp, readonly id: string, readonly token: string) {}

  readonly inject = async (request: InjectOptions | string): Promise<LightMyRequestResponse> => {
    const options = typeof request === 'string' ? { url: request } : request
    return await this.app.inject({ ...options, headers: { ...options.headers, authorization: `Bearer ${this.token}` } })
  }

  /** @throws TypeError where a maker returns no id */
  async make (makers: Readonly<Record<string, ObjectMaker>>): Promise<void> {
    const ids: Record<string, ObjectId> = {}
    for (const [name, maker] of Object.entries(makers)) {
      const id: unknown = await maker({ inject: this.inject, owner: this.id, ids: { ...ids } })
      if (id === '' || (typeof id !== 'string' && typeof id !== 'number')) {
        throw new TypeError(`objects.${name} must return the id of an object that it made for "${this.id}", and returned ${JSON.stringify(id)}`)
      }
      ids[name] = id
    }
    this.ids = ids
  }
}

/** An id of the same form that nothing has. */
export function missingLike (id: ObjectId): ObjectId {
  // A counter: far ahead, and still an integer of 32 bits.
  const [, text = '', count] = /^(\D*)(\d{1,9})$/.exec(String(id)) ?? []
  if (count !== undefined) return typeof id === 'number' ? 2e9 + id % 1e8 : `${text}${2e9 + Number(count) % 1e8}`
  const end = String(id).slice(-8)
  const other = end.replace(/\d/g, (digit) => String(9 - Number(digit)))
  return String(id).slice(0, -8) + (other === end ? end.replace(/[a-z]/gi, (letter) => letter === 'a' ? 'b' : 'a') : other)
}

/** Whether an answer has the id as a whole value: `n1` is not in `n10`. A number is one only where ids stand. */
export function hasId (body: string, id: ObjectId): boolean {
  const isNumber = /^\d+$/.test(String(id))
  let found = false
  try {
    JSON.parse(body, function (this: unknown, key, value: unknown) {
      const isPlace = !isNumber || /ids?$/i.test(key) || Array.isArray(this)
      if (key === id || (isPlace && (value === id || value === String(id)))) found = true
      return value
    })
  } catch {
    return body.split(/[\s,;:"'<>|]+/).includes(String(id))
  }
  return found
}
